// waiting-reporter.ts: a reporter that costs nothing to start when the command has ended. While the
// command runs, a shell is started that waits for one line, the job, and becomes the reporter when
// its input is closed: when the wrapper has ended, or in CI, where the wrapper waits for the
// reporter, by the wrapper. To start a process takes Node some milliseconds, for which the user
// would wait; a line takes a fraction of one. The shell has a session of its own, no terminal and
// none of the user's streams. Without a job it ends when its input is closed: by the wrapper, or
// because the wrapper has ended, whatever ended it.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { JOB_VARIABLE, type Job, type StartedJob } from '../job/job.ts';
import { openLhpYaml } from '../job/project-facts.ts';
import type { Env, Host } from '../system/host.ts';
import { reporterEnv } from './reporter-env.ts';
import { compiledFolder, reporterCommand, startJob } from './start-reporter.ts';

export interface WaitingReporter {
  shell: ChildProcess;
  root: string;
  /** Which file the shell holds open as lhp.yaml. */
  lhpYaml: string;
  /** The folder that the reporter has as its NODE_COMPILE_CACHE. */
  cache: string;
  watched: boolean;
}

const SHELL = '/bin/sh';
/**
 * Reads the job, and then until its input is closed, because a reporter that starts while the
 * wrapper ends would slow it down. The reporter reads the job from its environment, and lhp.yaml
 * from its standard input.
 */
const SCRIPT =
  `IFS= read -r ${JOB_VARIABLE} || exit; export ${JOB_VARIABLE}; ` +
  'read -r end; exec "$@" <&3 3<&-';
/** A bash that is called sh reads options and functions from these. */
const READ_BY_BASH = /^(BASH_|BASHOPTS$|SHELLOPTS$)/;

/**
 * Starts the shell; `undefined` where that cannot be done without writing something (the folder of
 * the compiled reporter does not exist yet), or without reading lhp.yaml, or there is no such
 * shell.
 */
export function startWaiting(root: string, host: Host): WaitingReporter | undefined {
  if (host.platform === 'win32' || !existsSync(SHELL)) return undefined;
  const cache = compiledFolder(host);
  const opened = cache === undefined ? undefined : openLhpYaml(root);
  if (cache === undefined || opened === undefined) return undefined;
  const { file, args, watched } = reporterCommand();
  try {
    const shell = spawn(SHELL, ['-c', SCRIPT, 'sh', file, ...args], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore', opened],
      cwd: '/',
      env: { ...forShell(reporterEnv(host.env, host.cwd)), NODE_COMPILE_CACHE: cache },
    });
    shell.on('error', () => {}); // EAGAIN, ENOMEM: `pid` is undefined
    shell.stdin?.on('error', () => {}); // the shell was killed
    // The line begins with a blank, so that the pipe's first write, which is the slowest, is made
    // while the command runs.
    shell.stdin?.write(' ');
    const lhpYaml = identity(fstatSync(opened, { bigint: true }));
    return shell.pid === undefined ? undefined : { shell, root, lhpYaml, cache, watched };
  } finally {
    closeSync(opened);
  }
}

/**
 * Gives the job to the shell, and returns the process that it becomes. `undefined` where the shell
 * has ended, or what it holds is no longer what a reporter would get now: then it ends without a
 * job.
 */
export function handOver(waiting: WaitingReporter, job: Job, host: Host): ChildProcess | undefined {
  const { shell, watched } = waiting;
  if (!isUpToDate(waiting, job, host)) {
    shell.stdin?.destroy();
    return undefined;
  }
  const started: StartedJob = { ...startJob(job, host), lhpYamlIsOpen: true, watched };
  // In the kernel's buffer when this returns, so this process may end.
  shell.stdin?.write(`${JSON.stringify(started)}\n`);
  shell.unref();
  return shell;
}

function isUpToDate({ shell, root, lhpYaml, cache }: WaitingReporter, job: Job, host: Host) {
  if (shell.exitCode !== null || shell.signalCode !== null) return false;
  const now = statSync(join(root, 'lhp.yaml'), { bigint: true, throwIfNoEntry: false });
  return (
    job.root === root &&
    now !== undefined &&
    identity(now) === lhpYaml &&
    compiledFolder(host) === cache
  );
}

const identity = ({ dev, ino }: { dev: bigint; ino: bigint }): string => `${dev}:${ino}`;

const forShell = (env: Env): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !READ_BY_BASH.test(name)));
