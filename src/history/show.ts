// show.ts: what `lhp-otel show` prints. The format `event` is the JSON of the telemetry page;
// `otlp` is the recorded request, byte for byte.
import type { Preview } from '../contract/contract.ts';
import { eventOf, type OtlpRequest } from '../otlp/decode.ts';
import type { Run } from '../spool/run.ts';
import { readWhole, storedRuns } from '../spool/stored-runs.ts';
import type { Paths } from '../system/paths.ts';

export const FORMATS = ['event', 'otlp'] as const;
export type Format = (typeof FORMATS)[number];

export interface ShownRun extends Run {
  /** The content of the file. */
  text: string;
}

/** The newest `last` runs, oldest first. Files that are not recorded runs are skipped. */
export function newestRuns(paths: Paths, last: number): ShownRun[] {
  const runs: ShownRun[] = [];
  for (const run of storedRuns(paths).toReversed()) {
    if (runs.length === last) break;
    const whole = readWhole(paths, run);
    if (!whole) continue;
    const { timestamp, outcome, reason, event, bytes } = whole;
    const text = bytes.toString('utf8');
    runs.push({ timestamp, outcome, ...(reason && { reason }), event, text });
  }
  return runs.reverse();
}

/** What would be recorded, made by the same recorder as a real run. */
export async function previewOf(event: Preview): Promise<ShownRun> {
  const { recordRun } = await import('../otlp/encode.ts');
  const timestamp = Date.now();
  const text = new TextDecoder().decode(
    await recordRun(event, { timestamp, startedAt: timestamp }),
  );
  return { timestamp, outcome: 'local', event: eventOf(JSON.parse(text) as OtlpRequest), text };
}
