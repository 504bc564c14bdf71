// truth.ts: what the panels of the dashboards must show, computed from the runs themselves. A
// number may be a range: a quantile is not more exact than the buckets of a backend, nor a time
// than the step in which it is looked for.
import type { Dialect } from '../../deploy/generate/dashboards/dialects.ts';
import { DAY } from '../../scripts/harness/runs.ts';
import type { GenerateEvent } from '../../src/contract/contract.ts';
import { cell, point } from './asks.ts';
import { chosenRuns, type KnownRun, type Situation, stored } from './known-runs.ts';

/** Schema 8, in which Prometheus stores; and deploy/collector/victoriametrics.yaml. */
export const [BUCKET, WIDE_BUCKET] = [2 ** (1 / 256), 2 ** (1 / 16)];

export type Expected = number | readonly [least: number, most: number];
/** A zero that must be drawn; elsewhere a number that is missing is as good as a zero. */
export const DRAWN_ZERO: Expected = [0, 0];
export type Truth = Record<string, Expected>;

/** What the runs of one situation are asked by. */
export interface Asked {
  /** The chosen runs of the time range. */
  runs: readonly KnownRun[];
  /** All chosen runs. */
  all: readonly KnownRun[];
  situation: Situation;
  dialect: Dialect['name'];
  /** The width of a bucket of the backend, as a factor. */
  bucket: number;
}

export function askedOf(
  runs: readonly KnownRun[],
  situation: Situation,
  backend: Pick<Asked, 'dialect' | 'bucket'>,
): Asked {
  const all = chosenRuns(runs, situation);
  const { from, to } = situation;
  return { ...backend, situation, all, runs: all.filter(({ at }) => at > from && at <= to) };
}

type Runs = readonly KnownRun[];
export type Pick1 = (event: GenerateEvent) => number;
export type Name = (event: GenerateEvent) => string;

export const seconds: Pick1 = (event) => event.generation_time_seconds;
export const flowgroups: Pick1 = (event) => event.flowgroups_count as number;
export const version: Name = (event) => event.lhp_version;
export const project: Name = (event) => stored(event.project_id);
export const short: Name = (event) => project(event).slice(0, 8);
export const machine: Name = (event) => event.machine_id;
export const writing = (runs: Runs): Runs => runs.filter(({ event }) => !event.dry_run);
export const inCi = (runs: Runs, ci: boolean): Runs =>
  runs.filter(({ event }) => event.is_ci === ci);

export const sum = (runs: Runs, pick: Pick1): number =>
  runs.reduce((total, { event }) => total + pick(event), 0);
export const mean = (runs: Runs, pick: Pick1): number => sum(runs, pick) / runs.length;
export const distinct = (runs: Runs, name: Name): number =>
  new Set(runs.map(({ event }) => name(event))).size;
export const groups = (runs: Runs, name: Name): [string, KnownRun[]][] => [
  ...Map.groupBy(runs, ({ event }) => name(event)),
];

/**
 * The value that this share of the runs does not exceed. If it lies between two runs, backends
 * choose one of them.
 */
export function quantile(runs: Runs, q: number, pick: Pick1, { bucket }: Asked): Expected {
  const sorted = runs.map(({ event }) => pick(event)).sort((a, b) => a - b);
  const rank = Math.round(q * sorted.length * 1e6) / 1e6;
  const low = sorted[Math.max(0, Math.ceil(rank) - 1)] as number;
  const high = sorted[Math.min(sorted.length - 1, Math.floor(rank))] as number;
  return [low / bucket, high * bucket];
}

/** Of sorted or unsorted numbers, as PromQL's `quantile`: between two of them, a straight line. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return ((low as number) + (high as number)) / 2;
}

/** One number, under the title of its panel; nothing without runs. */
export const single =
  (title: string, count: (of: Asked) => Expected | undefined) =>
  (of: Asked): Truth => {
    const value = of.runs.length > 0 ? count(of) : undefined;
    return value === undefined ? {} : { [title]: value };
  };

/** A number for each name, of a panel or of a column. */
export const each = (
  runs: Runs,
  name: Name,
  count: (runs: KnownRun[], name: string) => Expected | undefined,
): Truth =>
  Object.fromEntries(
    groups(runs, name).flatMap(([key, group]) => {
      const value = count(group, key);
      return value === undefined ? [] : [[key, value]];
    }),
  );

/** The columns of a table: title → row → number. */
export const columns = (all: Record<string, Truth>): Truth =>
  Object.fromEntries(
    Object.entries(all).flatMap(([title, rows]) =>
      Object.entries(rows).map(([row, value]) => [cell(row, title), value]),
    ),
  );

/** The times at which a panel has a point, in seconds. */
export function times({ from, to, step }: Situation): number[] {
  const first = Math.floor(from / step) * step;
  return Array.from(
    { length: Math.floor(to / step) - Math.floor(from / step) + 1 },
    (_, index) => (first + index * step) / 1_000,
  );
}

/** For each step the numbers by name; a step is of the runs after its time, up to the next one. */
export const steps = (
  { all, situation }: Asked,
  count: (runs: KnownRun[], seconds: number) => Truth,
): Truth =>
  Object.fromEntries(
    times(situation).flatMap((time) => {
      const within = all.filter(
        ({ at }) => at > time * 1_000 && at <= time * 1_000 + situation.step,
      );
      return Object.entries(count(within, time)).map(([name, value]) => [point(name, time), value]);
    }),
  );

/**
 * The runs of each project in its newest step, of the steps that begin in the range.
 *
 * @param only - selects the runs that count.
 */
export function newestRuns({ all, situation }: Asked, only = (runs: Runs) => runs): KnownRun[] {
  const { from, to, step } = situation;
  const begin = ({ at }: KnownRun) => (Math.ceil(at / step) - 1) * step;
  const within = only(all).filter((run) => begin(run) > from && begin(run) <= to);
  return groups(within, project).flatMap(([, own]) => {
    const last = begin(own.at(-1) as KnownRun);
    return own.filter((run) => begin(run) === last);
  });
}

/** Machines by the value that their newest run has. */
export function byNewest(runs: Runs, name: Name): Truth {
  const newest = groups(runs, machine).map(([, own]) => own.at(-1) as KnownRun);
  return each(newest, name, (group) => group.length);
}

/**
 * When the newest run of each name was, in milliseconds. Prometheus does not know the time of a
 * sample, so it gives the end of the window in which the run was.
 */
export const newest = ({ runs, situation, dialect }: Asked, name: Name): Truth =>
  each(runs, name, (group) => {
    const { at } = group.at(-1) as KnownRun;
    return [
      at - 1,
      dialect === 'prometheus' ? Math.min(at + situation.step, situation.to) : at + 1,
    ];
  });

/** How long a version must not have run, so that it is marked again. */
const QUARTER_DAYS = 90;

/** The days on which a version is marked, by their beginning in the user's time zone. */
export function marked(runs: Runs, zone = 0): Truth {
  const day = ({ at }: KnownRun) => Math.ceil(at / DAY) - 1;
  return Object.fromEntries(
    groups(runs, version).flatMap(([name, own]) => {
      const days = [...new Set(own.map(day))];
      return days
        .filter((one) => !days.some((other) => other < one && other > one - QUARTER_DAYS))
        .map((one) => [point(name, (one * DAY + zone) / 1_000), 0]);
    }),
  );
}

const GROWTH_DAYS = 28;

/** Flowgroups that each project gains in a week, by a straight line through its days. */
export const growth = ({ all, situation }: Asked): Truth => {
  const ends = Array.from(
    { length: GROWTH_DAYS },
    (_, index) => (Math.floor(situation.to / DAY) - index) * DAY,
  );
  return each(all, short, (own) => {
    const points = ends.flatMap((end): [number, number][] => {
      const within = own.filter(({ at }) => at > end - DAY && at <= end);
      return within.length > 0 ? [[end, mean(within, flowgroups)]] : [];
    });
    return points.length < 2 ? undefined : 7 * DAY * slope(points);
  });
};

function slope(points: readonly [x: number, y: number][]): number {
  const average = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const [x0, y0] = [average(points.map(([x]) => x)), average(points.map(([, y]) => y))];
  const [over, under] = points.reduce(
    ([a, b], [x, y]) => [a + (x - x0) * (y - y0), b + (x - x0) ** 2] as const,
    [0, 0] as readonly [number, number],
  );
  return over / under;
}
