// usage.ts: the dashboard "lhp: usage": who runs lhp, how often, and with which versions and
// features.
import {
  BUNDLE,
  CHOSEN,
  CI,
  DRY,
  ENVIRONMENT,
  I,
  MACHINE,
  orZero,
  PROJECT,
  PYTHON,
  R,
  series,
  VERSION,
} from './queries.ts';
import {
  ADOPTION,
  by,
  COMPATIBILITY,
  type DashboardSpec,
  distinct,
  FEATURES,
  overRuns,
  type PanelSpec,
  RUNS,
  share,
} from './spec.ts';

const chosenRuns = `count_over_time(${series(RUNS)}{${CHOSEN}}[${R}])`;
const machinesByVersion = `count by (${VERSION}, ${MACHINE}) (${chosenRuns})`;

/** One number each, for the whole time range. */
const TOTALS: PanelSpec[] = [
  { title: 'Runs', question: ADOPTION, kind: 'stat', queries: [{ expr: orZero(overRuns(R)) }] },
  {
    title: 'Active projects',
    question: ADOPTION,
    kind: 'stat',
    queries: [{ expr: orZero(distinct(PROJECT, R)) }],
  },
  {
    title: 'Active machines',
    question: ADOPTION,
    kind: 'stat',
    queries: [{ expr: orZero(distinct(MACHINE, R)) }],
  },
  {
    title: 'Share of runs in CI',
    question: ADOPTION,
    kind: 'stat',
    unit: 'percentunit',
    queries: share(CI),
  },
  {
    title: 'Share of dry runs',
    question: FEATURES,
    kind: 'stat',
    unit: 'percentunit',
    queries: share(DRY),
  },
  {
    title: 'Share of runs with a bundle',
    question: FEATURES,
    kind: 'stat',
    unit: 'percentunit',
    queries: share(BUNDLE),
  },
];

const DETAILS: PanelSpec[] = [
  {
    title: 'Runs over time',
    question: ADOPTION,
    kind: 'bars',
    queries: [{ expr: orZero(overRuns(I)), legend: 'runs' }],
  },
  {
    title: 'Active projects and machines over time',
    question: ADOPTION,
    kind: 'bars',
    queries: [
      { expr: distinct(PROJECT, I), legend: 'projects' },
      { expr: distinct(MACHINE, I), legend: 'machines' },
    ],
  },
  {
    title: 'Runs by lhp version',
    question: COMPATIBILITY,
    kind: 'bars',
    queries: by(VERSION, I),
  },
  {
    title: 'Runs by Python version',
    question: COMPATIBILITY,
    kind: 'bars',
    queries: by(PYTHON, I),
  },
  {
    title: 'Machines by lhp version',
    question: COMPATIBILITY,
    kind: 'share',
    queries: [
      {
        expr: `count by (${VERSION}) (${machinesByVersion})`,
        legend: `{{${VERSION}}}`,
      },
    ],
  },
  {
    title: 'Runs by environment',
    question: FEATURES,
    kind: 'share',
    queries: by(ENVIRONMENT, R),
  },
  {
    title: 'CI against local',
    question: ADOPTION,
    kind: 'bars',
    queries: [{ expr: overRuns(I, CI), legend: `CI {{${CI}}}` }],
  },
];

export const usage: DashboardSpec = {
  uid: 'lhp-usage',
  title: 'lhp: usage',
  panels: [...TOTALS, ...DETAILS],
};
