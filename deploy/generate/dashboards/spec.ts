// spec.ts: what a dashboard is before it becomes Grafana's JSON, and the helpers that the
// dashboards about runs share. A dashboard is a file: usage.ts, performance.ts, projects.ts,
// health.ts.
import type { Dialect, Histograms } from './dialects.ts';
import { CHOSEN, over, PROJECT, R, series } from './queries.ts';

export interface Query {
  /**
   * PromQL with Grafana's variables: `$__range` for an instant query, `$__interval` for a range
   * query.
   */
  expr: string;
  /** Legend, with labels in double braces. */
  legend?: string;
}

export interface PanelSpec {
  title: string;
  /** The question that it answers; Grafana shows it as the panel's description. */
  question: string;
  kind: 'stat' | 'bars' | 'lines' | 'table' | 'share';
  unit?: string;
  queries: Query[];
}

export interface DashboardSpec {
  /** `lhp-<name>`: made from <name>.ts of this folder, into <name>.json. */
  uid: string;
  title: string;
  panels: PanelSpec[];
}

export const RUNS = 'lhp.generate.runs';
export const DURATION = 'lhp.generate.duration';
export const FILES = 'lhp.generate.files';
export const FLOWGROUPS = 'lhp.project.flowgroups';
export const TEMPLATED = 'lhp.project.flowgroups_using_templates';
export const TEMPLATES = 'lhp.project.templates';
export const PIPELINES = 'lhp.project.pipelines';

export const overRuns = (range: string, by = '', more = '') => over(series(RUNS), range, by, more);
export const distinct = (key: string, range: string) =>
  `count(count by (${key}) (count_over_time(${series(RUNS)}{${CHOSEN}}[${range}])))`;
export const quantiles = ({ quantile }: Dialect, of: Histograms): Query[] =>
  [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, of), legend: `p${q * 100}` }));
export const by = (key: string, range: string): Query[] => [
  { expr: overRuns(range, key), legend: `{{${key}}}` },
];
/** Share of runs whose label is `true`. */
export const share = (key: string): Query[] => [
  { expr: `(${overRuns(R, '', `, ${key}="true"`)} or vector(0)) / ${overRuns(R)}` },
];

export const FEATURES = 'Which features are used? (Prioritize Features)';
/** The duration of the whole command. lhp starts its own clock after Python has loaded it. */
export const SPEED =
  'What is slow? (Improve Performance) Wall time of the whole command in seconds, including the ' +
  'start of Python. It is longer than the time that lhp prints.';
export const COMPATIBILITY = 'Which versions must be supported? (Ensure Compatibility)';
export const ADOPTION = 'Who uses it, and how much? (Track Adoption)';
export const SCALE = 'How large are projects? (Plan Resources)';

/** A project's size is the mean number of flowgroups of its runs. */
export const sizeOf = ({ mean }: Dialect) => mean({ name: FLOWGROUPS, range: R, by: PROJECT });
export const sizes = (dialect: Dialect): [legend: string, condition: string][] => {
  const size = sizeOf(dialect);
  return [
    ['below 50 flowgroups', `${size} < 50`],
    ['50 to 200', `(${size} >= 50) < 200`],
    ['200 to 1,000', `(${size} >= 200) < 1000`],
    ['1,000 and more', `${size} >= 1000`],
  ];
};
