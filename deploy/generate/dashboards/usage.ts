// usage.ts: the dashboard "lhp: usage": who runs lhp, how often, and with which versions and
// features.
import type { Dialect } from './dialects.ts';
import {
  CI,
  distinct,
  MACHINE,
  named,
  orZeroRuns,
  overRuns,
  PROJECT,
  PYTHON,
  R,
  STEP,
  VERSION,
  where,
} from './queries.ts';
import { NO_DATA, perProject, perProjectTo } from './shared.ts';
import {
  ADOPTION,
  COMPATIBILITY,
  COUNT,
  type Column,
  type DashboardSpec,
  dashboardSpec,
  type Line,
  SHARE,
  type Shared,
  series,
  sharedStat,
  table,
} from './spec.ts';
import { features } from './usage-features.ts';

const BUSIEST = 'Projects, the busiest first';
const LHP_VERSIONS = 'lhp versions in use';
const PYTHON_VERSIONS = 'Python versions in use';
const STEPS = 'A step is a day for a month, an hour for a day and a week for a year.';

const asked = (panel: string, field: string, calc: Shared['calc']): Shared => ({
  panel,
  field,
  calc,
});

/** The tables below have all these numbers, so none of them is asked again. */
const TOTALS: Line = {
  height: 4,
  panels: [
    sharedStat({
      ...{ title: 'Runs', question: ADOPTION, width: 4, ...COUNT, empty: '0' },
      what: 'Successful runs of `lhp generate` in the time range.',
      shared: asked(BUSIEST, 'Runs', 'sum'),
    }),
    sharedStat({
      ...{ title: 'Of these in CI', question: ADOPTION, width: 4, ...COUNT, empty: '0' },
      what: 'Runs in CI jobs. The others are runs for which somebody waited.',
      shared: asked(BUSIEST, 'In CI', 'sum'),
    }),
    sharedStat({
      ...{ title: 'Active machines', question: ADOPTION, width: 4, ...COUNT, empty: '0' },
      what: 'Machines with at least one run. All containers of one CI image are one machine.',
      shared: asked(LHP_VERSIONS, 'Machines', 'sum'),
    }),
    sharedStat({
      ...{ title: 'Active projects', question: ADOPTION, width: 4, ...COUNT, empty: '0' },
      what: 'Projects with at least one run. With one project chosen, this is 1.',
      shared: asked(BUSIEST, 'Runs', 'count'),
    }),
    ...[
      ['Most used lhp version', LHP_VERSIONS, 'lhp'] as const,
      ['Most used Python version', PYTHON_VERSIONS, 'Python'] as const,
    ].map(([title, panel, field]) =>
      sharedStat({
        ...{ title, question: COMPATIBILITY, width: 4, unit: 'string', decimals: 0 },
        what:
          'The version that most machines have, by the newest run of each. The table of versions ' +
          'says how many have another one.',
        shared: asked(panel, field, 'firstNotNull'),
      }),
    ),
  ],
};

const OVER_TIME: Line = {
  height: 8,
  panels: [
    series({
      ...{ title: 'Runs over time', question: ADOPTION, width: 12, ...COUNT },
      what: `Runs in each step, on people's machines and in CI. ${STEPS}`,
      draw: 'columns',
      calcs: ['sum'],
      colors: { local: 'blue', CI: 'orange' },
      queries: [
        {
          expr: named(overRuns(STEP, '', where(CI, 'false')), 'where', 'local'),
          legend: '{{where}}',
        },
        { expr: named(overRuns(STEP, '', where(CI, 'true')), 'where', 'CI'), legend: '{{where}}' },
      ],
    }),
    series({
      ...{ title: 'Active over time', question: ADOPTION, width: 12, ...COUNT },
      what:
        'Machines and projects with a run in each step. Not to be added up: a machine that runs ' +
        `every day counts every day. A step without runs is 0, also for the mean. ${STEPS}`,
      draw: 'steps',
      calcs: ['mean', 'max'],
      colors: { machines: 'green', projects: 'yellow' },
      queries: [
        { expr: orZeroRuns(distinct(MACHINE, STEP)), legend: 'machines' },
        { expr: orZeroRuns(distinct(PROJECT, STEP)), legend: 'projects' },
      ],
    }),
  ],
};

/** What runs, as shares over time and as a table. */
function versionsOf(
  { machinesByNewest }: Dialect,
  program: string,
  key: string,
  title: string,
  more: Column[],
): Line {
  return {
    height: 8,
    panels: [
      series({
        ...{ title: `Machines by ${program} version`, question: COMPATIBILITY, width: 12 },
        ...SHARE,
        what: `Of the machines with a run in each step, the share with each version. ${STEPS}`,
        draw: 'shares',
        calcs: [],
        queries: [{ expr: distinct(MACHINE, STEP, key), legend: `{{${key}}}` }],
      }),
      table({
        ...{ title, question: COMPATIBILITY, width: 12 },
        what:
          'Machines: each machine once, with the version of its newest run in the time range. A ' +
          'version without machines was used, but every machine has another one now: it need not ' +
          'be supported any more.',
        keys: [{ label: key, title: program, width: 100 }],
        columns: [
          {
            ...{ title: 'Machines', ...COUNT, bar: true, empty: '0' },
            expr: `sort_desc(${machinesByNewest(key)})`,
          },
          ...more,
        ],
        sort: { column: program, desc: true },
        points: 120,
      }),
    ],
  };
}

const who = ({ newest }: Dialect): Line => ({
  height: 12,
  panels: [
    table({
      ...{ title: BUSIEST, question: ADOPTION, width: 24, ...perProjectTo('projects') },
      what:
        'Each project by the first eight digits of its id; a click on it opens its size and ' +
        'growth. Newest run: to the minute, or for older ones to the step.',
      columns: [
        { title: 'Runs', expr: overRuns(R, PROJECT), ...COUNT, bar: true },
        {
          ...{ title: 'In CI', ...COUNT, width: 100, empty: '0' },
          expr: overRuns(R, PROJECT, where(CI, 'true')),
        },
        { title: 'Machines', expr: distinct(MACHINE, R, PROJECT), ...COUNT, width: 110 },
        {
          ...{ title: 'Newest run', unit: 'dateTimeFromNow', decimals: 0, width: 150 },
          expr: newest(PROJECT),
        },
      ].map(perProject),
      sort: { column: 'Runs', desc: true },
      points: 120,
    }),
  ],
});

export const usage = (dialect: Dialect): DashboardSpec =>
  dashboardSpec({
    uid: 'lhp-usage',
    title: 'lhp: usage',
    about: 'Who uses lhp, and how much? Which versions and features?',
    from: 'now-30d',
    sections: [
      { lines: [TOTALS, OVER_TIME] },
      {
        title: 'Versions: which must be supported?',
        lines: [
          versionsOf(dialect, 'lhp', VERSION, LHP_VERSIONS, [
            { title: 'Projects', expr: distinct(PROJECT, R, VERSION), ...COUNT, width: 90 },
            { title: 'Runs', expr: overRuns(R, VERSION), ...COUNT, width: 90 },
          ]),
          versionsOf(dialect, 'Python', PYTHON, PYTHON_VERSIONS, []),
        ],
      },
      { title: 'Features: which are used?', lines: [features(dialect)] },
      { title: 'Who uses it most?', lines: [who(dialect)] },
      NO_DATA,
    ],
  });
