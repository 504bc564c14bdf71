// health.ts: the dashboard "lhp: telemetry health": whether the numbers can be trusted. The
// gateway's own metrics have the same names with every backend; a backend's own metrics do not.
import { LOST_RUNS } from '../../../src/contract/contract.ts';
import type { Dialect } from './dialects.ts';
import { CI, orZero, R, REASON, series, VERSION } from './queries.ts';
import type { DashboardSpec, PanelSpec } from './spec.ts';

const TRUST = 'Can the numbers be trusted?';
const GATEWAY = 'job="lhp-gateway"';
const lostRuns = `${series(LOST_RUNS.name)}{${VERSION}=~"$version", ${CI}=~"$ci"}`;
const dropped = `otelcol_processor_filter_datapoints_filtered{${GATEWAY}}`;
const perSecond = (name: string) => `sum (rate(${name}{${GATEWAY}}[$__rate_interval]))`;

const backendRate = (selector: string) => `sum(rate(${selector}[$__rate_interval]))`;

/** A ratio of rates of the backend's own counters: Prometheus's or, in a cluster, Cortex's. */
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
    question:
      `${TRUST} Runs that clients recorded but could not deliver. The totals are too low by ` +
      'this number.',
    kind: 'share',
    queries: [
      {
        expr: `sum by (${REASON}) (sum_over_time(${lostRuns}[${R}]))`,
        legend: `{{${REASON}}}`,
      },
    ],
  },
  {
    title: 'Points accepted and refused',
    question: `${TRUST} Clients send refused points again.`,
    kind: 'lines',
    unit: 'cps',
    queries: [
      { expr: perSecond('otelcol_receiver_accepted_metric_points'), legend: 'accepted' },
      { expr: perSecond('otelcol_receiver_refused_metric_points'), legend: 'refused' },
    ],
  },
  {
    title: 'Points dropped by reason',
    question: `${TRUST} Points that do not match the contract or have an impossible time.`,
    kind: 'bars',
    queries: [
      {
        expr: `sum by (filter) (increase(${dropped}[$__rate_interval]))`,
        legend: '{{filter}}',
      },
    ],
  },
  {
    title: 'Points that the backend refused',
    question: `${TRUST} None of these points was acknowledged.`,
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
      question:
        `${TRUST} Runs are stored at the time at which they ran. A high share means that ` +
        'clients could not deliver immediately.',
      kind: 'lines',
      unit: 'percentunit',
      queries: [
        {
          expr: ownRatio((backend) => {
            const head = { prometheus: 'prometheus', cortex: 'cortex_ingester' }[backend];
            const samples = `samples_appended_total{job="${backend}"}`;
            return [`${head}_tsdb_head_out_of_order_${samples}`, `${head}_tsdb_head_${samples}`];
          }),
          legend: 'late',
        },
      ],
    },
    {
      title: 'Time to store a request',
      question: `${TRUST} From the gateway's request to the backend's answer.`,
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
      question:
        `${TRUST} These samples were acknowledged but not stored, because of a limit or too ` +
        'short a retention.',
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
      question: `${TRUST} For all requests that the backend received.`,
      kind: 'lines',
      unit: 's',
      queries: [
        {
          expr: ['sum', 'count']
            .map((part) => backendRate(`vminsert_request_duration_seconds_${part}`))
            .join(' / '),
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
