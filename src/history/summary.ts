// summary.ts: the numbers that are shown about recorded runs: counts, durations and sizes, by group
// and over time. The functions are pure and use no Node API: the terminal and the local page use
// the same ones, so their numbers cannot differ.
//
// Quantiles interpolate linearly between neighbouring values (Hyndman and Fan's type 7, the default
// of NumPy, R and spreadsheets). Days are days of the user's time zone.
import type { GenerateEvent } from '../contract/contract.ts';
import type { Run } from '../spool/run.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../system/time.ts';

/** `null` if there are no values. */
export const quantile = (values: readonly number[], q: number): number | null =>
  quantileOfSorted(ascending(values), q);

const ascending = (values: readonly number[]) => values.toSorted((a, b) => a - b);

function quantileOfSorted(sorted: readonly number[], q: number): number | null {
  const position = q * (sorted.length - 1);
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  return below === undefined || above === undefined
    ? null
    : below + (above - below) * (position % 1);
}

/** Which runs to show. A property that is missing does not filter. */
export interface Selection {
  project?: string;
  environment?: string;
  /** Milliseconds since the epoch, inclusive. */
  from?: number;
  /** Milliseconds since the epoch, exclusive. */
  to?: number;
}

export function select(runs: readonly Run[], { project, environment, from, to }: Selection): Run[] {
  return runs.filter(
    ({ timestamp, event }) =>
      (project === undefined || event.project_id === project) &&
      (environment === undefined || event.environment === environment) &&
      (from === undefined || timestamp >= from) &&
      (to === undefined || timestamp < to),
  );
}

export interface Durations {
  runs: number;
  /** Seconds. */
  p50: number | null;
  p95: number | null;
}

export interface Group extends Durations {
  value: string;
  /** Milliseconds since the epoch, of the newest run. */
  last: number;
}

/** The fields by which runs are grouped. Words for each are in words.ts. */
export const GROUP_KEYS = [
  'environment',
  'lhp_version',
  'python_version',
  'is_ci',
  'dry_run',
  'project_id',
] as const satisfies readonly (keyof GenerateEvent)[];
export type GroupKey = (typeof GROUP_KEYS)[number];

export interface Essentials extends Durations {
  /** Milliseconds since the epoch. */
  first: number | null;
  last: number | null;
  /** The largest group first. */
  by: Record<GroupKey, Group[]>;
}

/** @param runs - oldest first. */
export function essentials(runs: readonly Run[]): Essentials {
  return {
    ...durations(runs),
    first: runs[0]?.timestamp ?? null,
    last: runs.at(-1)?.timestamp ?? null,
    by: Object.fromEntries(GROUP_KEYS.map((key) => [key, groups(runs, key)])) as Essentials['by'],
  };
}

function durations(runs: readonly Run[]): Durations {
  const seconds = ascending(runs.map(({ event }) => event.generation_time_seconds));
  return {
    runs: runs.length,
    p50: quantileOfSorted(seconds, 0.5),
    p95: quantileOfSorted(seconds, 0.95),
  };
}

function groups(runs: readonly Run[], key: GroupKey): Group[] {
  return [...Map.groupBy(runs, ({ event }) => String(event[key]))]
    .map(([value, members]) => ({
      value,
      ...durations(members),
      last: members.at(-1)?.timestamp ?? 0,
    }))
    .sort((a, b) => b.runs - a.runs || (a.value < b.value ? -1 : 1));
}

/** The sizes that are shown over time. Words for each are in words.ts. */
export const SIZE_KEYS = [
  'files_generated',
  'flowgroups_count',
  'pipelines_count',
  'templates_count',
] as const satisfies readonly (keyof GenerateEvent)[];
export type SizeKey = (typeof SIZE_KEYS)[number];

/** One step of a timeline: one or more days, or part of a day. */
export interface Bucket extends Durations {
  /** Milliseconds since the epoch; for days, midnight. */
  start: number;
  end: number;
  /** Medians. The median of files ignores dry runs, because these write no files. */
  sizes: Record<SizeKey, number | null>;
}

/**
 * Buckets from the day of the first run to the day of the last one, without gaps. If there are more
 * than `maxBuckets` days, each bucket covers several days.
 *
 * @param runs - oldest first.
 */
export function timeline(runs: readonly Run[], maxBuckets: number = 90): Bucket[] {
  const [first, last] = [runs[0], runs.at(-1)];
  if (!first || !last) return [];
  const days = Math.round((midnight(last.timestamp) - midnight(first.timestamp)) / DAY_MS) + 1;
  const step = Math.ceil(days / maxBuckets);
  const buckets: Bucket[] = [];
  let index = 0;
  for (
    let start = midnight(first.timestamp);
    start <= last.timestamp;
    start = midnight(start, step)
  ) {
    const end = midnight(start, step);
    const from = index;
    while (index < runs.length && (runs[index] as Run).timestamp < end) index += 1;
    const members = runs.slice(from, index);
    buckets.push({ start, end, ...durations(members), sizes: sizes(members) });
  }
  return buckets;
}

/**
 * As {@link timeline}, but with buckets of an hour if the runs span at most three days, and of ten
 * minutes if they span at most six hours. Otherwise a short history would be one or two points.
 *
 * @param runs - oldest first.
 */
export function fineTimeline(runs: readonly Run[]): Bucket[] {
  const [first, last] = [runs[0], runs.at(-1)];
  if (!first || !last) return [];
  const length = last.timestamp - first.timestamp;
  if (length > 3 * DAY_MS) return timeline(runs);
  const minutes = length > 6 * HOUR_MS ? 60 : 10;
  const begin = new Date(first.timestamp);
  // Rounded in local time: some time zones are offset by half an hour.
  begin.setMinutes(begin.getMinutes() - (begin.getMinutes() % minutes), 0, 0);
  const buckets: Bucket[] = [];
  for (let start = begin.getTime(); start <= last.timestamp; start += minutes * MINUTE_MS) {
    const end = start + minutes * MINUTE_MS;
    const members = runs.filter(({ timestamp }) => timestamp >= start && timestamp < end);
    buckets.push({ start, end, ...durations(members), sizes: sizes(members) });
  }
  return buckets;
}

/** Midnight of the day, or of `later` days after it. A day need not have 24 hours. */
function midnight(timestamp: number, later: number = 0): number {
  const date = new Date(timestamp);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + later).getTime();
}

function sizes(runs: readonly Run[]): Bucket['sizes'] {
  const median = (key: SizeKey) =>
    quantile(
      runs.flatMap(({ event }) =>
        key === 'files_generated' && event.dry_run ? [] : (event[key] ?? []),
      ),
      0.5,
    );
  return Object.fromEntries(SIZE_KEYS.map((key) => [key, median(key)])) as Bucket['sizes'];
}
