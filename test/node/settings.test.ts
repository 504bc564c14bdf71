// Tests deploy/check-settings.sh, which the compose files run before the gateway: each wrong
// combination of switches is named in words, every right one passes, and the compose files pass it
// what it checks. Needs only a shell.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { excludedBy, SWITCHES } from '../../deploy/generate/switches.ts';
import { composeServices } from '../../scripts/harness/compose.ts';
import { secondUser } from '../../scripts/harness/needs.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';

const SCRIPT = join(projectRoot, 'deploy', 'check-settings.sh');
const FILES = ['server.crt', 'server.key', 'clients.crt', 'tokens'];
const secrets = mkdtempSync(join(tmpdir(), 'lhp-otel-settings-'));
const none = mkdtempSync(join(tmpdir(), 'lhp-otel-settings-'));
beforeAll(() => {
  for (const name of FILES) writeFileSync(join(secrets, name), 'x\n');
});
afterAll(() => {
  for (const folder of [secrets, none]) rmSync(folder, { recursive: true });
});

const PEPPER = 'a pepper of thirty-two bytes, or more';
/** Every variable that a switch may need. */
const ALL = Object.fromEntries(
  ['BACKEND', 'COPY', 'VENDOR_KEY', 'TENANT', 'SECOND_BACKEND'].map((name) => [
    `LHP_OTEL_${name}`,
    'http://a',
  ]),
);
const flags = (names: readonly string[]) =>
  names.map((name) => `--config=/etc/otelcol/switches/${name}.yaml`).join(' ');

function check(
  env: Record<string, string>,
  user: { uid?: number; gid?: number } = {},
  script = SCRIPT,
) {
  const { status, stdout, stderr } = spawnSync('/bin/sh', [script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LHP_OTEL_PEPPER: PEPPER, LHP_OTEL_SECRETS: secrets, ...env },
    ...user,
  });
  expect(stdout).toBe('');
  expect(stderr.split('\n').filter((line) => line && !line.startsWith('settings: '))).toEqual([]);
  return { status, said: stderr.split('\n').map((line) => line.replace('settings: ', '')) };
}

/** Names of switches → the variable LHP_OTEL_SWITCHES. */
const on = (...names: string[]) => ({ LHP_OTEL_SWITCHES: flags(names) });
const inCompose = (compose: string) => ({ LHP_OTEL_COMPOSE: compose });

it('says nothing without switches', () => {
  expect(check({})).toEqual({ status: 0, said: [''] });
});

it.each(SWITCHES)('accepts $name with what it needs, where it works', (one) => {
  for (const compose of one.works ?? ['prometheus', 'victoriametrics', 'cluster']) {
    const { LHP_OTEL_BACKEND: _, ...cluster } = ALL;
    const variables = compose === 'cluster' ? cluster : ALL;
    const env = { ...variables, ...inCompose(compose), ...on(...(one.needs ?? []), one.name) };
    expect([compose, check(env)]).toEqual([compose, { status: 0, said: [''] }]);
  }
});

it('accepts a file of your own, if it is in the folder of the switches', () => {
  expect(check(on('mine')).said[0]).toMatch(/^LHP_OTEL_SWITCHES has .*mine\.yaml", which is not a/);
  // As in the container, where the folder is beside the script.
  const script = join(none, 'check-settings.sh');
  cpSync(SCRIPT, script);
  mkdirSync(join(none, 'switches'));
  writeFileSync(join(none, 'switches', 'mine.yaml'), '');
  expect(check(on('mine'), {}, script)).toEqual({ status: 0, said: [''] });
  expect(check(on('yours'), {}, script).status).toBe(1);
});

it.each(SWITCHES.flatMap(({ name }) => excludedBy(name).map((other) => [name, other] as const)))(
  'refuses %s together with %s, once',
  (name, other) => {
    const names = SWITCHES.map((one) => one.name).filter((one) => one === name || one === other);
    const { status, said } = check({ ...ALL, ...on('tokens', ...names) });
    expect(status).toBe(1);
    const pairs = said.filter((line) => line.includes('cannot be combined'));
    // One of the two may be for another compose file. Then this is what it says.
    if (pairs.length === 0) expect(said[0]).toMatch(/ works only with /);
    else expect(pairs).toEqual([`${names.join(' and ')} cannot be combined: remove one of them.`]);
  },
);

const PATH = '/etc/otelcol/switches';
const NAMES = SWITCHES.map(({ name }) => name).join(' ');
it.each<[string, Record<string, string>, string[]]>([
  [
    'a switch without the one it needs',
    on('mtls'),
    [`mtls needs tls: add --config=${PATH}/tls.yaml in front of it.`],
  ],
  [
    'the wrong order',
    on('ci-queue', 'tokens'),
    ['LHP_OTEL_SWITCHES must name switches in this order: tokens ci-queue.'],
  ],
  [
    'a name instead of a flag',
    { LHP_OTEL_SWITCHES: 'tls' },
    [`LHP_OTEL_SWITCHES has "tls": write --config=${PATH}/tls.yaml.`],
  ],
  [
    'a name that is not known',
    { LHP_OTEL_SWITCHES: 'tsl' },
    [`LHP_OTEL_SWITCHES has "tsl", which is not a switch. Switches: ${NAMES}.`],
  ],
  ['a switch twice', on('tokens', 'tokens'), ['LHP_OTEL_SWITCHES has tokens twice.']],
  [
    'no certificates',
    { ...on('tls', 'mtls'), LHP_OTEL_SECRETS: none },
    [
      'tls reads deploy/secrets/server.crt, which does not exist.',
      'tls reads deploy/secrets/server.key, which does not exist.',
      'mtls reads deploy/secrets/clients.crt, which does not exist.',
    ],
  ],
  [
    'no file of tokens',
    { ...on('tokens'), LHP_OTEL_SECRETS: none },
    ['tokens reads deploy/secrets/tokens, which does not exist.'],
  ],
  [
    'a vendor without its address and key',
    on('vendor'),
    [
      'vendor needs LHP_OTEL_VENDOR_KEY in .env: ' +
        "value of the HTTP header that holds the vendor's key.",
      'vendor needs LHP_OTEL_BACKEND in .env: the address of the backend that you run.',
    ],
  ],
  [
    'remote write into the Prometheus of the compose file',
    on('remote-write'),
    ['remote-write needs LHP_OTEL_BACKEND in .env: the address of the backend that you run.'],
  ],
  [
    'two backends without VictoriaMetrics',
    { ...ALL, ...on('second') },
    ['second works only with deploy/docker-compose.victoriametrics.yml (COMPOSE_FILE in .env).'],
  ],
  [
    'remote write from VictoriaMetrics’s file',
    {
      ...ALL,
      ...on('remote-write'),
      ...inCompose('victoriametrics'),
    },
    ['remote-write works only with docker-compose.yml (COMPOSE_FILE in .env).'],
  ],
  [
    'a tenant without a cluster',
    { ...ALL, ...on('tenant') },
    ['tenant works only with deploy/docker-compose.cluster.yml (COMPOSE_FILE in .env).'],
  ],
  [
    'TLS at the gateways of a cluster',
    { ...on('tls'), ...inCompose('cluster') },
    ['in a cluster nginx does TLS: write LHP_OTEL_EDGE=tls instead of the switch tls.'],
  ],
  [
    'a vendor in a cluster',
    { ...on('vendor'), ...inCompose('cluster') },
    ['vendor does not work with deploy/docker-compose.cluster.yml.'],
  ],
  [
    'another backend in a cluster',
    { LHP_OTEL_BACKEND: 'http://a', ...inCompose('cluster') },
    ['LHP_OTEL_BACKEND has no effect in a cluster, which is its own backend: remove it.'],
  ],
  [
    'an unknown edge',
    { LHP_OTEL_EDGE: 'ssl', ...inCompose('cluster') },
    ['LHP_OTEL_EDGE is "ssl": write plain, tls, mtls or balancer.'],
  ],
  [
    'an edge without certificates',
    {
      LHP_OTEL_EDGE: 'mtls',
      LHP_OTEL_SECRETS: none,
      ...inCompose('cluster'),
    },
    FILES.slice(0, 3).map(
      (file) => `LHP_OTEL_EDGE=mtls reads deploy/secrets/${file}, which does not exist.`,
    ),
  ],
  [
    'a short pepper',
    { LHP_OTEL_PEPPER: 'short' },
    ['LHP_OTEL_PEPPER has 5 bytes and needs 32: openssl rand -hex 32 makes one.'],
  ],
])('says what is wrong with %s', (_, env, wrong) => {
  expect(check(env)).toEqual({
    status: 1,
    said: [
      ...wrong,
      'correct .env, then run "docker compose up -d" again.',
      'docs/operators.md, "Switches", has a table of all of them.',
      '',
    ],
  });
});

it('says that a file is empty', () => {
  writeFileSync(join(none, 'tokens'), '');
  expect(check({ ...on('tokens'), LHP_OTEL_SECRETS: none }).said[0]).toBe(
    'tokens reads deploy/secrets/tokens, which is empty.',
  );
  rmSync(join(none, 'tokens'));
});

describe('a key that only root can read', () => {
  const other = secondUser();
  if (lacking(other)) return;
  it('is named, with the command that gives it to the gateway', () => {
    chmodSync(secrets, 0o755);
    chownSync(join(secrets, 'server.key'), 0, 0);
    chmodSync(join(secrets, 'server.key'), 0o600);
    const { status, said } = check(on('tls'), { uid: other.uid, gid: other.gid });
    expect(status).toBe(1);
    expect(said[0]).toBe(
      `tls reads deploy/secrets/server.key, which user ${other.uid} cannot read: ` +
        `chown ${other.uid} deploy/secrets/server.key`,
    );
  });
});

describe.each([
  ['docker-compose.yml', 'prometheus'],
  ['deploy/docker-compose.victoriametrics.yml', 'victoriametrics'],
  ['deploy/docker-compose.cluster.yml', 'cluster'],
])('%s', (file, compose) => {
  const services = composeServices(file);
  const gateways = Object.entries(services).filter(([name]) =>
    /^(collector|gateway-\d)$/.test(name),
  );

  it('runs the check as the gateway’s user before each gateway, with what it checks', () => {
    const { settings } = services;
    expect(settings?.environment?.LHP_OTEL_COMPOSE).toBe(compose);
    expect(settings?.volumes).toEqual([
      './deploy/check-settings.sh:/etc/otelcol/check-settings.sh:ro',
      './deploy/collector:/etc/otelcol/switches:ro',
      './deploy/secrets:/etc/otelcol/secrets:ro',
    ]);
    expect(gateways).not.toEqual([]);
    for (const [, gateway] of gateways) {
      expect(gateway.user).toBe(settings?.user);
      expect(gateway.depends_on).toMatchObject({
        settings: { condition: 'service_completed_successfully' },
      });
    }
    const checked = SWITCHES.filter(({ works }) => !works || works.includes(compose as 'cluster'));
    const read = composeServices(file, { ...ALL, LHP_OTEL_SWITCHES: 'x', LHP_OTEL_PEPPER: 'p' });
    expect(read.settings?.environment).toMatchObject({
      LHP_OTEL_SWITCHES: 'x',
      LHP_OTEL_PEPPER: 'p',
    });
    const needs: Record<string, string> = {
      tenant: 'TENANT',
      second: 'SECOND_BACKEND',
      vendor: 'BACKEND',
    };
    for (const { name } of checked.filter((one) => needs[one.name]))
      expect(read.settings?.environment).toMatchObject({ [`LHP_OTEL_${needs[name]}`]: 'http://a' });
  });

  it('gives the gateway’s queue to the gateway’s user before it starts', () => {
    for (const [, gateway] of gateways) {
      const queue = gateway.volumes?.find((volume) => volume.endsWith(':/var/lib/otelcol'));
      const at = services.owner?.volumes?.find(
        (volume) => volume.split(':')[0] === queue?.split(':')[0],
      );
      expect(services.owner?.entrypoint?.slice(0, 2)).toEqual(['chown', gateway.user]);
      expect(services.owner?.entrypoint).toContain(at?.split(':')[1]);
    }
  });
});
