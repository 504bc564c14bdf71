// read-runs.ts: reads the recorded runs from disk as values, for summary.ts and the local page. It
// changes no file. A file is skipped if it is not a recorded run, or contains a type or a number
// that a run cannot have. The text of its words is not checked, so code that shows them must treat
// them as untrusted.
import { type GenerateEvent, isValidEvent } from '../contract/contract.ts';
import type { Run } from '../spool/run.ts';
import { readWhole, type StoredRun, storedRuns } from '../spool/stored-runs.ts';
import type { Paths } from '../system/paths.ts';

/**
 * Every recorded run, oldest first.
 *
 * @param known - events by timestamp, kept by the caller between calls. A recorded run never
 *   changes, so its file is read once.
 */
export function recordedRuns(paths: Paths, known: Map<number, GenerateEvent> = new Map()): Run[] {
  return storedRuns(paths).flatMap((stored): Run[] => {
    const run = withEvent(paths, stored, known.get(stored.timestamp));
    if (!run) return [];
    const { timestamp, outcome, reason, event } = run;
    known.set(timestamp, event);
    return [{ timestamp, outcome, ...(reason && { reason }), event }];
  });
}

function withEvent(paths: Paths, run: StoredRun, known: GenerateEvent | undefined) {
  if (known) return { ...run, event: known };
  const whole = readWhole(paths, run);
  return whole && isValidEvent(whole.event) ? whole : undefined;
}
