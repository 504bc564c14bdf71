// json.ts: the parts of a dashboard's JSON that the page of the pictures reads.

export interface Target {
  refId: string;
  expr: string;
  legendFormat?: string;
  /** `table`: one table; otherwise one frame for each series. */
  format?: string;
  instant?: boolean;
  range?: boolean;
  hide?: boolean;
  interval?: string;
  /** Of {@link OTHER_PANEL}: the id of the panel, and whether its transformations apply. */
  panelId?: number;
  withTransforms?: boolean;
}

/** Grafana's data source that takes what another panel of the same dashboard has asked. */
export const OTHER_PANEL = '-- Dashboard --';

export interface Transformation {
  id: string;
  disabled?: boolean;
  options: Record<string, unknown>;
}

export interface PanelJson {
  id: number;
  type: string;
  title?: string;
  description?: string;
  transparent?: boolean;
  gridPos: { x: number; y: number; w: number; h: number };
  /** A row that is closed contains its panels. */
  collapsed?: boolean;
  panels?: PanelJson[];
  datasource?: { uid?: string };
  targets?: Target[];
  transformations?: Transformation[];
  options?: Record<string, unknown>;
  fieldConfig?: Record<string, unknown>;
  maxDataPoints?: number;
  interval?: string;
}

export interface VariableJson {
  name: string;
  label?: string;
  type: string;
  /** 1: shown without a label; 2: not shown. */
  hide?: number;
  query?: unknown;
  regex?: string;
  allValue?: string;
  includeAll?: boolean;
  options?: readonly { text: unknown; value: unknown }[];
}

export interface AnnotationJson {
  name: string;
  enable?: boolean;
  hide?: boolean;
  expr?: string;
  target?: { expr?: string };
  step?: string;
  titleFormat?: string;
  iconColor?: string;
}

export interface DashboardJson {
  title: string;
  refresh?: string;
  time?: { from: string; to: string };
  links?: readonly { title: string }[];
  panels: PanelJson[];
  templating?: { list: VariableJson[] };
  annotations?: { list: AnnotationJson[] };
}

/** The value of a variable: in queries, and as it is shown. */
export interface Chosen {
  value: string;
  text: string;
}

/** What the page gets from the program that takes the picture. */
export interface PageData {
  dashboard: DashboardJson;
  theme: 'dark' | 'light';
  from: string;
  to: string;
  variables: Record<string, Chosen>;
}

/** What a panel shows, for `--summary` and for errors. */
export interface PanelSummary {
  title: string;
  type: string;
  queries: string[];
  error?: string;
  /** For each number, series or row: names and values as they are shown. */
  shown: string[][];
}
