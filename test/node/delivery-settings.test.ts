// Where runs are delivered to, with what and how: each setting of the endpoint, from each place
// that can state it, and its TLS. `status` and `flush` name a wrong one, and nothing is sent.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../scripts/harness/certificates.ts';
import { program } from '../../scripts/harness/needs.ts';
import { type OtlpServer, startOtlpServer } from '../../scripts/harness/otlp-server.ts';
import { type Env, sandbox } from '../../scripts/harness/sandbox.ts';
import type { Status } from '../../src/status.ts';
import {
  history,
  kinds,
  leavePlaces,
  type Place,
  PREFIX,
  place,
  reported,
  spooled,
  statusOf,
  tell,
} from '../support/delivery.ts';
import { lacking } from '../support/lacking.ts';
import { sampled } from '../support/tags.ts';

afterAll(leavePlaces);

describe('configuration', () => {
  const configFile = ({ box }: Place) => join(box.home, '.config', 'lhp-otel', 'config.json');
  const configure = (where: Place, config: unknown) => {
    mkdirSync(join(where.box.home, '.config', 'lhp-otel'), { recursive: true });
    writeFileSync(configFile(where), typeof config === 'string' ? config : JSON.stringify(config));
  };
  const SECRET = 'hidden-value';

  /**
   * `status`, `status --json` and `flush` name the problem and exit with 1. A wrapped run prints
   * nothing and waits, and nothing is sent.
   */
  async function expectWrong(where: Place, env: Env, problem: RegExp): Promise<void> {
    const state = await tell(where, ['status', '--json'], env);
    expect((JSON.parse(state.stdout) as Status).problems.join('\n')).toMatch(problem);
    expect(state.status).toBe(1);
    const text = await tell(where, ['status'], env);
    expect(text).toMatchObject({ status: 1, stderr: expect.stringMatching(problem) });
    await reported(where, env);
    const flushed = await tell(where, ['flush'], env);
    expect(flushed).toMatchObject({ status: 1, stderr: expect.stringMatching(problem) });
    expect(where.server.connections()).toBe(0);
    expect(kinds(spooled(where))).toEqual(['.json']);
    const said = [state, text, flushed].map(({ stdout, stderr }) => stdout + stderr).join('');
    const kept = readFileSync(join(where.box.stateDir, 'delivery.json'), 'utf8');
    expect(said + kept).not.toContain(SECRET);
  }

  sampled(it.concurrent, 32).each<[string, string, RegExp]>([
    ['ENDPOINT', 'collector', /ENDPOINT.* URL.*https:\/\//],
    ['ENDPOINT', '127.0.0.1:4318', /ENDPOINT.* URL|ENDPOINT.* https or http/],
    ['ENDPOINT', 'ftp://127.0.0.1', /ENDPOINT.* ftp.* https or http/],
    ['ENDPOINT', `http://user:${SECRET}@127.0.0.1`, /ENDPOINT.* password.* headers/],
    ['ENDPOINT', `http://127.0.0.1/?key=${SECRET}`, /ENDPOINT.* query.* base URL/],
    ['TIMEOUT', 'soon', /TIMEOUT.* "soon".* 1 to 60000/],
    ['TIMEOUT', '0', /TIMEOUT.* "0".* 1 to 60000/],
    ['TIMEOUT', '-1', /TIMEOUT.* "-1".* 1 to 60000/],
    ['TIMEOUT', '1.5', /TIMEOUT.* "1.5".* 1 to 60000/],
    ['TIMEOUT', '60001', /TIMEOUT.* "60001".* 1 to 60000/],
    ['COMPRESSION', 'zip', /COMPRESSION.* "zip".* gzip or none/],
    ['COMPRESSION', 'GZIP', /COMPRESSION.* "GZIP".* gzip or none/],
    ['HEADERS', SECRET, /HEADERS.* name=value/],
    ['HEADERS', `a b=${SECRET}`, /HEADERS.* name=value|HEADERS.*a b/],
    ['HEADERS', `key=${SECRET}%`, /HEADERS.* key/],
    ['HEADERS', `key=${SECRET}%0d%0aevil:1`, /HEADERS.* key/],
    ['HEADERS', `ok=1,=${SECRET}`, /HEADERS.* name=value/],
    ['HEADERS', 'Content-Length=3', /HEADERS.* Content-Length .*describes the request/],
    ['HEADERS', 'a=1,transfer-encoding=chunked', /transfer-encoding .*belongs to the connection/],
    ['HEADERS', 'host=other.example', /host .*endpoint names the host/],
    ['HEADERS', 'content-encoding=gzip', /content-encoding .*COMPRESSION/],
    ['HEADERS', 'Proxy-Authorization=x', /Proxy-Authorization .*proxy's variable/],
    ...[
      ...['connection', 'keep-alive', 'te', 'trailer', 'upgrade', 'expect', 'content-type'],
      ...['accept-encoding', 'user-agent', 'proxy-connection', 'http2-settings'],
    ].map((name): [string, string, RegExp] => [
      'HEADERS',
      `${name}=${SECRET}`,
      RegExp(`header ${name} `),
    ]),
    ['TIMEOUT', '2m', /TIMEOUT.* "2m".* 1 to 60000/],
    ['TIMEOUT', '0s', /TIMEOUT.* "0s".* 1 to 60000/],
    ['TIMEOUT', '0.5ms', /TIMEOUT.* "0.5ms".* 1 to 60000/],
    ['TIMEOUT', '1h', /TIMEOUT.* "1h".* 1 to 60000.* 10s/],
    ['TIMEOUT', '1e3', /TIMEOUT.* "1e3".* 1 to 60000/],
    ['CERTIFICATE', '/nowhere/ca.pem', /CERTIFICATE.*\/nowhere\/ca\.pem/],
    ['CLIENT_CERTIFICATE', '/nowhere/cert.pem', /CLIENT_CERTIFICATE.*\/nowhere\/cert\.pem/],
    ['CLIENT_KEY', '/nowhere/key.pem', /CLIENT_KEY.*\/nowhere\/key\.pem/],
  ])('%s=%s is wrong', async (name, value, problem) => {
    await expectWrong(await place(), { [PREFIX + name]: value }, problem);
  });

  sampled(it.concurrent, 16).each<[string, unknown, RegExp]>([
    ['no JSON', `{"headers": "${SECRET}`, /config\.json.* JSON/],
    ['a list', [], /config\.json.* object/],
    ['an unknown key', { endpont: 'x' }, /config\.json.* endpont.* endpoint, headers/],
    [
      'an endpoint that is no string',
      { endpoint: 4318 },
      /endpoint.*config\.json is 4318 .*URL.*https:\/\//,
    ],
    [
      'an endpoint that is no URL',
      { endpoint: 'collector' },
      /endpoint.*config\.json.* URL.*https:\/\//,
    ],
    [
      'a timeout that is no number',
      { timeout: 'soon' },
      /timeout.*config\.json.* "soon".* 1 to 60000/,
    ],
    ['a timeout that is a list', { timeout: [100] }, /timeout.*config\.json.* 1 to 60000/],
    [
      'an unknown compression',
      { compression: 'zstd' },
      /compression.*config\.json.* "zstd".* gzip or none/,
    ],
    [
      'a compression that is no string',
      { compression: true },
      /compression.*config\.json.* gzip or none/,
    ],
    ['headers that are a list', { headers: [SECRET] }, /headers.*config\.json.* name=value/],
    ['a header that is no string', { headers: { key: [SECRET] } }, /headers.*config\.json.* key/],
    [
      'a header with a line break',
      { headers: { key: `${SECRET}\n` } },
      /headers.*config\.json.* key/,
    ],
    [
      'a header of the connection',
      { headers: { 'Transfer-Encoding': SECRET } },
      /Transfer-Encoding/,
    ],
    [
      'a certificate that is no string',
      { certificate: 1 },
      /certificate.*config\.json is 1 .*PEM file/,
    ],
    [
      'a certificate that is not there',
      { certificate: '/nowhere/ca.pem' },
      /certificate.*\/nowhere\/ca\.pem/,
    ],
  ])('config.json with %s is wrong', async (title, config, problem) => {
    const where = await place();
    configure(
      where,
      typeof config === 'object' && !Array.isArray(config)
        ? { endpoint: where.server.endpoint, ...config }
        : config,
    );
    where.env = {};
    // A file that cannot be read may say `enabled: false`, so nothing is recorded either.
    if (title === 'no JSON' || title === 'a list') {
      expect(await tell(where, ['status'])).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(problem),
      });
      await reported(where);
      expect([where.server.connections(), spooled(where)]).toEqual([0, []]);
    } else await expectWrong(where, {}, problem);
  });

  sampled(it.concurrent, 8).each(['-1', '1.5', '1h', '11m', '2 sec', '1e3', 'soon', '0x10'])(
    'LHP_OTEL_FLUSH_TIMEOUT=%s is wrong',
    async (value) => {
      const wrong = { LHP_OTEL_FLUSH_TIMEOUT: value };
      const legal =
        /LHP_OTEL_FLUSH_TIMEOUT is ".*"; it must be like 2s, 500ms or 1m.* 10m; 0 never/;
      const where = await place();
      await expectWrong(where, wrong, legal);
      const doctor = await tell(where, ['doctor'], wrong);
      expect(doctor).toMatchObject({ status: 1, stdout: expect.stringMatching(legal) });
    },
  );

  sampled(it.concurrent, 12).each([
    ['1500', 1500],
    ['1.5s', 1500],
    ['1.005s', 1005],
    ['250ms', 250],
    ['1m', 60_000],
    ['0.5m', 30_000],
    [' 10 s ', 10_000],
  ])('TIMEOUT=%s is %i ms, in the environment and in a file', async (value, milliseconds) => {
    const where = await place();
    expect((await statusOf(where, { [`${PREFIX}TIMEOUT`]: value })).timeout_ms).toBe(milliseconds);
    configure(where, { endpoint: where.server.endpoint, timeout: value });
    where.env = {};
    expect((await statusOf(where)).timeout_ms).toBe(milliseconds);
  });

  it.concurrent('the endpoint can be the operator’s and the credentials the user’s', async () => {
    const where = await place();
    configure(where, { headers: { authorization: 'Bearer mine' } });
    await reported(where);
    expect(where.server.requests[0]?.headers.authorization).toBe('Bearer mine');
  });

  it.concurrent('headers to a port that other users can open: a warning', async () => {
    const where = await place();
    const headers = { [`${PREFIX}HEADERS`]: `key=${SECRET}` };
    const said = /plain http on this machine.* any user of it can take port \d+/;
    expect((await statusOf(where, headers)).warnings).toEqual([expect.stringMatching(said)]);
    expect((await statusOf(where)).warnings).toEqual([]);
    const root = { ...headers, [`${PREFIX}ENDPOINT`]: 'http://127.0.0.1:431' };
    expect((await statusOf(where, root)).warnings).toEqual([]);
  });

  it.concurrent('plain http to another machine: a warning; with headers, an error', async () => {
    const where = await place();
    const far = { [`${PREFIX}ENDPOINT`]: 'http://collector.example:4318' };
    const warned = await tell(where, ['status'], far);
    expect(warned).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^warning: .*http to collector\.example/m),
    });
    await expectWrong(
      where,
      { ...far, [`${PREFIX}HEADERS`]: `key=${SECRET}` },
      /http to collector\.example.*https/,
    );
  });

  sampled(it.concurrent, 12).each([
    'http://localhost:4318',
    'http://127.0.0.1',
    'http://127.9.9.9:1',
    'http://[::1]:4318',
    'https://collector.example',
  ])('%s with headers is accepted, and status shows their names only', async (endpoint) => {
    const where = await place();
    const env = {
      [`${PREFIX}ENDPOINT`]: endpoint,
      [`${PREFIX}HEADERS`]: `key=${SECRET},other=%20${SECRET}`,
    };
    for (const args of [['status'], ['status', '--json']]) {
      const told = await tell(where, args, env);
      expect(told).toMatchObject({
        status: 0,
        stderr: '',
        stdout: expect.stringMatching(/key[\s\S]*other/),
      });
      expect(told.stdout).not.toContain(SECRET);
    }
  });

  it.concurrent('headers arrive decoded, trimmed and complete', async () => {
    const where = await place();
    await reported(where, {
      [`${PREFIX}HEADERS`]: ',x-key = a%20b%3D%2C , ,authorization=Bearer%20abc,x-empty=,',
    });
    expect(where.server.requests[0]?.headers).toMatchObject({
      'x-key': 'a b=,',
      authorization: 'Bearer abc',
      'x-empty': '',
      'content-type': 'application/json',
    });
  });

  sampled(it.concurrent, 4).each([
    ['', '/v1/metrics'],
    ['/', '/v1/metrics'],
    ['/otlp', '/otlp/v1/metrics'],
    ['/otlp/', '/otlp/v1/metrics'],
  ])('the base URL "…%s": posts go to %s', async (suffix, path) => {
    const where = await place();
    await reported(where, { [`${PREFIX}ENDPOINT`]: ` ${where.server.endpoint}${suffix} ` });
    expect(where.server.requests.map((request) => request.path)).toEqual([path]);
  });

  it.concurrent('the environment overrides the user’s file, key by key', async () => {
    const where = await place();
    const other = await startOtlpServer();
    configure(where, {
      endpoint: other.endpoint,
      headers: { 'x-from': 'file' },
      compression: 'gzip',
    });
    const { [`${PREFIX}ENDPOINT`]: endpoint } = where.env;
    where.env = {};
    await reported(where);
    expect((await statusOf(where)).endpoint_source).toBe(configFile(where));
    where.env = { [`${PREFIX}ENDPOINT`]: endpoint, [`${PREFIX}COMPRESSION`]: 'none' };
    await reported(where);
    expect((await statusOf(where)).endpoint_source).toBe('the environment');
    await other.close();
    const seen = ({ requests }: OtlpServer) =>
      requests.map(({ headers }) => [headers['x-from'], headers['content-encoding']]);
    expect([seen(other), seen(where.server)]).toEqual([[['file', 'gzip']], [['file', undefined]]]);
  });

  it.concurrent('no file inside a project can name a collector', async () => {
    const where = await place();
    const evil = JSON.stringify({ endpoint: where.server.endpoint });
    for (const path of [
      ...[
        'config.json',
        'lhp-otel/config.json',
        '.config/lhp-otel/config.json',
        '.lhp-otel/config.json',
      ],
      ...[
        '.lhp-otel.json',
        'config/config.json',
        'etc/lhp-otel/config.json',
        'state/lhp-otel/config.json',
      ],
    ]) {
      mkdirSync(join(where.project, path, '..'), { recursive: true });
      writeFileSync(join(where.project, path), evil);
    }
    const line = `${PREFIX}ENDPOINT=${where.server.endpoint}\n`;
    writeFileSync(join(where.project, '.env'), line);
    writeFileSync(
      join(where.project, 'lhp.yaml'),
      `name: delivery\nlhp_otel: ${evil}\ntelemetry: ${evil}\n`,
    );
    where.env = {};
    // The XDG Base Directory specification says to ignore a relative folder; here it would be in
    // the project.
    for (const more of [
      {},
      { XDG_CONFIG_HOME: '.', XDG_STATE_HOME: 'state' },
      { XDG_CONFIG_HOME: '.config' },
    ]) {
      await reported(where, more);
      expect((await statusOf(where, more)).mode).toBe('local');
    }
    expect(kinds(history(where))).toEqual(['.local.json', '.local.json', '.local.json']);
    expect(where.server.connections()).toBe(0);
  });

  it.concurrent('the OTEL_EXPORTER_OTLP_* of other applications name no collector', async () => {
    const where = await place();
    where.env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: where.server.endpoint,
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: where.server.endpoint,
    };
    await reported(where);
    expect((await statusOf(where)).mode).toBe('local');
    expect(where.server.connections()).toBe(0);
  });
});

describe('TLS', () => {
  const openssl = program('openssl');
  if (lacking(openssl)) return;
  const box = sandbox();
  const file = (name: string) => join(box.dir, name);

  beforeAll(() => {
    makeCertificates(openssl.path, box.dir);
    writeFileSync(file('garbage.pem'), 'no certificate');
  });
  afterAll(() => box.dispose());

  const server = () => ({
    key: readFileSync(file('server.key')),
    cert: readFileSync(file('server.crt')),
  });
  const mutual = () => ({
    ...server(),
    ca: readFileSync(file('ca.crt')),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const tlsEnv = (files: Record<string, string>) =>
    Object.fromEntries(Object.entries(files).map(([name, path]) => [PREFIX + name, file(path)]));
  const client = { CLIENT_CERTIFICATE: 'client.crt', CLIENT_KEY: 'client.key' };

  it.concurrent.each<[string, () => object, Record<string, string>, RegExp | 'delivered']>([
    ['the authority of the server’s certificate', server, { CERTIFICATE: 'ca.crt' }, 'delivered'],
    ['no authority', server, {}, /UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET/],
    [
      'another authority',
      server,
      { CERTIFICATE: 'other.crt' },
      /UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET/,
    ],
    [
      'mutual, with the client’s certificate',
      mutual,
      { CERTIFICATE: 'ca.crt', ...client },
      'delivered',
    ],
    [
      'mutual, without a client certificate',
      mutual,
      { CERTIFICATE: 'ca.crt' },
      /ERR_SSL|ECONNRESET|EPIPE/,
    ],
    [
      'a file without a certificate',
      server,
      { CERTIFICATE: 'garbage.pem' },
      /holds no certificate/,
    ],
    [
      'the key of another certificate',
      mutual,
      { ...client, CERTIFICATE: 'ca.crt', CLIENT_KEY: 'server.key' },
      /CLIENT_KEY is not the key of the certificate in .*client\.crt/,
    ],
  ])('%s', async (_, tls, files, expected) => {
    const where = await place({ tls: tls() });
    await reported(where, tlsEnv(files));
    if (expected === 'delivered') {
      expect(kinds(history(where))).toEqual(['.sent.json']);
      expect(where.server.requests).toHaveLength(1);
    } else {
      expect(kinds(spooled(where))).toEqual(['.json']);
      expect(where.server.requests).toEqual([]);
      const { delivery, problems } = await statusOf(where, tlsEnv(files));
      expect(`${delivery.problem ?? ''}${problems.join()}`).toMatch(expected);
    }
  });
});
