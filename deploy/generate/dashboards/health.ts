// health.ts: the panels about the telemetry itself: what the gateway counts is asked in the same
// words everywhere; what a backend counts of its own is not.
import { LOST_RUNS } from '../../../src/contract/contract.ts';
import type { Dialect } from './dialects.ts';
import type { DashboardSpec, PanelSpec } from './panels.ts';
import { CI, orZero, R, REASON, series, VERSION } from './queries.ts';

const TRUST = 'Can the numbers be trusted?';
const GATEWAY = 'job="lhp-gateway"';
const perSecond = (name: string) => `sum (rate(${name}{${GATEWAY}}[$__rate_interval]))`;

const backendRate = (selector: string) => `sum(rate(${selector}[$__rate_interval]))`;

/** A ratio of rates of the backend's own counters: Prometheus's, or, in a cluster, Cortex's. */
const ownRatio = (
  of: (backend: 'prometheus' | 'cortex') => [over: string, under: string],
): string =>
  (['prometheus', 'cortex'] as const)
    .map((backend) => of(backend).map(backendRate).join(' / '))
    .join(' or ');

const OF_GATEWAY: PanelSpec[] = [
  {
    title: 'Gateways up',
    question: TRUST,
    kind: 'stat',
    queries: [{ expr: orZero(`sum(up{${GATEWAY}})`) }],
  },
  {
    title: 'Lost runs by reason',
    question: `${TRUST} Recorded by clients and given up; the totals are too low by them.`,
    kind: 'share',
    queries: [
      {
        expr: `sum by (${REASON}) (sum_over_time(${series(LOST_RUNS.name)}{${VERSION}=~"$version", ${CI}=~"$ci"}[${R}]))`,
        legend: `{{${REASON}}}`,
      },
    ],
  },
  {
    title: 'Points accepted and refused',
    question: `${TRUST} Refused ones come again.`,
    kind: 'lines',
    unit: 'cps',
    queries: [
      { expr: perSecond('otelcol_receiver_accepted_metric_points'), legend: 'accepted' },
      { expr: perSecond('otelcol_receiver_refused_metric_points'), legend: 'refused' },
    ],
  },
  {
    title: 'Points dropped by reason',
    question: `${TRUST} What is not in the contract, or has a time that cannot be true.`,
    kind: 'bars',
    queries: [
      {
        expr: `sum by (filter) (increase(otelcol_processor_filter_datapoints_filtered{${GATEWAY}}[$__rate_interval]))`,
        legend: '{{filter}}',
      },
    ],
  },
  {
    title: 'Points that the backend refused',
    question: `${TRUST} None of them was acknowledged.`,
    kind: 'lines',
    unit: 'cps',
    queries: [
      { expr: orZero(perSecond('otelcol_exporter_send_failed_metric_points')), legend: 'failed' },
    ],
  },
  {
    title: 'Requests waiting at the gateway',
    question: TRUST,
    kind: 'lines',
    queries: [
      { expr: `sum(otelcol_exporter_queue_size{${GATEWAY}})`, legend: 'waiting' },
      { expr: `sum(otelcol_exporter_queue_capacity{${GATEWAY}})`, legend: 'capacity' },
    ],
  },
  {
    title: 'Memory of the gateway',
    question: TRUST,
    kind: 'lines',
    unit: 'bytes',
    queries: [{ expr: `max(otelcol_process_memory_rss{${GATEWAY}})`, legend: 'resident' }],
  },
];

const OF_BACKEND: Record<Dialect['name'], PanelSpec[]> = {
  prometheus: [
    {
      title: 'Share of samples that came late',
      question: `${TRUST} Runs are stored under the time at which they ran. A high share means that clients could not deliver at once.`,
      kind: 'lines',
      unit: 'percentunit',
      queries: [
        {
          expr: ownRatio((backend) => {
            const head = `${{ prometheus: 'prometheus', cortex: 'cortex_ingester' }[backend]}_tsdb_head`;
            const samples = `samples_appended_total{job="${backend}"}`;
            return [`${head}_out_of_order_${samples}`, `${head}_${samples}`];
          }),
          legend: 'late',
        },
      ],
    },
    {
      title: 'Time to store a request',
      question: `${TRUST} From the gateway's request to the backend's answer: the part of the delay that is yours.`,
      kind: 'lines',
      unit: 's',
      queries: [
        {
          expr: ownRatio((backend) => {
            const [name, route] = {
              prometheus: [
                'prometheus_http_request_duration_seconds',
                'handler="/api/v1/otlp/v1/metrics"',
              ],
              cortex: ['cortex_request_duration_seconds', 'route="api_v1_otlp_v1_metrics"'],
            }[backend];
            return [
              `${name}_sum{job="${backend}", ${route}}`,
              `${name}_count{job="${backend}", ${route}}`,
            ];
          }),
          legend: 'mean',
        },
      ],
    },
  ],
  victoriametrics: [
    {
      title: 'Samples that the backend ignored',
      question: `${TRUST} They were acknowledged and are not stored: a limit or a retention that does not fit.`,
      kind: 'bars',
      queries: [
        {
          expr: 'sum by (reason) (increase(vm_rows_ignored_total[$__rate_interval]))',
          legend: '{{reason}}',
        },
      ],
    },
    {
      title: 'Time to store a request',
      question: `${TRUST} Of all that the backend was sent.`,
      kind: 'lines',
      unit: 's',
      queries: [
        {
          expr: `${backendRate('vminsert_request_duration_seconds_sum')} / ${backendRate('vminsert_request_duration_seconds_count')}`,
          legend: 'mean',
        },
      ],
    },
  ],
};

export const healthDashboard = ({ name }: Dialect): DashboardSpec => ({
  uid: 'lhp-health',
  title: 'lhp: telemetry health',
  panels: [...OF_GATEWAY, ...OF_BACKEND[name]],
});
