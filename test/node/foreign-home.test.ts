// No command creates a file in the home of another user (sudo with a kept HOME). If it has
// happened, `status`, `doctor` and `off` explain it. In CI a home may be another user's. Needs root
// and a second user.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { secondUser } from '../../scripts/harness/needs.ts';
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
import { lacking } from '../support/lacking.ts';
import { sampled } from '../support/tags.ts';

const GENERATE = ['run', '--', 'lhp', '-v', 'generate', '--env', 'dev'];
const HIDDEN_ENDPOINT = { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
const library = join(projectRoot, 'dist', 'index.js');
const hookEntry = join(projectRoot, 'dist', 'hook-entry.cjs');
const other = secondUser();

interface Place {
  box: Sandbox;
  project: string;
}
const boxes: Sandbox[] = [];
afterAll(async () => {
  for (const box of boxes) {
    await idle(box);
    box.dispose();
  }
});

/** A home and a project of the second user. The tests run as root, with that HOME. */
function place(): Place {
  const box = sandbox({
    told: false,
    path: [join(projectRoot, 'test', 'fixtures', 'bin')],
    env: { DO: ':', SHELL: '/bin/bash' },
  });
  boxes.push(box);
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: foreign\n');
  for (const folder of [box.dir, project, box.home]) chmodSync(folder, 0o755);
  chownSync(box.home, other.uid, other.gid);
  return { box, project };
}

type Who = { uid?: number; gid?: number };
const root: Who = {};
const jane: Who = { uid: other.uid, gid: other.gid };

async function program({ box, project }: Place, who: Who, words: string[], env: Env = {}) {
  // Without root's groups.
  const drop =
    who.uid === undefined
      ? []
      : ['setpriv', `--reuid=${who.uid}`, `--regid=${who.gid}`, '--clear-groups'];
  const [file = '', ...args] = [...drop, process.execPath, ...words];
  const all = { ...box.env, ...env } as NodeJS.ProcessEnv;
  const { status, stdout, stderr } = spawnSync(file, args, {
    cwd: project,
    env: all,
    encoding: 'utf8',
  });
  await idle(box);
  return { status, stdout, stderr };
}
const ask = (where: Place, who: Who, args: string[], env?: Env) =>
  program(where, who, [cli, ...args], env);
const everything = ({ box }: Place) => readdirSync(box.home, { recursive: true, encoding: 'utf8' });
const probe = async (where: Place, who: Who, name: string) =>
  (JSON.parse((await ask(where, who, ['doctor', '--json'])).stdout) as Diagnosis).probes.find(
    (one) => one.name === name,
  );

describe('a home of another user', () => {
  if (lacking(other)) return;
  const host = `const { recordGenerate } = await import(${JSON.stringify(library)});
    console.log(recordGenerate({ environment: 'dev' }));`;
  it.each<[string, string[], Env]>([
    ['run', [cli, ...GENERATE], {}],
    ['run with an endpoint', [cli, ...GENERATE], HIDDEN_ENDPOINT],
    ['run with a debug log', [cli, ...GENERATE], { LHP_OTEL_LOG: 'debug' }],
    ['the shell hook', [hookEntry, '1', '2', 'terminal', 'lhp', 'generate'], HIDDEN_ENDPOINT],
    ['the library', ['--input-type=module', '-e', host], {}],
    ...(
      [
        ['off'],
        ['on'],
        ['flush'],
        ['status'],
        ['doctor'],
        ['show'],
        ['show', '--preview'],
        ['stats'],
      ] as string[][]
    ).map((words): [string, string[], Env] => [words.join(' '), [cli, ...words], HIDDEN_ENDPOINT]),
    ['purge', [cli, 'purge', '--yes'], {}],
  ])('%s creates nothing there', async (_, words, env) => {
    const where = place();
    const ran = await program(where, root, words, env);
    expect(everything(where)).toEqual([]);
    expect(ran.stdout).not.toContain('true');
    expect(ran.stderr).not.toMatch(/was started|recording/);
  });

  it('run says that nothing can be recorded; status, doctor and off say why', async () => {
    const where = place();
    const why = `${where.box.home} belongs to user ${other.uid}, and you are root`;
    expect((await ask(where, root, GENERATE)).stderr).toMatch(
      /^lhp-otel: nothing can be recorded here \(lhp-otel status/,
    );
    const status = await ask(where, root, ['status']);
    expect(status).toMatchObject({ status: 1, stderr: expect.stringContaining('without sudo') });
    expect(status.stdout).toContain(`telemetry:     on, but nothing can be recorded: ${why}\n`);
    expect(JSON.parse((await ask(where, root, ['status', '--json'])).stdout)).toMatchObject({
      situation: 'not_recordable',
    });
    expect(await probe(where, root, 'state')).toMatchObject({
      result: 'failure',
      detail: expect.stringContaining(why),
    });
    const off = await ask(where, root, ['off']);
    expect(off).toMatchObject({ status: 1, stdout: '' });
    expect(off.stderr).toBe(
      `lhp-otel: nothing was changed: ${why}: run it as that user, without sudo\n`,
    );
  });

  it('in CI a run is recorded: GitHub’s jobs use the home of another user', async () => {
    const where = place();
    await ask(where, root, GENERATE, { CI: 'true' });
    expect(where.box.runFiles()).toHaveLength(1);
    expect(
      JSON.parse((await ask(where, root, ['status', '--json'], { CI: 'true' })).stdout),
    ).toMatchObject({
      situation: 'local',
      problems: [],
    });
  });

  it('is recognized behind a link and as XDG_STATE_HOME', async () => {
    const where = place();
    const link = join(where.box.dir, 'mine');
    symlinkSync(where.box.home, link);
    await ask(where, root, GENERATE, { HOME: link });
    await ask(where, root, GENERATE, {
      HOME: where.box.dir,
      XDG_STATE_HOME: join(where.box.home, 'state'),
    });
    expect(everything(where)).toEqual([]);
  });
});

describe('root’s files in a user’s home', () => {
  if (lacking(other)) return;
  /** As an earlier version left it after `sudo lhp-otel run`. */
  const spoiled = async (...folders: string[]) => {
    const where = place();
    await ask(where, jane, GENERATE, HIDDEN_ENDPOINT);
    expect(where.box.runFiles()).toHaveLength(1);
    for (const folder of folders) {
      mkdirSync(join(where.box.home, folder), { recursive: true });
      chownSync(join(where.box.home, folder), 0, 0);
      chmodSync(join(where.box.home, folder), 0o700);
    }
    return where;
  };

  sampled(it, 3).each([
    '.local/state/lhp-otel',
    '.local/state/lhp-otel/spool',
    '.local/state/lhp-otel/history',
  ])('%s: the user is told why and what to do, and off works', async (folder) => {
    const where = await spoiled(folder);
    const why =
      `${join(where.box.home, folder)} belongs to root, and you are user ${other.uid}: ` +
      'something was run with sudo';
    const advice = `sudo chown -R ${other.uid} ${join(where.box.home, folder)}`;
    expect((await ask(where, jane, GENERATE)).stderr).toMatch(/nothing can be recorded here/);
    const status = await ask(where, jane, ['status']);
    expect(status.stdout).toContain(`nothing can be recorded: ${why}`);
    expect(status.stderr).toContain(advice);
    expect(status.stdout + status.stderr).not.toMatch(/scandir|permission denied/);
    expect(await probe(where, jane, 'state')).toMatchObject({ result: 'failure', advice });
    const off = await ask(where, jane, ['off']);
    expect(off).toMatchObject({ status: 0, stderr: '' });
    expect(off.stdout).toMatch(/^telemetry is off; /);
    expect(off.stdout).toContain(`not all of it can be deleted: ${why}: ${advice}`);
    const after = JSON.parse((await ask(where, jane, ['status', '--json'])).stdout) as Status;
    expect(after.consent).toMatchObject({ enabled: false, layer: 'lhp-otel off' });
  });

  it('the configuration: off fails, and says what to do', async () => {
    const where = await spoiled('.config/lhp-otel');
    const folder = join(where.box.home, '.config', 'lhp-otel');
    expect(await ask(where, jane, ['off'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`sudo chown -R ${other.uid} ${folder}`),
    });
    expect(await probe(where, jane, 'folders')).toMatchObject({ result: 'warning' });
  });

  it('the cache: runs are recorded without it, and doctor reports it', async () => {
    const where = await spoiled('.cache/lhp-otel/compiled');
    await ask(where, jane, GENERATE);
    expect(where.box.runFiles()).toHaveLength(2);
    expect(await probe(where, jane, 'folders')).toMatchObject({
      result: 'warning',
      detail: expect.stringContaining('compiled code cannot be cached'),
    });
  });
});

describe('a home that cannot be written', () => {
  if (lacking(other)) return;
  sampled(it, 2).each<[string, (where: Place) => Env]>([
    [
      'a folder without write permission',
      ({ box }) => {
        chmodSync(box.home, 0o555);
        return {};
      },
    ],
    ['/dev/null', () => ({ HOME: '/dev/null' })],
    ['a missing folder in a folder of root', () => ({ HOME: '/var/no-such-home' })],
    ['/proc', () => ({ HOME: '/proc/1' })],
  ])('%s: nothing is recorded, and run says so', async (_, make) => {
    const where = place();
    const env = make(where);
    const { status, stderr } = await ask(where, jane, GENERATE, env);
    expect(status).toBe(0);
    expect(stderr).toBe(
      'lhp-otel: nothing can be recorded here (lhp-otel status says why), no network activity\n',
    );
    expect((await ask(where, jane, ['status'], env)).stdout).toMatch(
      /^telemetry: +on, but nothing can be recorded: /,
    );
  });
});
