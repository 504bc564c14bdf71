// Tests the gateway's switches (deploy/collector/*.yaml) with the real collector: the table in
// deploy/generate/switches.ts is right about each; with TLS, tokens and client certificates our own
// client can deliver and nobody else can; the queue for CI jobs keeps what it has acknowledged.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { excludedBy, SWITCHES, variablesIn } from '../../deploy/generate/switches.ts';
import { clientTls, makeCertificates } from '../../scripts/harness/certificates.ts';
import { collector, program, prometheus } from '../../scripts/harness/needs.ts';
import { lhpOtel } from '../../scripts/harness/otlp-server.ts';
import { digest } from '../../scripts/harness/runs.ts';
import { idle, projectRoot, type Sandbox, sandbox, until } from '../../scripts/harness/sandbox.ts';
import {
  type Gateway,
  gatewayServer,
  PEPPER,
  prometheusServer,
} from '../../scripts/harness/stack.ts';
import type { GenerateEvent } from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { LOCAL_EVENT } from '../support/event.ts';
import { lacking } from '../support/lacking.ts';
import { grpcExport } from '../support/protobuf.ts';
import { extended, sampled } from '../support/tags.ts';

const PREFIX = 'LHP_OTEL_EXPORTER_OTLP_';
const TOKEN = 'a-token-that-only-clients-know';

const openssl = program('openssl');
const secrets = mkdtempSync(join(tmpdir(), 'lhp-otel-switches-'));
const secret = (name: string) => join(secrets, name);
const servers: { stop(): Promise<unknown> }[] = [];
const boxes: Sandbox[] = [];
afterAll(async () => {
  for (const server of servers) await server.stop();
  for (const box of boxes) {
    await idle(box);
    box.dispose();
  }
  rmSync(secrets, { recursive: true });
});

/** A backend that counts requests, notes their tenants, and answers with a given status. */
async function countingBackend() {
  const backend = { requests: 0, tenants: [] as unknown[], status: 200, url: '' };
  const server = createServer((incoming, outgoing) => {
    incoming.resume().on('end', () => {
      backend.requests += 1;
      backend.tenants.push(incoming.headers['x-scope-orgid']);
      outgoing.writeHead(backend.status).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  backend.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  servers.push({
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return backend;
}

async function gatewayWith(
  switches: string[],
  backend: string,
  more: Record<string, string> = {},
): Promise<Gateway> {
  const gateway = await gatewayServer(
    needed.path,
    backend,
    { LHP_OTEL_SECRETS: secrets, ...more },
    switches,
  );
  await gateway.start();
  servers.push(gateway);
  return gateway;
}
const needed = collector();

describe('the table of switches', () => {
  const folder = join(projectRoot, 'deploy', 'collector');
  const text = (name: string) => readFileSync(join(folder, `${name}.yaml`), 'utf8');

  it('has one row for each file, and refers only to rows above', () => {
    const names = SWITCHES.map(({ name }) => name);
    expect(names.toSorted()).toEqual(
      readdirSync(folder)
        .map((file) => file.replace('.yaml', ''))
        .toSorted(),
    );
    for (const [i, { needs = [], excludes = [] }] of SWITCHES.entries())
      for (const other of [...needs, ...excludes]) expect(names.slice(0, i)).toContain(other);
  });

  it('passes each variable through a compose file and explains it in .env.example', () => {
    const compose = [
      'docker-compose.yml',
      'deploy/docker-compose.cluster.yml',
      'deploy/docker-compose.victoriametrics.yml',
    ].map((file) => readFileSync(join(projectRoot, file), 'utf8'));
    const example = readFileSync(join(projectRoot, '.env.example'), 'utf8');
    for (const variable of SWITCHES.flatMap(({ name }) => variablesIn(text(name)))) {
      expect(compose.some((file) => file.includes(`\${${variable}:-`))).toBe(true);
      expect(example).toMatch(new RegExp(`^#${variable}=`, 'm'));
    }
  });

  // The collector replaces a list or a value that two files set. Nothing warns of it.
  it('two switches that set the same thing differently need or exclude each other', () => {
    const settings = (value: unknown, path: string): [string, string][] =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([key, one]) => settings(one, `${path}.${key}`))
        : [[path, JSON.stringify(value)]];
    for (const { name, needs = [] } of SWITCHES)
      for (const other of SWITCHES.slice(
        0,
        SWITCHES.findIndex((one) => one.name === name),
      )) {
        const before = new Map(settings(load(text(other.name)), ''));
        const replaced = settings(load(text(name)), '').filter(
          ([path, value]) => before.has(path) && before.get(path) !== value,
        );
        const known = [...needs, ...excludedBy(name)].includes(other.name);
        expect([name, other.name, known ? [] : replaced]).toEqual([name, other.name, []]);
      }
  });

  describe('the collector', () => {
    if (lacking(needed)) return;
    const status = (names: readonly string[]) =>
      spawnSync(
        needed.path,
        ['validate', '--config', join(projectRoot, 'otel-collector.yaml')].concat(
          names.flatMap((name) => ['--config', join(folder, `${name}.yaml`)]),
        ),
        {
          env: {
            LHP_OTEL_PEPPER: PEPPER,
            LHP_OTEL_QUEUE: tmpdir(),
            ...Object.fromEntries(
              names.flatMap((name) => variablesIn(text(name))).map((name) => [name, 'http://a']),
            ),
          },
        },
      ).status;

    it.each(SWITCHES)('accepts $name with the switches that it needs', ({ name, needs = [] }) => {
      expect(status([...needs, name])).toBe(0);
    });

    it.each(SWITCHES.filter(({ needs }) => needs))(
      'refuses $name without the switches that it needs',
      ({ name }) => {
        expect(status([name])).not.toBe(0);
      },
    );
  });
});

describe('TLS, tokens and client certificates', () => {
  if (lacking(needed, openssl)) return;
  let backend: Awaited<ReturnType<typeof countingBackend>>;
  let withTokens: Gateway;
  let mutual: Gateway;

  beforeAll(async () => {
    makeCertificates(openssl.path, secrets);
    writeFileSync(secret('tokens'), `another-token\n${TOKEN}\n`);
    backend = await countingBackend();
    withTokens = await gatewayWith(['tls', 'tokens'], backend.url);
    mutual = await gatewayWith(['tls', 'mtls', 'grpc'], backend.url);
  });
  beforeEach(() => {
    backend.requests = 0;
  });

  const variables = (settings: Record<string, string>) =>
    Object.fromEntries(Object.entries(settings).map(([name, value]) => [PREFIX + name, value]));
  /** Records one run of a new user with these client settings. Returns 'sent' or the error. */
  async function delivered(
    gateway: Gateway,
    settings: Record<string, string>,
  ): Promise<'sent' | string> {
    const box = sandbox({ path: [join(projectRoot, 'test', 'fixtures', 'bin')], env: { DO: ':' } });
    boxes.push(box);
    const project = join(box.dir, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'lhp.yaml'), 'name: switches\n');
    const env = variables({ ENDPOINT: gateway.url, TIMEOUT: '5000', ...settings });
    await lhpOtel(box, ['run', '--', 'lhp', 'generate', '--env', 'dev'], { cwd: project, env });
    await idle(box);
    const sent = readdirSync(box.historyDir, { withFileTypes: true }).some(({ name }) =>
      name.endsWith('.sent.json'),
    );
    if (sent) return 'sent';
    expect(readdirSync(box.spoolDir)).toHaveLength(1);
    return (await lhpOtel(box, ['flush'], { cwd: project, env })).stderr;
  }
  const ca = { CERTIFICATE: secret('ca.crt') };
  const bearer = (token: string) => ({ HEADERS: `authorization=Bearer%20${token}` });
  const certificate = {
    CLIENT_CERTIFICATE: secret('client.crt'),
    CLIENT_KEY: secret('client.key'),
  };

  sampled(it, 4).each<[string, () => Gateway, Record<string, string>, RegExp | 'sent']>([
    ['TLS and a token', () => withTokens, { ...ca, ...bearer(TOKEN) }, 'sent'],
    ['another token of the file', () => withTokens, { ...ca, ...bearer('another-token') }, 'sent'],
    ['no token', () => withTokens, ca, /credentials \(HTTP 401\)/],
    ['a wrong token', () => withTokens, { ...ca, ...bearer('wrong') }, /credentials \(HTTP 401\)/],
    [
      'another authority',
      () => withTokens,
      { CERTIFICATE: secret('other.crt'), ...bearer(TOKEN) },
      /no connection/,
    ],
    ['a client certificate', () => mutual, { ...ca, ...certificate }, 'sent'],
    ['no client certificate', () => mutual, ca, /no connection/],
  ])('%s', async (_, gateway, settings, expected) => {
    const outcome = await delivered(gateway(), settings);
    if (expected === 'sent') expect(outcome).toBe('sent');
    else expect(outcome).toMatch(expected);
    expect(backend.requests).toBe(expected === 'sent' ? 1 : 0);
  });

  it('a client with an http endpoint keeps its run until the endpoint is corrected', async () => {
    const plain = { ENDPOINT: mutual.url.replace('https:', 'http:'), TIMEOUT: '500' };
    expect(await delivered(mutual, plain)).toMatch(/ECONNRESET|speaks TLS \(HTTP 400\)/);
    const env = variables({ ENDPOINT: mutual.url, ...ca, ...certificate });
    const flushed = await lhpOtel(boxes.at(-1) as Sandbox, ['flush'], { env });
    expect(flushed).toMatchObject({ status: 0, stdout: '1 delivered, none waiting\n', stderr: '' });
    expect(backend.requests).toBe(1);
  });

  it('accepts an added token and refuses a removed one without a restart', async () => {
    const ask = async (token: string) => {
      // The gateway answers an empty request without the backend.
      const out = request(`${withTokens.url}/v1/metrics`, {
        method: 'POST',
        ...clientTls(secrets),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      });
      out.end('{"resourceMetrics":[]}');
      const [answer] = await once(out, 'response');
      answer.resume();
      return answer.statusCode as number;
    };
    expect(await ask('a-new-token')).toBe(401);
    writeFileSync(secret('tokens'), `${TOKEN}\na-new-token\n`);
    const deadline = Date.now() + 20_000;
    while ((await ask('a-new-token')) !== 200) expect(Date.now()).toBeLessThan(deadline);
    expect(await ask('another-token')).toBe(401);
    expect(await ask(TOKEN)).toBe(200);
  });

  it('gRPC answers no client without a certificate', async () => {
    const { ca: authority } = clientTls(secrets);
    const refused = await grpcExport(mutual.grpcPort, Buffer.alloc(0), { ca: authority }).catch(
      () => 'refused',
    );
    expect(['', 'refused']).toContain(refused);
    expect(await grpcExport(mutual.grpcPort, Buffer.alloc(0), clientTls(secrets))).toBe('0');
  });

  it('serves others, and logs nothing, during invalid data and open handshakes', async () => {
    const open: Socket[] = [];
    for (const { port } of [withTokens, mutual])
      for (const bytes of [
        'GET / HTTP/1.1\r\nHost: canary\r\n\r\n',
        Buffer.alloc(4_096, 0xff),
        '\x16\x03\x01\x00\x05\x01',
      ]) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {}); // the server closes the connection
        await once(socket, 'connect');
        socket.end(bytes);
        await new Promise((resolve) => socket.resume().once('close', resolve));
      }
    for (let i = 0; i < 1_000; i += 1) {
      const socket = connect(withTokens.port, '127.0.0.1');
      socket.on('error', () => {}); // the server closes the connection
      socket.write(Buffer.from('1603010200', 'hex'));
      open.push(socket);
    }
    await Promise.all(
      open.map((socket) => (socket.connecting ? once(socket, 'connect') : undefined)),
    );
    expect(await delivered(withTokens, { ...ca, ...bearer(TOKEN) })).toBe('sent');
    for (const socket of open) socket.destroy();
    for (const gateway of [withTokens, mutual]) expect(gateway.log()).toBe('');
  });

  it('tls, mtls, tokens, grpc and ci-queue work together', async () => {
    const gateway = await gatewayWith(['tls', 'mtls', 'tokens', 'grpc', 'ci-queue'], backend.url);
    expect(await delivered(gateway, { ...ca, ...certificate })).toMatch(/credentials \(HTTP 401\)/);
    expect(await delivered(gateway, { ...ca, ...bearer(TOKEN) })).toMatch(/no connection/);
    expect(await delivered(gateway, { ...ca, ...bearer(TOKEN), ...certificate })).toBe('sent');
    expect(gateway.log()).toBe('');
  });
});

describe('the queue for CI jobs', () => {
  const database = prometheus();
  if (lacking(needed, database)) return;

  beforeAll(() => writeFileSync(secret('tokens'), `${TOKEN}\n`));

  const body = (machine: number, ci: boolean, at: number) => {
    const event: GenerateEvent = {
      ...LOCAL_EVENT,
      machine_id: digest(`${ci ? 'runner' : 'laptop'} ${machine}`),
      is_ci: ci,
    };
    return recordRun(event, { timestamp: at, startedAt: at - 2_500 });
  };
  const post = async (gateway: Gateway, bytes: Uint8Array | string) => {
    const answer = await fetch(`${gateway.url}/v1/metrics`, {
      method: 'POST',
      body: bytes as string,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  const points = async (gateway: Gateway, what: string, exporter: string) =>
    [...(await gateway.metrics())]
      .filter(([name]) => name.startsWith(what) && name.includes(`exporter="${exporter}"`))
      .reduce((sum, [, value]) => sum + value, 0);

  it(
    'stores acknowledged CI runs once, through a kill; does not queue others',
    extended,
    async () => {
      const backend = await prometheusServer(database.path);
      await backend.start();
      servers.push(backend);
      const gateway = await gatewayWith(['tokens', 'ci-queue'], `${backend.url}/api/v1/otlp`);
      const now = Date.now();
      const stored = (ci: boolean) =>
        backend.value(`sum(sum_over_time(lhp_generate_runs_total{lhp_ci="${ci}"}[9d]))`);
      expect(await post(gateway, await body(0, true, now))).toBe(200);
      expect(await post(gateway, await body(0, false, now))).toBe(200);
      await backend.kill();
      const RUNS = 300;
      const send = async (ci: boolean) => {
        const answers = new Set<number>();
        for (let i = 1; i <= RUNS; i += 1)
          answers.add(await post(gateway, await body(i % 20, ci, now + i)));
        return [...answers];
      };
      expect(await send(true)).toEqual([200]);
      expect(await send(false)).toEqual([503]);
      await gateway.kill();
      await backend.start();
      await gateway.start();
      const deadline = Date.now() + 60_000;
      while ((await stored(true)) !== RUNS + 1) expect(Date.now()).toBeLessThan(deadline);
      expect(await stored(false)).toBe(1);
      expect(await send(false)).toEqual([200]);
      expect(await stored(false)).toBe(RUNS + 1);
      expect(await stored(true)).toBe(RUNS + 1);
      expect(gateway.log()).toBe('');
    },
  );

  it('loses and counts queued runs if the backend answers 500', async () => {
    const backend = await countingBackend();
    backend.status = 500;
    const gateway = await gatewayWith(['tokens', 'ci-queue'], backend.url);
    const now = Date.now();
    expect(await post(gateway, await body(1, false, now))).toBe(500);
    expect(await post(gateway, await body(1, true, now))).toBe(200);
    let lost = 0;
    await until(() => backend.requests === 2, 'both requests at the backend');
    const deadline = Date.now() + 20_000;
    while (lost === 0) {
      expect(Date.now()).toBeLessThan(deadline);
      lost = await points(
        gateway,
        'otelcol_exporter_send_failed_metric_points',
        'otlp_http/queued',
      );
    }
    expect(lost).toBe(7);
  });

  it('with the switch tenant, sends queued runs to the tenant, too', async () => {
    const backend = await countingBackend();
    const gateway = await gatewayWith(['tokens', 'ci-queue', 'tenant'], backend.url, {
      LHP_OTEL_TENANT: 'team-a',
    });
    const now = Date.now();
    for (const ci of [false, true]) expect(await post(gateway, await body(1, ci, now))).toBe(200);
    await until(() => backend.requests === 2, 'both requests at the backend');
    expect(backend.tenants).toEqual(['team-a', 'team-a']);
  });

  it('drops what does not match the contract, and counts it once', async () => {
    const backend = await countingBackend();
    const gateway = await gatewayWith(['tokens', 'ci-queue'], backend.url);
    const good = new TextDecoder().decode(await body(1, true, Date.now()));
    for (const bad of [
      good.replace('"cpython"', '"jython"'),
      good.replace('"boolValue":true', '"stringValue":"yes"'),
      good.replace('"boolValue":true', '"boolValue":false').replace('"cpython"', '"jython"'),
    ]) {
      const before = await gateway.dropped('resource');
      expect(await post(gateway, bad)).toBe(200);
      expect((await gateway.dropped('resource')) - before).toBe(7);
    }
    expect(backend.requests).toBe(0);
  });
});
