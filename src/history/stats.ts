// stats.ts: recorded runs as one object of numbers, for `lhp-otel stats --json` and for its text
// (stats-text.ts). The counting is summary.ts's and changes.ts's, which the local page has, too.
// Times are ISO 8601, durations seconds.

import type { Run } from '../otlp/decode.ts';
import { type Change, changes } from './changes.ts';
import {
  type Bucket,
  type Durations,
  essentials,
  type Group,
  type GroupKey,
  timeline,
} from './summary.ts';

/** Milliseconds since the epoch as text; the rest is as it was. */
type Timed<T, K extends keyof T> = Omit<T, K> & Record<K, string>;

export interface Stats extends Durations {
  first: string | null;
  last: string | null;
  by: Record<GroupKey, Timed<Group, 'last'>[]>;
  /** The days with runs. */
  days: Timed<Bucket, 'start' | 'end'>[];
  changes: Timed<Change, 'timestamp'>[];
}

const iso = (timestamp: number) => new Date(timestamp).toISOString();
/**
 * Durations are recorded in hundredths; an interpolated one has not more than thousandths to say.
 */
const rounded = <T extends Durations>(durations: T): T => ({
  ...durations,
  p50: durations.p50 === null ? null : Math.round(durations.p50 * 1000) / 1000,
  p95: durations.p95 === null ? null : Math.round(durations.p95 * 1000) / 1000,
});

/** The runs are oldest first. */
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
