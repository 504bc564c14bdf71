// dialects.ts: the queries that differ between backends. Each number of a run is a histogram with
// one value. Prometheus and Cortex store it as a native histogram. VictoriaMetrics stores the
// series `_sum`, `_count` and one `_bucket` per range of values (label vmrange), and it knows the
// time of a sample. All other queries are the same.
import { CHOSEN, grouped, I, MACHINE, over, R, RUNS, seen, series } from './queries.ts';

/** The histograms of an instrument, added up over a range; with `by`, per value of these labels. */
export interface Histograms {
  name: string;
  range: string;
  by?: string;
  /** More matchers. */
  more?: string;
}

export interface Dialect {
  name: 'prometheus' | 'victoriametrics';
  /** The folder of its dashboards. */
  folder: string;
  quantile(q: number, of: Histograms): string;
  /** Several at once, as series of a chart named p50, p95 and so on. */
  quantiles(qs: readonly number[], of: Histograms): { expr: string; legend: string }[];
  sum(of: Histograms): string;
  mean(of: Histograms): string;
  /** The share of runs whose value, a whole number, is above this one. */
  shareAbove(value: number, of: Histograms): string;
  /** When the newest run was, in milliseconds since 1970, for each value of these labels; of the
   * chosen runs, or of those with these matchers. */
  newest(by: string, matchers?: string): string;
  /** The machines whose newest run has this value of a label, for each value. */
  machinesByNewest(key: string): string;
  /**
   * What a counter of the gateway grew by in a range, or in the step that begins here. A counter
   * exists only after its first event.
   */
  grown(selector: string, range: string, next?: boolean): string;
}

const native = ({ name, range, by, more }: Histograms) => over(series(name), range, by, more);

const MINUTE = '1m';
const FIVE_MINUTES = '5m';

/**
 * When each group was seen last: now, at the end of a short window in the last step, or at the end
 * of a step.
 *
 * @param last - Of the times of windows, the one to take.
 */
const seenLast = (
  by: string,
  last: (times: string) => string,
  window: string,
  matchers = CHOSEN,
): string => {
  const ends = (range: string, step: string) =>
    last(`timestamp(${seen(by, step, matchers)})[${range}:${step}]`);
  return `(0 * ${seen(by, window, matchers)} + time() or ${ends(I, window)} or ${ends(R, I)})`;
};

const percent = (q: number) => `p${q * 100}`;

const PROMETHEUS: Dialect = {
  name: 'prometheus',
  folder: 'deploy/grafana/dashboards',
  quantile: (q, of) => `histogram_quantile(${q}, ${native(of)})`,
  quantiles: (qs, of) => qs.map((q) => ({ expr: PROMETHEUS.quantile(q, of), legend: percent(q) })),
  sum: (of) => `histogram_sum(${native(of)})`,
  mean: (of) => `histogram_avg(${native(of)})`,
  // Between two whole numbers, so that no bucket is divided.
  shareAbove: (value, of) => `histogram_fraction(${value + 0.5}, Inf, ${native(of)})`,
  newest: (by, matchers) =>
    `1000 * ${seenLast(by, (times) => `max_over_time(${times})`, MINUTE, matchers)}`,
  // A machine that ran two versions in its last window has just changed, and had the old one in
  // more windows. This quantile is the last time, less a part of the time since the one before
  // that grows with the number of windows, and is shorter than one of them.
  machinesByNewest: (key) => {
    const last = (times: string) => `quantile_over_time(0.999999, ${times})`;
    const newest = seenLast(`${key}, ${MACHINE}`, last, FIVE_MINUTES);
    return `count by (${key}) (topk by (${MACHINE}) (1, ${newest}))`;
  },
  grown: (selector, range, next = false) => {
    const [at, before] = next ? [` offset -${range}`, ''] : ['', ` offset ${range}`];
    const since = next ? `${range}] offset -${range}` : `${range}]`;
    return (
      `(increase(${selector}[${since}) > 0 ` +
      `or (${selector}${at} > 0 unless ${selector}${before}))`
    );
  },
};

const part = (suffix: 'sum' | 'count', { name, range, by, more }: Histograms) =>
  over(`${series(name)}_${suffix}`, range, by, more);
const buckets = ({ name, range, by, more }: Histograms) =>
  over(`${series(name)}_bucket`, range, by === undefined ? 'vmrange' : `${by}, vmrange`, more);

const lastTimes = (by: string, matchers = CHOSEN) =>
  `max ${grouped(by)}(tlast_over_time(${series(RUNS)}{${matchers}}[${R}]))`;

const VICTORIAMETRICS: Dialect = {
  name: 'victoriametrics',
  folder: 'deploy/grafana/victoriametrics',
  quantile: (q, of) => `histogram_quantile(${q}, ${buckets(of)})`,
  // In one query, because the buckets are most of the work.
  quantiles: (qs, of) => {
    const names = qs.map((q) => `"${q}", "${percent(q)}"`).join(', ');
    const all = `histogram_quantiles("quantile", ${qs.join(', ')}, ${buckets(of)})`;
    return [{ expr: `label_map(${all}, "quantile", ${names})`, legend: '{{quantile}}' }];
  },
  sum: (of) => part('sum', of),
  mean: (of) => `(${part('sum', of)} / ${part('count', of)})`,
  shareAbove: (value, of) => `(1 - histogram_share(${value + 0.5}, ${buckets(of)}))`,
  newest: (by, matchers) => `1000 * ${lastTimes(by, matchers)}`,
  machinesByNewest: (key) =>
    `count by (${key}) (topk(1, ${lastTimes(`${key}, ${MACHINE}`)}) by (${MACHINE}))`,
  grown: (selector, range, next = false) =>
    `increase(${selector}[${range}]${next ? ` offset -${range}` : ''})`,
};

export const DIALECTS: readonly Dialect[] = [PROMETHEUS, VICTORIAMETRICS];
