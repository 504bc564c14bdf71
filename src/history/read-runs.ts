// runs.ts: recorded runs from disk as values, for what counts and draws them (summary.ts, the
// page). Nothing is moved or changed. A file that is no recorded run, or holds a number or type
// that none can hold, is passed over. What its words say is not checked: whoever shows them must
// expect anything.
import {
  foldCount,
  foldSeconds,
  type GenerateEvent,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
} from '../contract/contract.ts';
import type { Run } from '../otlp/decode.ts';
import { readWhole, type StoredRun, storedRuns } from '../spool/stored-runs.ts';
import type { Paths } from '../system/paths.ts';

/**
 * Every recorded run, oldest first. `known` keeps events between calls, by millisecond: a recorded
 * run never changes.
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
