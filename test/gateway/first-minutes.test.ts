// Tests docs/start-operators.md and "Let other machines in" of docs/operators.md: their commands,
// taken from the pages, lead a new user with an empty home folder to the number that the page
// promises, and another machine to a gateway with TLS and tokens, with the real lhp, collector and
// Prometheus. Only addresses, and the places of lhp and lhp-otel, are those of the test.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collector, lhp, program, prometheus } from '../../scripts/harness/needs.ts';
import { packTarball } from '../../scripts/harness/package.ts';
import { idle, projectRoot, sandbox, until } from '../../scripts/harness/sandbox.ts';
import { gatewayServer, PEPPER, prometheusServer } from '../../scripts/harness/stack.ts';
import { lacking } from '../support/lacking.ts';
import { npmPrefix, npmSettings } from '../support/npm.ts';
import { openTerminal } from '../support/pty.ts';
import { extended } from '../support/tags.ts';

const read = (name: string) => readFileSync(join(projectRoot, 'docs', name), 'utf8');
const page = read('start-operators.md');
/** The blocks of shell commands of a section. */
const blocks = (text: string, heading: string): string[] => {
  const section = text.split(`\n## ${heading}`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^( *)```sh\n([\s\S]+?)```/gm)].map(([, indent, block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
};
const commands = (step: number) => blocks(page, `${step}. `);

const box = sandbox({ told: false });
const servers: { stop(): Promise<unknown> }[] = [];
afterAll(async () => {
  for (const server of servers) await server.stop();
  await idle(box);
  box.dispose();
});

const bin = join(npmPrefix(box), 'bin');
const PATH = [bin, dirname(process.execPath), box.env.PATH].join(':');
// lhp's own telemetry is off, which is not an opt-out of lhp-otel with this variable.
const env = { ...box.env, PATH, LHP_OTEL_UPSTREAM: 'off' };

/** Step 3 of the page: the packed package, installed by npm. */
function install(): void {
  const [demo, packages, npm = ''] = (commands(3)[0] ?? '').split('\n');
  expect([demo, packages]).toEqual(['npm run demo', 'npm run packages']);
  const checkout = join(box.dir, 'client');
  mkdirSync(join(checkout, 'release'), { recursive: true });
  packTarball(join(checkout, 'release'));
  const done = spawnSync('sh', ['-ec', npm], {
    cwd: checkout,
    env: { ...env, ...npmSettings(box) } as NodeJS.ProcessEnv,
    encoding: 'utf8',
  });
  expect([done.status, done.stderr]).toEqual([0, '']);
  const { stdout } = spawnSync(join(bin, 'lhp-otel'), ['--version'], { env, encoding: 'utf8' });
  expect(stdout).toContain(`installed with npm, in ${npmPrefix(box)}/`);
}

/**
 * Runs commands that end with `lhp-otel doctor` on a terminal that has not seen the notice. Returns
 * the first line of each probe, all of which must be good.
 */
async function asked(script: string, cwd: string): Promise<string[]> {
  const terminal = openTerminal(['sh', '-c', script], { cwd, env });
  expect(await terminal.ended()).toBe(0);
  const lines = terminal.shown().trimEnd().split('\r\n');
  expect(lines.filter((line) => line.startsWith('lhp-otel: '))).toHaveLength(4);
  const probes = lines.slice(4).filter((line) => !line.startsWith(' '));
  expect(probes.filter((line) => !/^(ok|skipped) /.test(line))).toEqual([]);
  return probes;
}

describe('step 1', () => {
  const openssl = program('openssl');
  if (lacking(openssl)) return;
  it('fills in both secrets, and the check of the settings accepts them', () => {
    const checkout = join(box.dir, 'checkout');
    mkdirSync(checkout);
    cpSync(join(projectRoot, '.env.example'), join(checkout, '.env.example'));
    const lines = (commands(1)[0] ?? '').split('\n').filter(Boolean);
    const [clone, ...rest] = lines;
    expect(clone).toContain(' && cd lhp-otel');
    expect(rest.at(-1)).toBe('docker compose up -d');
    const made = spawnSync('sh', ['-ec', rest.slice(0, -1).join('\n')], {
      cwd: checkout,
      encoding: 'utf8',
    });
    expect(made).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const env = readFileSync(join(checkout, '.env'), 'utf8');
    expect(env).toMatch(/^LHP_OTEL_PEPPER=[0-9a-f]{64}$/m);
    expect(env).toMatch(/^GRAFANA_ADMIN_PASSWORD=[0-9a-f]{24}$/m);
    expect(statSync(join(checkout, '.env')).mode & 0o777).toBe(0o600);
    const pepper = /^LHP_OTEL_PEPPER=(.+)$/m.exec(env)?.[1];
    const checked = spawnSync('sh', [join(projectRoot, 'deploy', 'check-settings.sh')], {
      env: { PATH: process.env.PATH, LHP_OTEL_PEPPER: pepper },
    });
    expect(checked.status).toBe(0);
  });
});

describe('steps 4 to 6', () => {
  const real = lhp('0.9.3');
  if (lacking(real, collector(), prometheus())) return;
  beforeAll(install);

  it('the notice, a run, and 1', extended, async () => {
    const backend = await prometheusServer(prometheus().path);
    await backend.start();
    servers.push(backend);
    const gateway = await gatewayServer(collector().path, `${backend.url}/api/v1/otlp`);
    await gateway.start();
    servers.push(gateway);

    const [asking = ''] = commands(4);
    expect(asking).toContain('=http://127.0.0.1:4318\nlhp-otel doctor\n');
    const endpoint = asking.replace('http://127.0.0.1:4318', gateway.url);
    const probes = await asked(endpoint, box.dir);
    const [example = ''] = /^ok {7}request .+$/m.exec(page) ?? [];
    const answered = probes.find((line) => line.startsWith('ok       request')) ?? '';
    expect(answered.replace(/\d+ ms.*/, '')).toBe(example.replace(/\d+ ms.*/, ''));

    const [, sample = ''] = commands(5);
    const [install, create, run] = sample.trim().split('\n');
    expect(install).toContain('~/lhp/bin/pip install lakehouse-plumber');
    mkdirSync(join(box.home, 'lhp'));
    symlinkSync(dirname(real.path), join(box.home, 'lhp', 'bin'));
    const script = [endpoint.split('\n')[0], create, run].join('\n');
    const ran = spawnSync('sh', ['-ec', script], { cwd: box.home, env, encoding: 'utf8' });
    expect([ran.status, ran.stderr.includes('lhp-otel: ')]).toEqual([0, false]);

    const [curl = ''] = commands(6);
    const query = /'query=(.+)'/.exec(curl)?.[1] ?? '';
    await until(async () => (await backend.value(query)) === 1, 'the number of the page');
  });
});

describe('Let other machines in', () => {
  const openssl = program('openssl');
  if (lacking(openssl, collector())) return;
  beforeAll(install);

  it('certificate, token and switches, and another machine', extended, async () => {
    const [certificate = '', owner = '', token = '', settings = '', other = ''] = blocks(
      read('operators.md'),
      'Let other machines in',
    );
    const checkout = join(box.dir, 'server');
    mkdirSync(join(checkout, 'deploy', 'secrets'), { recursive: true });
    const named = certificate.replace('lhp-telemetry.example.com', 'localhost');
    expect(owner).toBe('sudo chown 10001 deploy/secrets/server.key\n');
    for (const script of [named, token, settings]) {
      const done = spawnSync('sh', ['-ec', script], { cwd: checkout, encoding: 'utf8' });
      expect([script, done.status]).toEqual([script, 0]);
    }
    const written = readFileSync(join(checkout, '.env'), 'utf8');
    expect(written).toContain('LHP_OTEL_BIND=0.0.0.0\n');
    const switches = /^LHP_OTEL_SWITCHES=(.+)$/m.exec(written)?.[1] ?? '';
    const secrets = join(checkout, 'deploy', 'secrets');
    const checked = spawnSync('sh', [join(projectRoot, 'deploy', 'check-settings.sh')], {
      env: {
        PATH: process.env.PATH,
        LHP_OTEL_PEPPER: PEPPER,
        LHP_OTEL_SECRETS: secrets,
        LHP_OTEL_SWITCHES: switches,
      },
      encoding: 'utf8',
    });
    expect(checked).toMatchObject({ status: 0, stderr: '' });

    const names = [...switches.matchAll(/\/([\w-]+)\.yaml/g)].map(([, name]) => name as string);
    const gateway = await gatewayServer(
      collector().path,
      'http://127.0.0.1:9',
      { LHP_OTEL_SECRETS: secrets },
      names,
    );
    await gateway.start();
    servers.push(gateway);
    const script = other
      .replace('https://lhp-telemetry.example.com:4318', `https://localhost:${gateway.port}`)
      .replace('<token>', readFileSync(join(secrets, 'tokens'), 'utf8').trim());
    const probes = await asked(script, secrets);
    expect(probes.filter((line) => /^ok +(tls|request) /.test(line))).toHaveLength(2);
  });
});
