// `lhp-otel doctor`: the result of each probe with and without a problem, and what it never shows
// or does.
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../scripts/harness/certificates.ts';
import { freePort, type RealCollector, startCollector } from '../../scripts/harness/collector.ts';
import { collector, program } from '../../scripts/harness/needs.ts';
import {
  lhpOtel,
  type OtlpServer,
  type ServerSetup,
  startOtlpServer,
} from '../../scripts/harness/otlp-server.ts';
import { type Env, type Sandbox, sandbox } from '../../scripts/harness/sandbox.ts';
import { classify } from '../../src/deliver/classify.ts';
import { judgeCertificate } from '../../src/doctor/certificate.ts';
import type { Diagnosis } from '../../src/doctor/doctor.ts';
import { judgeSpace } from '../../src/doctor/machine.ts';
import { judgeClock } from '../../src/doctor/network.ts';
import { lacking } from '../support/lacking.ts';

const PREFIX = 'LHP_OTEL_EXPORTER_OTLP_';
const boxes: Sandbox[] = [];
const servers: OtlpServer[] = [];
afterAll(async () => {
  for (const server of servers) await server.close();
  for (const box of boxes) box.dispose();
});
function newBox() {
  const box = sandbox();
  boxes.push(box);
  return box;
}
async function serve(setup: ServerSetup) {
  const server = await startOtlpServer(setup);
  servers.push(server);
  return server;
}
async function doctor(env: Env, box = newBox()) {
  const told = await lhpOtel(box, ['doctor', '--json'], {
    env: { [`${PREFIX}TIMEOUT`]: '3000', ...env },
  });
  const diagnosis = JSON.parse(told.stdout) as Diagnosis;
  const results = Object.fromEntries(diagnosis.probes.map(({ name, result }) => [name, result]));
  const of = (name: string) => diagnosis.probes.find((probe) => probe.name === name);
  expect(told.status).toBe(Object.values(results).includes('failure') ? 1 : 0);
  expect(diagnosis.ok).toBe(told.status === 0);
  return { told, diagnosis, results, of };
}

describe('against the real collector', () => {
  const needed = collector();
  if (lacking(needed)) return;
  let real: RealCollector;
  beforeAll(async () => {
    real = await startCollector(needed.path);
  });
  afterAll(() => real.stop());
  it('every probe is ok, and the keys are stable', async () => {
    const { diagnosis, results } = await doctor({ [`${PREFIX}ENDPOINT`]: real.endpoint });
    expect(Object.keys(diagnosis)).toEqual([
      'version',
      'mode',
      'situation',
      'ok',
      'endpoint',
      'proxy',
      'probes',
    ]);
    expect(results).toEqual({
      ...{
        consent: 'ok',
        copies: expect.stringMatching(/^(ok|skipped)$/),
        hook: 'skipped',
        configuration: 'ok',
        notice: 'ok',
        state: 'ok',
        folders: 'ok',
        spool: 'ok',
        environment: 'ok',
        proxy: 'ok',
        dns: 'ok',
        tcp: 'ok',
      },
      ...{ tls: 'skipped', request: 'ok', clock: 'ok', delivery: 'ok' },
    });
  });
});

describe('against the gRPC port of the real collector', () => {
  const needed = collector();
  if (lacking(needed)) return;
  let real: RealCollector;
  beforeAll(async () => {
    real = await startCollector(needed.path, 'grpc.yaml');
  });
  afterAll(() => real.stop());
  it('says which port is the right one', async () => {
    const env = { [`${PREFIX}ENDPOINT`]: real.endpoint };
    expect((await doctor(env)).of('request')).toMatchObject({
      result: 'failure',
      detail: expect.stringMatching(/HTTP\/1\.1 .*gRPC is on port 4317, .* on 4318/),
      advice: 'set the port of the endpoint to that of OTLP/HTTP',
    });
  });
});
it.each<[string, string, boolean]>([
  ['http://collector:4318/v1/metrics', 'HPE_INVALID_CONSTANT', true],
  ['https://collector:4317/v1/metrics', 'ECONNRESET', true], // a gRPC server ends the connection
  ['https://collector:4318/v1/metrics', 'ECONNRESET', false],
  ['http://collector:4317/v1/metrics', 'ECONNREFUSED', false],
])('%s, %s: the message names the gRPC port: %s', (url, code, named) => {
  expect(classify({ code }, url).why.includes('OTLP/gRPC')).toBe(named);
});

describe('this machine', () => {
  it('no endpoint: ok, and no network activity', async () => {
    const { results, of } = await doctor({});
    expect(of('configuration')?.detail).toMatch(/stay on this machine/);
    expect([results.dns, results.tcp, results.request]).toEqual(['skipped', 'skipped', 'skipped']);
  });
  it('off: names the layer, and connects to nothing', async () => {
    const server = await serve({});
    const { of } = await doctor({ DO_NOT_TRACK: '1', [`${PREFIX}ENDPOINT`]: server.endpoint });
    expect(of('consent')).toMatchObject({
      result: 'warning',
      detail: expect.stringContaining('DO_NOT_TRACK'),
    });
    expect(server.connections()).toBe(0);
  });
  it('off in a file that also names an endpoint: connects to nothing', async () => {
    const [box, server] = [newBox(), await serve({})];
    const folder = join(box.home, '.config', 'lhp-otel');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ enabled: false, endpoint: server.endpoint }),
    );
    expect((await doctor({}, box)).results).toMatchObject({
      consent: 'warning',
      dns: 'skipped',
      request: 'skipped',
    });
    expect(server.connections()).toBe(0);
  });
  it('a wrong configuration', async () => {
    const { of } = await doctor({ [`${PREFIX}ENDPOINT`]: 'ftp://127.0.0.1' });
    expect(of('configuration')).toMatchObject({
      result: 'failure',
      detail: expect.stringContaining('https or http'),
    });
  });
  it('a state folder that cannot be created', async () => {
    const { results } = await doctor({ XDG_STATE_HOME: '/dev/null' });
    expect(results.state).toBe('failure');
  });
  it.skipIf(process.getuid?.() !== 0)('a state folder of another user', async () => {
    const box = newBox();
    mkdirSync(box.stateDir, { recursive: true, mode: 0o700 });
    chownSync(box.stateDir, 12345, 12345);
    const { of } = await doctor({}, box);
    expect(of('state')).toMatchObject({
      result: 'failure',
      detail: expect.stringContaining('12345'),
    });
  });
  it.each([
    [500_000, 'failure'],
    [5_000_000, 'warning'],
    [500_000_000, 'ok'],
  ])('%i bytes left: %s', (bytes, result) =>
    expect(judgeSpace('/state', bytes).result).toBe(result),
  );
  it('counts unreadable and foreign files in the spool, and changes none', async () => {
    const box = newBox();
    mkdirSync(box.spoolDir, { recursive: true, mode: 0o700 });
    for (const name of [`${Date.now()}.json`, 'notes.txt'])
      writeFileSync(join(box.spoolDir, name), 'x');
    const server = await serve({});
    const before = readdirSync(box.spoolDir);
    const { of } = await doctor({ [`${PREFIX}ENDPOINT`]: server.endpoint }, box);
    expect(of('spool')).toMatchObject({
      result: 'warning',
      detail: expect.stringMatching(/^1 waiting.* 1 unreadable, 1 foreign/),
    });
    expect(readdirSync(box.spoolDir)).toEqual(before);
    expect(readdirSync(box.stateDir)).toEqual(['notice.json', 'spool']);
    expect(server.requests.map(({ body }) => body.toString())).toEqual(['{"resourceMetrics":[]}']);
  });
  it('a back-off', async () => {
    const box = newBox();
    mkdirSync(box.stateDir, { recursive: true, mode: 0o700 });
    const retryAt = new Date(Date.now() + 600_000).toISOString();
    writeFileSync(
      join(box.stateDir, 'delivery.json'),
      JSON.stringify({ failures: 3, problem: 'HTTP 500', retryAt }),
    );
    expect((await doctor({}, box)).of('delivery')).toMatchObject({
      result: 'warning',
      detail: expect.stringContaining(retryAt),
    });
  });
});

describe('the network', () => {
  it('a name without an address', async () => {
    expect(
      (await doctor({ [`${PREFIX}ENDPOINT`]: 'https://collector.invalid' })).results,
    ).toMatchObject({
      dns: 'failure',
      tcp: 'skipped',
    });
  });
  it('a port on which nothing listens', async () => {
    const { results } = await doctor({
      [`${PREFIX}ENDPOINT`]: `http://127.0.0.1:${await freePort()}`,
    });
    expect(results).toMatchObject({ dns: 'ok', tcp: 'failure', request: 'skipped' });
  });
  it.each([
    [401, /headers/],
    [403, /headers/],
    [404, /path/],
    [413, /body/],
    [307, /redirect/],
    [500, /backend/],
    [400, /begin with https/],
  ])('HTTP %i', async (status, advice) => {
    const elsewhere = await serve({});
    const body = 'Client sent an HTTP request to an HTTPS server.\n';
    const server = await serve({
      script: [{ status, body, headers: { location: elsewhere.endpoint } }],
    });
    const headers = { [`${PREFIX}HEADERS`]: 'authorization=canary-token' };
    const { of, told } = await doctor({ [`${PREFIX}ENDPOINT`]: server.endpoint, ...headers });
    expect(of('request')).toMatchObject({
      result: 'failure',
      advice: expect.stringMatching(advice),
    });
    expect(server.requests[0]?.headers.authorization).toBe('canary-token');
    expect(told.stdout + told.stderr).not.toContain('canary');
    expect(elsewhere.connections()).toBe(0);
  });
  it.each([
    [-30, 'ok'],
    [120, 'warning'],
    [-120, 'warning'],
    [290, 'warning'],
    [310, 'failure'],
    [-9 * 24 * 3600, 'failure'],
  ])('a clock that is %i s ahead: %s', (seconds, result) => {
    expect(judgeClock(1e12, 1e12 + seconds * 1000).result).toBe(result);
  });
  it('compares the clock with the date of the response', async () => {
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    const server = await serve({ script: [{ headers: { date } }] });
    expect((await doctor({ [`${PREFIX}ENDPOINT`]: server.endpoint })).results).toMatchObject({
      request: 'ok',
      clock: 'failure',
    });
  });
});

describe('TLS', () => {
  const openssl = program('openssl');
  if (lacking(openssl)) return;
  const box = newBox();
  const file = (name: string) => join(box.dir, name);
  const name = 'subjectAltName=IP:127.0.0.1';
  beforeAll(() =>
    makeCertificates(openssl.path, box.dir, {
      good: [name, ['-days', '90']],
      soon: [name, ['-days', '2']],
      expired: [name, ['-days', '-1']],
      other: ['subjectAltName=DNS:other.example', ['-days', '90']],
      client: ['extendedKeyUsage=clientAuth', ['-days', '90']],
    }),
  );
  it.each<[string, string, string[], string, RegExp]>([
    ['good', 'good', ['CERTIFICATE'], 'ok', /valid until/],
    ['about to expire', 'soon', ['CERTIFICATE'], 'warning', /valid until/],
    ['expired', 'expired', ['CERTIFICATE'], 'failure', /CERT_HAS_EXPIRED/],
    ['for another host', 'other', ['CERTIFICATE'], 'failure', /ALTNAME/],
    ['signed by an unknown authority', 'good', [], 'failure', /UNABLE_TO/],
  ])('a certificate that is %s', async (_, which, files, result, detail) => {
    const tls = {
      key: readFileSync(file(`${which}.key`)),
      cert: readFileSync(file(`${which}.crt`)),
    };
    const server = await serve({ tls });
    const env = Object.fromEntries(files.map((key) => [PREFIX + key, file('ca.crt')]));
    const { of, results } = await doctor({ [`${PREFIX}ENDPOINT`]: server.endpoint, ...env });
    expect(of('tls')).toMatchObject({ result, detail: expect.stringMatching(detail) });
    expect(results.request).toBe(result === 'failure' ? 'skipped' : 'ok');
  });
  it('a client certificate that is required: without and with it', async () => {
    const ca = readFileSync(file('ca.crt'));
    const tls = {
      key: readFileSync(file('good.key')),
      cert: readFileSync(file('good.crt')),
      ca,
      requestCert: true,
    };
    const server = await serve({ tls });
    const env = {
      [`${PREFIX}ENDPOINT`]: server.endpoint,
      [`${PREFIX}CERTIFICATE`]: file('ca.crt'),
    };
    expect((await doctor(env)).told.status).toBe(1);
    const client = {
      [`${PREFIX}CLIENT_CERTIFICATE`]: file('client.crt'),
      [`${PREFIX}CLIENT_KEY`]: file('client.key'),
    };
    expect((await doctor({ ...env, ...client })).results).toMatchObject({
      tls: 'ok',
      request: 'ok',
    });
  });
  it('a certificate without an end date is ok', () =>
    expect(judgeCertificate('an authority', undefined).result).toBe('ok'));
});
