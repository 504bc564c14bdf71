// Tests that the dashboards show the right numbers. The query of every panel runs against a real
// Prometheus, a real cluster of Cortex and, in its own dialect, a real VictoriaMetrics. Each has
// received the same known runs through the real gateway. The answers must be those that the tests
// compute from the runs (test/support/panels.ts), in every situation of test/support/known-runs.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  dashboards,
  RELEASES,
  runDashboards,
} from '../../deploy/generate/dashboards/dashboards.ts';
import { DIALECTS, type Dialect } from '../../deploy/generate/dashboards/dialects.ts';
import { overRuns, R, REASON, series } from '../../deploy/generate/dashboards/queries.ts';
import { type Asker, asker } from '../../scripts/harness/asker.ts';
import { clusterServers } from '../../scripts/harness/cluster.ts';
import { freePort } from '../../scripts/harness/collector.ts';
import {
  collector,
  cortex,
  type Need,
  program,
  prometheus,
  victoriaMetrics,
} from '../../scripts/harness/needs.ts';
import { HOUR, post } from '../../scripts/harness/runs.ts';
import { gatewayServer, prometheusServer } from '../../scripts/harness/stack.ts';
import { victoriaMetricsStack } from '../../scripts/harness/victoriametrics.ts';
import {
  type GenerateEvent,
  INSTRUMENTS,
  LOST_RUNS,
  slotName,
} from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { type Answer, filled, marks, shown } from '../support/asks.ts';
import { type Asking, askings, differences, titled } from '../support/differences.ts';
import { chosenRuns, knownRuns, type Situation, situations } from '../support/known-runs.ts';
import { lacking } from '../support/lacking.ts';
import { ANSWERS } from '../support/panels.ts';
import { extended } from '../support/tags.ts';
import { askedOf, BUCKET, marked, WIDE_BUCKET } from '../support/truth.ts';

const NOW = Date.now();
const RUNS = knownRuns(NOW);
const SITUATIONS = situations(NOW);
const [WEEK] = SITUATIONS as [Situation];
const LOST = new Map([
  ['expired', 3],
  ['rejected', 2],
] as const);

describe.each(DIALECTS)('the panels for $name', (dialect) => {
  it('each have a known answer, and each known answer has a panel', () => {
    for (const { uid, panels } of runDashboards(dialect))
      expect(Object.keys(ANSWERS[uid] ?? {}).sort()).toEqual(
        panels.map(({ title }) => title).sort(),
      );
  });

  it('show, together, every metric of the contract', () => {
    const queries = askings(dashboards(dialect))
      .flatMap(({ spec }) => spec.queries.map(({ expr }) => expr))
      .join('\n');
    for (const { name } of [...INSTRUMENTS, LOST_RUNS])
      expect(queries).toMatch(new RegExp(`${series(name)}(_sum|_bucket)?[{[]`));
  });
});

interface Stack extends Asker {
  /** The URL for clients. */
  url: string;
  gateways: number;
  stop(): Promise<void>;
}

async function single(): Promise<Stack> {
  const own = await freePort();
  const backend = await prometheusServer(prometheus().path, { scrape: own, everySecond: true });
  await backend.start();
  const otlp = `${backend.url}/api/v1/otlp`;
  const gateway = await gatewayServer(collector().path, otlp, {
    LHP_OTEL_METRICS_PORT: String(own),
  });
  await gateway.start();
  const stop = () => gateway.stop().then(backend.stop);
  return { ...backend, url: gateway.url, gateways: 1, stop };
}

async function replicated(): Promise<Stack> {
  const programs = { nginx: program('nginx'), collector: collector(), cortex: cortex() };
  const cluster = await clusterServers(programs, { watcher: prometheus() });
  await cluster.start();
  // Like Grafana, through nginx, which asks any node.
  return {
    ...asker(() => `${cluster.inside}/prometheus`),
    url: cluster.nginx.url,
    gateways: 3,
    stop: cluster.stop,
  };
}

async function victoria(): Promise<Stack> {
  const { backend, gateway, stop } = await victoriaMetricsStack();
  return { ...backend, url: gateway.url, gateways: 1, stop };
}

interface Candidate {
  name: string;
  dialect: Dialect;
  start: () => Promise<Stack>;
  needs: Need[];
  /** The width of a bucket as a factor. Quantiles cannot be more exact than this. */
  bucket: number;
}

const [promql, metricsql] = DIALECTS as [Dialect, Dialect];
const STACKS: Candidate[] = [
  {
    name: 'one machine with Prometheus',
    dialect: promql,
    start: single,
    needs: [collector(), prometheus()],
    bucket: BUCKET,
  },
  {
    name: 'the cluster of Cortex',
    dialect: promql,
    start: replicated,
    needs: [collector(), prometheus(), cortex(), program('nginx')],
    bucket: BUCKET,
  },
  {
    name: 'VictoriaMetrics',
    dialect: metricsql,
    start: victoria,
    needs: [collector(), victoriaMetrics()],
    bucket: WIDE_BUCKET,
  },
];
let stored: string[] | undefined;

const asksIn = (asked: readonly Situation[]) => (candidate: Candidate) => {
  const { dialect, start, needs, bucket } = candidate;
  if (lacking(...needs)) return;
  let stack: Stack;
  const about = titled(runDashboards(dialect));
  const health = askings(dashboards(dialect).filter(({ uid }) => uid === 'lhp-health'));

  beforeAll(async () => {
    stack = await start();
  });
  afterAll(() => stack?.stop());

  const ask = ({ dashboard, spec }: Asking, situation: Situation) =>
    shown(stack, spec, dashboard.panels, situation);
  const send = (body: Uint8Array) => post(stack.url, body);
  const record = (at: number, event: GenerateEvent) =>
    recordRun(event, { timestamp: at, startedAt: at - 1_000, slot: '07' });

  // These tests must run first, while the database is empty.
  it.each(about)('%s, without data', async (_, asking) => {
    const empty = await ask(asking, WEEK);
    for (const value of Object.values(empty)) expect(value).toBe(0);
  });

  it('accepts the runs', async () => {
    for (const [i, { at, event }] of RUNS.entries()) {
      // Also those of clients before November 2026, which drew one of 256.
      const slot = slotName((i * 37) % 256);
      const options = { timestamp: at, startedAt: at - 1_000, slot };
      const body = await recordRun(event, {
        ...options,
        ...(i === RUNS.length - 1 ? { lost: LOST } : {}),
      });
      expect(await send(body)).toBe('200');
    }
  });

  describe.each(asked)('$name', (situation) => {
    it.each(about)('%s', async (_, asking) => {
      const of = askedOf(RUNS, situation, { dialect: dialect.name, bucket });
      expect(await differences(stack, asking, of)).toEqual([]);
    });
  });

  it.each([0, 5.5 * HOUR])('marks each version once, with days %d ms after UTC’s', async (zone) => {
    const known = marked(RUNS, zone);
    expect(Object.keys(known)).toHaveLength(3);
    expect(await marks(stack, RELEASES, WEEK, zone)).toEqual(known);
  });

  it('counts lost runs by reason', async () => {
    const found = await stack.query(
      filled(`sum by (${REASON}) (sum_over_time(${series(LOST_RUNS.name)}[${R}]))`, WEEK),
      NOW / 1_000,
    );
    const counts = found.map(({ metric, value }) => [metric[REASON], Number(value?.[1])]);
    expect(Object.fromEntries(counts)).toEqual(Object.fromEntries(LOST));
  });

  it('stores each series with the same names and labels as Prometheus', async () => {
    const found = await stack.query('last_over_time({__name__=~"lhp_.*"}[7d])', NOW / 1_000);
    const labels = found.flatMap(({ metric }) => {
      // VictoriaMetrics stores a histogram as count, sum and buckets, and has no target_info, so no
      // label `job` either.
      if (/_(sum|bucket)$/.test(metric.__name__ ?? '')) return [];
      const rest = Object.entries(metric).filter(([label]) => label !== 'job');
      return JSON.stringify(rest.sort()).replace('_count"', '"');
    });
    expect(labels.length).toBeGreaterThan(100);
    stored ??= labels.sort();
    expect(labels.sort()).toEqual(stored);
  });

  it('selects by version, environment and CI', async () => {
    const chosen = { version: ['0.9.3'], environment: ['dev', 'test'], ci: ['false'] };
    const situation = { ...WEEK, chosen };
    const known = chosenRuns(RUNS, situation).length;
    expect(known).toBeGreaterThan(10);
    expect(await stack.value(filled(overRuns(R), situation), NOW / 1_000)).toBe(known);
  });

  it('has data in the panels about gateway and backend while both work', async () => {
    const [{ event }] = RUNS as [(typeof RUNS)[number]];
    const recent = (): Situation => {
      const now = Date.now();
      return { name: 'now', from: now - 60_000, to: now, step: 5_000, chosen: {} };
    };
    const given = new Map<string, Answer>();
    const total = (title: string) =>
      Object.values(given.get(title) ?? {}).reduce((sum, value) => sum + value, 0);
    const complete = () =>
      total('Gateways up') === stack.gateways &&
      total('Dropped') > 0 &&
      timesOf(given, 'dropped').length > 0 &&
      health.every(
        ({ spec: { title } }) =>
          MAY_BE_EMPTY.includes(title) || Object.keys(given.get(title) ?? {}).length > 0,
      );
    const deadline = Date.now() + 120_000;
    while (!complete() && Date.now() < deadline) {
      // First some time in which nothing is dropped.
      if (timesOf(given, 'accepted').length > 0) await send(await record(Date.now() + HOUR, event));
      await send(await record(Date.now(), event));
      for (const asking of health) given.set(asking.spec.title, await ask(asking, recent()));
    }
    for (const [title, answer] of given) {
      const numbers = Object.values(answer);
      const filled = numbers.length > 0 || MAY_BE_EMPTY.includes(title);
      expect([title, filled, numbers.filter((one) => !Number.isFinite(one))]).toEqual([
        title,
        true,
        [],
      ]);
    }
    expect(given.get('Gateways up')).toEqual({ 'Gateways up': stack.gateways });
    expect(total('Dropped')).toBeGreaterThan(0);
    // So that its mean is that of the whole time.
    expect(timesOf(given, 'dropped')).toEqual(timesOf(given, 'accepted'));
    expect(Object.keys(given.get('Dropped points by rule') ?? {}).join()).toMatch(/^time @/);
  });
};
/** When "Points a minute" has a number of this name. */
const timesOf = (given: Map<string, Answer>, name: string) =>
  Object.keys(given.get('Points a minute') ?? {}).flatMap((one) =>
    one.startsWith(`${name} @`) ? [one.slice(name.length)] : [],
  );

/** Without a loss or an alert there is nothing to show. */
const MAY_BE_EMPTY = [
  'Runs lost by clients',
  'Alerts that fire now',
  'Samples that the backend ignored',
];

describe.each(STACKS.slice(0, 1))(
  'the queries, asked of $name',
  asksIn(SITUATIONS.filter((one) => !one.extended)),
);

describe.each(STACKS)('the queries, asked of $name, to compare', extended, asksIn(SITUATIONS));
