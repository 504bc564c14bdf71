// health.ts: the dashboard "lhp: telemetry health": whether the numbers can be trusted. The
// gateway's own metrics have the same names with every backend; health-backends.ts has what
// differs.
import { LOST_RUNS } from '../../../src/contract/contract.ts';
import type { Dialect } from './dialects.ts';
import { lateOrIgnored, timeToStore } from './health-backends.ts';
import { orZero, R, REASON, RUNS, STEP, series as seriesName } from './queries.ts';
import {
  COUNT,
  type DashboardSpec,
  dashboardSpec,
  type Line,
  type Section,
  series,
  stat,
  TRUST,
  table,
} from './spec.ts';

const GATEWAY = 'job="lhp-gateway"';
const metric = (name: string) => `${name}{${GATEWAY}}`;
const lost = seriesName(LOST_RUNS.name);
const DROPPED = metric('otelcol_processor_filter_datapoints_filtered');
const FAILED = metric('otelcol_exporter_send_failed_metric_points');
/** Each replica has its own queue; the fullest one counts. */
const QUEUE =
  `max(${metric('otelcol_exporter_queue_size')} / ` +
  `${metric('otelcol_exporter_queue_capacity')})`;
/** The rules of deploy/prometheus/rules.yml, and those of the other backends. */
const OURS = 'alertname=~"Lhp.*"';
const ALERTS = `ALERTS{alertstate="firing", ${OURS}}`;
/** The limits of the alert about an overloaded gateway. */
const QUEUE_LIMIT = 0.8;
const MEMORY_LIMIT = 400e6;
const MINUTELY = { interval: '1m', points: 300, gaps: true, empty: 'No data of the gateway' };
const GUIDE = 'https://github.com/lhp-otel/lhp-otel/blob/main/docs/operators.md#alerts';

const totals = ({ newest, grown }: Dialect): Line => ({
  height: 4,
  panels: [
    stat({
      ...{ title: 'Gateways up', question: TRUST, width: 3, ...COUNT },
      what:
        'Collectors that answered the last scrape. Without one clients keep their runs for 7 ' +
        'days, and runs of CI jobs are lost.',
      steps: [['red'], ['green', 1]],
      expr: orZero(`sum(up{${GATEWAY}})`),
    }),
    stat({
      ...{ title: 'Alerts firing', question: TRUST, width: 3, ...COUNT },
      what: 'Alerts of this project that fire now. The list is at the end of this dashboard.',
      steps: [['green'], ['red', 1]],
      expr: orZero(`count(${ALERTS})`),
    }),
    stat({
      ...{ title: 'Newest run', question: TRUST, width: 3, unit: 'dateTimeFromNow', decimals: 0 },
      what: 'When the newest stored run ended: to the minute, or to 3 hours if it is days ago.',
      ...{ empty: 'none in this time', points: 240 },
      expr: newest('', ''),
    }),
    stat({
      ...{ title: 'Runs stored', question: TRUST, width: 3, ...COUNT },
      what: 'Runs of the time range that the backend has, whenever they arrived.',
      expr: orZero(`sum(sum_over_time(${seriesName(RUNS)}[${R}]))`),
    }),
    stat({
      ...{ title: 'Lost, 9 days', question: TRUST, width: 3, ...COUNT },
      what:
        'Runs that clients recorded and gave up: the totals are too low by this number. A loss ' +
        'is reported by a later run, which can arrive 8 days late, so this looks back for 9 days.',
      steps: [['green'], ['red', 1]],
      expr: orZero(`sum(sum_over_time(${lost}[9d]))`),
    }),
    stat({
      ...{ title: 'Dropped', question: TRUST, width: 3, ...COUNT },
      what:
        'Points that the gateway dropped in the time range, because they do not match the ' +
        'contract or have an impossible time. The row below says which.',
      steps: [['green'], ['orange', 1]],
      expr: orZero(`sum(${grown(DROPPED, R)})`),
    }),
    stat({
      ...{ title: 'Not stored', question: TRUST, width: 3, ...COUNT },
      what:
        'Points that the backend refused in the time range. None was acknowledged, so clients ' +
        'send them again. If it grows, read the log of the backend.',
      steps: [['green'], ['red', 1]],
      expr: orZero(`sum(${grown(FAILED, R)})`),
    }),
    stat({
      ...{ title: 'Queue', question: TRUST, width: 3, unit: 'percentunit', decimals: 0 },
      what: 'How full the queue of waiting requests is. A full one refuses; clients try again.',
      steps: [['text'], ['orange', 0.5], ['red', QUEUE_LIMIT]],
      expr: QUEUE,
    }),
  ],
});

const rateOf = (name: string, range = '$__rate_interval]') => `sum(rate(${metric(name)}[${range}))`;
const ACCEPTED = 'otelcol_receiver_accepted_metric_points';
const perMinute = (name: string, legend: string) => ({ expr: `60 * ${rateOf(name)}`, legend });
/**
 * What fails is in the legend if anything failed in the range: then also its zeros, for the mean. A
 * counter exists only after the first event.
 */
const failuresPerMinute = (name: string, legend: string) => ({
  expr:
    `(60 * ${rateOf(name)} or 0 * ${rateOf(ACCEPTED)}) ` +
    `and on () ${rateOf(name, `${R}] @ end()`)} > 0`,
  legend,
});

const way = ({ grown }: Dialect): Section => ({
  title: 'Do points arrive, and are they stored?',
  lines: [
    {
      height: 8,
      panels: [
        series({
          ...{ title: 'Points a minute', question: TRUST, width: 12, unit: 'short', decimals: 1 },
          ...MINUTELY,
          what:
            'Accepted points are stored or dropped; clients send refused ones again. A run is ' +
            'about 7 points. Stored below accepted, and nothing dropped: the backend is slow. ' +
            'Dropped and refused are columns, and in the legend only if there were any.',
          draw: 'lines',
          rare: ['dropped', 'refused'],
          calcs: ['mean', 'max'],
          colors: { accepted: 'blue', stored: 'green', dropped: 'orange', refused: 'red' },
          queries: [
            perMinute(ACCEPTED, 'accepted'),
            perMinute('otelcol_exporter_sent_metric_points', 'stored'),
            failuresPerMinute('otelcol_processor_filter_datapoints_filtered', 'dropped'),
            failuresPerMinute('otelcol_receiver_refused_metric_points', 'refused'),
          ],
        }),
        series({
          ...{ title: 'Dropped points by rule', question: TRUST, width: 12, ...COUNT },
          ...{ interval: '5m', points: 100, empty: 'None in this time range' },
          what:
            'time: a clock is wrong, or a run is older than 8 days. Every other rule: somebody ' +
            'sends what is not in the contract, or the gateway is older than the clients.',
          draw: 'columns',
          calcs: ['sum'],
          queries: [
            {
              expr:
                `label_replace(sum by (filter) (${grown(DROPPED, '$__interval', true)}) > 0, ` +
                '"rule", "$1", "filter", "filter/(.*)")',
              legend: '{{rule}}',
            },
          ],
        }),
      ],
    },
  ],
});

const room = ({ name }: Dialect): Section => ({
  title: 'Is there room to spare?',
  lines: [
    {
      height: 8,
      panels: [
        series({
          ...{ title: 'Queue in use', question: TRUST, width: 6, unit: 'percent', decimals: 0 },
          ...MINUTELY,
          what: `The fullest queue. An alert fires above the dashed line (${QUEUE_LIMIT * 100} %).`,
          draw: 'lines',
          calcs: ['max'],
          colors: { 'in use': 'blue' },
          limit: QUEUE_LIMIT * 100,
          max: 100,
          queries: [{ expr: `100 * ${QUEUE}`, legend: 'in use' }],
        }),
        series({
          ...{ title: 'Memory', question: TRUST, width: 6, unit: 'decbytes', decimals: 0 },
          ...MINUTELY,
          what:
            'Resident memory of the largest gateway. An alert fires above the dashed line ' +
            `(${MEMORY_LIMIT / 1e6} MB); above its limit the gateway refuses, and clients try ` +
            'again. Add a replica before that.',
          draw: 'lines',
          calcs: ['max'],
          colors: { resident: 'blue' },
          limit: MEMORY_LIMIT,
          softMax: 450e6,
          queries: [{ expr: `max(${metric('otelcol_process_memory_rss')})`, legend: 'resident' }],
        }),
        timeToStore(name),
        lateOrIgnored(name),
      ],
    },
  ],
});

const losses: Section = {
  title: 'What was lost, and what is wrong now?',
  lines: [
    {
      height: 8,
      panels: [
        series({
          ...{ title: 'Runs lost by clients', question: TRUST, width: 12, ...COUNT },
          empty: 'None in this time range; "Lost" above looks back for 9 days',
          what:
            'Why, at the time of the run that reports the loss. expired: waited more than 7 days ' +
            'for a gateway. spool_full: too many waited. rejected: the gateway answered that it ' +
            'will never accept it. unreadable: the file was damaged.',
          draw: 'columns',
          calcs: ['sum'],
          queries: [
            {
              expr: `sum by (${REASON}) (sum_over_time(${lost}[${STEP}))`,
              legend: `{{${REASON}}}`,
            },
          ],
        }),
        table({
          ...{ title: 'Alerts that fire now', question: TRUST, width: 12 },
          ...{ empty: 'None' },
          what: 'A click on an alert opens the guide, which says what it means and what to do.',
          keys: [
            {
              ...{ label: 'alertname', title: 'Alert', width: 260 },
              links: [{ title: 'What it means, and what to do', url: GUIDE }],
            },
            { label: 'severity', title: 'Severity', width: 100 },
          ],
          columns: [
            {
              ...{ title: 'Since', unit: 'dateTimeFromNow', decimals: 0 },
              expr:
                `1000 * min by (alertname, severity) (ALERTS_FOR_STATE{${OURS}} ` +
                `and on (alertname) ${ALERTS})`,
            },
          ],
          sort: { column: 'Since', desc: true },
        }),
      ],
    },
  ],
};

export const healthDashboard = (dialect: Dialect): DashboardSpec =>
  dashboardSpec({
    uid: 'lhp-health',
    title: 'lhp: telemetry health',
    about: 'Can the numbers be trusted?',
    from: 'now-24h',
    sections: [{ lines: [totals(dialect)] }, way(dialect), room(dialect), losses],
  });
