// Tests the gateway's rules with the real collector and the real otel-collector.yaml. A run that
// matches the contract is forwarded unchanged, except for its ids. Each rule drops and counts what
// it is meant to drop. Strings and addresses planted in every field of OTLP metrics appear in no
// forwarded byte, no log line and no metric of the collector.

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clientTls, makeCertificates } from '../../scripts/harness/certificates.ts';
import { freePort, type RealCollector, startCollector } from '../../scripts/harness/collector.ts';
import { collector, program } from '../../scripts/harness/needs.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { type Gateway, gatewayServer, PEPPER } from '../../scripts/harness/stack.ts';
import {
  type GenerateEvent,
  INSTRUMENTS,
  LOSS_REASON_ATTRIBUTE,
  LOSS_REASONS,
  LOST_RUNS,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
} from '../../src/contract/contract.ts';
import { FIELDS } from '../../src/contract/fields.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { LOCAL_EVENT } from '../support/event.ts';
import { lacking } from '../support/lacking.ts';
import { field, grpcExport, rewritten, varint } from '../support/protobuf.ts';

const hmac = (text: string) => createHmac('sha256', PEPPER).update(text).digest('hex');

const EVENT: GenerateEvent = {
  ...LOCAL_EVENT,
  templates_count: 0,
  flowgroups_using_templates: 0,
  generation_time_seconds: 2.345,
};

// biome-ignore lint/suspicious/noExplicitAny: the tests change documents of any shape
type Json = any;

const MS = 1_000_000n;
const nanos = (ms: number) => String(BigInt(ms) * MS);

async function request(lost?: Map<'expired', number>, event = EVENT): Promise<Json> {
  const timestamp = Date.now();
  const bytes = await recordRun(event, {
    timestamp,
    startedAt: timestamp - 2_345,
    ...(lost ? { lost } : {}),
  });
  return JSON.parse(new TextDecoder().decode(bytes));
}

const resource = (d: Json): Json => d.resourceMetrics[0].resource;
const scope = (d: Json): Json => d.resourceMetrics[0].scopeMetrics[0];
const metrics = (d: Json): Json[] => scope(d).metrics;
const metric = (d: Json, name: string): Json => metrics(d).find((one) => one.name === name);
const points = (one: Json): Json[] =>
  (one.sum ?? one.exponentialHistogram ?? one.gauge ?? one.histogram ?? one.summary).dataPoints;
const runs = (d: Json): Json => points(metric(d, 'lhp.generate.runs'))[0];
const duration = (d: Json): Json => points(metric(d, 'lhp.generate.duration'))[0];
const attribute = (owner: Json, key: string): Json =>
  owner.attributes.find((one: Json) => one.key === key);
const ALL = INSTRUMENTS.length;
const RUNS = FIELDS.event.name;
const REASONS = ['resource', 'id', 'scope', 'metric', 'attributes', 'value', 'time', 'run'];

/** The contract's metrics in a forwarded body. Field 1 of a Metric is its name. */
const forwardedNames = (body: Buffer) =>
  [...INSTRUMENTS, LOST_RUNS]
    .map(({ name }) => name)
    .filter((name) => body.includes(field(1, name)));

describe('the gateway', () => {
  const [need, openssl] = [collector(), program('openssl')];
  if (lacking(need, openssl)) return;
  const secrets = mkdtempSync(join(tmpdir(), 'lhp-otel-gateway-'));
  let tls: ReturnType<typeof clientTls>;
  const grpcGateway = (to: string) =>
    gatewayServer(need.path, to, { LHP_OTEL_SECRETS: secrets }, ['grpc']);
  let backend: Backend;
  let gateway: Gateway;
  let decoder: RealCollector;
  let decoding: Gateway;

  beforeAll(async () => {
    backend = await startBackend();
    makeCertificates(openssl.path, secrets);
    tls = clientTls(secrets);
    gateway = await grpcGateway(backend.url);
    decoder = await startCollector(need.path);
    decoding = await grpcGateway(decoder.endpoint);
    await Promise.all([gateway.start(), decoding.start()]);
  });
  afterAll(async () => {
    await Promise.all([gateway?.stop(), decoding?.stop()]);
    await decoder?.stop();
    backend?.close();
    rmSync(secrets, { recursive: true });
  });
  beforeEach(() => {
    backend.requests.length = 0;
    backend.answers(200);
  });

  const post = (to: Gateway, body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(`${to.url}/v1/metrics`, {
      method: 'POST',
      body: body as string,
      headers: { 'content-type': 'application/json', ...headers },
    });
  let decoded = 0;
  /** What the gateway forwards for this document, decoded by a real collector. */
  async function through(document: Json): Promise<Json> {
    expect((await post(decoding, JSON.stringify(document))).status).toBe(200);
    return next();
  }
  async function next(): Promise<Json> {
    decoded += 1;
    return (await decoder.received(decoded))[decoded - 1];
  }
  /**
   * A valid request in protobuf: bytes that the gateway itself has forwarded. So its ids are HMACs
   * already, and the gateway hashes them again.
   */
  async function protobuf(document: Json): Promise<Buffer> {
    const before = backend.requests.length;
    expect((await post(gateway, JSON.stringify(document))).status).toBe(200);
    return backend.requests[before]?.body ?? Buffer.alloc(0);
  }
  const twice = (id: string) => hmac(hmac(id));
  const PROTOBUF = { 'content-type': 'application/x-protobuf' };

  // ── what the gateway forwards ──

  /** The document as a real collector decodes it, with the ids that the gateway makes. */
  async function expected(document: Json, hash = hmac): Promise<Json> {
    const answer = await fetch(`${decoder.endpoint}/v1/metrics`, {
      method: 'POST',
      body: JSON.stringify(document),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(200);
    const plain = await next();
    for (const [key, id] of [
      ['lhp.project.id', EVENT.project_id],
      ['lhp.machine.id', EVENT.machine_id],
    ] as const)
      attribute(resource(plain), key).value.stringValue = hash(id);
    return plain;
  }

  it('forwards a run unchanged, with its ids as HMACs', async () => {
    const document = await request(new Map([['expired', 3]]));
    expect(await through(document)).toEqual(await expected(document));
  });

  it('replaces descriptions by those of the contract', async () => {
    const document = await request(new Map([['expired', 3]]));
    const changed = structuredClone(document);
    for (const one of metrics(changed)) one.description = 'something else';
    expect(await through(changed)).toEqual(await expected(document));
  });

  it('forwards the valid point of a request that also has an invalid one', async () => {
    const document = await request();
    const mixed = structuredClone(document);
    metrics(mixed).push({
      name: 'other.metric',
      gauge: { dataPoints: [{ asInt: '1', timeUnixNano: nanos(Date.now()) }] },
    });
    expect(await through(mixed)).toEqual(await expected(document));
  });

  it('forwards exactly the bytes that the contract defines', async () => {
    const document = await request(new Map([['expired', 3]]));
    const out = await through(document);
    const values = (owner: Json) =>
      Object.fromEntries(
        owner.attributes.map(({ key, value }: Json) => [key, Object.values(value)[0]]),
      );
    expect(values(resource(out))).toEqual({
      'service.name': 'lhp',
      'service.version': '0.9.3',
      'lhp.project.id': hmac(EVENT.project_id),
      'lhp.machine.id': hmac(EVENT.machine_id),
      'lhp.ci': false,
      'process.runtime.name': 'cpython',
      'process.runtime.version': '3.11',
    });
    expect(
      metrics(out).map(({ name, unit, description }) => ({ name, unit, description })),
    ).toEqual(
      [...INSTRUMENTS, LOST_RUNS].map(({ name, unit, description }) => ({
        name,
        unit,
        description,
      })),
    );
    for (const one of metrics(out)) {
      const [{ startTimeUnixNano, timeUnixNano, attributes, ...number }, ...more] = points(one);
      expect(more).toEqual([]);
      expect({ startTimeUnixNano, timeUnixNano }).toEqual({
        startTimeUnixNano: String(runs(document).startTimeUnixNano),
        timeUnixNano: String(runs(document).timeUnixNano),
      });
      expect(values({ attributes })).toEqual(
        one.name === LOST_RUNS.name
          ? { 'lhp.loss.reason': 'expired' }
          : {
              'deployment.environment.name': 'dev',
              'lhp.dry_run': false,
              'lhp.bundle.enabled': true,
            },
      );
      expect(number.asInt ?? number.sum).toEqual(
        {
          'lhp.generate.runs': '1',
          'lhp.generate.duration': 2.345,
          'lhp.project.flowgroups_using_templates': 0,
          'lhp.project.templates': 0,
          'lhp.project.pipelines': 4,
          [LOST_RUNS.name]: '3',
        }[one.name as string] ?? 8,
      );
    }
  });

  it('forwards a run in CI, with its slot on every point', async () => {
    const document = await request(new Map([['expired', 3]]), { ...EVENT, is_ci: true });
    expect(
      points(metric(document, LOST_RUNS.name))[0].attributes.map(({ key }: Json) => key),
    ).toEqual(['lhp.loss.reason', 'lhp.ci.slot']);
    expect(await through(document)).toEqual(await expected(document));
  });

  const SLOT = { key: 'lhp.ci.slot', value: { stringValue: '7f' } };
  it.each<[string, boolean, (d: Json) => void]>([
    ['no slot in CI', true, (d) => runs(d).attributes.pop()],
    [
      'another attribute for the slot',
      true,
      (d) => runs(d).attributes.splice(3, 1, { ...SLOT, key: 'user' }),
    ],
    [
      'one attribute more in CI',
      true,
      (d) => runs(d).attributes.push({ key: 'user', value: { stringValue: 'u' } }),
    ],
    [
      'a slot of three digits',
      true,
      (d) => Object.assign(runs(d).attributes[3], { value: { stringValue: '07f' } }),
    ],
    [
      'a slot in capitals',
      true,
      (d) => Object.assign(runs(d).attributes[3], { value: { stringValue: '7F' } }),
    ],
    [
      'a slot that is a number',
      true,
      (d) => Object.assign(runs(d).attributes[3], { value: { intValue: '70' } }),
    ],
    ['a slot outside CI', false, (d) => runs(d).attributes.push(SLOT)],
    ['a slot instead of another attribute', false, (d) => runs(d).attributes.splice(2, 1, SLOT)],
    [
      'no slot on lost runs in CI',
      true,
      (d) => points(metric(d, LOST_RUNS.name))[0].attributes.pop(),
    ],
    [
      'lost runs with a slot outside CI',
      false,
      (d) => points(metric(d, LOST_RUNS.name))[0].attributes.push(SLOT),
    ],
  ])('%s: the point is dropped', async (_, ci, change) => {
    const document = await request(new Map([['expired', 3]]), { ...EVENT, is_ci: ci });
    change(document);
    const before = await gateway.dropped('attributes');
    expect((await post(gateway, JSON.stringify(document))).status).toBe(200);
    expect((await gateway.dropped('attributes')) - before).toBe(1);
  });

  it('accepts gzip', async () => {
    const document = await request();
    const body = gzipSync(JSON.stringify(document));
    expect((await post(decoding, body, { 'content-encoding': 'gzip' })).status).toBe(200);
    expect(await next()).toEqual(await expected(document));
  });

  it('accepts protobuf over HTTP and over gRPC', async () => {
    const document = await request(new Map([['expired', 3]]));
    const bytes = await protobuf(document);
    expect((await post(decoding, bytes, PROTOBUF)).status).toBe(200);
    expect(await next()).toEqual(await expected(document, twice));
    expect(await grpcExport(decoding.grpcPort, bytes, tls)).toBe('0');
    expect(await next()).toEqual(await expected(document, twice));
  });

  it.each(LOSS_REASONS)('forwards runs lost because of %s', async (reason) => {
    const document = await request(new Map([[reason as 'expired', 1_000_000]]));
    expect(await through(document)).toEqual(await expected(document));
  });

  // ── what the gateway drops ──

  /** A 32-bit number that is the address 10.7.7.7. */
  const NUMBER = 0x0a070707;
  /**
   * A histogram with this one value, as the data model defines it: bucket i of scale 20 contains
   * (base^i, base^(i+1)].
   */
  const oneOf = (sum: number) => ({
    sum,
    positive: { offset: Math.ceil(Math.log2(sum) * 2 ** 20) - 1, bucketCounts: ['1'] },
  });
  /** Points dropped so far, in the order of REASONS. */
  const allDropped = async () => {
    const own = [...(await gateway.metrics())].filter(([name]) =>
      name.startsWith('otelcol_processor_filter_datapoints'),
    );
    return REASONS.map((reason) =>
      own.reduce(
        (sum, [name, value]) => sum + (name.includes(`"filter/${reason}"`) ? value : 0),
        0,
      ),
    );
  };
  const days = (n: number) => nanos(Date.now() - n * 86_400_000);
  const times = (d: Json, time: string, start = time) => {
    for (const one of metrics(d))
      for (const p of points(one))
        Object.assign(p, { timeUnixNano: time, startTimeUnixNano: start });
  };
  const renamed = (d: Json, from: string, to: string) => {
    const one = metric(d, 'lhp.generate.duration');
    one[to] = one[from];
    delete one[from];
    return one[to];
  };
  const environment = (text: string) => (d: Json) => {
    attribute(runs(d), 'deployment.environment.name').value = { stringValue: text };
  };
  const id = (text: string) => (d: Json) => {
    attribute(resource(d), 'lhp.machine.id').value = { stringValue: text };
  };
  const histogram = (change: (p: Json) => void) => (d: Json) => change(duration(d));

  it.each<[string, string, number, (d: Json) => void]>([
    [
      'resource',
      'a schema URL',
      ALL,
      (d) => Object.assign(d.resourceMetrics[0], { schemaUrl: 'https://x' }),
    ],
    [
      'resource',
      'one attribute more',
      ALL,
      (d) => resource(d).attributes.push({ key: 'host.name', value: { stringValue: 'h' } }),
    ],
    ['resource', 'one attribute less', ALL, (d) => resource(d).attributes.pop()],
    [
      'resource',
      'one attribute twice',
      ALL,
      (d) => resource(d).attributes.push(attribute(resource(d), 'lhp.ci')),
    ],
    [
      'resource',
      'one twice, one missing',
      ALL,
      (d) => resource(d).attributes.splice(6, 1, attribute(resource(d), 'lhp.ci')),
    ],
    [
      'resource',
      'another service',
      ALL,
      (d) => Object.assign(attribute(resource(d), 'service.name'), { value: { stringValue: 'x' } }),
    ],
    [
      'resource',
      'a version that is a word',
      ALL,
      (d) =>
        Object.assign(attribute(resource(d), 'service.version'), { value: { stringValue: 'v1' } }),
    ],
    [
      'resource',
      'text after a version',
      ALL,
      (d) =>
        Object.assign(attribute(resource(d), 'service.version'), {
          value: { stringValue: '0.9.3\nx' },
        }),
    ],
    [
      'resource',
      'a number as a version',
      ALL,
      (d) =>
        Object.assign(attribute(resource(d), 'service.version'), { value: { doubleValue: 0.9 } }),
    ],
    [
      'resource',
      'a word for a boolean',
      ALL,
      (d) => Object.assign(attribute(resource(d), 'lhp.ci'), { value: { stringValue: 'true' } }),
    ],
    [
      'resource',
      'dropped attributes',
      ALL,
      (d) => Object.assign(resource(d), { droppedAttributesCount: 7 }),
    ],
    ['id', '63 digits', ALL, id('a'.repeat(63))],
    ['id', '65 digits', ALL, id('a'.repeat(65))],
    ['id', 'capitals', ALL, id('A'.repeat(64))],
    ['id', 'other', ALL, id('other')],
    ['id', 'a name', ALL, id('laptop-of-somebody')],
    [
      'id',
      'bytes',
      ALL,
      (d) =>
        Object.assign(attribute(resource(d), 'lhp.project.id'), { value: { bytesValue: 'YWJj' } }),
    ],
    ['scope', 'another name', ALL, (d) => Object.assign(scope(d).scope, { name: 'x' })],
    ['scope', 'another version', ALL, (d) => Object.assign(scope(d).scope, { version: 'of mine' })],
    [
      'scope',
      'a prerelease with a name',
      ALL,
      (d) => Object.assign(scope(d).scope, { version: '0.2.0-jane.1' }),
    ],
    [
      'scope',
      'attributes',
      ALL,
      (d) =>
        Object.assign(scope(d).scope, { attributes: [{ key: 'a', value: { boolValue: true } }] }),
    ],
    ['scope', 'a schema URL', ALL, (d) => Object.assign(scope(d), { schemaUrl: 'https://x' })],
    [
      'metric',
      'another name',
      1,
      (d) => Object.assign(metric(d, 'lhp.generate.duration'), { name: 'lhp.generate.duration2' }),
    ],
    [
      'metric',
      'another unit',
      1,
      (d) => Object.assign(metric(d, 'lhp.generate.duration'), { unit: 'ms' }),
    ],
    ['metric', 'a gauge', 1, (d) => renamed(d, 'exponentialHistogram', 'gauge')],
    [
      'metric',
      'a histogram with bounds',
      1,
      (d) =>
        Object.assign(renamed(d, 'exponentialHistogram', 'histogram').dataPoints[0], {
          bucketCounts: ['1'],
        }),
    ],
    ['metric', 'a summary', 1, (d) => renamed(d, 'exponentialHistogram', 'summary')],
    [
      'metric',
      'cumulative',
      1,
      (d) => Object.assign(metric(d, 'lhp.generate.runs').sum, { aggregationTemporality: 2 }),
    ],
    [
      'metric',
      'not monotonic',
      1,
      (d) => Object.assign(metric(d, 'lhp.generate.runs').sum, { isMonotonic: false }),
    ],
    [
      'metric',
      'metadata',
      1,
      (d) =>
        Object.assign(metric(d, 'lhp.generate.runs'), {
          metadata: [{ key: 'a', value: { boolValue: true } }],
        }),
    ],
    [
      'attributes',
      'one more',
      1,
      (d) => runs(d).attributes.push({ key: 'user', value: { stringValue: 'u' } }),
    ],
    ['attributes', 'one less', 1, (d) => runs(d).attributes.pop()],
    ['attributes', 'one twice', 1, (d) => runs(d).attributes.splice(2, 1, runs(d).attributes[1])],
    ['attributes', 'an environment in capitals', 1, environment('DEV')],
    ['attributes', 'an environment of 33 letters', 1, environment('e'.repeat(33))],
    ['attributes', 'an environment with a space', 1, environment('dev eu')],
    ['attributes', 'an environment that is an address', 1, environment('10.1.2.3')],
    [
      'attributes',
      'a number for a boolean',
      1,
      (d) => Object.assign(attribute(runs(d), 'lhp.dry_run'), { value: { intValue: '1' } }),
    ],
    [
      'attributes',
      'exemplars',
      1,
      (d) => Object.assign(runs(d), { exemplars: [{ timeUnixNano: '1', asInt: '1' }] }),
    ],
    ['attributes', 'flags', 1, (d) => Object.assign(runs(d), { flags: 1 })],
    ['value', 'no run', 1, (d) => Object.assign(runs(d), { asInt: '0' })],
    ['value', 'two runs', 1, (d) => Object.assign(runs(d), { asInt: '2' })],
    ['value', 'minus one', 1, (d) => Object.assign(runs(d), { asInt: '-1' })],
    [
      'value',
      'one and a half',
      1,
      (d) => {
        delete runs(d).asInt;
        runs(d).asDouble = 1.5;
      },
    ],
    ['value', 'two values', 1, histogram((p) => Object.assign(p, { count: '2' }))],
    ['value', 'a negative sum', 1, histogram((p) => Object.assign(p, { sum: -1 }))],
    ['value', 'not a number', 1, histogram((p) => Object.assign(p, { sum: 'NaN' }))],
    ['value', 'infinity', 1, histogram((p) => Object.assign(p, { sum: 'Infinity' }))],
    ['value', 'more than a week', 1, histogram((p) => Object.assign(p, { sum: 604_801 }))],
    ['value', 'another scale', 1, histogram((p) => Object.assign(p, { scale: 19 }))],
    [
      'value',
      'two buckets',
      1,
      histogram((p) => Object.assign(p.positive, { bucketCounts: ['1', '0'] })),
    ],
    [
      'value',
      'two in the bucket',
      1,
      histogram((p) => Object.assign(p.positive, { bucketCounts: ['2'] })),
    ],
    [
      'value',
      'another bucket',
      1,
      histogram((p) => Object.assign(p.positive, { offset: p.positive.offset + 10 })),
    ],
    [
      'value',
      'negative buckets',
      1,
      histogram((p) => Object.assign(p, { negative: { offset: 0, bucketCounts: ['1'] } })),
    ],
    [
      'value',
      'a zero count besides a value',
      1,
      histogram((p) => Object.assign(p, { zeroCount: '1' })),
    ],
    [
      'value',
      'two buckets with a count of one',
      1,
      histogram((p) => Object.assign(p.positive, { bucketCounts: ['1', '1'] })),
    ],
    ['value', 'no bucket', 1, histogram((p) => Object.assign(p.positive, { bucketCounts: [] }))],
    [
      'value',
      'a negative zero count',
      1,
      histogram((p) => Object.assign(p, { zeroCount: '18446744073709551615' })),
    ],
    ['value', 'no value', 1, histogram((p) => Object.assign(p, { count: '0' }))],
    ['value', 'a sum of zero in a bucket', 1, histogram((p) => Object.assign(p, { sum: 0 }))],
    ['value', 'minus infinity', 1, histogram((p) => Object.assign(p, { sum: '-Infinity' }))],
    [
      'value',
      'a sum a tenth above its bucket',
      1,
      histogram((p) => Object.assign(p, { sum: p.sum * 1.1 })),
    ],
    ...INSTRUMENTS.filter(({ unit, kind }) => kind === 'histogram' && unit !== 's').map(
      ({ name, max }): [string, string, number, (d: Json) => void] => [
        'value',
        `${name} of one too many`,
        1,
        (d) =>
          Object.assign(points(metric(d, name))[0], { ...oneOf(max + 1), scale: 20, zeroCount: 0 }),
      ],
    ),
    [
      'value',
      'a negative offset without buckets',
      1,
      histogram((p) => Object.assign(p, { negative: { offset: NUMBER } })),
    ],
    [
      'value',
      'an offset for a zero',
      1,
      (d) =>
        Object.assign(points(metric(d, 'lhp.project.templates'))[0], {
          positive: { offset: NUMBER },
        }),
    ],
    ['resource', 'none', ALL, (d) => delete d.resourceMetrics[0].resource],
    ['resource', 'no attribute', ALL, (d) => Object.assign(resource(d), { attributes: [] })],
    [
      'resource',
      'four numbers in a version',
      ALL,
      (d) =>
        Object.assign(attribute(resource(d), 'service.version'), {
          value: { stringValue: '10.7.7.7' },
        }),
    ],
    [
      'resource',
      'a Python version of three numbers',
      ALL,
      (d) =>
        Object.assign(attribute(resource(d), 'process.runtime.version'), {
          value: { stringValue: '3.11.2' },
        }),
    ],
    [
      'resource',
      'another runtime',
      ALL,
      (d) =>
        Object.assign(attribute(resource(d), 'process.runtime.name'), {
          value: { stringValue: 'pypy' },
        }),
    ],
    ['id', 'a digit and a line end', ALL, id(`${'a'.repeat(63)}\n`)],
    ['id', 'a line end after 64', ALL, id(`${'a'.repeat(64)}\n`)],
    ['id', 'nothing', ALL, id('')],
    ['scope', 'no version', ALL, (d) => delete scope(d).scope.version],
    [
      'scope',
      'dropped attributes',
      ALL,
      (d) => Object.assign(scope(d).scope, { droppedAttributesCount: 7 }),
    ],
    ['scope', 'none', ALL, (d) => delete scope(d).scope],
    [
      'metric',
      'no temporality',
      1,
      (d) => delete metric(d, 'lhp.generate.runs').sum.aggregationTemporality,
    ],
    [
      'metric',
      'a cumulative histogram',
      1,
      (d) =>
        Object.assign(metric(d, 'lhp.generate.duration').exponentialHistogram, {
          aggregationTemporality: 2,
        }),
    ],
    [
      'metric',
      'a name in capitals',
      1,
      (d) => Object.assign(metric(d, 'lhp.generate.runs'), { name: 'LHP.generate.runs' }),
    ],
    [
      'metric',
      'the name of a metric of another type',
      1,
      (d) =>
        Object.assign(metric(d, 'lhp.generate.runs'), { name: 'lhp.generate.duration', unit: 's' }),
    ],
    ['attributes', 'none', 1, (d) => Object.assign(runs(d), { attributes: [] })],
    ['attributes', 'an empty environment', 1, environment('')],
    ['attributes', 'an environment and a line end', 1, environment('dev\n')],
    [
      'attributes',
      'exemplars of a histogram',
      1,
      histogram((p) => Object.assign(p, { exemplars: [{ timeUnixNano: '1', asDouble: 1 }] })),
    ],
    ['attributes', 'a flag of a histogram', 1, histogram((p) => Object.assign(p, { flags: 1 }))],
    [
      'attributes',
      'the reason of a loss',
      1,
      (d) =>
        Object.assign(runs(d), {
          attributes: [{ key: 'lhp.loss.reason', value: { stringValue: 'expired' } }],
        }),
    ],
    ['time', 'six minutes ahead', ALL, (d) => times(d, nanos(Date.now() + 360_000))],
    ['time', 'the end of time', ALL, (d) => times(d, '9223372036854775807')],
    ['time', 'more than the end of time', ALL, (d) => times(d, '18446744073709551615')],
    ['time', 'ten minutes ahead', ALL, (d) => times(d, nanos(Date.now() + 600_000))],
    ['time', 'nine days old', ALL, (d) => times(d, days(9))],
    ['time', 'no time', ALL, (d) => times(d, '0')],
    ['time', 'an end before the start', ALL, (d) => times(d, days(1), days(0.9))],
    ['time', 'a start nine days before', ALL, (d) => times(d, days(0), days(9))],
  ])('filter/%s drops %s', async (reason, _, count, change) => {
    const honest = await request();
    const document = structuredClone(honest);
    change(document);
    const before = await allDropped();
    expect((await post(gateway, JSON.stringify(document))).status).toBe(200);
    const after = await allDropped();
    // The rest is forwarded if it contains a run. If nothing is left, the gateway does not call the
    // backend.
    const untouched = INSTRUMENTS.map(({ name }) => name).filter((name) =>
      metrics(document).some((one) => isDeepStrictEqual(metric(honest, name), one)),
    );
    const isRun = count < ALL && untouched.includes(RUNS);
    expect(after.map((count, i) => count - (before[i] ?? 0))).toEqual(
      REASONS.map((each) => (each === reason ? count : each === 'run' && !isRun ? ALL - count : 0)),
    );
    expect(backend.requests.map(({ body }) => forwardedNames(body))).toEqual(
      isRun ? [untouched] : [],
    );
  });

  it.each<[string, (d: Json) => void]>([
    ['four minutes ahead', (d) => times(d, nanos(Date.now() + 240_000))],
    ['seven days old', (d) => times(d, days(7))],
    ['a run of seven days', (d) => times(d, days(0), days(7))],
    [
      'an environment of 32 letters',
      (d) => {
        for (const one of metrics(d))
          attribute(points(one)[0], 'deployment.environment.name').value = {
            stringValue: 'e'.repeat(32),
          };
      },
    ],
    [
      'a version that is other',
      (d) =>
        Object.assign(attribute(resource(d), 'service.version'), {
          value: { stringValue: 'other' },
        }),
    ],
    [
      'a prerelease of this package',
      (d) => Object.assign(scope(d).scope, { version: '0.2.0-rc.1' }),
    ],
    [
      'a million files',
      (d) => Object.assign(points(metric(d, 'lhp.generate.files'))[0], oneOf(1_000_000)),
    ],
    ['a week', histogram((p) => Object.assign(p, oneOf(604_800)))],
    ['a millisecond', histogram((p) => Object.assign(p, oneOf(0.001)))],
    ['one file', (d) => Object.assign(points(metric(d, 'lhp.generate.files'))[0], oneOf(1))],
  ])('just within the rules: %s', async (_, change) => {
    const document = await request();
    change(document);
    expect(await through(document)).toEqual(await expected(document));
  });

  it.each<[string, (p: Json) => void]>([
    ['0', (p) => Object.assign(p, { asInt: '0' })],
    ['-1', (p) => Object.assign(p, { asInt: '-1' })],
    ['1,000,001', (p) => Object.assign(p, { asInt: '1000001' })],
    ['1.5', (p) => Object.assign(p, { asInt: undefined, asDouble: 1.5 })],
  ])('filter/value drops %s lost runs, and not the run they came with', async (_, change) => {
    const document = await request(new Map([['expired', 3]]));
    change(points(metric(document, LOST_RUNS.name))[0]);
    const before = await gateway.dropped('value');
    await post(gateway, JSON.stringify(document));
    expect((await gateway.dropped('value')) - before).toBe(1);
    expect(backend.requests.map(({ body }) => forwardedNames(body))).toEqual([
      INSTRUMENTS.map(({ name }) => name),
    ]);
  });

  /** Every kind of AnyValue. None of them is valid for any key of the contract. */
  const OTHER_KINDS: [string, Json][] = [
    ['string', { stringValue: 'canary.x!' }],
    ['int', { intValue: '7' }],
    ['double', { doubleValue: 7.5 }],
    ['bytes', { bytesValue: Buffer.from('canary.x!').toString('base64') }],
    ['array', { arrayValue: { values: [{ stringValue: 'canary.x!' }] } }],
    [
      'map',
      { kvlistValue: { values: [{ key: 'canary.x!', value: { stringValue: 'canary.x!' } }] } },
    ],
    ['nothing', {}],
  ];
  it.each(
    [
      ...RESOURCE_ATTRIBUTES.map(
        ({ key }) => [key, /\.id$/.test(key) ? 'id' : 'resource'] as const,
      ),
      ...POINT_ATTRIBUTES.map(({ key }) => [key, 'attributes'] as const),
      ['lhp.loss.reason', 'attributes'] as const,
    ].flatMap(([key, reason]) =>
      OTHER_KINDS.map(([kind, value]) => ({ key, kind, reason, value })),
    ),
  )('$key as $kind is dropped by filter/$reason', async ({ key, reason, value }) => {
    const document = await request(new Map([['expired', 3]]));
    const ofRun = attribute(resource(document), key);
    const owner =
      ofRun ??
      attribute(runs(document), key) ??
      attribute(points(metric(document, LOST_RUNS.name))[0], key);
    owner.value = value;
    const before = await gateway.dropped(reason);
    expect((await post(gateway, JSON.stringify(document))).status).toBe(200);
    expect((await gateway.dropped(reason)) - before).toBe(ofRun ? ALL + 1 : 1);
    // A wrong attribute on the run's point drops everything; on a loss, only the loss.
    expect(backend.requests.map(({ body }) => forwardedNames(body).length)).toEqual(
      key === LOSS_REASON_ATTRIBUTE.key ? [ALL] : [],
    );
    expect(backend.requests.some(({ body }) => body.includes('canary'))).toBe(false);
  });

  it('filter/attributes drops a loss reason that is not in the contract', async () => {
    const document = await request(new Map([['expired', 3]]));
    const [point] = points(metric(document, 'lhp.telemetry.lost_runs'));
    point.attributes[0].value = { stringValue: 'bored' };
    const before = await gateway.dropped('attributes');
    await post(gateway, JSON.stringify(document));
    expect((await gateway.dropped('attributes')) - before).toBe(1);
  });

  // ── planted strings and addresses ──

  const { fields } = JSON.parse(
    readFileSync(join(projectRoot, 'test', 'fixtures', 'otlp-metrics-fields.json'), 'utf8'),
  ) as { fields: { path: string; type: string }[] };
  const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];
  const VALUES = [
    'stringValue',
    'boolValue',
    'intValue',
    'doubleValue',
    'arrayValue',
    'kvlistValue',
    'bytesValue',
    'stringValueStrindex',
  ];

  /** Puts a value at this path, into the first element of each list (`first`) or into a new one. */
  function plant(document: Json, path: string, value: unknown, first: boolean) {
    // The first metric is a sum. So a field of exponential histograms is planted into a valid
    // histogram of the request.
    if (path.includes('exponentialHistogram'))
      metrics(document).push(...metrics(document).splice(0, 1));
    const steps = path.split('.');
    let at: Json = document;
    steps.forEach((step, i) => {
      const name = step.replace('[]', '');
      // A oneof has only one of its fields.
      for (const others of [KINDS, VALUES])
        if (others.includes(name)) for (const other of others) if (other !== name) delete at[other];
      if (i === steps.length - 1) {
        at[name] = step.endsWith('[]') ? [value] : value;
        return;
      }
      if (!step.endsWith('[]')) at = at[name] ??= {};
      else {
        at[name] ??= [];
        const grow =
          at[name].length === 0 ||
          (!first && !['resourceMetrics', 'scopeMetrics', 'metrics'].includes(name));
        if (grow) at[name].push({});
        at = at[name][grow ? at[name].length - 1 : 0];
      }
    });
  }

  const SIZES: Record<string, number> = { traceId: 16, spanId: 8 };
  function encoded(path: string, type: string, planted: Buffer): string {
    if (type !== 'bytes') return planted.toString('latin1');
    const size = SIZES[path.split('.').at(-1) ?? ''];
    return size
      ? Buffer.concat([planted, Buffer.alloc(size, '.')])
          .subarray(0, size)
          .toString('hex')
      : planted.toString('base64');
  }

  it.each<[string, Buffer]>([
    ['canary!!', Buffer.from('canary!!')], // an environment may be called canary-7
    ['10.7.7.7', Buffer.from('10.7.7.7')],
    ['2001:db8::77', Buffer.from('2001:db8::77')],
    ['2001:db8::77 in 16 bytes', Buffer.from('20010db8000000000000000000000077', 'hex')],
    ['10.7.7.7 in 4 bytes', Buffer.from('0a070707', 'hex')],
  ])('%s in every field of OTLP metrics: in no byte that leaves', async (_, planted) => {
    // Eight bytes, the length of a span id, and the same in base64 and hex.
    const start = planted.subarray(0, 8);
    const forms = [start, planted.toString('base64').slice(0, 8), start.toString('hex')];
    const texts = fields.filter(({ type }) => type === 'string' || type === 'bytes');
    expect(texts.length).toBeGreaterThan(100);
    expect(texts.some(({ path }) => path.includes('entityRefs'))).toBe(true);
    const honest = await request();
    let accepted = 0;
    for (const { path, type } of texts)
      for (const first of [true, false]) {
        const document = structuredClone(honest);
        plant(document, path, encoded(path, type, planted), first);
        const answer = await post(gateway, JSON.stringify(document));
        await answer.arrayBuffer();
        if (answer.status === 200) accepted += 1;
        else expect([path, answer.status]).toEqual([path, 400]);
      }
    expect(accepted).toBeGreaterThan(texts.length);
    expect(backend.requests.length).toBeGreaterThan(50);
    for (const { headers, body } of backend.requests) {
      expect(forms.some((form) => body.includes(form))).toBe(false);
      expect(forms.some((form) => JSON.stringify(headers).includes(form.toString('latin1')))).toBe(
        false,
      );
    }
    expect(gateway.log()).toBe('');
    const own = [...(await gateway.metrics()).keys()].join();
    expect(forms.some((form) => own.includes(form.toString('latin1')))).toBe(false);
  });

  // No filter condition can name these three, and Prometheus reads none of them in an exponential
  // histogram.
  const NUMBERS_THAT_PASS = ['max', 'min', 'zeroThreshold'].map(
    (name) =>
      `resourceMetrics[].scopeMetrics[].metrics[].exponentialHistogram.dataPoints[].${name}`,
  );

  it('an address as a number in every field: passes only where OTTL has no path', async () => {
    const double = Buffer.alloc(8);
    double.writeDoubleLE(NUMBER);
    const fixed = Buffer.alloc(4);
    fixed.writeUInt32LE(NUMBER);
    // plain, zigzag, double, fixed32 and fixed64
    const forms = [varint(NUMBER), varint(NUMBER * 2), double, fixed];
    const numbers = fields.filter(({ type }) => type === 'number' || type === 'enum');
    expect(numbers.length).toBeGreaterThan(150);
    const honest = await request();
    const passed = new Set<string>();
    for (const { path } of numbers)
      for (const first of [true, false]) {
        const document = structuredClone(honest);
        plant(document, path, NUMBER, first);
        const count = backend.requests.length;
        expect([200, 400]).toContain((await post(gateway, JSON.stringify(document))).status);
        if (
          backend.requests
            .slice(count)
            .some(({ body }) => forms.some((form) => body.includes(form)))
        )
          passed.add(path);
      }
    expect([...passed].sort()).toEqual(NUMBERS_THAT_PASS);
  });

  const CANARY = 'canary-7';
  const gauge = field(
    5,
    field(1, field(7, Buffer.concat([field(1, CANARY), field(2, field(1, CANARY))]))),
  );
  it.each<[string, Parameters<typeof rewritten>[1]]>([
    [
      'a field that OTLP does not have, in every message',
      (content) => Buffer.concat([content, field(999, CANARY)]),
    ],
    [
      'a value before each value',
      (content, kind) => (kind === 'value' ? Buffer.concat([field(1, CANARY), content]) : content),
    ],
    [
      'bytes before each value',
      (content, kind) => (kind === 'value' ? Buffer.concat([field(7, CANARY), content]) : content),
    ],
    [
      'a gauge before the data of each metric',
      (content, kind) => (kind === 'metric' ? Buffer.concat([gauge, content]) : content),
    ],
  ])('protobuf with %s: comes out without it', async (_, around) => {
    const document = await request();
    const planted = rewritten(await protobuf(document), around);
    expect(planted.includes(CANARY)).toBe(true);
    for (const send of [
      async (to: Gateway) => expect((await post(to, planted, PROTOBUF)).status).toBe(200),
      async (to: Gateway) => expect(await grpcExport(to.grpcPort, planted, tls)).toBe('0'),
    ]) {
      await send(decoding);
      expect(await next()).toEqual(await expected(document, twice));
      await send(gateway);
    }
    expect(backend.requests).toHaveLength(3);
    expect(backend.requests.some(({ body }) => body.includes(CANARY))).toBe(false);
    expect(gateway.log()).toBe('');
  });

  it('removes unknown JSON keys from every object', async () => {
    const document = await request();
    const added = (of: Json): Json => {
      if (Array.isArray(of)) return of.map(added);
      if (typeof of !== 'object' || of === null) return of;
      return Object.fromEntries([
        [CANARY, CANARY],
        ...Object.entries(of).map(([key, value]) => [key, added(value)]),
      ]);
    };
    const planted = JSON.stringify(added(document));
    expect(await through(JSON.parse(planted))).toEqual(await expected(document));
    expect((await post(gateway, planted)).status).toBe(200);
    expect(backend.requests.map(({ body }) => body.includes(CANARY))).toEqual([false]);
  });

  it('keeps headers, hosts, paths and invalid data out of its output and log', async () => {
    const canary = CANARY;
    const clientPorts: number[] = [];
    const body = JSON.stringify(await request());
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: ${canary}.example\r\nUser-Agent: ${canary}\r\n` +
      `X-Forwarded-For: 10.7.7.7, ${canary}\r\n` +
      `Forwarded: for=10.7.7.7\r\nAuthorization: Bearer ${canary}\r\n` +
      'Content-Type: application/json\r\nConnection: close\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const said = async (bytes: string | Buffer, port: number, half = true) => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      clientPorts.push(socket.localPort ?? 0);
      socket.on('error', () => {}); // the server may reset the connection
      let answer = '';
      socket.on('data', (data) => {
        answer += data.toString('latin1');
      });
      socket[half ? 'end' : 'write'](bytes);
      await new Promise((resolve) => socket.once('close', resolve));
      return answer;
    };
    expect(await said(head('/v1/metrics'), gateway.port, false)).toMatch(/^HTTP\/1.1 200/);
    expect(await said(head(`/${canary}/v1/metrics`), gateway.port, false)).toMatch(
      /^HTTP\/1.1 404/,
    );
    expect(await said(head(`/v1/metrics?${canary}=10.7.7.7`), gateway.port, false)).toMatch(
      /^HTTP\/1.1 200/,
    );
    const typed = head('/v1/metrics').replace('application/json', `text/${canary}`);
    expect(await said(typed, gateway.port, false)).toMatch(/^HTTP\/1.1 415/);
    const packed = head('/v1/metrics').replace(
      'Forwarded: ',
      `Content-Encoding: ${canary}\r\nForwarded: `,
    );
    expect(await said(packed, gateway.port, false)).toMatch(/^HTTP\/1.1 4\d\d/);
    const metadata = {
      'user-agent': canary,
      'x-forwarded-for': '10.7.7.7',
      forwarded: 'for=10.7.7.7',
      'x-canary': canary,
    };
    expect(
      await grpcExport(
        gateway.grpcPort,
        backend.requests[0]?.body ?? Buffer.alloc(0),
        tls,
        metadata,
      ),
    ).toBe('0');
    expect(
      await grpcExport(gateway.grpcPort, Buffer.from(`${canary} is no protobuf`), tls, metadata),
    ).not.toBe('0');
    const hello = Buffer.from('16030100050100000100ff', 'hex');
    for (const port of [gateway.port, gateway.grpcPort])
      for (const bytes of [
        hello,
        `${canary}\r\n\r\n`,
        `GET / HTTP/1.0\r\nHost: ${canary}\r\n\r\n`,
        `${canary.toUpperCase()} / HTTP/1.1\r\nHost: ${canary}\r\nConnection: close\r\n\r\n`,
        `GET / HTTP/1.1\r\nHost: ${canary}\r\nX-Canary: ${canary.repeat(300_000)}\r\n\r\n`,
        `POST /v1/metrics HTTP/1.1\r\nHost: ${canary}\r\nContent-Length: -1\r\n\r\n`,
        Buffer.concat([
          Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
          // A SETTINGS frame of four bytes, which is not a valid length
          Buffer.from('000004040000000000', 'hex'),
          Buffer.from('10.7'),
        ]),
        `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${canary}`,
        Buffer.alloc(4_096, 0xff),
      ])
        await said(bytes, port);
    expect(backend.requests).toHaveLength(3);
    for (const { headers, body: forwarded } of backend.requests) {
      expect(forwarded.includes(canary) || forwarded.includes('10.7.7.7')).toBe(false);
      expect(JSON.stringify(headers)).not.toMatch(/canary|10\.7\.7\.7|forwarded/i);
    }
    const own = [...(await gateway.metrics()).keys()]
      .filter((name) => !name.includes('exporter="otlp_http"'))
      .join('\n');
    expect(own).not.toMatch(/canary|10\.7\.7\.7|127\.0\.0\.1/i);
    expect(clientPorts.length).toBeGreaterThan(20);
    expect(clientPorts.filter((port) => new RegExp(`\\b${port}\\b`).test(own))).toEqual([]);
    expect(gateway.log()).toBe('');
  });

  // ── answers ──

  it.each([
    [200, 200, '0'],
    [301, 500, '2'],
    [400, 400, '3'],
    [401, 401, '16'],
    [413, 500, '2'],
    [429, 429, '8'],
    [500, 500, '2'],
    [502, 503, '14'],
    [503, 503, '14'],
    [504, 503, '14'],
    ['hangs up' as const, 503, '14'],
  ])(
    'the backend answers %s: the gateway answers %i and gRPC status %s',
    async (status, given, grpc) => {
      const document = await request();
      const bytes = await protobuf(document);
      backend.answers(status);
      expect((await post(gateway, JSON.stringify(document))).status).toBe(given);
      expect(await grpcExport(gateway.grpcPort, bytes, tls)).toBe(grpc);
      expect(backend.requests).toHaveLength(3);
    },
  );

  it('answers 503 and gRPC status 14 if the backend is down', async () => {
    const bytes = await protobuf(await request());
    const alone = await grpcGateway(`http://127.0.0.1:${await freePort()}`);
    await alone.start();
    try {
      expect((await post(alone, JSON.stringify(await request()))).status).toBe(503);
      expect(await grpcExport(alone.grpcPort, bytes, tls)).toBe('14');
      expect(alone.log()).toBe('');
    } finally {
      await alone.stop();
    }
  });

  it('answers 200 without calling the backend if nothing is left, and counts it', async () => {
    const document = await request();
    resource(document).attributes.pop();
    backend.answers(500);
    const before = await gateway.dropped('resource');
    expect((await post(gateway, JSON.stringify(document))).status).toBe(200);
    expect((await gateway.dropped('resource')) - before).toBe(ALL);
    expect(backend.requests).toHaveLength(0);
  });

  it.each([
    ['text/plain', 415],
    ['application/x-protobuf', 400],
    ['application/json', 400],
  ])('garbage as %s: %i', async (type, status) => {
    expect((await post(gateway, 'garbage', { 'content-type': type })).status).toBe(status);
  });

  it('refuses a body of more than 12 KiB, compressed or not', async () => {
    const large = JSON.stringify({ ...(await request()), padding: ' '.repeat(12_288) });
    expect((await post(gateway, large)).status).toBe(400);
    expect((await post(gateway, gzipSync(large), { 'content-encoding': 'gzip' })).status).toBe(400);
    expect(backend.requests).toHaveLength(0);
  });

  it.each([undefined, '', 'thirty-one bytes are not enough'])(
    'does not start without a pepper of 32 bytes (%j), and says why',
    async (pepper) => {
      const weak = await gatewayServer(need.path, backend.url, { LHP_OTEL_PEPPER: pepper });
      await expect(weak.start()).rejects.toThrow(/hmac_key/);
    },
  );

  it('starts with a pepper of 32 bytes', async () => {
    const just = await gatewayServer(need.path, backend.url, {
      LHP_OTEL_PEPPER: 'thirty-two bytes are just enough',
    });
    await just.start();
    await just.stop();
    expect(just.log()).toBe('');
  });
});
