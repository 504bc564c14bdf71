// changes.ts: recorded runs → where something changed that can make a generate slower (the version
// of lhp or of Python, the number of flowgroups), and whether it did. Pure and without Node, as
// summary.ts is.
//
// Compared are only runs of one series: the same project and environment, both in CI or not, both
// dry or not. A series is at a level: versions and a number of flowgroups. It has changed when
// STEADY runs one after the other have other versions or at least GROWTH times the flowgroups (or
// so much fewer); one run with an old version in between is no change. Then the last WINDOW runs at
// the old level are held against the first WINDOW at the new one:
// - `slower` (or `faster`) when the medians are apart by at least SLOWER times and MIN_SECONDS, and
// the Mann-Whitney U test, which asks
//   no normal distribution and is not moved by outliers, says z >= SIGNIFICANT: of runs that do not differ, at most 1 in 1,000 comparisons does.
// - `few` when one side has fewer than MIN_RUNS: no verdict.
// - `same` otherwise.
import type { GenerateEvent } from '../contract/contract.ts';
import type { Run } from '../otlp/decode.ts';
import { quantile } from './summary.ts';

const STEADY = 3;
const GROWTH = 1.2;
const WINDOW = 20;
/** With fewer the test could not say it: 7 against 7, each slower than each, are z = 3.13. */
const MIN_RUNS = 8;
const SLOWER = 1.2;
/** Durations are kept in hundredths; less than this nobody feels. */
const MIN_SECONDS = 0.1;
const SIGNIFICANT = 3.3;

const LEVEL_KEYS = [
  'lhp_version',
  'python_version',
  'flowgroups_count',
] as const satisfies (keyof GenerateEvent)[];
type Level = Pick<GenerateEvent, (typeof LEVEL_KEYS)[number]>;

export interface Change {
  /** Of the first run after it, milliseconds since the epoch. */
  timestamp: number;
  series: Pick<GenerateEvent, 'project_id' | 'environment' | 'is_ci' | 'dry_run'>;
  changed: {
    what: (typeof LEVEL_KEYS)[number];
    from: string | number | null;
    to: string | number | null;
  }[];
  /** Median seconds of the runs that are compared, and how many those are. */
  before: number;
  after: number;
  runs: { before: number; after: number };
  verdict: 'slower' | 'faster' | 'same' | 'few';
}

/** Oldest first, as are the runs. */
export function changes(runs: readonly Run[]): Change[] {
  const series = Map.groupBy(runs, ({ event }) =>
    JSON.stringify([event.project_id, event.environment, event.is_ci, event.dry_run]),
  );
  return [...series.values()].flatMap(changesOfSeries).sort((a, b) => a.timestamp - b.timestamp);
}

function changesOfSeries(runs: readonly Run[]): Change[] {
  const steps = levels(runs);
  return steps.slice(1).map(({ at, level }, index) => {
    const { at: began, level: old } = steps[index] as Step;
    const { timestamp, event } = runs[at] as Run;
    const before = seconds(runs.slice(began, at), old).slice(-WINDOW);
    const after = seconds(runs.slice(at, steps[index + 2]?.at), level).slice(0, WINDOW);
    const medians = { before: quantile(before, 0.5) ?? 0, after: quantile(after, 0.5) ?? 0 };
    return {
      timestamp,
      series: {
        project_id: event.project_id,
        environment: event.environment,
        is_ci: event.is_ci,
        dry_run: event.dry_run,
      },
      changed: LEVEL_KEYS.flatMap((what) =>
        isSame(what, old, level) ? [] : { what, from: old[what], to: level[what] },
      ),
      ...medians,
      runs: { before: before.length, after: after.length },
      verdict: compare(before, after),
    };
  });
}

interface Step {
  /** Index of the first run at this level. */
  at: number;
  level: Level;
}

function levels(runs: readonly Run[]): Step[] {
  const steps: Step[] = [];
  for (const [at, { event }] of runs.entries()) {
    const old = steps.at(-1)?.level;
    if (old && isAt(event, old)) {
      // A size that could not be counted at first is known now.
      old.flowgroups_count ??= event.flowgroups_count;
    } else if (
      !old ||
      runs.slice(at, at + STEADY).filter((run) => isAt(run.event, event)).length === STEADY
    ) {
      const { lhp_version, python_version, flowgroups_count } = event;
      steps.push({ at, level: { lhp_version, python_version, flowgroups_count } });
    }
  }
  return steps;
}

const isAt = (event: GenerateEvent, level: Level): boolean =>
  LEVEL_KEYS.every((key) => isSame(key, event, level));

function isSame(key: keyof Level, a: Level, b: Level): boolean {
  if (key !== 'flowgroups_count') return a[key] === b[key];
  const [x, y] = [a[key], b[key]];
  // Nobody knows of a size that could not be counted.
  return x === null || y === null || x === y || Math.max(x, y) < GROWTH * Math.min(x, y);
}

const seconds = (runs: readonly Run[], level: Level): number[] =>
  runs.filter(({ event }) => isAt(event, level)).map(({ event }) => event.generation_time_seconds);

function compare(before: readonly number[], after: readonly number[]): Change['verdict'] {
  if (Math.min(before.length, after.length) < MIN_RUNS) return 'few';
  if (isSlower(before, after)) return 'slower';
  return isSlower(after, before) ? 'faster' : 'same';
}

function isSlower(before: readonly number[], after: readonly number[]): boolean {
  const [was = 0, is = 0] = [quantile(before, 0.5) ?? 0, quantile(after, 0.5) ?? 0];
  return (
    is >= was * SLOWER && is - was >= MIN_SECONDS && mannWhitneyZ(before, after) >= SIGNIFICANT
  );
}

/**
 * How far the second list is above the first, in standard deviations; equal values count half, so
 * ties make it smaller, never larger.
 */
function mannWhitneyZ(a: readonly number[], b: readonly number[]): number {
  let u = 0;
  for (const x of a) for (const y of b) u += y > x ? 1 : y === x ? 0.5 : 0;
  const pairs = a.length * b.length;
  return (u - pairs / 2) / Math.sqrt((pairs * (a.length + b.length + 1)) / 12);
}
