// A config.json, the user's or the operator's, can be wrong in many ways. For each of them a
// wrapped run does what `status`, `doctor`, `flush` and `-v` say.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  cli,
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import type { Diagnosis } from '../../src/doctor/doctor.ts';
import type { Status } from '../../src/status.ts';
import { mountNamespaces, overEtc } from '../support/etc.ts';
import { lacking } from '../support/lacking.ts';
import { sampled } from '../support/tags.ts';

const NOWHERE = 'http://127.0.0.1:9';
const ENDPOINT = 'LHP_OTEL_EXPORTER_OTLP_ENDPOINT';

interface Place {
  box: Sandbox;
  project: string;
  /** The words before each command. */
  within: string[];
  /** The config.json under test. */
  file: string;
}
const boxes: Sandbox[] = [];
afterAll(async () => {
  for (const box of boxes) {
    await idle(box);
    box.dispose();
  }
});

function place(whose: 'user' | 'operator' = 'user'): Place {
  const box = sandbox({ path: [join(projectRoot, 'test', 'fixtures', 'bin')], env: { DO: ':' } });
  boxes.push(box);
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: situation\n');
  const etc = join(box.dir, 'etc');
  const file = join(whose === 'user' ? join(box.home, '.config') : etc, 'lhp-otel', 'config.json');
  mkdirSync(dirname(file), { recursive: true });
  return { box, project, within: whose === 'user' ? [] : overEtc(etc), file };
}

async function ask({ box, project, within }: Place, args: string[], env: Env = {}) {
  const [program = '', ...rest] = [...within, process.execPath, cli, ...args];
  const child = spawn(program, rest, {
    cwd: project,
    env: { ...box.env, ...env } as NodeJS.ProcessEnv,
  });
  const seen = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      seen[name] += text;
    });
  const [status] = (await once(child, 'close')) as [number];
  await idle(box);
  return { status, ...seen };
}
const probe = (diagnosis: Diagnosis, name: string) =>
  diagnosis.probes.find((each) => each.name === name);
const asked = async <T>(where: Place, command: string, env?: Env) =>
  JSON.parse((await ask(where, [command, '--json'], env)).stdout) as T;
/** What is recorded of one generate, and what `-v` says of it. */
async function generate(where: Place, env?: Env) {
  const { stderr } = await ask(where, ['run', '--', 'lhp', '-v', 'generate'], env);
  const kinds = where.box
    .runFiles()
    .map((name) => /\.(local|sent|lost)/.exec(name)?.[1] ?? 'waiting');
  return { stderr, kinds };
}

const whose = ['user', ...(lacking(mountNamespaces()) ? [] : ['operator'])] as (
  | 'user'
  | 'operator'
)[];
const bytes = (text: string, ...mark: number[]) =>
  Buffer.concat([Buffer.from(mark), Buffer.from(text)]);
const config = JSON.stringify({ endpoint: NOWHERE });

describe.each(whose)('a config.json of the %s that cannot be read', (who) => {
  sampled(it.concurrent, 8).each<[string, (file: string) => unknown, RegExp]>([
    [
      'broken',
      (file) => writeFileSync(file, '{"endpoint": "http://127.0.0.1:9"'),
      /not valid JSON/,
    ],
    ['empty', (file) => writeFileSync(file, ''), /not valid JSON/],
    ['one bad byte', (file) => writeFileSync(file, bytes(config, 0xff)), /not valid JSON/],
    ['a list', (file) => writeFileSync(file, '[]'), /must be a JSON object/],
    ['a FIFO', (file) => spawnSync('mkfifo', [file]), /cannot be read \(EFTYPE\)/],
    ['a folder', (file) => mkdirSync(file), /cannot be read/],
    ['a link to itself', (file) => symlinkSync('config.json', file), /cannot be read \(ELOOP\)/],
    [
      'enabled is a word',
      (file) => writeFileSync(file, '{"enabled": "no"}'),
      /enabled in .* must be true or false/,
    ],
  ])(
    '%s: nothing is recorded, and every command names the file and the reason',
    async (_, make, why) => {
      const where = place(who);
      make(where.file);
      const layer = `${who} configuration`;
      const { stderr, kinds } = await generate(where);
      expect(kinds).toEqual([]);
      expect(stderr).toBe(
        `lhp-otel: telemetry is off (${layer}, which cannot be read): ` +
          'nothing recorded, no network activity\n',
      );
      const status = await asked<Status>(where, 'status');
      const name = who === 'user' ? where.file : '/etc/lhp-otel/config.json';
      expect(status).toMatchObject({
        mode: 'off',
        situation: 'off',
        consent: { enabled: false, layer },
      });
      expect(status.consent).toMatchObject({ problem: expect.stringContaining(name) });
      expect(status.problems.join()).toMatch(why);
      const text = await ask(where, ['status']);
      expect(text.status).toBe(1);
      expect(text.stdout).toMatch(
        new RegExp(`decided by: +${layer}, because it may say off \\(.*${why.source}`),
      );
      const diagnosis = await asked<Diagnosis>(where, 'doctor');
      const consent = probe(diagnosis, 'consent');
      const configuration = probe(diagnosis, 'configuration');
      expect(consent).toMatchObject({ result: 'failure', detail: expect.stringMatching(why) });
      expect(configuration).toMatchObject({
        result: 'failure',
        advice: 'correct it; until then nothing is recorded',
      });
      expect((await ask(where, ['doctor', '--json'])).status).toBe(1);
      expect((await ask(where, ['on'])).stdout).toMatch(
        new RegExp(`stays off here because of: ${layer}, because`),
      );
      expect((await ask(where, ['flush'])).stdout).toContain(`telemetry is off (${layer}`);
    },
  );

  sampled(it.concurrent, 2).each<[string, Buffer]>([
    ['UTF-8', bytes(config, 0xef, 0xbb, 0xbf)],
    ['UTF-16, as PowerShell writes it', Buffer.from(`\ufeff${config}`, 'utf16le')],
    ['UTF-16 in big-endian order', Buffer.from(`\ufeff${config}`, 'utf16le').swap16()],
  ])('a byte order mark (%s) is read', async (_, content) => {
    const where = place(who);
    writeFileSync(where.file, content);
    expect(await asked<Status>(where, 'status')).toMatchObject({
      mode: 'send',
      endpoint: `${NOWHERE}/v1/metrics`,
      problems: [],
    });
  });
});

it('doctor reports a broken file of the operator also where the user has opted out', async () => {
  if (!whose.includes('operator')) return;
  const where = place('operator');
  writeFileSync(where.file, '{');
  const env = { DO_NOT_TRACK: '1' };
  const { probes, ok } = await asked<Diagnosis>(where, 'doctor', env);
  expect(ok).toBe(false);
  expect(probes.find(({ name }) => name === 'configuration')).toMatchObject({ result: 'failure' });
  expect(probes.find(({ name }) => name === 'consent')).toMatchObject({ result: 'warning' });
});

it('an unreadable consent.json is named as the layer, and `on` replaces it', async () => {
  const where = place();
  const file = join(dirname(where.file), 'consent.json');
  writeFileSync(file, '{');
  expect((await generate(where)).kinds).toEqual([]);
  const text = await ask(where, ['status']);
  expect(text.stdout).toMatch(
    /decided by: +lhp-otel off, because it may say off \(.*consent\.json: not valid JSON/,
  );
  expect(text).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('consent.json: not valid JSON'),
  });
  expect(await ask(where, ['on'])).toMatchObject({ stdout: 'telemetry is on\n' });
  expect((await generate(where)).kinds).toEqual(['local']);
});

describe('a wrong configuration: runs wait, and every command says so', () => {
  sampled(it.concurrent, 6).each<[string, string | undefined, Env]>([
    ['ftp', undefined, { [ENDPOINT]: 'ftp://x' }],
    ['host:port', undefined, { [ENDPOINT]: 'host:4318' }],
    ['an unknown key beside an endpoint', JSON.stringify({ endpoint: NOWHERE, endpont: 1 }), {}],
    [
      'http with headers',
      JSON.stringify({ endpoint: 'http://collector.example', headers: { a: 'b' } }),
      {},
    ],
    [
      'environments that are no list',
      JSON.stringify({ endpoint: NOWHERE, environments: 'dev' }),
      {},
    ],
    ['noticeGiven of a user', JSON.stringify({ endpoint: NOWHERE, noticeGiven: true }), {}],
  ])('%s', async (_, content, env) => {
    const where = place();
    if (content) writeFileSync(where.file, content);
    const { stderr, kinds } = await generate(where, env);
    expect(kinds).toEqual(['waiting']);
    expect(stderr).toMatch(/waits, because the configuration is wrong.*no network activity\n$/);
    const { status, stdout, stderr: problems } = await ask(where, ['status'], env);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^telemetry: +on, but the configuration is wrong: runs wait\n/);
    expect(stdout).not.toContain('delivered to the endpoint');
    expect(problems).not.toBe('');
    expect(await asked<Status>(where, 'status', env)).toMatchObject({
      mode: 'send',
      situation: 'misconfigured',
    });
    const diagnosis = await asked<Diagnosis>(where, 'doctor', env);
    expect(diagnosis).toMatchObject({ situation: 'misconfigured', ok: false });
    expect(probe(diagnosis, 'configuration')).toMatchObject({
      result: 'failure',
      advice: 'correct it; until then runs wait',
    });
    expect(await ask(where, ['flush'], env)).toMatchObject({ status: 1, stdout: '' });
  });

  it.concurrent('a mistyped key for the endpoint: runs stay local', async () => {
    const where = place();
    writeFileSync(where.file, JSON.stringify({ endpont: NOWHERE }));
    const { stderr, kinds } = await generate(where);
    expect(kinds).toEqual(['local']);
    expect(stderr).toMatch(/on this machine, because the configuration is wrong/);
    expect((await ask(where, ['status'])).stdout).toMatch(
      /^telemetry: +on, recorded on this machine only, because the conf/,
    );
    expect(probe(await asked<Diagnosis>(where, 'doctor'), 'configuration')?.advice).toMatch(
      /stay on this machine/,
    );
  });

  it.concurrent('a key with control characters is printed as harmless text', async () => {
    const where = place();
    writeFileSync(where.file, JSON.stringify({ '\u001b[2J\u202eevil': 1 }));
    for (const command of ['status', 'doctor']) {
      const { stdout, stderr } = await ask(where, [command]);
      expect(stdout + stderr).toContain('\\u{1b}[2J\\u{202e}evil');
      for (const raw of ['\u001b', '\u202e']) expect(stdout + stderr).not.toContain(raw);
    }
  });
});

describe('the list of environments', () => {
  const recorded = async (where: Place, environment: string) => {
    await ask(where, ['run', '--', 'lhp', 'generate', '--env', environment]);
    return where.box.events().at(-1)?.environment;
  };
  sampled(it.concurrent, 2).each<[unknown, string, string]>([
    [undefined, 'dev_jane', 'dev_jane'],
    [['dev', 'prod'], 'dev_jane', 'other'],
    [['dev', 'prod'], 'DEV', 'dev'],
    [['Dev'], 'dev', 'dev'],
    [[], 'dev', 'other'],
    ['dev', 'dev', 'other'],
    [['dev', 'not a name'], 'dev', 'dev'],
    [{ 0: 'dev' }, 'dev', 'other'],
  ])('%j: %s is recorded as %s', async (environments, given, expected) => {
    const where = place();
    writeFileSync(where.file, JSON.stringify({ environments }));
    expect(await recorded(where, given)).toBe(expected);
  });
  it.concurrent('a name that is not listed is in no file and in no request', async () => {
    const where = place();
    writeFileSync(where.file, JSON.stringify({ environments: ['prod'] }));
    expect(await recorded(where, 'dev_jane')).toBe('other');
    expect(spawnSync('grep', ['-rl', 'jane', where.box.stateDir]).status).toBe(1);
    expect((await ask(where, ['show', '--format', 'otlp'])).stdout).not.toContain('jane');
    expect(
      (await ask(where, ['show', '--preview', '--', 'lhp', 'generate', '-e', 'dev_jane'])).stdout,
    ).not.toContain('jane');
    expect((await ask(where, ['status'])).stdout).toMatch(
      /environments: +prod; any other is recorded as other/,
    );
  });
  it.runIf(whose.includes('operator'))('with two lists a name must be in both', async () => {
    const where = place('operator');
    const users = join(where.box.home, '.config', 'lhp-otel');
    mkdirSync(users, { recursive: true });
    writeFileSync(where.file, JSON.stringify({ environments: ['dev', 'prod'] }));
    writeFileSync(
      join(users, 'config.json'),
      JSON.stringify({ environments: ['dev', 'dev_jane'] }),
    );
    for (const [given, expected] of [
      ['dev', 'dev'],
      ['dev_jane', 'other'],
      ['prod', 'other'],
    ] as const)
      expect(await recorded(where, given)).toBe(expected);
    expect((await asked<Status>(where, 'status')).environments).toEqual(['dev']);
  });
});
