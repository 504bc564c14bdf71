// dialects.ts: the queries that differ between backends. Each number of a run is a histogram with
// one value. Prometheus and Cortex store it as a native histogram. VictoriaMetrics stores the
// series `_sum`, `_count` and one `_bucket` per range of values (label vmrange). All other queries
// are the same.
import { over, series } from './queries.ts';

/** The histograms of an instrument, added up over a range; with `by`, per value of this label. */
export interface Histograms {
  name: string;
  range: string;
  by?: string;
}

export interface Dialect {
  name: 'prometheus' | 'victoriametrics';
  /** The folder of its dashboards. */
  folder: string;
  /** With `where`: only histograms whose label `by` is in the result of this expression. */
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
    const chosen = where === undefined ? all : `sum(${all} and on (${of.by}) (${where}))`;
    return `histogram_quantile(${q}, ${chosen})`;
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
    const chosen =
      where === undefined ? all : `sum by (vmrange) (${all} and on (${by}) (${where}))`;
    return `histogram_quantile(${q}, ${chosen})`;
  },
  sum: (of) => part('sum', of),
  count: (of) => part('count', of),
  mean: (of) => `(${part('sum', of)} / ${part('count', of)})`,
};

export const DIALECTS: readonly Dialect[] = [PROMETHEUS, VICTORIAMETRICS];
