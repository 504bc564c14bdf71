// health-backends.ts: the panels of health.ts that show metrics of the backend itself. Each backend
// has its own names for them.
import type { Dialect } from './dialects.ts';
import { STEP } from './queries.ts';
import { type PanelSpec, type Query, series, TRUST } from './spec.ts';

type Name = Dialect['name'];
const MINUTELY = { interval: '1m', points: 300, gaps: true };
const rate = (selector: string) => `sum(rate(${selector}[$__rate_interval]))`;

/** Nothing, and not NaN, while the second one does not grow. */
const ratio = (over: string, under: string) => `${rate(over)} / (${rate(under)} > 0)`;

/** A ratio of rates of the backend's own counters: Prometheus's or, in a cluster, Cortex's. */
const ownRatio = (
  of: (backend: 'prometheus' | 'cortex') => [over: string, under: string],
): string =>
  (['prometheus', 'cortex'] as const).map((backend) => ratio(...of(backend))).join(' or ');

const MEAN_TIME: Record<Name, string> = {
  prometheus: ownRatio((backend) => {
    const [name, route] = {
      prometheus: ['prometheus_http_request_duration_seconds', 'handler="/api/v1/otlp/v1/metrics"'],
      cortex: ['cortex_request_duration_seconds', 'route="api_v1_otlp_v1_metrics"'],
    }[backend];
    return [`${name}_sum{job="${backend}", ${route}}`, `${name}_count{job="${backend}", ${route}}`];
  }),
  victoriametrics: ratio(
    'vminsert_request_duration_seconds_sum',
    'vminsert_request_duration_seconds_count',
  ),
};

export const timeToStore = (name: Name): PanelSpec =>
  series({
    ...{ title: 'Time to store a request', question: TRUST, width: 6, unit: 's', decimals: 1 },
    ...{ ...MINUTELY, empty: 'No request in this time range' },
    what:
      "Mean time from the gateway's request to the backend's answer. A rise that stays means a " +
      'slow disk or too little memory.',
    draw: 'lines',
    calcs: ['mean', 'max'],
    colors: { mean: 'blue' },
    queries: [{ expr: MEAN_TIME[name], legend: 'mean' }],
  });

const LATE: Query = {
  expr: ownRatio((backend) => {
    const head = { prometheus: 'prometheus', cortex: 'cortex_ingester' }[backend];
    const samples = `samples_appended_total{job="${backend}"}`;
    return [`${head}_tsdb_head_out_of_order_${samples}`, `${head}_tsdb_head_${samples}`];
  }),
  legend: 'late',
};

/** What the backend says of samples that are not as it expects them. */
export const lateOrIgnored = (name: Name): PanelSpec =>
  name === 'prometheus'
    ? series({
        ...{ title: 'Samples that came late', question: TRUST, width: 6 },
        ...{ unit: 'percentunit', decimals: 2, interval: '5m', points: 300, gaps: true },
        empty: 'No sample in this time range',
        what:
          'Share of samples that were older than others when they came. They are stored at the ' +
          'time of the run. A high share means that clients could not deliver at once.',
        draw: 'lines',
        calcs: ['mean', 'max'],
        colors: { late: 'blue' },
        softMax: 0.01,
        queries: [LATE],
      })
    : series({
        ...{ title: 'Samples that the backend ignored', question: TRUST, width: 6 },
        ...{ unit: 'locale', decimals: 0, interval: '5m', points: 100 },
        empty: 'None in this time range',
        what:
          'These samples were acknowledged and not stored, because of a limit or too short a ' +
          'retention. There must be none.',
        draw: 'columns',
        calcs: ['sum'],
        queries: [
          {
            expr: `sum by (reason) (increase(vm_rows_ignored_total[${STEP})) > 0`,
            legend: '{{reason}}',
          },
        ],
      });
