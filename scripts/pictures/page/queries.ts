// queries.ts: what Grafana's data source for Prometheus does to a query before it asks: replaces
// variables, chooses the step, aligns the range. It imports nothing of Grafana, so that tests can
// run it.
import type { Chosen, Target } from './json.ts';

export type Variables = Readonly<Record<string, string>>;

/** Replaces `$name`, `${name}`, `${name:format}` and `[[name]]`; unknown names stay. */
export const interpolate = (text: string, variables: Variables): string =>
  text.replace(
    /\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]/g,
    (whole, braced?: string, plain?: string, old?: string) =>
      variables[braced ?? plain ?? old ?? ''] ?? whole,
  );

/** A variable's value is an expression in a query, and a text in a title. */
export const valuesOf = (chosen: Readonly<Record<string, Chosen>>): Variables =>
  Object.fromEntries(Object.entries(chosen).map(([name, { value }]) => [name, value]));
export const textsOf = (chosen: Readonly<Record<string, Chosen>>): Variables =>
  Object.fromEntries(Object.entries(chosen).map(([name, { text }]) => [name, text]));

/** Milliseconds since the epoch. */
export interface Span {
  from: number;
  to: number;
}

/** `timeInterval` of the provisioned data source, which is how often Prometheus scrapes. */
const SCRAPE_S = 15;
/** The API of Prometheus answers at most this many points of a series. */
const MAX_POINTS = 11_000;

export interface Step {
  seconds: number;
  /** As `1h`: the value of `$__interval`. */
  text: string;
}

/**
 * The step of a target: the interval that Grafana has chosen for the width of the panel, or the
 * target's own smallest one.
 *
 * @param panel - the interval for the panel's width.
 * @param own - the target's own, if it has one.
 */
export function stepOf(panel: Step, own: Step | undefined, { from, to }: Span): Step {
  const wanted = own && own.seconds > panel.seconds ? own : panel;
  const least = Math.ceil((to - from) / 1_000 / MAX_POINTS);
  return { ...wanted, seconds: Math.max(wanted.seconds, least) };
}

/** Grafana's own variables about the time range and the step. */
export function timeVariables({ seconds, text }: Step, { from, to }: Span): Variables {
  const range = Math.round((to - from) / 1_000);
  return {
    __interval: text,
    __interval_ms: String(seconds * 1_000),
    __range: `${range}s`,
    __range_s: String(range),
    __range_ms: String(to - from),
    __rate_interval: `${Math.max(seconds + SCRAPE_S, 4 * SCRAPE_S)}s`,
    __from: String(from),
    __to: String(to),
  };
}

/** The smallest interval of a panel without one of its own. */
export const SMALLEST_INTERVAL = `${SCRAPE_S}s`;

export const isInstant = ({ instant, range }: Target): boolean =>
  instant === true && range !== true;

/** Start and end of a range query in seconds: multiples of the step, as Grafana aligns them. */
export function aligned({ from, to }: Span, step: number): { start: number; end: number } {
  const floor = (ms: number) => Math.floor(ms / 1_000 / step) * step;
  return { start: floor(from), end: floor(to) };
}

export interface Series {
  metric: Record<string, string>;
  /** Of an instant query. */
  value?: [seconds: number, value: string];
  /** Of a range query. */
  values?: [seconds: number, value: string][];
}

export interface Column {
  name: string;
  kind: 'time' | 'text' | 'number';
  values: (string | number)[];
}

/**
 * The columns of an answer in the format `table`: the time, the labels in alphabetical order, and
 * the value. With several queries in a panel, the value's name contains the query's.
 */
export function tableColumns(
  series: readonly Series[],
  { refId }: Target,
  many: boolean,
): Column[] {
  const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const last = series.map(({ value, values }) => value ?? values?.at(-1) ?? [0, 'NaN']);
  return [
    { name: 'Time', kind: 'time', values: last.map(([seconds]) => Number(seconds) * 1_000) },
    ...labels.map(
      (name): Column => ({
        name,
        kind: 'text',
        values: series.map(({ metric }) => metric[name] ?? ''),
      }),
    ),
    {
      name: many ? `Value #${refId}` : 'Value',
      kind: 'number',
      values: last.map(([, value]) => Number(value)),
    },
  ];
}

/**
 * Times at which an annotation is drawn: where its query becomes positive after a step in which it
 * was not.
 */
export function beginnings(values: Series['values'], step: number): number[] {
  let last = Number.NEGATIVE_INFINITY;
  const found: number[] = [];
  for (const [seconds, value] of values ?? []) {
    if (!(Number(value) > 0)) continue;
    if (seconds - last > step) found.push(seconds * 1_000);
    last = seconds;
  }
  return found;
}
