// panels.ts: what the panels are, as tables: title, the question it answers, queries. Names of series and labels come from the
// contract. Runs are delta points, so totals are sums over time; dashboards.ts makes Grafana's JSON of it.
import { INSTRUMENTS, LOSS_REASON_ATTRIBUTE, LOST_RUNS } from '../../src/contract.ts';

interface Query {
  /** PromQL with Grafana's variables. `$__range` makes an instant query; `$__interval` one over time. */
  expr: string;
  /** Legend, with labels in double braces. */
  legend?: string;
}

export interface PanelSpec {
  title: string;
  /** Which question it answers. */
  question: string;
  kind: 'stat' | 'bars' | 'lines' | 'table' | 'share';
  unit?: string;
  queries: Query[];
}

export interface DashboardSpec {
  uid: string;
  title: string;
  panels: PanelSpec[];
}

/** The label that Prometheus makes of an attribute's key. */
const label = (key: string): string => key.replaceAll('.', '_');

/** The series that Prometheus makes of an instrument (OTLP name translation with suffixes). */
export function series(name: string): string {
  const all: readonly { name: string; kind: string; unit: string }[] = [...INSTRUMENTS, LOST_RUNS];
  const spec = all.find((one) => one.name === name);
  if (spec === undefined) throw new Error(`the contract has no instrument ${name}`);
  return label(name) + (spec.unit === 's' ? '_seconds' : '') + (spec.kind === 'counter' ? '_total' : '');
}

const VERSION = label('service.version');
const PYTHON = label('process.runtime.version');
const ENVIRONMENT = label('deployment.environment.name');
const CI = label('lhp.ci');
const PROJECT = label('lhp.project.id');
const MACHINE = label('lhp.machine.id');
const DRY = label('lhp.dry_run');
const BUNDLE = label('lhp.bundle.enabled');
const REASON = label(LOSS_REASON_ATTRIBUTE.key);

/** The variables of every dashboard: name → label. */
export const VARIABLES = { environment: ENVIRONMENT, version: VERSION, ci: CI };

const CHOSEN = `${ENVIRONMENT}=~"$environment", ${VERSION}=~"$version", ${CI}=~"$ci"`;
const over = (name: string, range: string, by = '', more = '') =>
  `sum ${by ? `by (${by}) ` : ''}(sum_over_time(${series(name)}{${CHOSEN}${more}}[${range}]))`;

const RUNS = 'lhp.generate.runs';
const DURATION = 'lhp.generate.duration';
const FILES = 'lhp.generate.files';
const FLOWGROUPS = 'lhp.project.flowgroups';
const TEMPLATED = 'lhp.project.flowgroups_using_templates';
const TEMPLATES = 'lhp.project.templates';
const PIPELINES = 'lhp.project.pipelines';
const R = '$__range';
const I = '$__interval';

const orZero = (expr: string) => `${expr} or vector(0)`;
const distinct = (key: string, range: string) =>
  `count(count by (${key}) (count_over_time(${series(RUNS)}{${CHOSEN}}[${range}])))`;
const quantiles = (expr: string): Query[] =>
  [0.5, 0.95, 0.99].map((q) => ({ expr: `histogram_quantile(${q}, ${expr})`, legend: `p${q * 100}` }));
const by = (key: string, range: string): Query[] => [{ expr: over(RUNS, range, key), legend: `{{${key}}}` }];
/** Share of runs with this label true. */
const share = (key: string): Query[] => [
  { expr: `(${over(RUNS, R, '', `, ${key}="true"`)} or vector(0)) / ${over(RUNS, R)}` },
];

const FEATURES = 'Which features are used? (Prioritize Features)';
const SPEED = 'What is slow? (Improve Performance)';
const COMPATIBILITY = 'Which versions must be supported? (Ensure Compatibility)';
const ADOPTION = 'Who uses it, and how much? (Track Adoption)';
const SCALE = 'How large are projects? (Plan Resources)';
const TRUST = 'Can the numbers be trusted?';

const usage: DashboardSpec = {
  uid: 'lhp-usage',
  title: 'lhp: usage',
  panels: [
    { title: 'Runs', question: ADOPTION, kind: 'stat', queries: [{ expr: orZero(over(RUNS, R)) }] },
    { title: 'Active projects', question: ADOPTION, kind: 'stat', queries: [{ expr: orZero(distinct(PROJECT, R)) }] },
    { title: 'Active machines', question: ADOPTION, kind: 'stat', queries: [{ expr: orZero(distinct(MACHINE, R)) }] },
    { title: 'Share of runs in CI', question: ADOPTION, kind: 'stat', unit: 'percentunit', queries: share(CI) },
    { title: 'Share of dry runs', question: FEATURES, kind: 'stat', unit: 'percentunit', queries: share(DRY) },
    {
      title: 'Share of runs with a bundle',
      question: FEATURES,
      kind: 'stat',
      unit: 'percentunit',
      queries: share(BUNDLE),
    },
    {
      title: 'Runs over time',
      question: ADOPTION,
      kind: 'bars',
      queries: [{ expr: orZero(over(RUNS, I)), legend: 'runs' }],
    },
    {
      title: 'Active projects and machines over time',
      question: ADOPTION,
      kind: 'bars',
      queries: [
        { expr: distinct(PROJECT, I), legend: 'projects' },
        { expr: distinct(MACHINE, I), legend: 'machines' },
      ],
    },
    { title: 'Runs by lhp version', question: COMPATIBILITY, kind: 'bars', queries: by(VERSION, I) },
    { title: 'Runs by Python version', question: COMPATIBILITY, kind: 'bars', queries: by(PYTHON, I) },
    {
      title: 'Machines by lhp version',
      question: COMPATIBILITY,
      kind: 'share',
      queries: [
        {
          expr: `count by (${VERSION}) (count by (${VERSION}, ${MACHINE}) (count_over_time(${series(RUNS)}{${CHOSEN}}[${R}])))`,
          legend: `{{${VERSION}}}`,
        },
      ],
    },
    { title: 'Runs by environment', question: FEATURES, kind: 'share', queries: by(ENVIRONMENT, R) },
    {
      title: 'CI against local',
      question: ADOPTION,
      kind: 'bars',
      queries: [{ expr: over(RUNS, I, CI), legend: `CI {{${CI}}}` }],
    },
  ],
};

const projectSize = `histogram_avg(${over(FLOWGROUPS, R, PROJECT)})`;
const SIZES: [string, string][] = [
  ['below 50 flowgroups', `${projectSize} < 50`],
  ['50 to 200', `(${projectSize} >= 50) < 200`],
  ['200 to 1,000', `(${projectSize} >= 200) < 1000`],
  ['1,000 and more', `${projectSize} >= 1000`],
];
const ofSize = (condition: string) => `sum(${over(DURATION, R, PROJECT)} and on (${PROJECT}) (${condition}))`;
const others = (what: 'sum' | 'count') =>
  `(scalar(histogram_${what}(${over(DURATION, R)})) - histogram_${what}(${over(DURATION, R, VERSION)}))`;

const performance: DashboardSpec = {
  uid: 'lhp-performance',
  title: 'lhp: performance',
  panels: [
    { title: 'Duration', question: SPEED, kind: 'stat', unit: 's', queries: quantiles(over(DURATION, R)) },
    {
      title: 'Files a second',
      question: SPEED,
      kind: 'stat',
      queries: [{ expr: `histogram_sum(${over(FILES, R)}) / histogram_sum(${over(DURATION, R)})` }],
    },
    { title: 'Duration over time', question: SPEED, kind: 'lines', unit: 's', queries: quantiles(over(DURATION, I)) },
    {
      title: 'p95 by lhp version',
      question: SPEED,
      kind: 'table',
      unit: 's',
      queries: [{ expr: `histogram_quantile(0.95, ${over(DURATION, R, VERSION)})`, legend: `{{${VERSION}}}` }],
    },
    {
      title: 'Mean duration of a version against all others',
      question: `${SPEED} Above 1: slower than the others; compare projects of one size before you call it a regression.`,
      kind: 'table',
      queries: [
        {
          expr: `histogram_avg(${over(DURATION, R, VERSION)}) / (${others('sum')} / ${others('count')})`,
          legend: `{{${VERSION}}}`,
        },
      ],
    },
    {
      title: 'p50 by size of the project',
      question: SPEED,
      kind: 'table',
      unit: 's',
      queries: SIZES.map(([legend, condition]) => ({ expr: `histogram_quantile(0.5, ${ofSize(condition)})`, legend })),
    },
    {
      title: 'p95 by size of the project',
      question: SPEED,
      kind: 'table',
      unit: 's',
      queries: SIZES.map(([legend, condition]) => ({ expr: `histogram_quantile(0.95, ${ofSize(condition)})`, legend })),
    },
    {
      title: 'Slowest projects: mean duration',
      question: SPEED,
      kind: 'table',
      unit: 's',
      queries: [{ expr: `topk(10, histogram_avg(${over(DURATION, R, PROJECT)}))`, legend: `{{${PROJECT}}}` }],
    },
    {
      title: 'Slowest projects: flowgroups a run',
      question: SCALE,
      kind: 'table',
      queries: [
        {
          expr: `${projectSize} and on (${PROJECT}) topk(10, histogram_avg(${over(DURATION, R, PROJECT)}))`,
          legend: `{{${PROJECT}}}`,
        },
      ],
    },
  ],
};

const spread = (name: string, title: string): PanelSpec => ({
  title,
  question: `${SCALE} Over runs: a project that runs often counts more.`,
  kind: 'stat',
  queries: quantiles(over(name, R)),
});

const projects: DashboardSpec = {
  uid: 'lhp-projects',
  title: 'lhp: projects',
  panels: [
    spread(FLOWGROUPS, 'Flowgroups'),
    spread(TEMPLATED, 'Flowgroups using templates'),
    spread(TEMPLATES, 'Templates'),
    spread(PIPELINES, 'Pipelines'),
    spread(FILES, 'Files written'),
    {
      title: 'Share of flowgroups that use a template',
      question: FEATURES,
      kind: 'stat',
      unit: 'percentunit',
      queries: [{ expr: `histogram_sum(${over(TEMPLATED, R)}) / histogram_sum(${over(FLOWGROUPS, R)})` }],
    },
    {
      title: 'Projects by size',
      question: SCALE,
      kind: 'share',
      queries: SIZES.map(([legend, condition]) => ({ expr: orZero(`count(${condition})`), legend })),
    },
    {
      title: 'Largest projects: flowgroups a run',
      question: SCALE,
      kind: 'table',
      queries: [{ expr: `topk(10, ${projectSize})`, legend: `{{${PROJECT}}}` }],
    },
    {
      title: 'Flowgroups of a run over time',
      question: SCALE,
      kind: 'lines',
      queries: quantiles(over(FLOWGROUPS, I)),
    },
  ],
};

const GATEWAY = 'job="lhp-gateway"';
const perSecond = (name: string, key = '') =>
  `sum ${key ? `by (${key}) ` : ''}(rate(${name}{${GATEWAY}}[$__rate_interval]))`;

/** A ratio of rates of the backend's own counters: Prometheus's, or, in a cluster, Cortex's. */
const ownRatio = (of: (backend: 'prometheus' | 'cortex') => [over: string, under: string]): string => {
  const summed = (selector: string) => `sum(rate(${selector}[$__rate_interval]))`;
  return (['prometheus', 'cortex'] as const).map((backend) => of(backend).map(summed).join(' / ')).join(' or ');
};

const health: DashboardSpec = {
  uid: 'lhp-health',
  title: 'lhp: telemetry health',
  panels: [
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
      queries: [{ expr: orZero(perSecond('otelcol_exporter_send_failed_metric_points')), legend: 'failed' }],
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
              prometheus: ['prometheus_http_request_duration_seconds', 'handler="/api/v1/otlp/v1/metrics"'],
              cortex: ['cortex_request_duration_seconds', 'route="api_v1_otlp_v1_metrics"'],
            }[backend];
            return [`${name}_sum{job="${backend}", ${route}}`, `${name}_count{job="${backend}", ${route}}`];
          }),
          legend: 'mean',
        },
      ],
    },
  ],
};

export const DASHBOARDS: readonly DashboardSpec[] = [usage, performance, projects, health];
