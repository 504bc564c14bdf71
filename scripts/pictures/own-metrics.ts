// own-metrics.ts: the metrics of the gateway and of Prometheus about themselves, and the alerts,
// as they would be for a list of runs, for the picture of the dashboard about telemetry health. A
// real gateway has such metrics only of the time in which it ran.
import { INSTRUMENTS } from '../../src/contract/contract.ts';
import { dice } from '../fleet/random.ts';

/** How often Prometheus scrapes (deploy/prometheus/prometheus.yml). */
const SCRAPE_MS = 15_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface OwnOptions {
  /** Times of the runs in milliseconds since the epoch, ascending. */
  runs: readonly number[];
  end: number;
  hours: number;
  /** When the gateway stopped; undefined if it works. */
  stopped?: number | undefined;
  /** When clients reported lost runs, which is an alert for nine days. */
  lost?: number | undefined;
}

/** A run has one point for each instrument. */
const POINTS = INSTRUMENTS.length;
/** Share of the runs that arrive late, because a laptop had no network. */
const LATE = 0.12;
const SEED = 20_261_127;
/** Requests that the gateway dropped: hours before the end, how many points, and why. */
const DROPPED = [
  { hoursAgo: 7.4, points: 5 * POINTS, filter: 'filter/metric' },
  { hoursAgo: 7.1, points: 3 * POINTS, filter: 'filter/metric' },
  { hoursAgo: 4.2, points: POINTS, filter: 'filter/time' },
] as const;
const ALERT_HOURS = 1;
const DOWN_AFTER_MS = 5 * MINUTE_MS;

const GATEWAY = { job: 'lhp-gateway', instance: 'collector:8888' };
const PROMETHEUS = { job: 'prometheus', instance: 'localhost:9090' };
const EXPORTER = { ...GATEWAY, exporter: 'otlp_http', data_type: 'metrics' };

interface Delivery {
  at: number;
  late: boolean;
}

function deliveries(runs: readonly number[]): Delivery[] {
  const random = dice(SEED, runs.length);
  return runs
    .map((at) => {
      const late = random.chance(LATE);
      return {
        late,
        at: at + (late ? random.exponential(3 * HOUR_MS) : 1_000 + 2_000 * random.next()),
      };
    })
    .sort((a, b) => a.at - b.at);
}

/** The scrapes of the last hours, oldest first: time in milliseconds → samples. */
export function* ownMetrics(options: OwnOptions): Generator<[at: number, samples: Sample[]]> {
  const { runs, end, hours, stopped = Number.POSITIVE_INFINITY } = options;
  const all = deliveries(runs);
  const random = dice(SEED, 1);
  let [delivered, late, old, storing] = [0, 0, 0, 0];
  for (let at = end - hours * HOUR_MS; at <= end; at += SCRAPE_MS) {
    const before = delivered;
    while ((all[delivered]?.at ?? Number.POSITIVE_INFINITY) <= at) {
      late += all[delivered]?.late ? 1 : 0;
      delivered += 1;
    }
    while ((all[old]?.at ?? Number.POSITIVE_INFINITY) <= at - HOUR_MS) old += 1;
    const [now, load] = [delivered - before, (delivered - old) / 60];
    storing += now * (0.0011 + 0.0006 * load * random.next());
    const state = { at, end, delivered, late, now, load, storing };
    const up = at < stopped;
    yield [
      at,
      [
        { name: 'up', labels: GATEWAY, value: up ? 1 : 0 },
        { name: 'up', labels: PROMETHEUS, value: 1 },
        ...(up ? gateway(state, random.next()) : []),
        ...backend(state),
        ...alerts(at, options),
      ],
    ];
  }
}

interface State {
  at: number;
  end: number;
  /** Runs that have arrived, and how many of them late. */
  delivered: number;
  late: number;
  /** Runs since the last scrape, and per minute of the last hour. */
  now: number;
  load: number;
  /** Seconds that the backend has needed for all requests. */
  storing: number;
}

/** @param noise - from 0 to 1. */
function gateway({ at, end, delivered, now, load }: State, noise: number): Sample[] {
  const filters = [...new Set(DROPPED.map(({ filter }) => filter))];
  const dropped = (wanted?: string) =>
    DROPPED.filter(
      ({ hoursAgo, filter }) =>
        at >= end - hoursAgo * HOUR_MS && (wanted === undefined || filter === wanted),
    ).reduce((sum, { points }) => sum + points, 0);
  const of = (name: string, value: number, labels: Record<string, string> = GATEWAY) => ({
    name: `otelcol_${name}`,
    labels,
    value,
  });
  return [
    of('receiver_accepted_metric_points', delivered * POINTS + dropped()),
    of('receiver_refused_metric_points', 0),
    ...filters.map((filter) =>
      of('processor_filter_datapoints_filtered', dropped(filter), { ...GATEWAY, filter }),
    ),
    of('processor_memory_limiter_refused_metric_points', 0),
    of('exporter_sent_metric_points', delivered * POINTS, EXPORTER),
    of('exporter_send_failed_metric_points', 0, EXPORTER),
    of('exporter_queue_size', now > 1 ? now : 0, EXPORTER),
    of('exporter_queue_capacity', 1_000, EXPORTER),
    of('process_memory_rss', (52 + 22 * load + 4 * noise) * 1e6),
  ];
}

function backend({ at, end, delivered, late, storing }: State): Sample[] {
  // Its own series are most of what it stores.
  const own = ((at - end + 30 * DAY_MS) / 1_000) * 60;
  const handler = { ...PROMETHEUS, handler: '/api/v1/otlp/v1/metrics' };
  const of = (name: string, value: number, labels: Record<string, string> = PROMETHEUS) => ({
    name: `prometheus_${name}`,
    labels,
    value,
  });
  return [
    of('tsdb_head_samples_appended_total', own + delivered * POINTS),
    of('tsdb_head_out_of_order_samples_appended_total', late * POINTS),
    of('http_request_duration_seconds_count', delivered, handler),
    of('http_request_duration_seconds_sum', storing, handler),
  ];
}

function alerts(at: number, { end, stopped, lost }: OwnOptions): Sample[] {
  const dropping = end - DROPPED[0].hoursAgo * HOUR_MS;
  const of = (alertname: string, severity: string, since: number | undefined): Sample[] => {
    if (since === undefined || at < since) return [];
    const labels = { alertname, severity };
    return [
      { name: 'ALERTS', labels: { ...labels, alertstate: 'firing' }, value: 1 },
      { name: 'ALERTS_FOR_STATE', labels, value: since / 1_000 },
    ];
  };
  return [
    ...of('LhpOtelGatewayDown', 'critical', stopped && stopped + DOWN_AFTER_MS),
    ...(at < dropping + ALERT_HOURS * HOUR_MS
      ? of('LhpOtelGatewayDropping', 'warning', dropping)
      : []),
    ...of('LhpOtelLostRuns', 'warning', lost),
  ];
}
