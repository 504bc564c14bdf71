// @module-tag extended
// Tests what docs/stacks.md says about a collector, a Prometheus or a vendor that an operator
// already has, with the files that the page names and real servers. Exact set-ups are counted.
// Set-ups that are not exact are shown to be inexact, so that the page's warnings stay true.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, startCollector } from '../../scripts/harness/collector.ts';
import { collector, prometheus } from '../../scripts/harness/needs.ts';
import { type OtlpServer, startOtlpServer } from '../../scripts/harness/otlp-server.ts';
import {
  deliver,
  HOUR,
  makeRuns,
  post,
  type Run,
  record,
  sumOf,
  truth,
} from '../../scripts/harness/runs.ts';
import { projectRoot, until } from '../../scripts/harness/sandbox.ts';
import type { Server } from '../../scripts/harness/server.ts';
import {
  type Gateway,
  gatewayServer,
  type Prometheus,
  prometheusServer,
} from '../../scripts/harness/stack.ts';
import {
  LHP,
  runsIn,
  SAME_PORT,
  YOUR_AGENT,
  YOUR_PROMETHEUS,
  YOURS,
  type YourCollector,
  yourCollector,
  yourPrometheus,
} from '../../scripts/harness/yours.ts';
import { GATEWAY_AGE_HOURS, RESOURCE_ATTRIBUTES } from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { lacking } from '../support/lacking.ts';

const COUNTED = sumOf('lhp_generate_runs_total');
const KEY = 'Bearer a-key-that-only-the-vendor-knows';

const stops: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});
async function started<T extends Server>(making: Promise<T>): Promise<T> {
  const server = await making;
  await server.start();
  stops.push(server.stop);
  return server;
}
async function standIn(): Promise<OtlpServer> {
  const server = await startOtlpServer();
  stops.push(server.close);
  return server;
}
const bodies = ({ requests }: OtlpServer) => requests.map(({ body }) => body);

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
/** Runs of one machine, so one series per metric, one second apart and in order. */
function ofOneMachine(count: number, from: number): Run[] {
  const [{ event }] = makeRuns(1, from, 0) as [Run];
  return Array.from({ length: count }, (_, i) => ({
    at: from + i * 1_000,
    event: { ...event, files_generated: i },
  }));
}

/**
 * Tries again if the connection breaks, as clients do. The first connection to a collector that has
 * just started sometimes breaks.
 */
async function answered(url: string, body: Uint8Array | string): Promise<string> {
  let answer: string;
  do answer = await post(url, body);
  while (answer === 'no answer');
  return answer;
}

async function expectTruth(backend: Prometheus, runs: readonly Run[], now: number) {
  for (const [question, answer] of truth(runs))
    expect([question, await backend.value(question, now / 1_000 + 60)]).toEqual([question, answer]);
}

describe('a collector that an operator already runs', () => {
  const needs = [collector(), prometheus()] as const;
  if (lacking(...needs)) return;
  const [program] = needs.map(({ path }) => path) as [string, string];
  let yours: OtlpServer;
  let lhp: OtlpServer;
  /** The gateway of docker-compose.yml, and its backend. */
  let gateway: Gateway;
  let forwarded: OtlpServer;

  beforeAll(async () => {
    [yours, lhp, forwarded] = [await standIn(), await standIn(), await standIn()];
    gateway = await started(gatewayServer(program, forwarded.endpoint));
  });

  /** Sends the operator's batches immediately, so that tests do not wait five seconds for each. */
  const prompt = (text: string) => text.replace('timeout: 5s', 'timeout: 1ms');
  const dropsRuns = (text: string) =>
    prompt(text).replace(
      '[memory_limiter, transform/time',
      '[memory_limiter, filter/lhp_route_drop, transform/time',
    );
  const together = (files: string[], changed: (text: string) => string) =>
    started(yourCollector(program, files, { yours: yours.endpoint, lhp: lhp.endpoint }, changed));
  /** What this backend receives because of this action, when it has arrived. */
  async function arrives(
    at: OtlpServer,
    doing: () => Promise<unknown>,
    count = 1,
  ): Promise<string[]> {
    const before = at.requests.length;
    await doing();
    await until(() => at.requests.length >= before + count, 'what was sent');
    return bodies(at)
      .slice(before)
      .map((body) => body.toString('hex'));
  }

  const now = Date.now();
  const [run] = ofOneMachine(1, now) as [Run];
  const request = async (event = run.event, lost?: Map<'expired', number>) =>
    new TextDecoder().decode(
      await recordRun(event, { timestamp: now, startedAt: now - 2_000, ...(lost ? { lost } : {}) }),
    );
  const nanos = `${now}000000`;
  const SHOP = {
    resource: {
      attributes: [
        { key: 'service.name', value: { stringValue: 'shop' } },
        { key: 'host.name', value: { stringValue: 'canary-host' } },
      ],
    },
    schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
    scopeMetrics: [
      {
        scope: {
          name: 'shop',
          version: '1.0',
          attributes: [{ key: 'a', value: { stringValue: 'b' } }],
        },
        metrics: [
          {
            name: 'orders',
            unit: '1',
            sum: {
              aggregationTemporality: 2,
              isMonotonic: true,
              dataPoints: [
                {
                  asInt: '7',
                  startTimeUnixNano: nanos,
                  timeUnixNano: nanos,
                  attributes: [{ key: 'user', value: { stringValue: 'canary-user' } }],
                  exemplars: [{ timeUnixNano: nanos, asInt: '1' }],
                },
              ],
            },
          },
          {
            name: 'latency',
            exponentialHistogram: {
              aggregationTemporality: 1,
              dataPoints: [
                {
                  count: '2',
                  sum: 3,
                  scale: 3,
                  positive: { offset: 1, bucketCounts: ['1', '1'] },
                  timeUnixNano: nanos,
                },
              ],
            },
          },
          {
            name: 'lhp.generate.runs',
            gauge: { dataPoints: [{ asInt: '1', timeUnixNano: nanos }] },
          },
        ],
      },
    ],
  };
  const others = JSON.stringify({ resourceMetrics: [SHOP] });

  /** A valid request of each kind, and requests that each rule drops wholly or in part. */
  async function inputs(): Promise<[what: string, body: string][]> {
    const [honest, lost, ci] = [
      await request(),
      await request(run.event, new Map([['expired', 3]])),
      await request({ ...run.event, is_ci: true }),
    ];
    return [
      ['a run', honest],
      ['with losses', lost],
      ['in CI', ci],
      [
        'one attribute more',
        honest.replace(
          '"attributes":[',
          '"attributes":[{"key":"host","value":{"stringValue":"canary"}},',
        ),
      ],
      ['another runtime', honest.replace('"cpython"', '"canary"')],
      ['an invalid id', honest.replace(run.event.machine_id, 'canary')],
      ['another scope', honest.replace('"lhp-otel"', '"canary"')],
      ['another metric', honest.replace('"lhp.project.templates"', '"lhp.canary"')],
      ['cumulative', honest.replace('"aggregationTemporality":1', '"aggregationTemporality":2')],
      ['an environment', honest.replace(`"${run.event.environment}"`, '"CANARY"')],
      [
        'two runs in one',
        honest.replace('"asInt":"1"', '"asInt":"2"').replace('"asInt":1', '"asInt":2'),
      ],
      ['next year', honest.replaceAll(nanos, `${now + 365 * 24 * HOUR}000000`)],
      ['a description', honest.replaceAll(/"description":"[^"]*"/g, '"description":"canary"')],
      [
        'an entity',
        honest.replace(
          '"attributes":[',
          '"entityRefs":[{"type":"canary","idKeys":["lhp.ci"]}],"attributes":[',
        ),
      ],
    ];
  }

  it.each([
    ['with its own port', [YOURS, LHP], prompt],
    ['with the port of all other applications', [YOURS, LHP, SAME_PORT], dropsRuns],
  ] as const)(
    '%s: forwards the same bytes as otel-collector.yaml, and drops the same requests',
    async (_, files, changed) => {
      const both = await together([...files], changed);
      const sent = yours.requests.length;
      for (const [what, body] of await inputs()) {
        const expected = forwarded.requests.length;
        expect([what, await answered(gateway.url, body)]).toEqual([what, '200']);
        const before = lhp.requests.length;
        expect([what, await answered(both.lhp, body)]).toEqual([what, '200']);
        expect([what, bodies(lhp).slice(before)]).toEqual([
          what,
          bodies(forwarded).slice(expected),
        ]);
      }
      expect(forwarded.requests.length).toBeGreaterThan(5);
      for (const body of bodies(lhp)) {
        expect(body.includes('canary')).toBe(false);
        expect(body.includes(run.event.machine_id)).toBe(false);
      }
      expect(yours.requests).toHaveLength(sent);
    },
  );

  it('does not change other applications’ metrics, even in one request with a run', async () => {
    const alone = await together([YOURS], prompt);
    const [before] = await arrives(yours, () => answered(alone.url, others));
    expect(Buffer.from(before ?? '', 'hex').includes('canary-user')).toBe(true);
    const own = await together([YOURS, LHP], prompt);
    expect(await arrives(yours, () => answered(own.url, others))).toEqual([before]);
    const same = await together([YOURS, LHP, SAME_PORT], dropsRuns);
    expect(await arrives(yours, () => answered(same.url, others))).toEqual([before]);
    // They are not counted as dropped either, which would cause an alert.
    const counted = await (await fetch(`http://127.0.0.1:${same.metricsPort}/metrics`)).text();
    const dropped =
      counted.match(/^otelcol_processor_filter_datapoints_filtered.*(?<! 0)$/gm) ?? [];
    expect(dropped.filter((line) => !line.includes('"filter/lhp_route_keep"'))).toEqual([]);
    expect(dropped).toHaveLength(1);
    const { resourceMetrics } = JSON.parse(await request());
    const mixed = JSON.stringify({ resourceMetrics: [...resourceMetrics, SHOP] });
    const runs = lhp.requests.length;
    expect(await arrives(yours, () => answered(same.url, mixed))).toEqual([before]);
    await answered(gateway.url, await request());
    expect(bodies(lhp).slice(runs)).toEqual(bodies(forwarded).slice(-1));
  });

  it('the same port without the filter: the operator’s backend gets plain ids', async () => {
    const same = await together([YOURS, LHP, SAME_PORT], prompt);
    const body = await request();
    const [leaked] = await arrives(yours, () => answered(same.url, body));
    expect(Buffer.from(leaked ?? '', 'hex').includes(run.event.machine_id)).toBe(true);
    yours.requests.pop();
  });

  it('lhp.yaml replaces nothing: all its names contain lhp', () => {
    const text = readFileSync(join(projectRoot, LHP), 'utf8');
    const { service, ...parts } = load(text) as Record<string, Record<string, object>>;
    expect(Object.keys(parts)).toEqual(['receivers', 'processors', 'exporters']);
    for (const names of Object.values(parts))
      for (const name of Object.keys(names)) expect(name).toContain('/lhp');
    expect(Object.keys(service ?? {})).toEqual(['pipelines']);
    expect(Object.keys(service?.pipelines ?? {})).toEqual(['metrics/lhp']);
  });

  it('does not start without the operator’s memory_limiter, and says so', async () => {
    const without = (text: string) =>
      text
        .replace('memory_limiter: {', 'memory_limiter/theirs: {')
        .replace('[memory_limiter,', '[memory_limiter/theirs,');
    const files = [YOURS, LHP];
    const one = await yourCollector(
      program,
      files,
      { yours: yours.endpoint, lhp: lhp.endpoint },
      without,
    );
    await expect(one.start()).rejects.toThrow(/"memory_limiter" which is not configured/);
  });

  describe('batch', () => {
    const behind = (text: string) =>
      text.replace('- redaction/lhp_ids', '- redaction/lhp_ids\n        - batch');

    it.each([
      ['no batch: killed after the last answer, all runs are stored', prompt, 50],
      ['batch after the rules: all runs were acknowledged, and all are lost', behind, 0],
    ] as const)('%s', async (_, changed, kept) => {
      const one = await together([YOURS, LHP], changed);
      const before = lhp.requests.length;
      await deliver(await Promise.all(ofOneMachine(50, now - HOUR).map(record)), () => one.lhp);
      await one.kill();
      expect(runsIn(bodies(lhp).slice(before))).toBe(kept);
    });

    it.each([
      ['no batch: all are stored except the refused one', prompt, 21, ['400']],
      ['batch after the rules: none of the others is stored', behind, 1, []],
    ] as const)('%s is stored when Prometheus refuses one', async (_, changed, stored, refused) => {
      const backend = await started(prometheusServer(needs[1].path));
      const backends = { yours: yours.endpoint, lhp: `${backend.url}/api/v1/otlp` };
      // Runs of the current time: a sample that is more than an hour older than the newest one is
      // not refused, but dropped.
      const runs = ofOneMachine(21, now - 30_000);
      const [first] = runs as [Run];
      const other = { at: first.at, event: { ...first.event, files_generated: 1_000 } };
      const answers: string[] = [];
      for (const load of [[first], [other, ...runs.slice(1)]]) {
        const one = await yourCollector(program, [YOURS, LHP], backends, changed);
        await one.start();
        for (const body of await Promise.all(load.map(record)))
          answers.push(await answered(one.lhp, body));
        await one.stop(); // sends what waits in a batch
      }
      expect(answers.filter((answer) => answer !== '200')).toEqual(refused);
      expect((await backend.value(COUNTED)) ?? 0).toBe(stored);
    });

    it('batch before the gateway: joined requests exceed its limit and are lost', async () => {
      const noMore = (text: string) => text.replace('transform/time, ', '');
      const front = await yourCollector(program, [YOURS], { yours: gateway.url, lhp: '' }, noMore);
      await front.start();
      const before = forwarded.requests.length;
      const answers = await deliver(
        await Promise.all(ofOneMachine(50, now - HOUR).map(record)),
        () => front.url,
      );
      expect([...answers]).toEqual([['200', 50]]);
      await front.stop();
      expect(runsIn(bodies(forwarded).slice(before))).toBe(0);
    });
  });
});

describe('a Prometheus that an operator already runs', () => {
  const needs = [collector(), prometheus()] as const;
  if (lacking(...needs)) return;
  const now = Date.now();
  const runs = makeRuns(300, now, 6.9);
  let backend: Prometheus;
  let own: YourCollector;

  beforeAll(async () => {
    // Other applications write to it, too, so both pipelines end there.
    const metricsPort = await freePort();
    const hosts = { 'shop:9090': '127.0.0.1:9', 'collector:8888': `127.0.0.1:${metricsPort}` };
    backend = await started(yourPrometheus(needs[1].path, YOUR_PROMETHEUS, hosts));
    const otlp = `${backend.url}/api/v1/otlp`;
    const prompt = (text: string) => text.replace('timeout: 5s', 'timeout: 1ms');
    const making = yourCollector(
      needs[0].path,
      [YOURS, LHP],
      { yours: otlp, lhp: otlp },
      prompt,
      metricsPort,
    );
    own = await started(making);
    await deliver(await Promise.all(runs.map(record)), () => own.lhp);
  });

  it('counts each run of a week once', () => expectTruth(backend, runs, now));

  it('makes labels only of the contract’s resource attributes, for other senders too', async () => {
    const attributes = [
      'service.name',
      'service.version',
      'host.name',
      'deployment.environment.name',
    ].map((key) => ({
      key,
      value: { stringValue: `shop ${key}` },
    }));
    const point = { asInt: '1', timeUnixNano: `${now}000000` };
    const metrics = [{ name: 'shop.orders', gauge: { dataPoints: [point] } }];
    await answered(
      own.url,
      JSON.stringify({
        resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics }] }],
      }),
    );
    let labels: string[] = [];
    await until(async () => {
      labels = Object.keys((await backend.query('shop_orders', now / 1_000 + 1))[0]?.metric ?? {});
      return labels.length > 0;
    }, 'the other sender’s series');
    expect(labels.sort()).toEqual(['__name__', 'job', 'service_name', 'service_version']);
  });

  it('metrics about lhp’s parts get the names that the alerts use', async () => {
    const bad = new TextDecoder()
      .decode(await record(runs[0] as Run))
      .replace('"cpython"', '"other"');
    await answered(own.lhp, bad);
    const dropped = 'otelcol_processor_filter_datapoints_filtered{job="lhp-gateway"} > 0';
    await until(async () => (await backend.value(dropped)) === 7, 'the dropped points');
    expect((await backend.query(dropped))[0]?.metric.filter).toBe('filter/resource');
    const series = await backend.query(
      '{job="lhp-gateway", __name__=~"otelcol_(exporter|receiver|process)_.+"}',
    );
    const owners = new Set(
      series.map(({ metric }) => metric.exporter ?? metric.receiver ?? metric.__name__),
    );
    expect(
      [...owners].filter((name) => !/lhp$|^otelcol_process_(?!memory_rss)/.test(name ?? '')),
    ).toEqual([]);
    expect(owners).toContain('otlp_http/lhp');
    const rules = await (await fetch(`${backend.url}/api/v1/rules`)).text();
    expect(rules).toContain('LhpOtelGatewayDropping');
  });

  it('has the settings of our Prometheus, and names the contract’s attributes', () => {
    const { otlp, storage } = load(readFileSync(join(projectRoot, YOUR_PROMETHEUS), 'utf8')) as {
      otlp: { promote_resource_attributes: string[] };
      storage: { tsdb: { out_of_order_time_window: string } };
    };
    expect(otlp.promote_resource_attributes).toEqual(RESOURCE_ATTRIBUTES.map(({ key }) => key));
    expect(storage.tsdb.out_of_order_time_window).toBe(`${GATEWAY_AGE_HOURS / 24 + 1}d`);
  });
});

describe('a Prometheus agent', () => {
  const needs = [collector(), prometheus()] as const;
  if (lacking(...needs)) return;

  it('acknowledges every run, but forwards none older than its own start', async () => {
    const flags = ['--web.enable-remote-write-receiver'];
    const central = await started(prometheusServer(needs[1].path, { flags }));
    const hosts = { 'http://prometheus:9090': central.url };
    const agent = await started(yourPrometheus(needs[1].path, YOUR_AGENT, hosts));
    const gateway = await started(gatewayServer(needs[0].path, `${agent.url}/api/v1/otlp`));
    const now = Date.now();
    const old = makeRuns(100, now - HOUR, 6.9);
    const fresh = makeRuns(50, now, 0).map((run, i) => ({ ...run, at: now + i }));
    // The old runs first: the agent forwards what comes later in its log after them.
    for (const runs of [old, fresh]) {
      const answers = await deliver(await Promise.all(runs.map(record)), () => gateway.url);
      expect([...answers]).toEqual([['200', runs.length]]);
    }
    await until(
      async () => (await central.value(COUNTED)) === fresh.length,
      'the runs since the start',
    );
    // Counters and histograms have separate queues, so a histogram can arrive after the last
    // counter.
    await until(async () => {
      const own = await (await fetch(`${agent.url}/metrics`)).text();
      const pending = own.matchAll(
        /^prometheus_remote_storage_(?:samples|histograms)_pending\{.*\} (\d+)$/gm,
      );
      return [...pending].map(([, count]) => count).join() === '0,0';
    }, 'the end of the agent’s queues');
    await expectTruth(central, fresh, now);
  });
});

describe('a backend that accepts remote write only', () => {
  const needs = [collector(), prometheus()] as const;
  if (lacking(...needs)) return;
  const FILES = ['otel-collector.yaml', 'deploy/collector/remote-write.yaml'];
  const now = Date.now();
  const runs = makeRuns(300, now, 6.9);
  let backend: Prometheus;
  let load: Uint8Array[];

  beforeAll(async () => {
    // A Prometheus without OTLP.
    const hosts = { 'shop:9090': '127.0.0.1:9', 'collector:8888': '127.0.0.1:9' };
    const writesOnly = (text: string) =>
      text
        .replace('--web.enable-otlp-receiver', '--web.enable-remote-write-receiver')
        .replace(/^.*--enable-feature.*\n/m, '');
    backend = await started(yourPrometheus(needs[1].path, YOUR_PROMETHEUS, hosts, writesOnly));
    load = await Promise.all(runs.map(record));
  });

  it('without the switch’s transform: everything acknowledged, nothing stored', async () => {
    const plain = (text: string) => text.replace('TEMPORALITY_CUMULATIVE', 'TEMPORALITY_DELTA');
    const gateway = await started(
      yourCollector(needs[0].path, FILES, { lhp: `${backend.url}/api/v1/write` }, plain),
    );
    expect([...(await deliver(load.slice(0, 20), () => gateway.lhp))]).toEqual([['200', 20]]);
    expect(await backend.value('count({__name__=~"lhp_.+"})')).toBeUndefined();
  });

  it('with it the numbers are those of OTLP: late, sent twice, backend killed', async () => {
    const gateway = await started(
      gatewayServer(needs[0].path, `${backend.url}/api/v1/write`, {}, ['remote-write']),
    );
    let restart = Promise.resolve();
    await deliver(load, () => gateway.url, {
      onSent: (sent) => {
        if (sent === 100) restart = backend.kill().then(backend.start);
      },
    });
    await restart;
    await expectTruth(backend, runs, now);
    const labels = (await backend.query('lhp_generate_runs_total', now / 1_000 + 1)).map(
      ({ metric }) => metric,
    );
    await deliver([...load].reverse(), () => gateway.url, { again: true });
    await expectTruth(backend, runs, now);

    const direct = await started(prometheusServer(needs[1].path));
    const otlp = await started(gatewayServer(needs[0].path, `${direct.url}/api/v1/otlp`));
    await deliver(load, () => otlp.url);
    const same = (await direct.query('lhp_generate_runs_total', now / 1_000 + 1)).map(
      ({ metric }) => metric,
    );
    const sorted = (all: Record<string, string>[]) =>
      all.map((one) => JSON.stringify(Object.entries(one).sort())).sort();
    expect(sorted(labels)).toEqual(sorted(same));
  });

  it.each([
    [400, '500'],
    [401, '500'],
    [429, '500'],
    [500, '503'],
    [503, '503'],
  ])(
    'the backend answers %i, the client gets %s: never final, and nothing is logged',
    async (status, heard) => {
      const writes = await standIn();
      writes.answers({ status });
      const gateway = await started(
        gatewayServer(needs[0].path, `${writes.endpoint}/write`, {}, ['remote-write']),
      );
      expect(await answered(gateway.url, load[0] as Uint8Array)).toBe(heard);
      expect(writes.requests).toHaveLength(1);
      expect(gateway.log()).toBe('');
    },
  );
});

describe('a vendor', () => {
  const needs = [collector(), prometheus()] as const;
  if (lacking(...needs)) return;
  const now = Date.now();
  const withKey = (to: string, switches: string[], env: NodeJS.ProcessEnv = {}) =>
    started(gatewayServer(needs[0].path, to, { LHP_OTEL_VENDOR_KEY: KEY, ...env }, switches));

  it('alone: gets the key and unchanged requests; the client gets its answer', async () => {
    const decoder = await startCollector(needs[0].path);
    stops.push(decoder.stop);
    const [plain, decoded] = [
      await withKey(decoder.endpoint, []),
      await withKey(decoder.endpoint, ['vendor']),
    ];
    const [body] = (await Promise.all(ofOneMachine(1, now).map(record))) as [Uint8Array];
    for (const { url } of [plain, decoded]) expect(await answered(url, body)).toBe('200');
    const [first, second] = await decoder.received(2);
    expect(second).toEqual(first);
    const text = JSON.stringify(second);
    expect(text.match(/"aggregationTemporality":1/g)).toHaveLength(7);
    expect(text.match(/"exponentialHistogram"/g)).toHaveLength(6);

    const vendor = await standIn();
    const gateway = await withKey(vendor.endpoint, ['vendor']);
    expect(await answered(gateway.url, body)).toBe('200');
    expect(vendor.requests[0]?.headers).toMatchObject({
      authorization: KEY,
      'content-encoding': 'gzip',
    });
    for (const [status, heard] of [
      [503, '503'],
      [401, '401'],
      [400, '400'],
      [500, '500'],
    ] as const) {
      vendor.answers({ status });
      expect(await answered(gateway.url, body)).toBe(heard);
    }
    expect(gateway.log()).toBe('');
  });

  it('alone: counts a run again if its answer was lost', async () => {
    const vendor = await standIn();
    const gateway = await withKey(vendor.endpoint, ['vendor']);
    vendor.answers({ instead: 'reset' }, {});
    await deliver(await Promise.all(ofOneMachine(10, now - HOUR).map(record)), () => gateway.url, {
      senders: 1,
    });
    expect(runsIn(bodies(vendor))).toBe(11);
  });

  describe('as a copy', () => {
    const COPY = ['otel-collector.yaml', 'deploy/collector/vendor-copy.yaml'];
    let vendor: OtlpServer;
    let backend: Prometheus;
    let copying: YourCollector;
    beforeAll(async () => {
      vendor = await standIn();
      backend = await started(prometheusServer(needs[1].path));
      // Copies are sent immediately, and one waiting copy fills the queue.
      const narrow = (text: string) =>
        text
          .replace('timeout: 5s, send', 'timeout: 1ms, send')
          .replace('queue_size: 100\n', 'queue_size: 1\n')
          .replace(/\$\{env:LHP_OTEL_COPY\}/, vendor.endpoint);
      expect(narrow(read('deploy/collector/vendor-copy.yaml'))).toMatch(
        /timeout: 1ms, send[\s\S]+queue_size: 1\n/,
      );
      copying = await started(
        yourCollector(needs[0].path, COPY, { lhp: `${backend.url}/api/v1/otlp` }, narrow),
      );
    });

    it.each([
      [{ status: 400 }],
      [{ status: 401 }],
      [{ status: 503 }],
      [{ instead: 'silence' }],
    ] as const)(
      'a vendor that answers %j does not affect the client, and Prometheus is exact',
      async (answer) => {
        const before = vendor.requests.length;
        const earlier = (await backend.value(COUNTED, now / 1_000)) ?? 0;
        vendor.answers(answer);
        const load = await Promise.all(ofOneMachine(30, now - HOUR + before).map(record));
        for (const body of load) expect(await answered(copying.lhp, body)).toBe('200');
        expect(await backend.value(COUNTED, now / 1_000)).toBe(earlier + 30);
        await until(() => vendor.requests.length > before, 'the vendor to be asked');
      },
    );

    it('while Prometheus is down: the vendor gets each attempt, Prometheus one run', async () => {
      const earlier = (await backend.value(COUNTED, now / 1_000)) ?? 0;
      const other = await standIn();
      const both = await withKey(`${backend.url}/api/v1/otlp`, ['vendor-copy'], {
        LHP_OTEL_COPY: other.endpoint,
      });
      await backend.kill();
      const [first, ...more] = await Promise.all(ofOneMachine(10, now - 2 * HOUR).map(record));
      for (let attempt = 0; attempt < 3; attempt += 1)
        expect(await answered(both.url, first as Uint8Array)).toBe('503');
      await backend.start();
      await deliver([first as Uint8Array, ...more], () => both.url);
      await both.stop(); // sends what waits for the vendor
      expect(await backend.value(COUNTED, now / 1_000)).toBe(earlier + 10);
      expect(runsIn(bodies(other))).toBe(13);
      expect(other.requests[0]?.headers.authorization).toBe(KEY);
    });
  });

  it('without batch, the client gets the vendor’s 400 for a run that is stored', async () => {
    const [store, vendor] = [await standIn(), await standIn()];
    vendor.answers({ status: 400 });
    const waits = (text: string) =>
      text
        .replace(/forward\/copy\]\n {4}metrics\/copy:[\s\S]*$/, 'otlp_http/copy]\n')
        .replace('queue_size: 100\n', 'queue_size: 100\n      wait_for_result: true\n')
        .replace(
          'retry_on_failure:\n      enabled: true',
          'retry_on_failure:\n      enabled: false',
        )
        .replace(/\$\{env:LHP_OTEL_COPY\}/, vendor.endpoint);
    expect(waits(read('deploy/collector/vendor-copy.yaml'))).toMatch(
      /wait_for_result: true[\s\S]+retry_on_failure:\n +enabled: false[\s\S]+otlp_http\/copy\]\n$/,
    );
    const files = ['otel-collector.yaml', 'deploy/collector/vendor-copy.yaml'];
    const gateway = await started(
      yourCollector(needs[0].path, files, { lhp: store.endpoint }, waits),
    );
    const [body] = (await Promise.all(ofOneMachine(1, now).map(record))) as [Uint8Array];
    expect(await answered(gateway.lhp, body)).toBe('400');
    expect(store.requests).toHaveLength(1);
  });
});

describe('docs/stacks.md', () => {
  const page = readFileSync(join(projectRoot, 'docs', 'stacks.md'), 'utf8');

  it('names every file of deploy/stacks, and only files that exist', () => {
    const named = [...page.matchAll(/\]\(\.\.\/([^)#]+)\)/g)].map(([, path]) => path as string);
    expect(named.filter((path) => !existsSync(join(projectRoot, path)))).toEqual([]);
    const examples = readdirSync(join(projectRoot, 'deploy', 'stacks')).map(
      (name) => `deploy/stacks/${name}`,
    );
    expect(examples.filter((path) => !named.includes(path))).toEqual([]);
  });

  it.each([
    ['docs/operators.md', '(stacks.md)'],
    ['README.md', '(docs/stacks.md)'],
  ])('is linked from %s', (file, link) => {
    expect(readFileSync(join(projectRoot, file), 'utf8').includes(link)).toBe(true);
  });
});
