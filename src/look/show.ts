// show.ts: recorded runs as text. `event` is the telemetry page's own JSON; `otlp` is the request byte for byte.
import type { Preview } from '../contract.ts';
import { eventOf, type OtlpRequest } from '../describe/event.ts';
import { readRun, storedRuns } from '../spool/spool.ts';
import type { Paths } from '../system/paths.ts';

export const FORMATS = ['event', 'otlp'] as const;
export type Format = (typeof FORMATS)[number];

/** The newest `last` runs, oldest of them first; files that are no runs are passed over. */
export function* showRuns(paths: Paths, last: number, format: Format): Generator<string> {
  for (const run of storedRuns(paths).slice(-last)) {
    const bytes = readRun(run);
    if (!bytes) continue;
    const text = bytes.toString('utf8');
    yield format === 'otlp' ? text : JSON.stringify(eventOf(JSON.parse(text) as OtlpRequest));
  }
}

/** What would be recorded: through the same recorder, so that it cannot differ. */
export async function showPreview(event: Preview, format: Format): Promise<string> {
  const { recordRun } = await import('../record.ts');
  const timestamp = Date.now();
  const text = new TextDecoder().decode(await recordRun(event, { timestamp, startedAt: timestamp }));
  return format === 'otlp' ? text : JSON.stringify(eventOf(JSON.parse(text) as OtlpRequest));
}
