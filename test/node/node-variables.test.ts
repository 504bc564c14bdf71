// Node and OpenSSL read environment variables of their own. The same ones count for a delivery by
// the reporter, `flush` and `doctor`: certificates are always checked, a company's authority is
// found by each variable that can name it, and nothing that is sent is printed or written to a
// file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../scripts/harness/certificates.ts';
import { program } from '../../scripts/harness/needs.ts';
import {
  lhpOtel,
  type OtlpServer,
  startOtlpServer,
  type Told,
} from '../../scripts/harness/otlp-server.ts';
import {
  cli,
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import type { Diagnosis } from '../../src/doctor/doctor.ts';
import { isLeftOut, reporterEnv } from '../../src/wrap/reporter-env.ts';
import { lacking } from '../support/lacking.ts';
import { sampled } from '../support/tags.ts';

const PREFIX = 'LHP_OTEL_EXPORTER_OTLP_';
const SECRET = 'canary-token';
const openssl = program('openssl');
const boxes: Sandbox[] = [];
const servers: OtlpServer[] = [];
afterAll(async () => {
  for (const server of servers) await server.close();
  for (const box of boxes) {
    await idle(box);
    box.dispose();
  }
});

interface Place {
  box: Sandbox;
  project: string;
  server: OtlpServer;
  env: Env;
}
const keys = sandbox();
boxes.push(keys);
const file = (name: string) => join(keys.dir, name);
if (openssl.path) makeCertificates(openssl.path, keys.dir);
const pem = (name: string) => readFileSync(file(name));

async function place(tls?: TlsOptions): Promise<Place> {
  const path = [join(projectRoot, 'test', 'fixtures', 'bin')];
  const box = sandbox({ path, env: { DO: ':' } });
  boxes.push(box);
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: variables\n');
  const server = await startOtlpServer(tls ? { tls: tls as object } : {});
  servers.push(server);
  const env = {
    [`${PREFIX}ENDPOINT`]: server.endpoint,
    [`${PREFIX}HEADERS`]: `authorization=Bearer%20${SECRET}`,
    [`${PREFIX}TIMEOUT`]: '5000',
  };
  return { box, project, server, env };
}
const tell = ({ box, project, env }: Place, args: string[], more: Env = {}): Promise<Told> =>
  lhpOtel(box, args, { cwd: project, env: { ...env, ...more } });
const runs = ({ server }: Place) => server.requests.filter(({ body }) => body.length > 100).length;
const probeOf = ({ stdout }: Told, name: string) =>
  (JSON.parse(stdout) as Diagnosis).probes.find((probe) => probe.name === name);

/** The reporter, `doctor` and `flush` with the same variables. */
async function allThree(where: Place, more: Env) {
  const ran = await tell(where, ['run', '--', 'lhp', 'generate', '--env', 'dev'], more);
  await idle(where.box);
  const byReporter = runs(where);
  const doctor = await tell(where, ['doctor', '--json'], more);
  const flushed = await tell(where, ['flush'], more);
  return { ran, byReporter, doctor, flushed };
}

describe('the environment of a delivery', () => {
  it.each([
    ...['NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_DEBUG', 'NODE_DEBUG_NATIVE', 'NODE_V8_COVERAGE'],
    ...['NODE_OPTIONS', 'NODE_PATH', 'NODE_REPL_HISTORY', 'NODE_REPL_EXTERNAL_MODULE'],
    ...['NODE_PENDING_DEPRECATION', 'NODE_COMPILE_CACHE', 'NODE_DISABLE_COMPILE_CACHE'],
    ...['NODE_REDIRECT_WARNINGS', 'NODE_CHANNEL_FD', 'NODE_USE_SYSTEM_CA', 'NODE_USE_ENV_PROXY'],
    ...['NODE_OF_A_LATER_VERSION', 'SSLKEYLOGFILE', 'OPENSSL_ENGINES', 'Node_Options'],
    ...['WATCH_REPORT_DEPENDENCIES'],
  ])('%s is not passed on', (name) => {
    expect(isLeftOut(name)).toBe(true);
    expect(reporterEnv({ [name]: '1' }, '/here')[name]).toBeUndefined();
  });
  it.each([
    ['SSL_CERT_FILE', '../ca.pem', '/ca.pem'],
    ['SSL_CERT_DIR', 'certs:/etc/certs', '/here/certs:/etc/certs'],
    ['OPENSSL_CONF', '/etc/fips.cnf', '/etc/fips.cnf'],
    ['OPENSSL_MODULES', 'modules', '/here/modules'],
    ['LHP_OTEL_LOG', 'debug', 'debug'],
    ['UV_PROJECT_ENVIRONMENT', '.venv', '.venv'],
    ['OTEL_SDK_DISABLED', 'no', 'no'],
    ['PATH', '/bin', '/bin'],
  ])('%s is passed on, with absolute paths', (name, value, there) => {
    expect(isLeftOut(name)).toBe(false);
    expect(reporterEnv({ [name]: value }, '/here')[name]).toBe(there);
  });
  it.each(['OTEL_EXPORTER_OTLP_HEADERS', 'DEBUG'])('%s is not passed on either', (name) => {
    expect(reporterEnv({ [name]: SECRET }, '/here')).not.toHaveProperty(name);
  });
  it('NODE_EXTRA_CA_CERTS is passed on under a name that Node does not read', () => {
    const env = reporterEnv({ NODE_EXTRA_CA_CERTS: 'ca.pem' }, '/here');
    expect(env).toEqual({ LHP_OTEL_EXTRA_CA_CERTS: '/here/ca.pem' });
  });
  it('does not change when it is made again from itself', () => {
    const env = { NODE_OPTIONS: '--inspect', NODE_EXTRA_CA_CERTS: 'x', SSL_CERT_DIR: 'a' };
    const once = reporterEnv(env, '/here');
    expect(reporterEnv(once, '/elsewhere')).toEqual(once);
  });
});

describe('certificates are checked, whatever the variables of Node say', () => {
  if (lacking(openssl)) return;
  sampled(it.concurrent, 2).each<[string, Env]>([
    ['NODE_TLS_REJECT_UNAUTHORIZED=0', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }],
    ['the same with NODE_ENV', { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_ENV: 'production' }],
    ['a module in NODE_OPTIONS', { NODE_OPTIONS: `--require=${file('careless.cjs')}` }],
  ])('%s: nothing is sent to a server with an untrusted certificate', async (_, more) => {
    writeFileSync(
      file('careless.cjs'),
      'process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";' +
        'require("https").globalAgent.options.rejectUnauthorized = false;',
    );
    const where = await place({ key: pem('server.key'), cert: pem('server.crt') });
    const { byReporter, doctor, flushed } = await allThree(where, more);
    expect([byReporter, where.server.requests.length]).toEqual([0, 0]);
    expect(flushed).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/UNABLE_TO|SELF_SIGNED/),
    });
    expect(flushed.stderr).not.toMatch(/Warning/);
    expect(probeOf(doctor, 'tls')?.result).toBe('failure');
    const [left = ''] = Object.keys(more);
    expect(probeOf(doctor, 'environment')?.detail).toMatch(new RegExp(`ignored: .*${left}`));
  });

  it('TLS 1.1 is refused, also with --tls-min-v1.0 and the weakest ciphers', async () => {
    const old = {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    } as const;
    const where = await place({ key: pem('server.key'), cert: pem('server.crt'), ...old });
    const { byReporter } = await allThree(where, {
      [`${PREFIX}CERTIFICATE`]: file('ca.crt'),
      NODE_OPTIONS: '--tls-min-v1.0 --tls-cipher-list=DEFAULT@SECLEVEL=0',
    });
    expect([byReporter, where.server.requests.length]).toEqual([0, 0]);
  });
});

describe("a company's authority", () => {
  if (lacking(openssl)) return;
  const folder = file('authorities');
  beforeAll(() => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'company.pem'), pem('ca.crt'));
    writeFileSync(join(folder, 'README'), 'not a certificate');
  });
  sampled(it.concurrent, 2).each<[string, (project: string) => Env, RegExp]>([
    [
      'NODE_EXTRA_CA_CERTS',
      () => ({ NODE_EXTRA_CA_CERTS: file('ca.crt') }),
      /of NODE_EXTRA_CA_CERTS/,
    ],
    [
      'NODE_EXTRA_CA_CERTS, relative',
      (project) => ({ NODE_EXTRA_CA_CERTS: relative(project, file('ca.crt')) }),
      /of NODE_EXTRA_CA_CERTS/,
    ],
    ['SSL_CERT_FILE', () => ({ SSL_CERT_FILE: file('ca.crt') }), /of SSL_CERT_FILE/],
    ['SSL_CERT_DIR', () => ({ SSL_CERT_DIR: `/nowhere:${folder}` }), /of SSL_CERT_DIR/],
    [
      'NODE_USE_SYSTEM_CA=1',
      () => ({ NODE_USE_SYSTEM_CA: '1', SSL_CERT_FILE: file('ca.crt') }),
      /of SSL_CERT_FILE/,
    ],
    [
      'NODE_OPTIONS=--use-system-ca',
      () => ({ NODE_OPTIONS: '--use-system-ca', SSL_CERT_FILE: file('ca.crt') }),
      /of SSL_CERT_FILE/,
    ],
    [
      'NODE_OPTIONS=--use-openssl-ca',
      () => ({ NODE_OPTIONS: '--use-openssl-ca', NODE_EXTRA_CA_CERTS: file('ca.crt') }),
      /of NODE_EXTRA_CA_CERTS/,
    ],
  ])('named by %s: trusted by the reporter, doctor and flush', async (_, variables, by) => {
    const where = await place({ key: pem('server.key'), cert: pem('server.crt') });
    const { byReporter, doctor, flushed } = await allThree(where, variables(where.project));
    expect(byReporter).toBe(1);
    expect(flushed).toEqual({ status: 0, stdout: '0 delivered, none waiting\n', stderr: '' });
    expect(probeOf(doctor, 'tls')?.detail).toMatch(by);
  });

  it('with a configured certificate file, no other authority is trusted', async () => {
    const where = await place({ key: pem('server.key'), cert: pem('server.crt') });
    const more = {
      NODE_EXTRA_CA_CERTS: file('ca.crt'),
      [`${PREFIX}CERTIFICATE`]: file('other.crt'),
    };
    const { byReporter, doctor } = await allThree(where, more);
    expect(byReporter).toBe(0);
    expect(probeOf(doctor, 'environment')?.detail).toMatch(
      /ignored because of .*other\.crt: NODE_EXTRA/,
    );
    expect(probeOf(doctor, 'tls')?.advice).toMatch(/not signed by .*other\.crt: set/);
  });

  sampled(it.concurrent, 3).each(['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'])(
    '%s with a FIFO or a missing file: reported, and not waited for',
    async (name) => {
      const where = await place({ key: pem('server.key'), cert: pem('server.crt') });
      const fifo = join(where.box.dir, 'fifo');
      const made = spawn('mkfifo', [fifo]);
      await once(made, 'exit');
      for (const path of [fifo, join(where.box.dir, 'nowhere')]) {
        const { byReporter, doctor, flushed } = await allThree(where, { [name]: path });
        expect([byReporter, flushed.status]).toEqual([0, 1]);
        expect(probeOf(doctor, 'environment')).toMatchObject({
          result: 'warning',
          detail: expect.stringMatching(new RegExp(`no certificate can be read from ${name}`)),
        });
      }
    },
  );
});

describe('variables that make Node print or write what is sent have no effect', () => {
  const everywhere = (folder: string): string =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
      .join('');
  sampled(it.concurrent, 6).each<[string, (dir: string) => Env]>([
    ['NODE_DEBUG=*', () => ({ NODE_DEBUG: '*' })],
    ['NODE_DEBUG, by name', () => ({ NODE_DEBUG: 'child_process,http,https,net,tls' })],
    ['NODE_DEBUG_NATIVE', () => ({ NODE_DEBUG_NATIVE: 'permission_model' })],
    ['NODE_V8_COVERAGE', (dir) => ({ NODE_V8_COVERAGE: join(dir, 'written') })],
    ['--tls-keylog', (dir) => ({ NODE_OPTIONS: `--tls-keylog=${join(dir, 'written', 'keys')}` })],
    ['--trace-tls', () => ({ NODE_OPTIONS: '--trace-tls' })],
    ['SSLKEYLOGFILE', (dir) => ({ SSLKEYLOGFILE: join(dir, 'written', 'keys') })],
    [
      '--trace-events',
      (dir) => ({
        NODE_OPTIONS: [
          '--trace-event-categories=node.http',
          `--trace-event-file-pattern=${join(dir, 'written', 'log')}`,
        ].join(' '),
      }),
    ],
    ['--insecure-http-parser', () => ({ NODE_OPTIONS: '--insecure-http-parser' })],
    ['NODE_PATH', () => ({ NODE_PENDING_DEPRECATION: '1', NODE_PATH: '/nowhere' })],
    ['libuv', () => ({ UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '1' })],
  ])('%s', async (_, variables) => {
    const where = await place();
    mkdirSync(join(where.box.dir, 'written'));
    where.server.answers({ status: 401 }); // the run waits, and is not repeated at once
    const { ran, doctor, flushed } = await allThree(where, variables(where.box.dir));
    const status = await tell(where, ['status'], variables(where.box.dir));
    const said = [ran, doctor, flushed, status]
      .map(({ stdout, stderr }) => stdout + stderr)
      .join('');
    expect(runs(where)).toBeGreaterThan(0);
    expect(where.server.requests[0]?.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect(said + everywhere(join(where.box.dir, 'written'))).not.toContain('canary');
  });

  it.concurrent('no key of a TLS session is written', async () => {
    if (openssl.lacks) return expect(openssl.lacks).toMatch(/openssl/);
    const where = await place({ key: pem('server.key'), cert: pem('server.crt') });
    const log = join(where.box.dir, 'keys');
    const { byReporter } = await allThree(where, {
      [`${PREFIX}CERTIFICATE`]: file('ca.crt'),
      NODE_OPTIONS: `--tls-keylog=${log}`,
      SSLKEYLOGFILE: log,
    });
    expect(byReporter).toBe(1);
    expect(existsSync(log) ? readFileSync(log, 'utf8') : '').toBe('');
  });

  it.concurrent('no coverage of the reporter is written', async () => {
    const where = await place();
    const folder = join(where.box.dir, 'coverage');
    await allThree(where, { NODE_V8_COVERAGE: folder });
    expect(runs(where)).toBe(1);
    const kept = existsSync(folder) ? everywhere(folder) : '';
    expect(kept).not.toMatch(/reporter\.cjs/);
  });

  it('a command gets the same environment behind lhp-otel run as without it', async () => {
    const where = await place();
    const env = { NODE_DEBUG: 'none', NODE_DEBUG_NATIVE: 'none', NODE_OPTIONS: '--no-warnings' };
    const [alone, wrapped] = [['env'], [process.execPath, cli, 'run', '--', 'env']].map(
      (words) => words,
    );
    const variables = async ([command = '', ...words]: string[]) => {
      const child = spawn(command, words, {
        env: { ...where.box.env, ...env } as NodeJS.ProcessEnv,
      });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      await once(child, 'close');
      return text.split('\n').sort();
    };
    expect(await variables(wrapped as string[])).toEqual(await variables(alone as string[]));
  });
});

it("lhp does not get the collector's credentials, unless an opt-out is set", async () => {
  const where = await place();
  const DO = 'env > "$HOME/env"';
  const seen = () => readFileSync(join(where.box.home, 'env'), 'utf8');
  await tell(where, ['run', '--', 'lhp', 'generate'], { DO });
  await idle(where.box);
  expect(runs(where)).toBe(1);
  expect(seen()).toContain(where.server.endpoint);
  expect(seen()).not.toContain('canary');
  await tell(where, ['run', '--', 'lhp', 'generate'], { DO, DO_NOT_TRACK: '1' });
  expect(seen()).toContain('canary');
});
