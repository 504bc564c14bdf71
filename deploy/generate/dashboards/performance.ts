// performance.ts: the dashboard "lhp: performance": how long runs take, whether a version made them
// slower, and where the time goes.
import type { Dialect, Histograms } from './dialects.ts';
import {
  CI,
  DRY,
  DURATION,
  FLOWGROUPS,
  overRuns,
  PROJECT,
  R,
  STEP,
  VERSION,
  where,
} from './queries.ts';
import { NO_DATA, perProject, perProjectTo, SIZES, sizedProjects } from './shared.ts';
import {
  COUNT,
  type DashboardSpec,
  dashboardSpec,
  type Line,
  type PanelSpec,
  SPEED,
  series,
  sharedStat,
  stat,
  TIME,
  table,
  WALL_TIME,
} from './spec.ts';

const seconds: Histograms = { name: DURATION, range: R };
/** Dry runs write nothing, so speeds are compared without them. */
const WRITING = where(DRY, 'false');
/**
 * With fewer runs one slow run decides the mean of a project, and a step says more about which
 * projects ran than about the version.
 */
const ENOUGH_RUNS = 10;
/** From these factors on a version is worth a look, and a report to its developers. */
const SLOWER = [1.1, 1.25] as const;

const BY_PROJECT = 'Where the time goes';
const BY_VERSION = 'lhp versions, compared';
const FACTOR = 'Against other versions';

const totals = ({ quantile }: Dialect): Line => ({
  height: 4,
  panels: [
    stat({
      ...{ title: 'Median run', question: SPEED, width: 4, ...TIME },
      what: `Half of all runs take longer. ${WALL_TIME}`,
      expr: quantile(0.5, seconds),
    }),
    stat({
      ...{ title: '95 of 100 runs within', question: SPEED, width: 4, ...TIME },
      what: `One run in twenty takes longer. ${WALL_TIME}`,
      expr: quantile(0.95, seconds),
    }),
    sharedStat({
      ...{ title: 'Time people waited', question: SPEED, width: 4, ...TIME },
      what: `Durations of all runs outside CI, added up. ${WALL_TIME}`,
      shared: { panel: BY_PROJECT, field: 'People waited', calc: 'sum' },
    }),
    sharedStat({
      ...{ title: 'Time CI took', question: SPEED, width: 4, ...TIME },
      what: `Durations of all runs in CI, added up. ${WALL_TIME}`,
      shared: { panel: BY_PROJECT, field: 'CI took', calc: 'sum' },
    }),
    sharedStat({
      ...{ title: 'Slowest project, p95', question: SPEED, width: 4, ...TIME },
      what:
        'The largest p95 of a project, in the table "Where the time goes": 95 of 100 of its runs ' +
        `take less. ${WALL_TIME}`,
      shared: { panel: BY_PROJECT, field: 'p95', calc: 'max' },
    }),
    sharedStat({
      ...{ title: 'Slowest lhp version', question: SPEED, width: 4 },
      ...{ unit: 'percentunit', decimals: 0 },
      what:
        'The largest value in the table "lhp versions, compared": 100 % is as fast as the same ' +
        'projects are with other versions. No value while no project has ' +
        `${ENOUGH_RUNS} runs or more of a version and ${ENOUGH_RUNS} of others.`,
      steps: [['text'], ['orange', SLOWER[0]], ['red', SLOWER[1]]],
      shared: { panel: BY_VERSION, field: FACTOR, calc: 'max' },
    }),
  ],
});

const overTime = ({ quantiles }: Dialect): Line => ({
  height: 8,
  panels: [
    series({
      ...{ title: 'Duration over time', question: SPEED, width: 24, ...TIME },
      what:
        'Of the runs in each step, half take at most p50, and 95 of 100 at most p95. Fewer than ' +
        `20 runs have no p95 to speak of: choose a longer range. ${WALL_TIME}`,
      draw: 'lines',
      calcs: ['lastNotNull', 'max'],
      colors: { p50: 'green', p95: 'yellow' },
      queries: quantiles([0.5, 0.95], { name: DURATION, range: STEP }),
    }),
  ],
});

function speedByVersion({ sum }: Dialect): PanelSpec {
  const step = { range: STEP, more: WRITING, by: VERSION };
  const [time, size] = [DURATION, FLOWGROUPS].map((name) => sum({ name, ...step }));
  return series({
    ...{ title: 'Time for 100 flowgroups by lhp version', question: SPEED, width: 14, ...TIME },
    what:
      'All seconds divided by all flowgroups of the runs in each step: large projects count ' +
      `most, and growth does not change it. Steps with ${ENOUGH_RUNS} runs or more, without dry ` +
      `runs. ${WALL_TIME}`,
    empty: `No step with ${ENOUGH_RUNS} runs of one version`,
    draw: 'lines',
    calcs: ['mean', 'lastNotNull'],
    queries: [
      {
        expr:
          `100 * ${time} / ${size} ` +
          `and on (${VERSION}) ${overRuns(STEP, VERSION, WRITING)} >= ${ENOUGH_RUNS}`,
        legend: `{{${VERSION}}}`,
      },
    ],
  });
}

/** Local runs are compared with local runs and CI with CI, because CI often updates first. */
function perVersion(dialect: Dialect): Line {
  const { sum } = dialect;
  const same = `${PROJECT}, ${CI}`;
  const each = `${VERSION}, ${same}`;
  const runs = overRuns(R, each, WRITING);
  const [own, all] = [each, same].map((by) => sum({ ...seconds, by, more: WRITING }));
  // Groups that have too few runs, or whose project has too few of other versions, are left out.
  const others =
    `(${overRuns(R, same, WRITING)} - on (${same}) group_right () ` +
    `(${runs} >= ${ENOUGH_RUNS})) >= ${ENOUGH_RUNS}`;
  // The own mean by that of the others is the runs of the others by the own runs, divided by their
  // seconds by the own seconds. So each is asked once, except the own runs.
  const against = `((${others}) / ${runs}) / (${all} / on (${same}) group_right () ${own} - 1)`;
  return {
    height: 8,
    panels: [
      table({
        ...{ title: BY_VERSION, question: SPEED, width: 10 },
        empty: `No project with ${ENOUGH_RUNS} runs of a version and ${ENOUGH_RUNS} of others`,
        what:
          'Against other versions: the mean duration of a project with this version, divided by ' +
          'its mean duration with all other versions; the median of the projects that have ' +
          `${ENOUGH_RUNS} runs or more of both. ` +
          '100 % is as fast, 145 % takes 1.45 times as long. Each project counts once, local ' +
          'runs and CI are compared apart, and dry runs are left out, so it does not matter who ' +
          `updates first. Orange from ${SLOWER[0] * 100} %, red from ${SLOWER[1] * 100} %: look ` +
          `whether many projects are compared, then report it to lhp. ${WALL_TIME}`,
        keys: [{ label: VERSION, title: 'lhp', width: 100 }],
        columns: [
          {
            ...{ title: 'Projects compared', ...COUNT, bar: true },
            expr: `count by (${VERSION}) (count by (${VERSION}, ${PROJECT}) (${others}))`,
          },
          {
            ...{ title: FACTOR, unit: 'percentunit', decimals: 0, width: 200 },
            expr: `quantile by (${VERSION}) (0.5, ${against})`,
            steps: [['transparent'], ['orange', SLOWER[0]], ['red', SLOWER[1]]],
          },
        ],
        sort: { column: 'lhp', desc: true },
      }),
      speedByVersion(dialect),
    ],
  };
}

function details(dialect: Dialect): Line {
  const { quantile, mean, sum } = dialect;
  const byProject = { ...seconds, by: PROJECT };
  const waited = (ci: string) => sum({ ...byProject, more: where(CI, ci) });
  const writing = { range: R, by: PROJECT, more: WRITING };
  const [time, size] = [DURATION, FLOWGROUPS].map((name) => sum({ name, ...writing }));
  const means = `${mean(byProject)} * on (${PROJECT}) group_left (size) ${sizedProjects(dialect)}`;
  return {
    height: 10,
    panels: [
      table({
        ...{ title: 'By size of the project', question: SPEED, width: 10 },
        what:
          'The size of a project is the mean of its flowgroups in its newest step. Mean run: the ' +
          'mean duration of the runs of a project; the median of the projects of one size. Each ' +
          `project counts once, however often it runs. ${WALL_TIME}`,
        keys: [SIZES],
        columns: [
          { title: 'Mean run', expr: `quantile by (size) (0.5, ${means})`, ...TIME, bar: true },
        ],
        sort: { column: 'Flowgroups', desc: true },
      }),
      table({
        ...{ title: BY_PROJECT, question: SPEED, width: 14, ...perProjectTo('projects') },
        what:
          'Durations of all runs of a project, added up: outside CI, and in CI. For 100: seconds ' +
          'for 100 flowgroups, without dry runs; a project far above the others is slow for its ' +
          `size. ${WALL_TIME}`,
        columns: [
          { title: 'People waited', expr: waited('false'), ...TIME, bar: true },
          { title: 'CI took', expr: waited('true'), ...TIME, width: 100 },
          { title: 'p95', expr: quantile(0.95, byProject), ...TIME, width: 80 },
          { title: 'For 100', expr: `100 * ${time} / ${size}`, ...TIME, width: 80 },
        ].map(perProject),
        sort: { column: 'People waited', desc: true },
      }),
    ],
  };
}

export const performance = (dialect: Dialect): DashboardSpec =>
  dashboardSpec({
    uid: 'lhp-performance',
    title: 'lhp: performance',
    about: 'How long do runs take? Did a version make them slower, and where does the time go?',
    from: 'now-30d',
    sections: [
      { lines: [totals(dialect), overTime(dialect)] },
      { title: 'Did a version make it slower?', lines: [perVersion(dialect)] },
      { title: 'What is slow: large projects, or one of them?', lines: [details(dialect)] },
      NO_DATA,
    ],
  });
