// changes.ts: finds where something changed that can affect durations (the version of lhp or
// Python, the number of flowgroups), and decides whether durations changed with it. The functions
// are pure and use no Node API.
//
// Only runs of the same series are compared: same project, same environment, both in CI or both
// not, both dry runs or both not. The versions and the number of flowgroups are the level of a
// series. A new level begins when STEADY consecutive runs have other versions, or a number of
// flowgroups that differs by a factor of at least GROWTH; a single run with another version does
// not count. The last WINDOW runs at the old level are then compared with the first WINDOW runs at
// the new one:
// - `slower` or `faster`: the medians differ by a factor of at least SLOWER and by at least
//   MIN_SECONDS, and the Mann-Whitney U test gives z >= SIGNIFICANT. That test does not assume
//   normality and is robust against outliers. If nothing changed, it reports a difference in at
//   most 1 of 1,000 comparisons.
// - `few`: one side has fewer than MIN_RUNS runs.
// - `same`: anything else.
import type { GenerateEvent } from '../contract/contract.ts';
import type { Run } from '../spool/run.ts';
import { quantile } from './summary.ts';

const STEADY = 3;
const GROWTH = 1.2;
const WINDOW = 20;
/** With fewer runs z cannot reach SIGNIFICANT: 7 against 7, all slower, give z = 3.13. */
const MIN_RUNS = 8;
const SLOWER = 1.2;
/** A smaller difference is not noticeable, and durations are recorded in hundredths. */
const MIN_SECONDS = 0.1;
const SIGNIFICANT = 3.3;

const LEVEL_KEYS = [
  'lhp_version',
  'python_version',
  'flowgroups_count',
] as const satisfies (keyof GenerateEvent)[];
type Level = Pick<GenerateEvent, (typeof LEVEL_KEYS)[number]>;

export interface Change {
  /** Milliseconds since the epoch, of the first run at the new level. */
  timestamp: number;
  series: Pick<GenerateEvent, 'project_id' | 'environment' | 'is_ci' | 'dry_run'>;
  changed: {
    what: (typeof LEVEL_KEYS)[number];
    from: string | number | null;
    to: string | number | null;
  }[];
  /** Median seconds of the compared runs. */
  before: number;
  after: number;
  /** How many runs were compared. */
  runs: { before: number; after: number };
  verdict: 'slower' | 'faster' | 'same' | 'few';
}

/**
 * The changes, oldest first.
 *
 * @param runs - oldest first.
 */
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
      // The level takes the first known size if earlier runs could not be counted.
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
  // A size that could not be counted may equal any other.
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
 * How far the second list is above the first, in standard deviations. Equal values count as one
 * half, so ties bring the result closer to 0.
 */
function mannWhitneyZ(a: readonly number[], b: readonly number[]): number {
  let u = 0;
  for (const x of a) for (const y of b) u += y > x ? 1 : y === x ? 0.5 : 0;
  const pairs = a.length * b.length;
  return (u - pairs / 2) / Math.sqrt((pairs * (a.length + b.length + 1)) / 12);
}
