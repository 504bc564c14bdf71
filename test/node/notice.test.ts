// Outside CI nothing is delivered before the notice of the endpoint was shown on a terminal, for
// every way to record and to hide output. Every command shows the notice once, and the process that
// shows it delivers nothing, so that there is time for `off`.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { program } from '../../scripts/harness/needs.ts';
import {
  lhpOtel,
  type OtlpServer,
  startOtlpServer,
  toldBy,
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
import type { Status } from '../../src/status.ts';
import { mountNamespaces, overEtc } from '../support/etc.ts';
import { lacking } from '../support/lacking.ts';
import { openTerminal } from '../support/pty.ts';
import { sampled } from '../support/tags.ts';

const GENERATE = ['run', '--', './lhp', 'generate', '--env', 'dev'];
const SILENT = { status: 0, stdout: '', stderr: '' };
const ENDPOINT = 'LHP_OTEL_EXPORTER_OTLP_ENDPOINT';

interface Place {
  box: Sandbox;
  project: string;
  server: OtlpServer;
  env: Env;
}
const places: Place[] = [];
afterAll(async () => {
  for (const { box, server } of places) {
    await server.close();
    await idle(box);
    box.dispose();
  }
});

/** A user who has not seen a notice. */
async function place(): Promise<Place> {
  const box = sandbox({ told: false });
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: notice\n');
  symlinkSync(join(projectRoot, 'test', 'fixtures', 'bin', 'lhp'), join(project, 'lhp'));
  const server = await startOtlpServer();
  const made = { box, project, server, env: { [ENDPOINT]: server.endpoint, DO: ':' } };
  places.push(made);
  return made;
}

const tell = async ({ box, project, env }: Place, args: string[], more: Env = {}) => {
  const told = await lhpOtel(box, args, { cwd: project, env: { ...env, ...more } });
  await idle(box);
  return told;
};
/** As in a Makefile, in cron, or behind `> log 2>&1`. */
const hidden = async (where: Place, more: Env = {}) =>
  expect(await tell(where, GENERATE, more)).toEqual(SILENT);
const status = async (where: Place, more: Env = {}) =>
  JSON.parse((await tell(where, ['status', '--json'], more)).stdout) as Status;
const doctor = async (where: Place) => {
  const { probes } = JSON.parse((await tell(where, ['doctor', '--json'])).stdout) as Diagnosis;
  return probes.find(({ name }) => name === 'notice');
};
const outcomes = ({ box }: Place) =>
  box
    .runFiles()
    .map((name) => name.replace(/^\d+\.?(.*?)\.?json$/, '$1') || 'waiting')
    .sort();

describe('without a terminal', () => {
  it.concurrent('runs wait, nothing is delivered, and status and doctor report it', async () => {
    const where = await place();
    for (let i = 0; i < 3; i += 1) await hidden(where);
    expect(where.server.connections()).toBe(0);
    expect(outcomes(where)).toEqual(['waiting', 'waiting', 'waiting']);
    expect(await status(where)).toMatchObject({
      mode: 'send',
      situation: 'waits_for_notice',
      notice: 'due',
      runs: { waiting: 3 },
    });
    expect((await tell(where, ['status'])).stdout).toMatch(
      /until the notice was shown[\s\S]*notice: .*on a terminal/,
    );
    expect(await doctor(where)).toMatchObject({
      result: 'warning',
      advice: expect.stringContaining('lhp-otel status on a terminal'),
    });
  });
  it.concurrent('flush delivers nothing, and says how to see the notice', async () => {
    const where = await place();
    expect(await tell(where, ['flush'])).toMatchObject({
      status: 0,
      stdout: '0 delivered, none waiting\n',
    });
    await hidden(where);
    const flushed = await tell(where, ['flush']);
    expect(flushed.status).toBe(1);
    expect(flushed.stderr).toMatch(
      /0 delivered, 1 still waiting: the notice was not shown.*on a terminal/,
    );
    expect(where.server.connections()).toBe(0);
  });
  it.concurrent('-v says that the run waits for it', async () => {
    const where = await place();
    const { stderr } = await tell(where, ['run', '--', './lhp', '-v', 'generate']);
    expect(stderr).toMatch(/^lhp-otel: .*waits until the notice was shown.*no network activity\n$/);
  });
  it.concurrent('runs of a host of the library wait as well', async () => {
    const where = await place();
    const library = JSON.stringify(join(projectRoot, 'dist', 'index.js'));
    const script = `const { recordGenerate } = await import(${library});
      console.log(recordGenerate({ environment: 'dev' }));`;
    const options = {
      cwd: where.project,
      env: { ...where.box.env, ...where.env } as NodeJS.ProcessEnv,
    };
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      ...options,
      encoding: 'utf8',
    });
    expect(ran).toMatchObject({ status: 0, stdout: 'true\n', stderr: '' });
    await where.box.recorded(1);
    await idle(where.box);
    expect(where.server.connections()).toBe(0);
    expect(outcomes(where)).toEqual(['waiting']);
  });
  sampled(it.concurrent, 2).each<[string, Env]>([
    ['CI=true', { CI: 'true' }],
    ['GITHUB_ACTIONS', { GITHUB_ACTIONS: 'true' }],
    ['TF_BUILD, which only ci-info knows', { TF_BUILD: 'True' }],
  ])('in CI (%s) nothing waits for it', async (_, more) => {
    const where = await place();
    await hidden(where, more);
    expect(where.server.requests).toHaveLength(1);
    expect(await status(where, more)).toMatchObject({ situation: 'delivers', notice: 'ci' });
  });
  it.concurrent('runs that were recorded without an endpoint are never sent', async () => {
    const where = await place();
    for (let i = 0; i < 3; i += 1) await hidden(where, { [ENDPOINT]: undefined });
    where.box.tell(where.env);
    await hidden(where);
    expect(await tell(where, ['flush'])).toMatchObject({ stdout: '0 delivered, none waiting\n' });
    expect(where.server.requests).toHaveLength(1);
  });
});

describe('on a terminal', () => {
  if (lacking(program('python3'))) return;
  const shown = async (where: Place, args: string[] = GENERATE, more: Env = {}, expected = 0) => {
    const { box, project, env } = where;
    const terminal = openTerminal([process.execPath, cli, ...args], {
      cwd: project,
      env: { ...box.env, ...env, ...more } as NodeJS.ProcessEnv,
    });
    expect(await terminal.ended()).toBe(expected);
    await idle(box);
    return terminal.shown().split('\r\n').filter(Boolean);
  };
  /** The lines of the notice among all that was shown. */
  const notice = (lines: readonly string[], { server }: Place) => {
    const first = lines.findIndex((line) =>
      line.startsWith('lhp-otel: the next lhp generate sends'),
    );
    if (first < 0) return [];
    const four = lines.slice(first, first + 4);
    for (const line of four) expect(line).toMatch(/^lhp-otel: .{1,70}$/);
    expect(four[0]).toContain(new URL(server.endpoint).host);
    expect(four[3]).toContain('lhp-otel off');
    return four;
  };

  it.concurrent('a run shows it and delivers nothing; the next delivers everything', async () => {
    const where = await place();
    await hidden(where);
    expect(notice(await shown(where), where)).toHaveLength(4);
    expect(where.server.connections()).toBe(0);
    expect(outcomes(where)).toEqual(['waiting', 'waiting']);
    expect(await shown(where)).toEqual([]);
    expect(where.server.requests).toHaveLength(3);
    expect(outcomes(where)).toEqual(['sent', 'sent', 'sent']);
  });
  it.concurrent('off after the notice deletes the run before it is sent', async () => {
    const where = await place();
    await shown(where);
    expect((await tell(where, ['off'])).stdout).toBe(
      'telemetry is off; 1 run that was to be sent is deleted\n',
    );
    await tell(where, ['on']);
    await hidden(where);
    expect(where.server.requests).toHaveLength(1);
  });
  sampled(it.concurrent, 6).each<[string, string[]]>([
    ['status', ['status']],
    ['doctor', ['doctor']],
    ['show', ['show']],
    ['stats', ['stats']],
    ['on', ['on']],
  ])('%s shows it first, and then says that it was shown', async (_, args) => {
    const where = await place();
    await hidden(where);
    const lines = await shown(where, args);
    expect(notice(lines, where)).toHaveLength(4);
    expect(lines[0]).toMatch(/sends metrics to/);
    expect(await status(where)).toMatchObject({ situation: 'delivers', notice: 'shown' });
    if (args[0] === 'status') expect(lines.join('\n')).toMatch(/notice: +was shown on a terminal/);
    expect(notice(await shown(where, args), where)).toEqual([]);
    expect(where.server.requests.filter(({ body }) => body.length > 100)).toEqual([]);
    await hidden(where);
    expect(outcomes(where)).toEqual(['sent', 'sent']);
  });
  it.concurrent('flush shows it and delivers nothing; the second flush delivers', async () => {
    const where = await place();
    await hidden(where);
    const lines = await shown(where, ['flush'], {}, 1);
    expect(notice(lines, where)).toHaveLength(4);
    expect(lines.join(' ')).toMatch(/1 still waiting: the notice was shown just now/);
    expect(where.server.connections()).toBe(0);
    expect(await shown(where, ['flush'])).toEqual(['1 delivered, none waiting']);
  });
  sampled(it.concurrent, 6).each<[string, string[]]>([
    ['status --json', ['status', '--json']],
    ['doctor --json', ['doctor', '--json']],
    ['stats --json', ['stats', '--json']],
    ['completion', ['completion', 'bash']],
    ['hook without --install', ['hook', 'bash']],
    ['off', ['off']],
    ['purge', ['purge', '--yes']],
    ['--help', ['--help']],
    ['--version', ['--version']],
  ])('%s does not show it', async (_, args) => {
    const where = await place();
    expect((await shown(where, args)).join('\n')).not.toContain('sends metrics to');
  });
  it.concurrent('is shown for another endpoint, and not again for an earlier one', async () => {
    const where = await place();
    const other = { ...where, server: await startOtlpServer() };
    const elsewhere = { [ENDPOINT]: other.server.endpoint };
    expect(notice(await shown(where), where)).toHaveLength(4);
    expect(notice(await shown(where, GENERATE, elsewhere), other)).toHaveLength(4);
    expect([where.server.connections(), other.server.connections()]).toEqual([0, 0]);
    expect(await shown(where)).toEqual([]);
    expect(await shown(where, GENERATE, elsewhere)).toEqual([]);
    expect([where.server.requests.length, other.server.requests.length]).toEqual([3, 1]);
    await other.server.close();
  });
  sampled(it.concurrent, 4).each<[string, Env]>([
    ['without an endpoint', { [ENDPOINT]: undefined }],
    ['with an endpoint that is wrong', { [ENDPOINT]: 'ftp://127.0.0.1' }],
    ['in CI', { CI: 'true' }],
    ['in CI that only ci-info knows', { TF_BUILD: 'True' }],
    ['when opted out', { DO_NOT_TRACK: '1' }],
    ['after a failure', { DO: 'false' }],
  ])('is not shown %s', async (_, more) => {
    const where = await place();
    expect(await shown(where, GENERATE, more, more.DO === 'false' ? 1 : 0)).toEqual([]);
  });
  it.concurrent('is not shown with 2>/dev/null on a terminal', async () => {
    const where = await place();
    const { box, project, env } = where;
    const terminal = openTerminal(
      ['sh', '-c', '"$@" 2>/dev/null', 'sh', process.execPath, cli, ...GENERATE],
      {
        cwd: project,
        env: { ...box.env, ...env } as NodeJS.ProcessEnv,
      },
    );
    expect(await terminal.ended()).toBe(0);
    await idle(box);
    expect(terminal.shown()).toBe('');
    expect(await status(where)).toMatchObject({ notice: 'due', runs: { waiting: 1 } });
    expect(where.server.connections()).toBe(0);
  });
  it.concurrent('a notice left for the shell hook is removed when a command shows it', async () => {
    const where = await place();
    await hidden(where);
    const pending = join(where.box.stateDir, 'notice.pending');
    const left = readFileSync(pending, 'utf8').split('\n');
    expect(left[0]).toMatch(/^\{"endpoint":"[0-9a-f]{64}"\}$/);
    expect(left.filter((line) => line.startsWith('lhp-otel: '))).toHaveLength(4);
    await shown(where, ['status']);
    expect(existsSync(pending)).toBe(false);
  });
});

describe('the operator states that people were told by other means', () => {
  if (lacking(mountNamespaces())) return;
  const inEtc = async (where: Place, config: object, args: string[], more: Env = {}) => {
    const folder = join(where.box.dir, 'etc');
    mkdirSync(join(folder, 'lhp-otel'), { recursive: true });
    writeFileSync(join(folder, 'lhp-otel', 'config.json'), JSON.stringify(config));
    const [file = '', ...rest] = [...overEtc(folder), process.execPath, cli, ...args];
    const env = { ...where.box.env, DO: ':', ...more } as NodeJS.ProcessEnv;
    const child = spawn(file, rest, {
      cwd: where.project,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { stdout } = await toldBy(child);
    await idle(where.box);
    return stdout;
  };
  const stated = ({ server }: Place) => ({ endpoint: server.endpoint, noticeGiven: true });

  it('a run with hidden output is delivered, and status names the file', async () => {
    const where = await place();
    expect(await inEtc(where, stated(where), GENERATE)).toBe('');
    expect(where.server.requests).toHaveLength(1);
    const text = await inEtc(where, stated(where), ['status']);
    expect(text).toMatch(
      /notice: +given by other means, says noticeGiven in \/etc\/lhp-otel\/config\.json/,
    );
  });
  it.each<[string, (where: Place) => object, (where: Place) => Env, RegExp | undefined]>([
    ['to another endpoint', stated, () => ({ [ENDPOINT]: 'http://127.0.0.1:9' }), undefined],
    ['without an endpoint', () => ({ noticeGiven: true }), ({ env }) => env, /needs an endpoint/],
    [
      'with a word',
      (where) => ({ ...stated(where), noticeGiven: 'yes' }),
      () => ({}),
      /must be true or false/,
    ],
  ])('does not apply %s', async (_, config, more, problem) => {
    const where = await place();
    const found = JSON.parse(
      await inEtc(where, config(where), ['status', '--json'], more(where)),
    ) as Status;
    expect(found.notice).not.toBe('operator');
    if (problem) expect(found.problems.join()).toMatch(problem);
    else expect(found.problems).toEqual([]);
  });
  it('noticeGiven in a user’s file is a problem', async () => {
    const where = await place();
    const folder = join(where.box.home, '.config', 'lhp-otel');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'config.json'), JSON.stringify(stated(where)));
    where.env = { DO: ':' };
    await hidden(where);
    const found = await status(where);
    expect(found).toMatchObject({ situation: 'misconfigured', runs: { waiting: 1 } });
    expect(found.problems.join()).toMatch(
      /noticeGiven in .*config\.json does not count; only \/etc/,
    );
    expect(where.server.connections()).toBe(0);
  });
});
