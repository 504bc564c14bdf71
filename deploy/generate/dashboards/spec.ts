// spec.ts: what a dashboard is before panels.ts and tables.ts turn it into Grafana's JSON. A
// dashboard is a file: usage.ts, performance.ts, projects.ts, health.ts.

export interface Query {
  /**
   * PromQL with Grafana's variables: `$__range` for an instant query, `$__interval` for a range
   * query.
   */
  expr: string;
  /** Legend, with labels in double braces. Of a table: the title of the column. */
  legend?: string;
}

/** A color from this value on. The first one has no value: it is the color below the others. */
export type Step = [color: string, from?: number];

interface Base {
  title: string;
  /** The question that it helps to answer, in the words of the telemetry page. */
  question: string;
  /** What is computed, and what to do with it. */
  what: string;
  /** Columns of the grid, which has 24. */
  width: number;
  unit: string;
  /** Decimals of the number; times choose their own unit, so they have one, too. */
  decimals: number;
  /** Empty if the answer is a part of another panel's: see {@link Shared}. */
  queries: Query[];
  /** In place of "No data". */
  empty: string;
}

/**
 * A number of a table, or a series of a panel, that the same dashboard has asked already. Grafana
 * takes it from there, so the backend is not asked twice.
 */
export interface Shared {
  /** The title of the other panel. */
  panel: string;
  /** The column of the table, or the series' name. */
  field: string;
  /** How the column becomes one number. */
  calc: 'sum' | 'count' | 'max' | 'median' | 'firstNotNull' | 'lastNotNull';
}

export interface StatSpec extends Base {
  kind: 'stat';
  shared?: Shared;
  /** Of a query that looks at each step: the largest number of steps. */
  points?: number;
  /** Only for numbers that can be good or bad. */
  steps?: Step[];
}

export interface SeriesSpec extends Base {
  kind: 'series';
  /** `columns` are stacked, `shares` are stacked to 100 %. */
  draw: 'columns' | 'shares' | 'lines' | 'steps';
  /** What the legend says of each series. */
  calcs: string[];
  /** Name of a series → color that it always has. */
  colors?: Record<string, string>;
  /** Names of series that are drawn as columns on the lines: their zeros cannot be seen. */
  rare?: string[];
  /** Drawn as a dashed line. */
  limit?: number;
  max?: number;
  /** A time without values is a gap, because it means that something was down. */
  gaps?: boolean;
  /** The axis shows at least this much. */
  softMax?: number;
  /** The smallest step. */
  interval: string;
  /**
   * The largest number of steps. Grafana rounds the step so that 28 are hours for a day, days for a
   * month and weeks for a year.
   */
  points: number;
}

export interface Column {
  title: string;
  expr: string;
  unit: string;
  decimals: number;
  /** In pixels; the column with bars has what is left. */
  width?: number;
  /** Drawn as a bar from zero to the largest value, or to `max`. */
  bar?: boolean;
  max?: number;
  steps?: Step[];
  /** Of a row that the query does not answer. */
  empty?: string;
}

export interface Key {
  /** The label that names a row. */
  label: string;
  title: string;
  width: number;
  /** Value → text that the table shows in its place. */
  texts?: Record<string, string>;
  links?: Link[];
}

export interface Link {
  title: string;
  url: string;
}

export interface TableSpec extends Base {
  kind: 'table';
  keys: Key[];
  columns: Column[];
  /** Labels that links need and the table does not show. */
  hidden: string[];
  sort: { column: string; desc: boolean };
  points: number;
}

export interface TextSpec {
  kind: 'text';
  title: string;
  width: number;
  /** Markdown. */
  content: string;
}

/** A panel that shows numbers. */
export type PanelSpec = StatSpec | SeriesSpec | TableSpec;

/** Panels side by side, of one height. */
export interface Line {
  height: number;
  panels: (PanelSpec | TextSpec)[];
}

export interface Section {
  /** A question. The first lines of a dashboard have none. */
  title?: string;
  /** Closed until somebody clicks on it; nothing in it is asked before. */
  collapsed?: boolean;
  lines: Line[];
}

export interface DashboardSpec {
  /** `lhp-<name>`: made from <name>.ts of this folder, into <name>.json. */
  uid: string;
  title: string;
  /** What it answers. */
  about: string;
  /** Its time range, as in `now-30d`. */
  from: string;
  sections: Section[];
  /** All panels of the sections that show numbers. */
  panels: PanelSpec[];
}

export const dashboardSpec = (spec: Omit<DashboardSpec, 'panels'>): DashboardSpec => ({
  ...spec,
  panels: spec.sections
    .flatMap(({ lines }) => lines)
    .flatMap(({ panels }) => panels)
    .filter((one) => one.kind !== 'text'),
});

/** Whether Grafana asks for every step of the range, or once for its end. */
export const asksOverTime = ({ kind }: PanelSpec): boolean => kind === 'series';

export const COUNT = { unit: 'locale', decimals: 0 };
export const SHARE = { unit: 'percentunit', decimals: 0 };
/** Grafana chooses milliseconds, seconds, minutes or hours. */
export const TIME = { unit: 's', decimals: 1 };

/** Steps of a panel that shows days for a month. */
export const POINTS = 28;
const HOURLY = '1h';

const NO_RUNS = 'No runs in this time range, for these variables';

type Given<Spec extends PanelSpec> = Omit<Spec, 'kind' | 'queries' | 'empty'> &
  Partial<Pick<Spec, 'empty'>>;

export const table = (
  spec: Omit<Given<TableSpec>, 'unit' | 'decimals' | 'hidden' | 'points'> & {
    hidden?: string[];
    points?: number;
  },
): TableSpec => ({
  ...{ empty: NO_RUNS, hidden: [], unit: 'locale', decimals: 0, points: POINTS, ...spec },
  kind: 'table',
  queries: spec.columns.map(({ title, expr }) => ({ expr, legend: title })),
});

export const series = (
  spec: Omit<Given<SeriesSpec>, 'interval' | 'points'> & {
    queries: Query[];
    interval?: string;
    points?: number;
  },
): SeriesSpec => ({
  ...{ empty: NO_RUNS, interval: HOURLY, points: POINTS, ...spec },
  kind: 'series',
});

/** A number that is asked for itself. */
export const stat = (spec: Omit<Given<StatSpec>, 'shared'> & { expr: string }): StatSpec => {
  const { expr, ...rest } = spec;
  return { empty: '–', ...rest, kind: 'stat', queries: [{ expr }] };
};

/** A number that another panel has. */
export const sharedStat = (spec: Given<StatSpec> & { shared: Shared }): StatSpec => ({
  empty: '–',
  ...spec,
  kind: 'stat',
  queries: [],
});

export const FEATURES = 'Which features are used? (Prioritize Features)';
export const SPEED = 'What is slow? (Improve Performance)';
export const COMPATIBILITY = 'Which versions must be supported? (Ensure Compatibility)';
export const ADOPTION = 'Who uses it, and how much? (Track Adoption)';
export const SCALE = 'How large are projects? (Plan Resources)';
export const TRUST = 'Can the numbers be trusted?';

/** The duration of the whole command. lhp starts its own clock after Python has loaded it. */
export const WALL_TIME =
  'The duration is the wall time of the whole command, including the start of Python. It is ' +
  'longer than the time that lhp prints.';
