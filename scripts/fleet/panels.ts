// panels.ts: reads Grafana dashboards (JSON) and makes the requests that Grafana sends to the
// backend when somebody opens them: for each panel, and for the variables and annotations of the
// dashboard. Nothing is asked here (ask.ts).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Grafana asks for no more points than a panel is wide, pixels. */
const POINTS = 800;
/** A backend refuses more points than this, so Grafana lengthens the step. */
const MOST_POINTS = 11_000;
const SCRAPE_SECONDS = 15;

/** A time range as a person chooses it, seconds since the epoch. */
export interface View {
  start: number;
  end: number;
}

export interface Request {
  /** Below the backend's base URL. */
  path: string;
  body: Record<string, string>;
}

export interface Panel {
  dashboard: string;
  title: string;
  requests(view: View): Request[];
}

interface Target {
  expr?: string;
  instant?: boolean;
  hide?: boolean;
  interval?: string;
}
interface PanelModel {
  title?: string;
  type: string;
  interval?: string;
  maxDataPoints?: number;
  targets?: Target[];
  panels?: PanelModel[];
}
interface Variable {
  name: string;
  type: string;
  query?: string | { query?: string };
  allValue?: string;
  current?: { value?: string | string[] };
}
interface Annotation {
  name: string;
  enable?: boolean;
  expr?: string;
  step?: string;
}
interface Dashboard {
  title: string;
  panels: PanelModel[];
  templating?: { list?: Variable[] };
  annotations?: { list?: Annotation[] };
}

/** All panels of the dashboards in a folder; variables and annotations count as a panel. */
export function panelsIn(folder: string): Panel[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  if (files.length === 0) throw new Error(`${folder} has no dashboards (*.json)`);
  return files.flatMap((name) => panelsOf(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
}

export function panelsOf(dashboard: Dashboard): Panel[] {
  const variables = dashboard.templating?.list ?? [];
  const values = new Map(variables.map((one) => [one.name, standsFor(one)]));
  const annotations = (dashboard.annotations?.list ?? []).filter(({ enable, expr }) =>
    Boolean(enable !== false && expr),
  );
  const around: Panel = {
    dashboard: dashboard.title,
    title: '(variables and annotations)',
    requests: (view) => [
      ...variables.flatMap((one) => labelValues(one, view)),
      ...annotations.map(({ expr = '', step = '1m' }) =>
        request({ expr }, view, seconds(step), values),
      ),
    ],
  };
  const panels = dashboard.panels
    .flatMap((one) => [one, ...(one.panels ?? [])])
    .filter(({ targets }) => targets?.some(asks))
    .map((model) => ({
      dashboard: dashboard.title,
      title: model.title ?? model.type,
      requests: (view: View) =>
        (model.targets ?? []).filter(asks).map((target) => {
          const least = target.interval || model.interval || `${SCRAPE_SECONDS}s`;
          const step = stepOf(view, seconds(least), model.maxDataPoints ?? POINTS);
          return request(target, view, step, values);
        }),
    }));
  return [around, ...panels];
}

const asks = ({ expr, hide }: Target) => expr !== undefined && expr !== '' && hide !== true;

/** What a variable stands for when the dashboard is opened: everything, where it can. */
function standsFor({ allValue, type, current }: Variable): string {
  if (type === 'query') return allValue ?? '.*';
  const value = current?.value;
  return Array.isArray(value) ? value.join('|') : (value ?? '');
}

/** The request by which Grafana fills a variable with the values of a label. */
function labelValues({ type, query }: Variable, { start, end }: View): Request[] {
  const text = typeof query === 'string' ? query : (query?.query ?? '');
  const [, metric, label] = /^label_values\((.+),\s*(\w+)\)$/.exec(text) ?? [];
  if (type !== 'query' || metric === undefined) return [];
  const body = { 'match[]': metric, start: String(start), end: String(end) };
  return [{ path: `/api/v1/label/${label}/values`, body }];
}

function request(
  { expr = '', instant }: Target,
  { start, end }: View,
  wanted: number,
  variables: ReadonlyMap<string, string>,
): Request {
  const range = end - start;
  const step = Math.max(wanted, Math.ceil(range / MOST_POINTS));
  const own: Record<string, string> = {
    __range: `${range}s`,
    __range_s: String(range),
    __interval: `${step}s`,
    __rate_interval: `${Math.max(step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS)}s`,
  };
  const query = expr.replace(/\$(?:\{(\w+)(?::\w+)?\}|([a-z_]\w*))/gi, (whole, braced, bare) => {
    const name = (braced ?? bare) as string;
    const value = own[name] ?? variables.get(name);
    if (value === undefined) throw new Error(`nothing is known of ${whole} in ${expr}`);
    return value;
  });
  if (instant) return { path: '/api/v1/query', body: { query, time: String(end) } };
  // As Grafana's data source does, so that the same days are asked for again.
  const aligned = (time: number) => String(Math.floor(time / step) * step);
  return {
    path: '/api/v1/query_range',
    body: { query, start: aligned(start), end: aligned(end), step: String(step) },
  };
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

function seconds(text: string): number {
  const [, count, unit = ''] = /^>?(\d+)([smhdw])$/.exec(text) ?? [];
  if (count === undefined) throw new Error(`${text} is no interval of Grafana, such as 15s or 1d`);
  return Number(count) * (UNITS[unit] as number);
}

/** Grafana's steps from a minute on, and below which length each is taken, seconds. */
const STEPS: readonly [below: number, step: number][] = [
  [90, 60],
  [210, 120],
  [450, 300],
  [750, 600],
  [1_050, 900],
  [1_500, 1_200],
  [2_700, 1_800],
  [5_400, 3_600],
  [9_000, 7_200],
  [16_200, 10_800],
  [32_400, 21_600],
  [86_400, 43_200],
  [604_800, 86_400],
];

/** The step of a range query: not shorter than `least`, and no more points than the panel has. */
function stepOf({ start, end }: View, least: number, points: number): number {
  const exact = (end - start) / points;
  const step = STEPS.find(([below]) => exact < below)?.[1] ?? UNITS.w;
  return Math.max(step as number, least);
}
