// dialects.ts: what is asked of each backend in words of its own. A number of a run is a histogram
// of one value: Prometheus and Cortex keep it as such; VictoriaMetrics makes series of it, `_sum`,
// `_count`, and a `_bucket` for each range (label vmrange) into which one fell. All other queries
// are the same.
import { over, series } from './queries.ts';

/**
 * The histograms of an instrument, added up over a range: all of them, or for each value of a
 * label.
 */
export interface Histograms {
  name: string;
  range: string;
  by?: string;
}

export interface Dialect {
  name: 'prometheus' | 'victoriametrics';
  /** Where the files of its dashboards are. */
  folder: string;
  /** `where`: only of those whose label `by` is among the results of this expression, together. */
  quantile(q: number, of: Histograms, where?: string): string;
  sum(of: Histograms): string;
  count(of: Histograms): string;
  mean(of: Histograms): string;
}

const native = ({ name, range, by }: Histograms) => over(series(name), range, by);

const PROMETHEUS: Dialect = {
  name: 'prometheus',
  folder: 'deploy/grafana/dashboards',
  quantile: (q, of, where) => {
    const all = native(of);
    return `histogram_quantile(${q}, ${where === undefined ? all : `sum(${all} and on (${of.by}) (${where}))`})`;
  },
  sum: (of) => `histogram_sum(${native(of)})`,
  count: (of) => `histogram_count(${native(of)})`,
  mean: (of) => `histogram_avg(${native(of)})`,
};

const part = (suffix: 'sum' | 'count', { name, range, by }: Histograms) =>
  over(`${series(name)}_${suffix}`, range, by);

const VICTORIAMETRICS: Dialect = {
  name: 'victoriametrics',
  folder: 'deploy/grafana/victoriametrics',
  quantile: (q, { name, range, by }, where) => {
    const all = over(
      `${series(name)}_bucket`,
      range,
      by === undefined ? 'vmrange' : `${by}, vmrange`,
    );
    return `histogram_quantile(${q}, ${where === undefined ? all : `sum by (vmrange) (${all} and on (${by}) (${where}))`})`;
  },
  sum: (of) => part('sum', of),
  count: (of) => part('count', of),
  mean: (of) => `(${part('sum', of)} / ${part('count', of)})`,
};

export const DIALECTS: readonly Dialect[] = [PROMETHEUS, VICTORIAMETRICS];
