// read-runs.ts: reads the recorded runs from disk as values, for summary.ts and the local page. It
// changes no file. A file is skipped if it is not a recorded run, or contains a type or a number
// that a run cannot have. The text of its words is not checked, so code that shows them must treat
// them as untrusted.
import {
  foldCount,
  foldSeconds,
  type GenerateEvent,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
} from '../contract/contract.ts';
import type { Run } from '../otlp/decode.ts';
import { readWhole, type StoredRun, storedRuns } from '../spool/spool.ts';
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

function isValidEvent(event: GenerateEvent): boolean {
  const {
    flowgroups_count,
    flowgroups_using_templates,
    templates_count,
    pipelines_count,
    files_generated,
  } = event;
  return (
    [...RESOURCE_ATTRIBUTES, ...POINT_ATTRIBUTES].every(
      ({ page, type }) => !page || typeof event[page] === type,
    ) &&
    [
      flowgroups_count,
      flowgroups_using_templates,
      templates_count,
      pipelines_count,
      files_generated,
    ].every((count) => count === null || foldCount(count) === count) &&
    foldSeconds(event.generation_time_seconds) === event.generation_time_seconds
  );
}
