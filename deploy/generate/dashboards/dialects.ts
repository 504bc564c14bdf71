// dialects.ts: the queries that differ between backends. Each number of a run is a histogram with
// one value. Prometheus and Cortex store it as a native histogram. VictoriaMetrics stores the
// series `_sum`, `_count` and one `_bucket` per range of values (label vmrange), and it knows the
// time of a sample. All other queries are the same.
import {
  CHOSEN,
  grouped,
  I,
  MACHINE,
  over,
  overRuns,
  PROJECT,
  R,
  RUNS,
  seen,
  series,
} from './queries.ts';

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
  /** By the label `size` that `sizes` gives to each project. */
  quantileBySize(q: number, of: Histograms, sizes: string): string;
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

/** The ends of windows in which there were runs: of a minute, then of a step. */
function lastWindows(by: string, matchers = CHOSEN): string {
  const ends = (range: string, window: string) =>
    `max_over_time(timestamp(${seen(by, window, matchers)})[${range}:${window}])`;
  return `(0 * ${seen(by, '1m', matchers)} + time() or ${ends(I, '1m')} or ${ends(R, I)})`;
}

const PROMETHEUS: Dialect = {
  name: 'prometheus',
  folder: 'deploy/grafana/dashboards',
  quantile: (q, of) => `histogram_quantile(${q}, ${native(of)})`,
  quantileBySize: (q, of, sizes) =>
    `histogram_quantile(${q}, sum by (size) (${native({ ...of, by: PROJECT })} ` +
    `* on (${PROJECT}) group_left (size) ${sizes}))`,
  sum: (of) => `histogram_sum(${native(of)})`,
  mean: (of) => `histogram_avg(${native(of)})`,
  // Between two whole numbers, so that no bucket is divided.
  shareAbove: (value, of) => `histogram_fraction(${value + 0.5}, Inf, ${native(of)})`,
  newest: (by, matchers) => `1000 * ${lastWindows(by, matchers)}`,
  // A machine that ran two versions in its last window has just changed: the new one has fewer
  // runs. The difference also leaves out a version that the machine ran only before the range.
  machinesByNewest: (key) => {
    const both = `${key}, ${MACHINE}`;
    const newest = `${lastWindows(both)} - 0.001 * ${overRuns(R, both)}`;
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
  quantileBySize: (q, of, sizes) =>
    `histogram_quantile(${q}, sum by (size, vmrange) (${buckets({ ...of, by: PROJECT })} ` +
    `* on (${PROJECT}) group_left (size) ${sizes}))`,
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
