// While a generate runs, a shell waits for the job of its reporter (src/wrap/waiting-reporter.ts).
// It has nothing of the user's terminal and streams, ends with the wrapper in every case, and is
// not started where the run would not be recorded. What the run was is found out after its end.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { program } from '../../scripts/harness/needs.ts';
import { toldBy } from '../../scripts/harness/otlp-server.ts';
import {
  cli,
  type Env,
  idle,
  leaveAll,
  processesMentioning,
  projectRoot,
  type Sandbox,
  sandbox,
  until,
} from '../../scripts/harness/sandbox.ts';
import { tellUser } from '../../scripts/harness/told.ts';
import { makeCompiledFolder } from '../support/compiled-folder.ts';
import { lacking } from '../support/lacking.ts';
import { traced } from '../support/trace.ts';

interface Place {
  box: Sandbox;
  project: string;
}

const GENERATE = ['run', '--', 'lhp', 'generate', '--env', 'dev'];
/** Runs until the test lets it end, with the status that the test chooses. */
const UNTIL_TOLD = 'until [ -s "$HOME/end" ]; do sleep 0.02; done; exit "$(cat "$HOME/end")"';
/** Refuses every connection. */
const ENDPOINT = { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
/** Longer than it takes until the shell would be started, for cases in which it must not be. */
const FOR_A_WHILE = 'sleep 0.5';

const boxes: Sandbox[] = [];
// A process that is still running is an error. It is ended in any case.
afterAll(async () => expect(await leaveAll(boxes)).toEqual([]));

/** A user with a project. `before`: whether a reporter has run here, which creates its folder. */
function place({ before = true, env = {} }: { before?: boolean; env?: Env } = {}): Place {
  const box = sandbox({
    path: [join(projectRoot, 'test', 'fixtures', 'bin')],
    env: { DO: UNTIL_TOLD, ...env },
  });
  boxes.push(box);
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: first\n');
  if (before) makeCompiledFolder(box.home);
  return { box, project };
}

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it has ended
  }
};

/** The shells that wait in this sandbox. */
const waiting = ({ dir }: Sandbox): number[] =>
  processesMentioning(dir).filter((pid) => commandLine(pid).startsWith('/bin/sh\0-c\0read'));

/** Starts a generate, and resolves when the shell waits. */
async function begin({ box, project }: Place, within: string[] = []) {
  const [file = '', ...args] = [...within, process.execPath, cli, ...GENERATE];
  const wrapper = spawn(file, args, {
    cwd: project,
    env: box.env as NodeJS.ProcessEnv,
    stdio: 'pipe',
    detached: true,
  });
  const told = toldBy(wrapper);
  const ended = told.then(({ status }) => status);
  await until(() => waiting(box).length > 0, 'the shell to wait');
  const end = (status: number) => writeFileSync(join(box.home, 'end'), String(status));
  return { pid: wrapper.pid ?? 0, told, ended, end, shell: waiting(box) };
}

describe('the shell that waits', () => {
  it.concurrent('has no terminal, no stream of the user and a session of its own', async () => {
    const where = place({ env: { BASH_ENV: '/x', SHELLOPTS: 'noexec', LHP_OTEL_JOB: 'x' } });
    const { shell, pid, ended, end } = await begin(where);
    expect(shell).toHaveLength(1);
    const [one = 0] = shell;
    const opened = (of: number, fd: number) => readlinkSync(`/proc/${of}/fd/${fd}`);
    expect([0, 1, 2, 3, 4].map((fd) => opened(one, fd))).toEqual([
      expect.stringMatching(/^socket:/),
      '/dev/null',
      '/dev/null',
      join(where.project, 'lhp.yaml'),
      expect.stringMatching(/^socket:/),
    ]);
    const all = readdirSync(`/proc/${one}/fd`).map((fd) => opened(one, Number(fd)));
    for (const fd of [0, 1, 2]) expect(all).not.toContain(opened(pid, fd));
    const stat = readFileSync(`/proc/${one}/stat`, 'latin1');
    const [, parent, group, session, terminal] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    expect({ parent, group, session, terminal }).toEqual({
      parent: String(pid),
      group: String(one),
      session: String(one),
      terminal: '0',
    });
    expect(readlinkSync(`/proc/${one}/cwd`)).toBe('/');
    const environment = readFileSync(`/proc/${one}/environ`, 'utf8');
    expect(environment).not.toMatch(/BASH_ENV|SHELLOPTS/);
    end(0);
    expect(await ended).toBe(0);
    expect(await where.box.recorded(1)).toHaveLength(1);
  });

  it.concurrent('becomes the reporter', async () => {
    const where = place();
    const { ended, end } = await begin(where);
    end(0);
    expect(await ended).toBe(0);
    expect(await where.box.recorded(1)).toMatchObject([{ project_id: digest('first') }]);
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(1);
  });

  it.concurrent.each<[string, (pid: number, end: (status: number) => void) => void]>([
    ['the command fails', (_, end) => end(3)],
    [
      'the wrapper is killed',
      (pid, end) => {
        process.kill(pid, 'SIGKILL');
        end(0);
      },
    ],
    ['the wrapper is told to end', (pid) => process.kill(pid, 'SIGTERM')],
    ['the whole group is interrupted', (pid) => process.kill(-pid, 'SIGINT')],
    ['the whole group is killed', (pid) => process.kill(-pid, 'SIGKILL')],
  ])('ends, and nothing is recorded, where %s', async (_, act) => {
    const where = place();
    const { pid, ended, end } = await begin(where);
    act(pid, end);
    expect(await ended).not.toBe(0);
    await idle(where.box);
    expect(where.box.runFiles()).toEqual([]);
  });

  it.concurrent('can be killed: the run is recorded, and no zombie is left', async () => {
    const where = place();
    const { shell, ended, end } = await begin(where);
    for (const pid of shell) process.kill(pid, 'SIGKILL');
    await until(() => shell.every((pid) => !existsSync(`/proc/${pid}`)), 'it to be gone');
    end(0);
    expect(await ended).toBe(0);
    expect(await where.box.recorded(1)).toHaveLength(1);
  });

  const taskset = program('taskset');
  it.skipIf(lacking(taskset)).concurrent('waits on a machine with one core, too', async () => {
    const where = place();
    const { ended, end } = await begin(where, [taskset.path, '-c', '0']);
    end(0);
    expect(await ended).toBe(0);
    expect(await where.box.recorded(1)).toHaveLength(1);
  });
});

const digest = (name: string) => createHash('sha256').update(name).digest('hex');

describe('what counts is what is there when the command has ended', () => {
  it.concurrent.each<[string, string, (project: string) => void]>([
    ['nothing changes', 'first', () => {}],
    [
      'lhp.yaml is written again: its name may be another than lhp has read',
      'unknown_project',
      (project) => writeFileSync(join(project, 'lhp.yaml'), 'name: second\n'),
    ],
    [
      'lhp.yaml is a link that leads elsewhere now',
      'second',
      (project) => {
        symlinkSync('second.yaml', join(project, 'link'));
        renameSync(join(project, 'link'), join(project, 'lhp.yaml'));
      },
    ],
  ])('%s', async (_, name, change) => {
    const where = place();
    const { project, box } = where;
    for (const each of ['first', 'second'])
      writeFileSync(join(project, `${each}.yaml`), `name: ${each}\n`);
    rmSync(join(project, 'lhp.yaml'));
    symlinkSync('first.yaml', join(project, 'lhp.yaml'));
    const { ended, end } = await begin(where);
    change(project);
    end(0);
    expect(await ended).toBe(0);
    expect(await box.recorded(1)).toMatchObject([{ project_id: digest(name) }]);
  });

  it.concurrent.each<[string, (where: Place) => void]>([
    ['the user opts out', ({ box }) => expect(box.run(['off']).status).toBe(0)],
    [
      'the project opts out',
      ({ project }) => writeFileSync(join(project, '.lhp_do_not_track'), ''),
    ],
    ['lhp.yaml is gone', ({ project }) => rmSync(join(project, 'lhp.yaml'))],
  ])('nothing is recorded where %s', async (_, change) => {
    const where = place();
    const { ended, end } = await begin(where);
    change(where);
    end(0);
    expect(await ended).toBe(0);
    await idle(where.box);
    expect(where.box.runFiles()).toEqual([]);
  });

  it.concurrent('what is said is true then', async () => {
    const where = place({ env: { LHP_OTEL_LOG: 'debug' } });
    const { told, end } = await begin(where);
    expect(where.box.run(['off']).status).toBe(0);
    end(0);
    expect(await told).toMatchObject({
      status: 0,
      stderr: 'lhp-otel: telemetry is off (lhp-otel off): nothing recorded, no network activity\n',
    });
  });

  it.concurrent('a folder of compiled code that is gone is created anew', async () => {
    const where = place();
    const { ended, end } = await begin(where);
    rmSync(join(where.box.home, '.cache'), { recursive: true });
    end(0);
    expect(await ended).toBe(0);
    expect(await where.box.recorded(1)).toHaveLength(1);
  });

  it.concurrent('a folder of compiled code that others can write now is not used', async () => {
    const where = place();
    const compiled = join(where.box.home, '.cache/lhp-otel/compiled');
    const { ended, end } = await begin(where);
    chmodSync(compiled, 0o777);
    end(0);
    expect(await ended).toBe(0);
    expect(await where.box.recorded(1)).toHaveLength(1);
    await idle(where.box);
    expect(readdirSync(compiled)).toEqual([]);
  });
});

describe('an update that replaces lhp-otel while the command runs', () => {
  it.concurrent.each([
    ['before anything is prepared', ':'],
    ['after that', UNTIL_TOLD],
  ])('%s: the command ends as it would without us', async (_, task) => {
    const { box, project } = place();
    const installed = join(box.dir, 'installed');
    cpSync(join(projectRoot, 'dist'), installed, { recursive: true });
    const wrapper = spawn(process.execPath, [join(installed, 'cli.cjs'), ...GENERATE], {
      cwd: project,
      env: { ...box.env, DO: `echo out; ${task}; rm -r "${installed}"` } as NodeJS.ProcessEnv,
    });
    const ended = toldBy(wrapper);
    if (task === UNTIL_TOLD) {
      await until(() => waiting(box).length > 0, 'the shell to wait');
      writeFileSync(join(box.home, 'end'), '0');
    }
    expect(await ended).toEqual({ status: 0, stdout: 'out\n', stderr: '' });
    await idle(box);
  });
});

describe('what is started and written while the command runs', () => {
  const strace = program('strace');
  if (lacking(strace)) return;

  /** The programs that were started beside the command, and the files of the wrapper. */
  async function seen({ box, project }: Place, task: string, env: Env = {}) {
    const { processes, status } = await traced([process.execPath, cli, ...GENERATE], {
      strace: strace.path,
      cwd: project,
      env: { ...box.env, DO: task, ...env } as NodeJS.ProcessEnv,
    });
    const started = processes.slice(1).flatMap((each) => each.programs);
    const files = processes[0]?.files ?? [];
    return {
      status,
      started,
      programs: started.filter((path) => !/\/(lhp|env|sleep|cat)$/.test(path)),
      written: files.filter(({ writes, ok }) => writes && ok).map(({ path }) => path),
      opened: files.map(({ path }) => path),
    };
  }

  async function seenWaiting(where: Place, status: number, task = UNTIL_TOLD) {
    const ended = seen(where, task);
    await until(() => waiting(where.box).length > 0, 'the shell to wait');
    writeFileSync(join(where.box.home, 'end'), String(status));
    return ended;
  }

  it.concurrent('the shell, which becomes timeout(1) and the reporter', async () => {
    const where = place();
    const { status, programs, written } = await seenWaiting(where, 0);
    expect({ status, written }).toEqual({ status: 0, written: [] });
    const [shell, ...more] = programs.filter((path) => !/\/timeout$/.test(path));
    expect([shell, ...more]).toEqual(['/bin/sh', process.execPath]);
    expect(where.box.runFiles()).toHaveLength(1);
  });

  it.concurrent.each<[string, Env, boolean]>([
    ['after the wrapper has ended', {}, true],
    [
      'at once in CI, where the wrapper waits for it',
      { CI: 'true', LHP_OTEL_FLUSH_TIMEOUT: '1s', ...ENDPOINT },
      false,
    ],
  ])('the reporter starts %s', async (_, env, later) => {
    const where = place({ env });
    tellUser(where.box.env);
    // It starts no sleep itself.
    const task = 'until [ -s "$HOME/end" ]; do :; done';
    const { status, started } = await seenWaiting(where, 0, task);
    expect({ status, slept: started.includes('/bin/sleep') }).toEqual({ status: 0, slept: later });
    expect(await where.box.recorded(1)).toHaveLength(1);
  });

  it.concurrent('after a failure: the shell only, and nothing is written', async () => {
    const failed = await seenWaiting(place(), 2);
    expect(failed).toMatchObject({ status: 2, programs: ['/bin/sh'], written: [] });
  });

  it.concurrent('in a new home: nothing before the command has succeeded', async () => {
    const where = place({ before: false });
    const failed = await seen(where, `${FOR_A_WHILE}; exit 2`);
    expect(failed).toMatchObject({ status: 2, programs: [], written: [] });
    expect(readdirSync(where.box.home)).toEqual([]);
  });

  it.concurrent.each<[string, (where: Place) => void]>([
    ['the user has opted out', ({ box }) => expect(box.run(['off']).status).toBe(0)],
    [
      'the project has opted out',
      ({ project }) => writeFileSync(join(project, '.lhp_do_not_track'), ''),
    ],
    [
      'the configuration cannot be read',
      ({ box }) => {
        mkdirSync(join(box.home, '.config/lhp-otel'), { recursive: true });
        writeFileSync(join(box.home, '.config/lhp-otel/config.json'), '{"endpoint": ');
      },
    ],
    ['there is no project', ({ project }) => rmSync(join(project, 'lhp.yaml'))],
  ])('nothing where %s', async (_, change) => {
    const where = place();
    change(where);
    const { status, programs, written } = await seen(where, FOR_A_WHILE);
    expect({ status, programs, written }).toEqual({ status: 0, programs: [], written: [] });
    expect(where.box.runFiles()).toEqual([]);
  });

  it.concurrent('nothing with an opt-out in the environment, and no file is opened', async () => {
    const where = place();
    const { programs, opened } = await seen(where, FOR_A_WHILE, { DO_NOT_TRACK: '1' });
    expect(programs).toEqual([]);
    expect(opened.filter((path) => path.startsWith(join(where.box.home, '.')))).toEqual([]);
  });
});
