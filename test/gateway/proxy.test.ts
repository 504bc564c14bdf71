// Delivery through proxies: a real one (tinyproxy) with a password, and small ones of the test that
// refuse. Endpoints are at 0.0.0.0, which reaches this machine and is not a loopback address;
// loopback addresses are never reached through a proxy.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../scripts/harness/certificates.ts';
import { freePort, startCollector } from '../../scripts/harness/collector.ts';
import { collector, program } from '../../scripts/harness/needs.ts';
import {
  lhpOtel,
  type OtlpServer,
  type ServerSetup,
  startOtlpServer,
} from '../../scripts/harness/otlp-server.ts';
import {
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
  until,
} from '../../scripts/harness/sandbox.ts';
import { isExcepted } from '../../src/config/no-proxy.ts';
import { proxyOf } from '../../src/config/proxy.ts';
import type { Diagnosis } from '../../src/doctor/doctor.ts';
import type { Status } from '../../src/status.ts';
import { lacking } from '../support/lacking.ts';
import { sampled } from '../support/tags.ts';

const PREFIX = 'LHP_OTEL_EXPORTER_OTLP_';
const PASSWORD = 'canary-password';
const outward = (endpoint: string) => endpoint.replace('127.0.0.1', '0.0.0.0');
const boxes: Sandbox[] = [];
const servers: OtlpServer[] = [];
afterAll(async () => {
  for (const server of servers) await server.close();
  for (const box of boxes) box.dispose();
});
async function serve(setup: ServerSetup = {}) {
  const server = await startOtlpServer(setup);
  servers.push(server);
  return server;
}

/** Records and delivers one run; checks that no secret is printed or kept. */
async function reported(env: Env) {
  const box = sandbox({ path: [join(projectRoot, 'test', 'fixtures', 'bin')], env: { DO: ':' } });
  boxes.push(box);
  const cwd = join(box.dir, 'project');
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'lhp.yaml'), 'name: proxy\n');
  const tell = (args: string[]) =>
    lhpOtel(box, args, {
      cwd,
      env: { [`${PREFIX}TIMEOUT`]: '5000', LHP_OTEL_LOG: 'debug', DEBUG: '*', ...env },
    });
  const told = [await tell(['run', '--', 'lhp', 'generate', '--env', 'dev'])];
  await idle(box);
  told.push(
    await tell(['flush']),
    await tell(['doctor', '--json']),
    await tell(['doctor']),
    await tell(['status']),
  );
  const status = await tell(['status', '--json']);
  const kept = readdirSync(box.stateDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  expect(
    [...told, status].map(({ stdout, stderr }) => stdout + stderr).join('') + kept.join(''),
  ).not.toContain('canary');
  return {
    status: JSON.parse(status.stdout) as Status,
    diagnosis: JSON.parse(told[2]?.stdout ?? '') as Diagnosis,
  };
}

describe('through tinyproxy', () => {
  const [tinyproxy, openssl, receiver] = [program('tinyproxy'), program('openssl'), collector()];
  if (lacking(tinyproxy, openssl, receiver)) return;
  const box = sandbox();
  boxes.push(box);
  const file = (name: string) => join(box.dir, name);
  let child: ChildProcess;
  let proxy = '';
  beforeAll(async () => {
    makeCertificates(openssl.path, box.dir, {
      server: ['subjectAltName=IP:0.0.0.0', ['-days', '90']],
      wrong: ['subjectAltName=DNS:localhost', ['-days', '90']],
      expired: ['subjectAltName=IP:0.0.0.0', ['-days', '-1']],
      client: ['extendedKeyUsage=clientAuth', ['-days', '90']],
    });
    const port = await freePort();
    writeFileSync(
      file('proxy.conf'),
      [
        `Port ${port}`,
        'Listen 127.0.0.1',
        'Timeout 60',
        `BasicAuth user ${PASSWORD}`,
        `LogFile "${file('log')}"\n`,
      ].join('\n'),
    );
    child = spawn(tinyproxy.path, ['-d', '-c', file('proxy.conf')], { stdio: 'ignore' });
    const listens = () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () =>
          resolve(false),
        );
        socket.on('close', () => socket.destroy()).end();
      });
    let ready = false;
    await until(() => {
      void listens().then((now) => {
        ready ||= now;
      });
      return ready;
    }, 'tinyproxy to listen');
    proxy = `127.0.0.1:${port}`;
  });
  afterAll(async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  const log = () => readFileSync(file('log'), 'utf8');

  it('plain http, to the real collector', async () => {
    const real = await startCollector(receiver.path);
    try {
      const endpoint = outward(real.endpoint);
      const { status, diagnosis } = await reported({
        [`${PREFIX}ENDPOINT`]: endpoint,
        HTTP_PROXY: `http://user:${PASSWORD}@${proxy}`,
      });
      expect(status.runs).toMatchObject({ sent: 1, waiting: 0 });
      expect(await real.received(1)).toHaveLength(1);
      expect([status.proxy, diagnosis.proxy, diagnosis.ok]).toEqual([proxy, proxy, true]);
      expect(log()).toContain(`POST ${endpoint}/v1/metrics`);
    } finally {
      await real.stop();
    }
  });

  it('TLS to the proxy as well', async () => {
    const pem = (name: string) => readFileSync(file(name));
    const front = createTlsServer({ key: pem('wrong.key'), cert: pem('wrong.crt') }, (client) => {
      const behind = connect(Number(proxy.split(':')[1]), '127.0.0.1');
      for (const socket of [client, behind]) socket.on('error', () => socket.destroy());
      client.pipe(behind).pipe(client);
    });
    await once(front.listen(0, '127.0.0.1'), 'listening');
    const address = `localhost:${(front.address() as AddressInfo).port}`;
    const server = await serve({
      tls: { key: pem('server.key'), cert: pem('server.crt') } as object,
    });
    const { status } = await reported({
      [`${PREFIX}ENDPOINT`]: outward(server.endpoint),
      [`${PREFIX}CERTIFICATE`]: file('ca.crt'),
      HTTPS_PROXY: `https://user:${PASSWORD}@${address}`,
    });
    front.close();
    expect(status.runs).toMatchObject({ sent: 1, waiting: 0 });
    expect([status.proxy, log()]).toEqual([
      address,
      expect.stringContaining(`CONNECT 0.0.0.0:${server.port}`),
    ]);
  });

  sampled(it, 4).each<[string, string, string, Env, number, RegExp]>([
    ['mutual TLS by CONNECT', 'server', PASSWORD, {}, 1, /trusted by .*ca\.crt/],
    ['a wrong host name', 'wrong', PASSWORD, {}, 0, /ALTNAME/],
    ['an expired certificate', 'expired', PASSWORD, {}, 0, /EXPIRED/],
    [
      'no client certificate',
      'server',
      PASSWORD,
      { [`${PREFIX}CLIENT_CERTIFICATE`]: '', [`${PREFIX}CLIENT_KEY`]: '' },
      0,
      /./,
    ],
    ['a wrong password of the proxy', 'server', 'canary-wrong', {}, 0, /HTTP 40[17]/],
  ])('%s', async (_, which, password, more, sent, detail) => {
    const [key, cert, ca] = [`${which}.key`, `${which}.crt`, 'ca.crt'].map((name) =>
      readFileSync(file(name)),
    );
    const server = await serve({
      tls: { key, cert, ca, requestCert: true, rejectUnauthorized: true } as object,
    });
    const { status, diagnosis } = await reported({
      [`${PREFIX}ENDPOINT`]: outward(server.endpoint),
      [`${PREFIX}HEADERS`]: 'authorization=canary-token',
      [`${PREFIX}CERTIFICATE`]: file('ca.crt'),
      [`${PREFIX}CLIENT_CERTIFICATE`]: file('client.crt'),
      [`${PREFIX}CLIENT_KEY`]: file('client.key'),
      HTTPS_PROXY: `http://user:${password}@${proxy}`,
      ...more,
    });
    expect(status.runs).toMatchObject({ sent, waiting: 1 - sent, lost: 0 });
    expect(server.requests.filter(({ body }) => body.length > 100)).toHaveLength(sent);
    expect(diagnosis.ok).toBe(sent === 1);
    expect(diagnosis.probes.map((probe) => probe.detail).join('\n')).toMatch(detail);
    if (sent) {
      expect(log()).toContain(`CONNECT 0.0.0.0:${server.port}`);
      expect(server.requests[0]?.headers).toMatchObject({ authorization: 'canary-token' });
      expect(server.requests[0]?.headers['proxy-authorization']).toBeUndefined();
    }
  });
});

sampled(it, 8).each([204, 302, 400, 403, 404, 407, 413, 502])(
  'a proxy that answers %i to CONNECT: the run waits',
  async (code) => {
    // With this Retry-After the 502 is not repeated within the timeout.
    const answer = `HTTP/1.1 ${code} No\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n`;
    const proxy = createServer().on('connect', (_, socket) =>
      // An error of the socket means that the client has closed it.
      socket.on('error', () => {}).end(answer),
    );
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const { status, diagnosis } = await reported({
      [`${PREFIX}ENDPOINT`]: 'https://collector.example',
      https_proxy: `user:${PASSWORD}@${address}`,
      [`${PREFIX}TIMEOUT`]: '60000',
    });
    proxy.close();
    expect(status.runs).toMatchObject({ waiting: 1, sent: 0, lost: 0 });
    expect(status.delivery.problem).toMatch(new RegExp(`^the proxy .*HTTP ${code}`));
    expect(diagnosis.probes.find(({ name }) => name === 'request')).toMatchObject({
      result: 'failure',
      detail: expect.stringContaining('proxy'),
    });
  },
);

sampled(it, 6).each(['socks5://user:canary@proxy', 'http://', 'http://user:canary%@proxy'])(
  'the proxy %s is not valid: reported, and the run waits',
  async (value) => {
    const { status, diagnosis } = await reported({
      [`${PREFIX}ENDPOINT`]: 'https://collector.example',
      ALL_PROXY: value,
    });
    expect(status.problems.join()).toMatch(/^ALL_PROXY .*must be/);
    expect(status.runs?.waiting).toBe(1);
    expect(diagnosis.ok).toBe(false);
  },
);

describe('which proxy applies', () => {
  const P = 'http://proxy:3128';
  it.each<[string, Env, string | undefined]>([
    ['https://a.example', { HTTPS_PROXY: P }, 'HTTPS_PROXY'],
    ['https://a.example', { HTTPS_PROXY: P, https_proxy: P }, 'https_proxy'],
    ['https://a.example', { HTTP_PROXY: P }, undefined],
    ['http://a.example', { HTTP_PROXY: P }, 'HTTP_PROXY'],
    ['https://a.example', { ALL_PROXY: P }, 'ALL_PROXY'],
    ['https://a.example', { HTTPS_PROXY: P, NO_PROXY: '*' }, undefined],
    ['https://a.example', { HTTPS_PROXY: P, NO_PROXY: 'b.example, .example' }, undefined],
    ['https://a.example', { HTTPS_PROXY: P, no_proxy: 'a.example:443' }, undefined],
    ['https://a.example', { HTTPS_PROXY: P, no_proxy: 'a.example:4318' }, 'HTTPS_PROXY'],
    ['https://a.example', { HTTPS_PROXY: P, no_proxy: 'example' }, undefined],
    ['https://a.example', { HTTPS_PROXY: P, no_proxy: '', NO_PROXY: 'a.example' }, undefined],
    ['https://a.example', { https_proxy: '', HTTPS_PROXY: P }, 'HTTPS_PROXY'],
    ['http://localhost', { HTTP_PROXY: P }, undefined],
    ['http://127.8.8.8', { HTTP_PROXY: P }, undefined],
    ['http://[::1]', { HTTP_PROXY: P }, undefined],
  ])('%s with %j: %s', (url, env, called) => {
    expect(proxyOf(new URL(url), env, [])?.called).toBe(called);
  });
});

// The cases that Go documents and tests (golang.org/x/net/http/httpproxy), and cases in which curl
// differs.
describe('NO_PROXY', () => {
  const excepted = (url: string, noProxy: string) => isExcepted(new URL(url), noProxy);
  const list =
    'foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, ' +
    '10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, ' +
    '2002:db8:a::45/64';
  it.each([
    ['192.168.1.1', true],
    ['192.168.1.2', false],
    ['192.168.1.3', true],
    ['192.168.1.4', false],
    ['10.0.0.2', true],
    ['10.0.0.4', false],
    ['[2001:db8::52:0:1]', true],
    ['[2001:db8::52:0:2]', false],
    ['[2001:db8::52:0:3]', true],
    ['[2002:db8:a::123]', true],
    ['[2002:db8:b::123]', false],
    ['[fe80::424b:c8be:1643:a1b6]', false],
    ['[::ffff:10.0.0.2]', true],
    ['barbaz.net', false],
    ['www.barbaz.net', true],
    ['foobar.com', true],
    ['www.foobar.com', true],
    ['FooBar.com', true],
    ['foobar.com.', true],
    ['foofoobar.com', false],
    ['foobar.com.example', false],
    ['barbarbaz.net', false],
    ['wildcard.io', false],
    ['nested.wildcard.io', true],
    ['awildcard.io', false],
  ])('a list of many entries excepts %s: %s', (host, expected) => {
    expect(excepted(`http://${host}/`, list)).toBe(expected);
  });
  it.each<[string, string, boolean]>([
    ['https://collector.corp.example', 'corp.example', true],
    ['https://collector.corp.example', '.corp.example', true],
    ['https://corp.example', '.corp.example', false],
    ['https://corp.example:4318', 'corp.example:4318', true],
    ['https://a.corp.example:4318', 'corp.example:4318', true],
    ['https://a.corp.example:4318', '*.corp.example:443', false],
    ['https://a.corp.example', 'other.example  CORP.example', true],
    ['https://a.corp.example', 'other.example,\tcorp.example', true],
    ['https://a.corp.example', 'corp.example.', true],
    ['https://example.com', 'ample.com', false],
    ['https://anything.example', 'a.example,*', true],
    ['https://10.1.2.3:4318', '*', true],
    ['http://www.示例.com', '.示例.com', true],
    ['http://www.示例.com', 'xn--fsq092h.com', true],
    ['http://www.xn--fsq092h.com', '示例.com', true],
    ['https://10.1.2.3', '10.0.0.0/8', true],
    ['https://11.1.2.3', '10.0.0.0/8', false],
    ['https://10.1.2.3', '10.1.2.3/32', true],
    ['https://10.1.2.3', '0.0.0.0/0', true],
    ['https://[fd00::1]', 'fd00::/8', true],
    ['https://[fd00::1]', '[fd00::1]', true],
    ['https://10.1.2.3', 'fd00::/8', false],
    ['https://a.example', '10.0.0.0/8', false], // a name is not resolved for this
    ['https://10.1.2.3', '1.2.3', false], // an address has no suffixes
    ...[
      '',
      ' ',
      ',',
      ':1',
      '[]',
      '/8',
      '10.0.0.0/33',
      '10.0.0/8',
      '10.0.0.0/',
      '.',
      '*.',
      '::/129',
      '%',
    ].map((entry): [string, string, boolean] => ['https://10.1.2.3', entry, false]),
    ...['', ':1', '[]:1', '.', '*.', ':', 'http://a.example', 'a..example', '%zz'].map(
      (entry): [string, string, boolean] => ['https://a.example', entry, false],
    ),
  ])('%s with "%s": %s', (url, entry, expected) => expect(excepted(url, entry)).toBe(expected));
});
