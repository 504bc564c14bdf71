// Tests that the gateway accepts only one run per request. The real collector with the real
// otel-collector.yaml forwards a request with one resource and one point of each metric, and drops
// others, even if each part of them matches the contract. It also prints what one hostile client
// can cost: series in the real Prometheus, and memory.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { collector, prometheus } from '../../scripts/harness/needs.ts';
import { digest } from '../../scripts/harness/runs.ts';
import { projectRoot, until } from '../../scripts/harness/sandbox.ts';
import { temporary } from '../../scripts/harness/server.ts';
import {
  type Gateway,
  gatewayServer,
  type Prometheus,
  prometheusServer,
} from '../../scripts/harness/stack.ts';
import {
  type GenerateEvent,
  INSTRUMENTS,
  LOSS_REASONS,
  LOST_RUNS,
  type LossReason,
} from '../../src/contract/contract.ts';
import { FIELDS } from '../../src/contract/fields.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { LOCAL_EVENT } from '../support/event.ts';
import { lacking } from '../support/lacking.ts';
import { field } from '../support/protobuf.ts';

const EVENT: GenerateEvent = { ...LOCAL_EVENT, generation_time_seconds: 2.345 };
const ALL_REASONS: ReadonlyMap<LossReason, number> = new Map(
  LOSS_REASONS.map((reason) => [reason, 3]),
);
/** Each value is as long as the contract allows. */
const LARGEST: GenerateEvent = {
  ...EVENT,
  is_ci: true,
  flowgroups_count: 999_983,
  flowgroups_using_templates: 999_979,
  templates_count: 999_961,
  pipelines_count: 999_959,
  files_generated: 999_953,
  environment: 'e'.repeat(32),
  lhp_version: '1234.1234.1234rc1234.post1234',
  python_version: '3.99',
  generation_time_seconds: 123_456.789_012_345_67,
};
const CONFIG = readFileSync(join(projectRoot, 'otel-collector.yaml'), 'utf8');
const BODY_LIMIT = Number(/max_request_body_size: (\d+)/.exec(CONFIG)?.[1]);
const RUNS = FIELDS.event.name;
const [USING, TEMPLATES] = ['lhp.project.flowgroups_using_templates', 'lhp.project.templates'];

// biome-ignore lint/suspicious/noExplicitAny: the tests change documents of any shape
type Json = any;

interface Options {
  event?: Partial<GenerateEvent>;
  lost?: ReadonlyMap<LossReason, number>;
  at?: number;
}

async function request({ event = {}, lost, at = Date.now() }: Options = {}): Promise<Json> {
  const options = { timestamp: at, startedAt: at - 2_345, ...(lost ? { lost } : {}) };
  return JSON.parse(new TextDecoder().decode(await recordRun({ ...EVENT, ...event }, options)));
}
const scope = (d: Json): Json => d.resourceMetrics[0].scopeMetrics[0];
const metric = (d: Json, name: string): Json =>
  scope(d).metrics.find((one: Json) => one.name === name);
const points = (one: Json): Json[] => (one.sum ?? one.exponentialHistogram).dataPoints;
const point = (d: Json, name: string): Json => points(metric(d, name))[0];
/**
 * A histogram with this one value, as the data model defines it: bucket i of scale 20 contains
 * (base^i, base^(i+1)].
 */
function value(d: Json, name: string, sum: number): void {
  const positive = { offset: Math.ceil(Math.log2(sum) * 2 ** 20) - 1, bucketCounts: ['1'] };
  Object.assign(point(d, name), { sum, scale: 20, zeroCount: 0, positive });
}
const NAMES = [...INSTRUMENTS, LOST_RUNS].map(({ name }) => name as string);
const ALL = INSTRUMENTS.map(({ name }) => name as string);
const without = (...names: string[]) => ALL.filter((name) => !names.includes(name));
/** The contract's metrics in a forwarded body. Field 1 of a Metric is its name. */
const forwarded = (body: Buffer) => NAMES.filter((name) => body.includes(field(1, name)));
/** How often a point's time (field 3, fixed64) occurs in a body. */
const pointsIn = (body: Buffer, at: number) => {
  const time = Buffer.alloc(9, 0x19);
  time.writeBigUInt64LE(BigInt(at) * 1_000_000n, 1);
  return body.toString('latin1').split(time.toString('latin1')).length - 1;
};
const headers = { 'content-type': 'application/json' };

describe('one request', () => {
  const need = collector();
  if (lacking(need)) return;
  let backend: Backend;
  let gateway: Gateway;
  beforeAll(async () => {
    backend = await startBackend();
    gateway = await gatewayServer(need.path, backend.url);
    await gateway.start();
  });
  afterAll(async () => {
    await gateway?.stop();
    backend?.close();
  });
  beforeEach(() => {
    backend.requests.length = 0;
  });
  const send = async (document: Json | Uint8Array) => {
    const body = document instanceof Uint8Array ? document : JSON.stringify(document);
    const answer = await fetch(`${gateway.url}/v1/metrics`, {
      method: 'POST',
      headers,
      body: body as string,
    });
    return answer.status;
  };

  it.each<[string, Options]>([
    ['a run', {}],
    ['a run of CI', { event: { is_ci: true } }],
    ['a run with each loss', { lost: ALL_REASONS }],
    ['a run of CI with each loss', { event: { is_ci: true }, lost: ALL_REASONS }],
    ['a run without templates', { event: { templates_count: 0, flowgroups_using_templates: 0 } }],
    ['a run without any counts', { event: { flowgroups_count: null, files_generated: null } }],
    ['the largest run', { event: LARGEST, lost: ALL_REASONS }],
  ])('%s passes, whole', async (_, options) => {
    const at = Date.now();
    const document = await request({ ...options, at });
    expect(await send(document)).toBe(200);
    const names = scope(document).metrics.map(({ name }: Json) => name);
    expect(backend.requests.map(({ body }) => forwarded(body))).toEqual([names]);
    expect(backend.requests.map(({ body }) => pointsIn(body, at))).toEqual([
      scope(document).metrics.flatMap(points).length,
    ]);
  });

  it('the largest run is at most half of the limit for a body', async () => {
    const { length } = JSON.stringify(await request({ event: LARGEST, lost: ALL_REASONS }));
    // With 1 % of tolerance, so that a longer metric name does not fail the test.
    expect(length * 2).toBeLessThan(BODY_LIMIT * 1.02);
    expect(length * 2).toBeGreaterThan(BODY_LIMIT * 0.9);
    const nginx = readFileSync(
      join(projectRoot, 'deploy', 'cluster', 'nginx', 'nginx.conf'),
      'utf8',
    );
    expect(nginx).toContain(`client_max_body_size ${BODY_LIMIT / 1_024}k;`);
  });

  const copies = (one: Json, count: number, change: (d: Json, i: number) => void) =>
    Array.from({ length: count }, (_, i) => {
      const copy = structuredClone(one);
      change(copy, i);
      return copy;
    });
  const inResources = (count: number, change: (resource: Json, i: number) => void) => (d: Json) => {
    // Without the other metrics, so that many fit into a body.
    scope(d).metrics = [metric(d, RUNS)];
    d.resourceMetrics = copies(d.resourceMetrics[0], count, ({ resource }, i) =>
      change(resource, i),
    );
  };
  const machine = (resource: Json, i: number) => {
    resource.attributes.find(({ key }: Json) => key === 'lhp.machine.id').value.stringValue =
      digest(`machine ${i}`);
  };
  const again = (d: Json, name: string, change: (p: Json) => void) => {
    const copy = structuredClone(point(d, name));
    change(copy);
    points(metric(d, name)).push(copy);
  };

  it.each<[string, (d: Json) => void]>([
    ['nine machines', inResources(9, machine)],
    ['two machines', inResources(2, machine)],
    ['one machine in two resources', inResources(2, () => {})],
    [
      'a machine in two environments',
      (d) =>
        again(d, RUNS, (p) => {
          p.attributes[0].value.stringValue = 'prod';
        }),
    ],
    [
      'two runs',
      (d) =>
        again(d, RUNS, (p) =>
          Object.assign(p, { timeUnixNano: `${BigInt(p.timeUnixNano) - 1_000_000n}` }),
        ),
    ],
    ['a run twice', (d) => again(d, RUNS, () => {})],
    ['a duration twice', (d) => again(d, 'lhp.generate.duration', () => {})],
    [
      'a metric twice',
      (d) => scope(d).metrics.push(structuredClone(metric(d, 'lhp.generate.files'))),
    ],
    ['a loss twice', (d) => again(d, LOST_RUNS.name, () => {})],
    [
      'two scopes',
      (d) =>
        d.resourceMetrics[0].scopeMetrics.push({
          ...scope(d),
          scope: { name: 'lhp-otel', version: '0.9.9' },
          metrics: [scope(d).metrics.pop()],
        }),
    ],
    ['no run', (d) => scope(d).metrics.splice(0, 1)],
    ['a loss alone', (d) => scope(d).metrics.splice(0, ALL.length)],
  ])('%s: nothing of it passes, and all is counted', async (_, change) => {
    const document = await request({ lost: new Map([['expired', 3]]) });
    change(document);
    const before = await gateway.dropped('run');
    expect(await send(document)).toBe(200);
    const sent = document.resourceMetrics.flatMap(({ scopeMetrics }: Json) =>
      scopeMetrics.flatMap(({ metrics }: Json) => metrics.flatMap(points)),
    );
    expect((await gateway.dropped('run')) - before).toBe(sent.length);
    expect(backend.requests).toEqual([]);
  });

  const MS = 1_000_000n;
  const shifted = (field: string, by: bigint) => (p: Json) => {
    p[field] = `${BigInt(p[field]) + by}`;
  };
  it.each<[string, string, string[], (d: Json) => void]>([
    ...INSTRUMENTS.filter(({ kind, unit }) => kind === 'histogram' && unit !== 's').map(
      ({ name }): [string, string, string[], (d: Json) => void] => [
        `${name} of one and a half`,
        'value',
        [name],
        (d) => value(d, name, 1.5),
      ],
    ),
    [
      'nanoseconds in a time',
      'time',
      ['lhp.generate.files'],
      (d) => shifted('timeUnixNano', 1n)(point(d, 'lhp.generate.files')),
    ],
    [
      'nanoseconds in a start',
      'time',
      ['lhp.generate.files'],
      (d) => shifted('startTimeUnixNano', -1n)(point(d, 'lhp.generate.files')),
    ],
    [
      'a time other than that of the run',
      'run',
      ['lhp.generate.files'],
      (d) => shifted('timeUnixNano', -MS)(point(d, 'lhp.generate.files')),
    ],
    [
      'a start other than that of the run',
      'run',
      ['lhp.generate.files'],
      (d) => shifted('startTimeUnixNano', MS)(point(d, 'lhp.generate.files')),
    ],
    [
      'an environment other than that of the run',
      'run',
      ['lhp.generate.files'],
      (d) =>
        Object.assign(point(d, 'lhp.generate.files').attributes[0].value, { stringValue: 'prod' }),
    ],
    ['more flowgroups with templates than flowgroups', 'run', [USING], (d) => value(d, USING, 9)],
    ['999,999 of 1 flowgroups with templates', 'run', [USING], (d) => value(d, USING, 999_999)],
    [
      'more templates than flowgroups that use one',
      'run',
      [TEMPLATES],
      (d) => value(d, TEMPLATES, 3),
    ],
    [
      'more templates than flowgroups',
      'run',
      [TEMPLATES],
      (d) => {
        scope(d).metrics = scope(d).metrics.filter(({ name }: Json) => name !== USING);
        value(d, TEMPLATES, 9);
      },
    ],
    [
      'no template, but flowgroups that use one',
      'run',
      [TEMPLATES],
      (d) =>
        Object.assign(point(d, TEMPLATES), {
          sum: 0,
          scale: 0,
          zeroCount: '1',
          positive: { offset: 0, bucketCounts: [] },
        }),
    ],
  ])(
    '%s: that point is dropped by filter/%s, and the run passes',
    async (_, reason, dropped, change) => {
      const document = await request();
      change(document);
      const before = await gateway.dropped(reason);
      expect(await send(document)).toBe(200);
      expect((await gateway.dropped(reason)) - before).toBe(dropped.length);
      const sent = scope(document).metrics.map(({ name }: Json) => name);
      const left = sent.filter((name: string) => without(...dropped).includes(name));
      expect(backend.requests.map(({ body }) => forwarded(body))).toEqual([left]);
    },
  );

  it('drops a point with a slot other than that of the run', async () => {
    const document = await request({ event: { is_ci: true }, lost: new Map([['expired', 3]]) });
    point(document, LOST_RUNS.name).attributes.find(
      ({ key }: Json) => key === 'lhp.ci.slot',
    ).value.stringValue = '7f';
    expect(await send(document)).toBe(200);
    expect(backend.requests.map(({ body }) => forwarded(body))).toEqual([ALL]);
  });

  it('with ci-queue, accepts at most one CI run and one other run per request', async () => {
    const secrets = temporary();
    writeFileSync(join(secrets, 'tokens'), 'a-token\n');
    const variables = { LHP_OTEL_SECRETS: secrets };
    const queued = await gatewayServer(need.path, backend.url, variables, ['tokens', 'ci-queue']);
    await queued.start();
    const post = async (documents: Json[]) => {
      const body = JSON.stringify({ resourceMetrics: documents.flatMap((d) => d.resourceMetrics) });
      const bearer = { ...headers, authorization: 'Bearer a-token' };
      const { status } = await fetch(`${queued.url}/v1/metrics`, {
        method: 'POST',
        headers: bearer,
        body,
      });
      expect(status).toBe(200);
    };
    const other = { machine_id: digest('another machine') };
    await post([await request(), await request({ event: other })]);
    await post([await request(), await request({ event: { is_ci: true } })]);
    await until(() => backend.requests.length === 2, 'the run of the queue');
    expect(backend.requests.map(({ body }) => forwarded(body))).toEqual([ALL, ALL]);
    await queued.stop();
  });

  it('does not mix requests that arrive at the same time', async () => {
    const at = Date.now();
    const documents = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        request({ event: { machine_id: digest(`machine ${i}`) }, at: at + i }),
      ),
    );
    expect(new Set(await Promise.all(documents.map(send)))).toEqual(new Set([200]));
    expect(backend.requests.map(({ body }) => forwarded(body))).toEqual(documents.map(() => ALL));
  });
});

describe('what one hostile client can cost', () => {
  const needs = [collector(), prometheus()] as const;
  if (lacking(...needs)) return;
  const REQUESTS = 400;
  let backend: Prometheus;
  let gateway: Gateway;
  beforeAll(async () => {
    backend = await prometheusServer(needs[1].path);
    await backend.start();
    gateway = await gatewayServer(needs[0].path, `${backend.url}/api/v1/otlp`);
    await gateway.start();
  });
  afterAll(async () => {
    await gateway?.stop();
    await backend?.stop();
  });

  const memory = (pid: number) =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;

  async function attack(name: string, bodies: string[]): Promise<number> {
    const series = async () =>
      (await backend.value('count({__name__=~"lhp_.+|target_info"})')) ?? 0;
    const before = await series();
    const start = performance.now();
    const next = bodies.values();
    const statuses = new Map<number, number>();
    const sender = async () => {
      for (const body of next) {
        const { status } = await fetch(`${gateway.url}/v1/metrics`, {
          method: 'POST',
          headers,
          body,
        });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: 32 }, sender));
    const seconds = (performance.now() - start) / 1_000;
    const made = (await series()) - before;
    console.info(
      `${name}: ${bodies.length} requests of ${(bodies[0]?.length ?? 0) / 1_000} kB ` +
        `in ${seconds.toFixed(1)} s, answers ${[...statuses]}; ` +
        `${made} series, ${made / bodies.length} a request; ` +
        `peak memory of gateway ${memory(gateway.pid()).toFixed(0)}, ` +
        `backend ${memory(backend.pid()).toFixed(0)} MiB`,
    );
    return made / bodies.length;
  }

  it('many machines in each request: none becomes a series', async () => {
    const document = await request();
    scope(document).metrics = [metric(document, RUNS)];
    const [one] = document.resourceMetrics;
    const size = JSON.stringify(one).length + 1;
    const bodies = Array.from({ length: REQUESTS }, (_, i) => {
      const resourceMetrics = Array.from(
        { length: Math.floor((BODY_LIMIT - 30) / size) },
        (_, j) => {
          const text = JSON.stringify(one).replace(EVENT.machine_id, digest(`hostile ${i} ${j}`));
          return JSON.parse(text) as Json;
        },
      );
      return JSON.stringify({ resourceMetrics });
    });
    expect(bodies[0]?.length).toBeGreaterThan(BODY_LIMIT / 2);
    expect(await attack('machines', bodies)).toBe(0);
  });

  it('many environments of one machine in each request: none becomes a series', async () => {
    const bodies: string[] = [];
    for (let i = 0; i < REQUESTS; i += 1) {
      const document = await request({ event: { machine_id: digest(`environments ${i}`) } });
      scope(document).metrics = [metric(document, RUNS)];
      const own = point(document, RUNS);
      const size = JSON.stringify(own).length + 6;
      points(metric(document, RUNS)).splice(
        0,
        1,
        ...Array.from({ length: Math.floor((BODY_LIMIT - 1_200) / size) }, (_, j) => {
          const copy = structuredClone(own);
          copy.attributes[0].value.stringValue = `dev-${i}-${j}`;
          return copy;
        }),
      );
      bodies.push(JSON.stringify(document));
    }
    expect(await attack('environments', bodies)).toBe(0);
  });

  it('a new machine in each request: only the contract’s points become series', async () => {
    const bodies: string[] = [];
    for (let i = 0; i < REQUESTS; i += 1)
      bodies.push(
        JSON.stringify(
          await request({ event: { machine_id: digest(`new ${i}`) }, lost: ALL_REASONS }),
        ),
      );
    expect(await attack('new machines', bodies)).toBe(ALL.length + LOSS_REASONS.length + 1);
  });
});
