// panels.ts: what the panels about runs are, as tables: title, the question it answers, queries.
// health.ts has those about the telemetry itself; dialects.ts says how a backend is asked for
// histograms; dashboards.ts makes Grafana's JSON of all.
import type { Dialect, Histograms } from './dialects.ts';
import {
  BUNDLE,
  CHOSEN,
  CI,
  DRY,
  ENVIRONMENT,
  I,
  MACHINE,
  orZero,
  over,
  PROJECT,
  PYTHON,
  R,
  series,
  VERSION,
} from './queries.ts';

interface Query {
  /** With Grafana's variables. `$__range` makes an instant query; `$__interval` one over time. */
  expr: string;
  /** Legend, with labels in double braces. */
  legend?: string;
}

export interface PanelSpec {
  title: string;
  /** Which question it answers. */
  question: string;
  kind: 'stat' | 'bars' | 'lines' | 'table' | 'share';
  unit?: string;
  queries: Query[];
}

export interface DashboardSpec {
  uid: string;
  title: string;
  panels: PanelSpec[];
}

const RUNS = 'lhp.generate.runs';
const DURATION = 'lhp.generate.duration';
const FILES = 'lhp.generate.files';
const FLOWGROUPS = 'lhp.project.flowgroups';
const TEMPLATED = 'lhp.project.flowgroups_using_templates';
const TEMPLATES = 'lhp.project.templates';
const PIPELINES = 'lhp.project.pipelines';

const overRuns = (range: string, by = '', more = '') => over(series(RUNS), range, by, more);
const distinct = (key: string, range: string) =>
  `count(count by (${key}) (count_over_time(${series(RUNS)}{${CHOSEN}}[${range}])))`;
const quantiles = ({ quantile }: Dialect, of: Histograms): Query[] =>
  [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, of), legend: `p${q * 100}` }));
const by = (key: string, range: string): Query[] => [
  { expr: overRuns(range, key), legend: `{{${key}}}` },
];
/** Share of runs with this label true. */
const share = (key: string): Query[] => [
  { expr: `(${overRuns(R, '', `, ${key}="true"`)} or vector(0)) / ${overRuns(R)}` },
];

const FEATURES = 'Which features are used? (Prioritize Features)';
/**
 * Of the whole command: what lhp prints of itself begins after Python has started and lhp is
 * loaded.
 */
const SPEED =
  'What is slow? (Improve Performance) Seconds of the whole command, with the start of Python: more than lhp prints.';
const COMPATIBILITY = 'Which versions must be supported? (Ensure Compatibility)';
const ADOPTION = 'Who uses it, and how much? (Track Adoption)';
const SCALE = 'How large are projects? (Plan Resources)';

const usage: DashboardSpec = {
  uid: 'lhp-usage',
  title: 'lhp: usage',
  panels: [
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
          expr: `count by (${VERSION}) (count by (${VERSION}, ${MACHINE}) (count_over_time(${series(RUNS)}{${CHOSEN}}[${R}])))`,
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
  ],
};

/** A project's size is the mean of its runs. */
const sizeOf = ({ mean }: Dialect) => mean({ name: FLOWGROUPS, range: R, by: PROJECT });
const sizes = (dialect: Dialect): [legend: string, condition: string][] => {
  const size = sizeOf(dialect);
  return [
    ['below 50 flowgroups', `${size} < 50`],
    ['50 to 200', `(${size} >= 50) < 200`],
    ['200 to 1,000', `(${size} >= 200) < 1000`],
    ['1,000 and more', `${size} >= 1000`],
  ];
};

function performance(dialect: Dialect): DashboardSpec {
  const { quantile, sum, count, mean } = dialect;
  const seconds: Histograms = { name: DURATION, range: R };
  const byVersion: Histograms = { ...seconds, by: VERSION };
  const byProject: Histograms = { ...seconds, by: PROJECT };
  const others = (what: Dialect['sum']) => `(scalar(${what(seconds)}) - ${what(byVersion)})`;
  const bySize = (q: number): Query[] =>
    sizes(dialect).map(([legend, condition]) => ({
      expr: quantile(q, byProject, condition),
      legend,
    }));
  const slowest = `topk(10, ${mean(byProject)})`;
  return {
    uid: 'lhp-performance',
    title: 'lhp: performance',
    panels: [
      {
        title: 'Duration',
        question: SPEED,
        kind: 'stat',
        unit: 's',
        queries: quantiles(dialect, seconds),
      },
      {
        title: 'Files a second',
        question: SPEED,
        kind: 'stat',
        queries: [{ expr: `${sum({ name: FILES, range: R })} / ${sum(seconds)}` }],
      },
      {
        title: 'Duration over time',
        question: SPEED,
        kind: 'lines',
        unit: 's',
        queries: quantiles(dialect, { name: DURATION, range: I }),
      },
      {
        title: 'p95 by lhp version',
        question: SPEED,
        kind: 'table',
        unit: 's',
        queries: [{ expr: quantile(0.95, byVersion), legend: `{{${VERSION}}}` }],
      },
      {
        title: 'Mean duration of a version against all others',
        question: `${SPEED} Above 1: slower than the others; compare projects of one size before you call it a regression.`,
        kind: 'table',
        queries: [
          {
            expr: `${mean(byVersion)} / (${others(sum)} / ${others(count)})`,
            legend: `{{${VERSION}}}`,
          },
        ],
      },
      {
        title: 'p50 by size of the project',
        question: SPEED,
        kind: 'table',
        unit: 's',
        queries: bySize(0.5),
      },
      {
        title: 'p95 by size of the project',
        question: SPEED,
        kind: 'table',
        unit: 's',
        queries: bySize(0.95),
      },
      {
        title: 'Slowest projects: mean duration',
        question: SPEED,
        kind: 'table',
        unit: 's',
        queries: [{ expr: slowest, legend: `{{${PROJECT}}}` }],
      },
      {
        title: 'Slowest projects: flowgroups a run',
        question: SCALE,
        kind: 'table',
        queries: [
          { expr: `${sizeOf(dialect)} and on (${PROJECT}) ${slowest}`, legend: `{{${PROJECT}}}` },
        ],
      },
    ],
  };
}

function projects(dialect: Dialect): DashboardSpec {
  const { sum } = dialect;
  const spread = (name: string, title: string): PanelSpec => ({
    title,
    question: `${SCALE} Over runs: a project that runs often counts more.`,
    kind: 'stat',
    queries: quantiles(dialect, { name, range: R }),
  });
  return {
    uid: 'lhp-projects',
    title: 'lhp: projects',
    panels: [
      spread(FLOWGROUPS, 'Flowgroups'),
      spread(TEMPLATED, 'Flowgroups using templates'),
      spread(TEMPLATES, 'Templates'),
      spread(PIPELINES, 'Pipelines'),
      spread(FILES, 'Files written'),
      {
        title: 'Share of flowgroups that use a template',
        question: FEATURES,
        kind: 'stat',
        unit: 'percentunit',
        queries: [
          {
            expr: `${sum({ name: TEMPLATED, range: R })} / ${sum({ name: FLOWGROUPS, range: R })}`,
          },
        ],
      },
      {
        title: 'Projects by size',
        question: SCALE,
        kind: 'share',
        queries: sizes(dialect).map(([legend, condition]) => ({
          expr: orZero(`count(${condition})`),
          legend,
        })),
      },
      {
        title: 'Largest projects: flowgroups a run',
        question: SCALE,
        kind: 'table',
        queries: [{ expr: `topk(10, ${sizeOf(dialect)})`, legend: `{{${PROJECT}}}` }],
      },
      {
        title: 'Flowgroups of a run over time',
        question: SCALE,
        kind: 'lines',
        queries: quantiles(dialect, { name: FLOWGROUPS, range: I }),
      },
    ],
  };
}

export const runDashboards = (dialect: Dialect): readonly DashboardSpec[] => [
  usage,
  performance(dialect),
  projects(dialect),
];
