// Proves the gateway's rules on the real collector with the real otel-collector.yaml: what a client sends comes out as the
// contract says and nothing else does; each rule drops, and counts, what it is for; strings and addresses planted in every
// field that OTLP metrics have reach no forwarded byte, no log line and no metric of the collector.
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GenerateEvent } from '../src/contract.ts';
import { INSTRUMENTS } from '../src/contract.ts';
import { recordRun } from '../src/record.ts';
import { type RealCollector, startCollector } from './support/collector.ts';
import { collector, lacking } from './support/needs.ts';
import { projectRoot, until } from './support/sandbox.ts';
import { type Gateway, gatewayServer, PEPPER } from './support/stack.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (text: string) => createHmac('sha256', PEPPER).update(text).digest('hex');

const EVENT: GenerateEvent = {
  event: 'lhp_generate',
  project_id: digest('project'),
  machine_id: digest('machine'),
  is_ci: false,
  flowgroups_count: 8,
  templates_count: 0,
  flowgroups_using_templates: 2,
  pipelines_count: 4,
  files_generated: 8,
  environment: 'dev',
  dry_run: false,
  bundle_enabled: true,
  lhp_version: '0.9.3',
  python_version: '3.11',
  generation_time_seconds: 2.345,
};

// biome-ignore lint/suspicious/noExplicitAny: the mutations below make documents of every wrong shape
type Json = any;

const MS = 1_000_000n;
const nanos = (ms: number) => String(BigInt(ms) * MS);

async function request(lost?: Map<'expired', number>): Promise<Json> {
  const timestamp = Date.now();
  const bytes = await recordRun(EVENT, { timestamp, startedAt: timestamp - 2_345, ...(lost ? { lost } : {}) });
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
const attribute = (owner: Json, key: string): Json => owner.attributes.find((one: Json) => one.key === key);
const ALL = INSTRUMENTS.length;

/** A backend that keeps what it gets, and answers as it is told. */
async function startBackend() {
  const requests: { headers: IncomingHttpHeaders; body: Buffer }[] = [];
  let status = 200;
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    requests.push({ headers: incoming.headers, body: Buffer.concat(chunks) });
    outgoing.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers: (code: number) => {
      status = code;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('the gateway', () => {
  const need = collector();
  if (lacking(need)) return;
  let backend: Awaited<ReturnType<typeof startBackend>>;
  let gateway: Gateway;
  let decoder: RealCollector;
  let decoding: Gateway;

  beforeAll(async () => {
    backend = await startBackend();
    gateway = await gatewayServer(need.path, backend.url);
    decoder = await startCollector(need.path);
    decoding = await gatewayServer(need.path, decoder.endpoint);
    await Promise.all([gateway.start(), decoding.start()]);
  });
  afterAll(async () => {
    await Promise.all([gateway?.stop(), decoding?.stop()]);
    await decoder?.stop();
    backend?.close();
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
  /** What comes out for this document, decoded by a real collector. */
  async function through(document: Json): Promise<Json> {
    expect((await post(decoding, JSON.stringify(document))).status).toBe(200);
    decoded += 1;
    return (await decoder.received(decoded))[decoded - 1];
  }

  // ── what passes ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The same document as a real collector decodes it, with the ids that the gateway makes. */
  async function expected(document: Json): Promise<Json> {
    const answer = await fetch(`${decoder.endpoint}/v1/metrics`, {
      method: 'POST',
      body: JSON.stringify(document),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(200);
    decoded += 1;
    const plain = (await decoder.received(decoded))[decoded - 1] as Json;
    for (const [key, id] of [
      ['lhp.project.id', EVENT.project_id],
      ['lhp.machine.id', EVENT.machine_id],
    ] as const)
      attribute(resource(plain), key).value.stringValue = hmac(id);
    return plain;
  }

  it('a run comes out as it went in, with the ids as HMACs', async () => {
    const document = await request(new Map([['expired', 3]]));
    expect(await through(document)).toEqual(await expected(document));
  });

  it('descriptions are the contract’s own', async () => {
    const document = await request();
    const changed = structuredClone(document);
    for (const one of metrics(changed)) one.description = 'something else';
    expect(await through(changed)).toEqual(await expected(document));
  });

  it('of an honest and a bad point in one request the honest one', async () => {
    const document = await request();
    const mixed = structuredClone(document);
    metrics(mixed).push({
      name: 'other.metric',
      gauge: { dataPoints: [{ asInt: '1', timeUnixNano: nanos(Date.now()) }] },
    });
    expect(await through(mixed)).toEqual(await expected(document));
  });

  it('gzip', async () => {
    const body = gzipSync(JSON.stringify(await request()));
    expect((await post(gateway, body, { 'content-encoding': 'gzip' })).status).toBe(200);
    expect(backend.requests).toHaveLength(1);
  });

  // ── what does not ──────────────────────────────────────────────────────────────────────────────────────────────────────

  const days = (n: number) => nanos(Date.now() - n * 86_400_000);
  const times = (d: Json, time: string, start = time) => {
    for (const one of metrics(d))
      for (const p of points(one)) Object.assign(p, { timeUnixNano: time, startTimeUnixNano: start });
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
    ['resource', 'a schema URL', ALL, (d) => Object.assign(d.resourceMetrics[0], { schemaUrl: 'https://x' })],
    [
      'resource',
      'one attribute more',
      ALL,
      (d) => resource(d).attributes.push({ key: 'host.name', value: { stringValue: 'h' } }),
    ],
    ['resource', 'one attribute less', ALL, (d) => resource(d).attributes.pop()],
    ['resource', 'one attribute twice', ALL, (d) => resource(d).attributes.push(attribute(resource(d), 'lhp.ci'))],
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
      'a version in words',
      ALL,
      (d) => Object.assign(attribute(resource(d), 'service.version'), { value: { stringValue: 'v1' } }),
    ],
    [
      'resource',
      'a version and more',
      ALL,
      (d) => Object.assign(attribute(resource(d), 'service.version'), { value: { stringValue: '0.9.3\nx' } }),
    ],
    [
      'resource',
      'a number as a version',
      ALL,
      (d) => Object.assign(attribute(resource(d), 'service.version'), { value: { doubleValue: 0.9 } }),
    ],
    [
      'resource',
      'a word for a boolean',
      ALL,
      (d) => Object.assign(attribute(resource(d), 'lhp.ci'), { value: { stringValue: 'true' } }),
    ],
    ['resource', 'dropped attributes', ALL, (d) => Object.assign(resource(d), { droppedAttributesCount: 7 })],
    ['id', '63 digits', ALL, id('a'.repeat(63))],
    ['id', '65 digits', ALL, id('a'.repeat(65))],
    ['id', 'capitals', ALL, id('A'.repeat(64))],
    ['id', 'other', ALL, id('other')],
    ['id', 'a name', ALL, id('laptop-of-somebody')],
    [
      'id',
      'bytes',
      ALL,
      (d) => Object.assign(attribute(resource(d), 'lhp.project.id'), { value: { bytesValue: 'YWJj' } }),
    ],
    ['scope', 'another name', ALL, (d) => Object.assign(scope(d).scope, { name: 'x' })],
    ['scope', 'another version', ALL, (d) => Object.assign(scope(d).scope, { version: 'of mine' })],
    [
      'scope',
      'attributes',
      ALL,
      (d) => Object.assign(scope(d).scope, { attributes: [{ key: 'a', value: { boolValue: true } }] }),
    ],
    ['scope', 'a schema URL', ALL, (d) => Object.assign(scope(d), { schemaUrl: 'https://x' })],
    [
      'metric',
      'another name',
      1,
      (d) => Object.assign(metric(d, 'lhp.generate.duration'), { name: 'lhp.generate.duration2' }),
    ],
    ['metric', 'another unit', 1, (d) => Object.assign(metric(d, 'lhp.generate.duration'), { unit: 'ms' })],
    ['metric', 'a gauge', 1, (d) => renamed(d, 'exponentialHistogram', 'gauge')],
    [
      'metric',
      'a histogram with bounds',
      1,
      (d) => Object.assign(renamed(d, 'exponentialHistogram', 'histogram').dataPoints[0], { bucketCounts: ['1'] }),
    ],
    ['metric', 'a summary', 1, (d) => renamed(d, 'exponentialHistogram', 'summary')],
    [
      'metric',
      'cumulative',
      1,
      (d) => Object.assign(metric(d, 'lhp.generate.runs').sum, { aggregationTemporality: 2 }),
    ],
    ['metric', 'not monotonic', 1, (d) => Object.assign(metric(d, 'lhp.generate.runs').sum, { isMonotonic: false })],
    [
      'metric',
      'metadata',
      1,
      (d) => Object.assign(metric(d, 'lhp.generate.runs'), { metadata: [{ key: 'a', value: { boolValue: true } }] }),
    ],
    ['attributes', 'one more', 1, (d) => runs(d).attributes.push({ key: 'user', value: { stringValue: 'u' } })],
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
    ['attributes', 'exemplars', 1, (d) => Object.assign(runs(d), { exemplars: [{ timeUnixNano: '1', asInt: '1' }] })],
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
    ['value', 'two buckets', 1, histogram((p) => Object.assign(p.positive, { bucketCounts: ['1', '0'] }))],
    ['value', 'two in the bucket', 1, histogram((p) => Object.assign(p.positive, { bucketCounts: ['2'] }))],
    ['value', 'another bucket', 1, histogram((p) => Object.assign(p.positive, { offset: p.positive.offset + 10 }))],
    [
      'value',
      'negative buckets',
      1,
      histogram((p) => Object.assign(p, { negative: { offset: 0, bucketCounts: ['1'] } })),
    ],
    ['value', 'a zero that is none', 1, histogram((p) => Object.assign(p, { zeroCount: '1' }))],
    ['time', 'ten minutes ahead', ALL, (d) => times(d, nanos(Date.now() + 600_000))],
    ['time', 'nine days old', ALL, (d) => times(d, days(9))],
    ['time', 'no time', ALL, (d) => times(d, '0')],
    ['time', 'an end before its start', ALL, (d) => times(d, days(1), days(0.9))],
    ['time', 'a start nine days before', ALL, (d) => times(d, days(0), days(9))],
  ])('filter/%s drops %s', async (reason, _, count, change) => {
    const document = await request();
    change(document);
    const before = await gateway.dropped(reason);
    expect((await post(gateway, JSON.stringify(document))).status).toBe(200);
    expect((await gateway.dropped(reason)) - before).toBe(count);
    expect(backend.requests).toHaveLength(count === ALL ? 0 : 1);
  });

  it('filter/attributes drops a reason of loss that is not in the contract', async () => {
    const document = await request(new Map([['expired', 3]]));
    const [point] = points(metric(document, 'lhp.telemetry.lost_runs'));
    point.attributes[0].value = { stringValue: 'bored' };
    const before = await gateway.dropped('attributes');
    await post(gateway, JSON.stringify(document));
    expect((await gateway.dropped('attributes')) - before).toBe(1);
  });

  // ── nothing else comes out ─────────────────────────────────────────────────────────────────────────────────────────────

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

  /** Puts a value at this path, in the first element of each list (`first`) or in a new one. */
  function plant(document: Json, path: string, value: unknown, first: boolean) {
    const steps = path.split('.');
    let at: Json = document;
    steps.forEach((step, i) => {
      const name = step.replace('[]', '');
      // Of a oneof only one is there.
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
          at[name].length === 0 || (!first && !['resourceMetrics', 'scopeMetrics', 'metrics'].includes(name));
        if (grow) at[name].push({});
        at = at[name][grow ? at[name].length - 1 : 0];
      }
    });
  }

  const SIZES: Record<string, number> = { traceId: 16, spanId: 8 };
  function encoded(path: string, type: string, text: string): string {
    if (type !== 'bytes') return text;
    const size = SIZES[path.split('.').at(-1) ?? ''];
    return size
      ? Buffer.from(text.padEnd(size, '.')).subarray(0, size).toString('hex')
      : Buffer.from(text).toString('base64');
  }

  it.each(['canary!!', '10.7.7.7', '2001:db8::77'])(
    '%s in every field of OTLP metrics: in no byte that leaves',
    async (text) => {
      const texts = fields.filter(({ type }) => type === 'string' || type === 'bytes');
      expect(texts.length).toBeGreaterThan(100);
      expect(texts.some(({ path }) => path.includes('entityRefs'))).toBe(true);
      const honest = await request();
      let accepted = 0;
      for (const { path, type } of texts)
        for (const first of [true, false]) {
          const document = structuredClone(honest);
          plant(document, path, encoded(path, type, text), first);
          const answer = await post(gateway, JSON.stringify(document));
          await answer.arrayBuffer();
          if (answer.status === 200) accepted += 1;
          else expect([path, answer.status]).toEqual([path, 400]);
        }
      expect(accepted).toBeGreaterThan(texts.length);
      expect(backend.requests.length).toBeGreaterThan(100);
      for (const { headers, body } of backend.requests) {
        expect(body.includes(text)).toBe(false);
        expect(JSON.stringify(headers)).not.toContain(text);
      }
      expect(gateway.log()).toBe('');
      expect([...(await gateway.metrics()).keys()].join()).not.toContain(text);
    },
  );

  it('headers, hosts, paths and garbage: in no forwarded byte, no metric and no line of the log', async () => {
    const canary = 'canary-7';
    const body = JSON.stringify(await request());
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: ${canary}.example\r\nUser-Agent: ${canary}\r\nX-Forwarded-For: 10.7.7.7, ${canary}\r\n` +
      `Forwarded: for=10.7.7.7\r\nAuthorization: Bearer ${canary}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const said = async (bytes: string | Buffer, port: number, half = true) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {}); // garbage may be answered by a reset
      let answer = '';
      socket.on('data', (data) => {
        answer += data.toString('latin1');
      });
      socket[half ? 'end' : 'write'](bytes);
      await new Promise((resolve) => socket.once('close', resolve));
      return answer;
    };
    expect(await said(head('/v1/metrics'), gateway.port, false)).toMatch(/^HTTP\/1.1 200/);
    expect(await said(head(`/${canary}/v1/metrics`), gateway.port, false)).toMatch(/^HTTP\/1.1 404/);
    const hello = Buffer.from('16030100050100000100ff', 'hex');
    for (const port of [gateway.port, gateway.grpcPort])
      for (const bytes of [
        hello,
        `${canary}\r\n\r\n`,
        `GET / HTTP/1.0\r\nHost: ${canary}\r\n\r\n`,
        `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${canary}`,
        Buffer.alloc(4_096, 0xff),
      ])
        await said(bytes, port);
    await until(() => backend.requests.length === 1, 'the honest request');
    const [{ headers, body: forwarded } = { headers: {}, body: Buffer.alloc(0) }] = backend.requests;
    expect(forwarded.includes(canary) || forwarded.includes('10.7.7.7')).toBe(false);
    expect(JSON.stringify(headers)).not.toMatch(/canary|10\.7\.7\.7|forwarded/i);
    const own = [...(await gateway.metrics()).keys()]
      .filter((name) => !name.includes('exporter="otlp_http"'))
      .join('\n');
    expect(own).not.toMatch(/canary|10\.7\.7\.7|127\.0\.0\.1/);
    expect(gateway.log()).toBe('');
  });

  // ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  it.each([
    [400, 400],
    [429, 429],
    [500, 500],
    [502, 503],
    [503, 503],
  ])('the backend answers %i: so does the gateway, with %i', async (status, given) => {
    backend.answers(status);
    expect((await post(gateway, JSON.stringify(await request()))).status).toBe(given);
    expect(backend.requests).toHaveLength(1);
  });

  it.each([
    ['text/plain', 415],
    ['application/x-protobuf', 400],
    ['application/json', 400],
  ])('garbage as %s: %i', async (type, status) => {
    expect((await post(gateway, 'garbage', { 'content-type': type })).status).toBe(status);
  });

  it('a body of more than 256 KiB is refused, also when it only unpacks to that', async () => {
    const large = JSON.stringify({ ...(await request()), padding: ' '.repeat(300_000) });
    expect((await post(gateway, large)).status).toBe(400);
    expect((await post(gateway, gzipSync(large), { 'content-encoding': 'gzip' })).status).toBe(400);
    expect(backend.requests).toHaveLength(0);
  });

  it.each(['', 'thirty-one bytes are not enough'])(
    'without a pepper of 32 bytes (%j) it does not start',
    async (pepper) => {
      const weak = await gatewayServer(need.path, backend.url, { LHP_OTEL_PEPPER: pepper });
      await expect(weak.start()).rejects.toThrow(/hmac_key/);
    },
  );
});
