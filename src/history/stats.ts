// stats.ts: the object that `lhp-otel stats --json` prints. Times are ISO 8601, durations are in
// seconds. The numbers come from summary.ts and changes.ts, as those of the local page do.
import type { Run } from '../spool/run.ts';
import { type Change, changes } from './changes.ts';
import {
  type Bucket,
  type Durations,
  essentials,
  type Group,
  type GroupKey,
  timeline,
} from './summary.ts';

/** T, with its timestamps as text. */
type Timed<T, K extends keyof T> = Omit<T, K> & Record<K, string>;

export interface Stats extends Durations {
  first: string | null;
  last: string | null;
  by: Record<GroupKey, Timed<Group, 'last'>[]>;
  /** Only days that have runs. */
  days: Timed<Bucket, 'start' | 'end'>[];
  changes: Timed<Change, 'timestamp'>[];
}

const iso = (timestamp: number) => new Date(timestamp).toISOString();
/**
 * Durations are recorded in hundredths of a second, so more than three digits of an interpolated
 * value would be noise.
 */
const rounded = <T extends Durations>(durations: T): T => ({
  ...durations,
  p50: durations.p50 === null ? null : Math.round(durations.p50 * 1000) / 1000,
  p95: durations.p95 === null ? null : Math.round(durations.p95 * 1000) / 1000,
});

/** @param runs - oldest first. */
export function statsOf(runs: readonly Run[]): Stats {
  const { first, last, by, ...durations } = essentials(runs);
  return {
    ...rounded(durations),
    first: first === null ? null : iso(first),
    last: last === null ? null : iso(last),
    by: Object.fromEntries(
      Object.entries(by).map(([key, groups]) => [
        key,
        groups.map((group) => ({ ...rounded(group), last: iso(group.last) })),
      ]),
    ) as Stats['by'],
    days: timeline(runs, Number.MAX_SAFE_INTEGER)
      .filter((day) => day.runs > 0)
      .map((day) => ({ ...rounded(day), start: iso(day.start), end: iso(day.end) })),
    changes: changes(runs).map((change) => ({ ...change, timestamp: iso(change.timestamp) })),
  };
}
