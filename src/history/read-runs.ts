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
    const { timestamp, outcome, reason } = stored;
    const event = known.get(timestamp) ?? readEvent(stored);
    if (!event) return [];
    known.set(timestamp, event);
    return [{ timestamp, outcome, ...(reason && { reason }), event }];
  });
}

function readEvent(stored: StoredRun): GenerateEvent | undefined {
  const event = readWhole(stored)?.event;
  return event && isValidEvent(event) ? event : undefined;
}
