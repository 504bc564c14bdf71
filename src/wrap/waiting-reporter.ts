// waiting-reporter.ts: a reporter that costs nothing to start when the command has ended. While the
// command runs, a shell is started that waits until its input is closed: when the wrapper has
// ended, whatever ended it. Then it reads one line, the job, from a second pipe, and becomes the
// reporter; without a job it ends. To start a process takes Node some milliseconds, for which the
// user would wait; a line takes a fraction of one. The shell has a session of its own, no terminal
// and none of the user's streams.
import { type ChildProcess, spawn } from 'node:child_process';
import { type BigIntStats, closeSync, existsSync, fstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { JOB_VARIABLE, type Job, type StartedJob } from '../job/job.ts';
import { openLhpYaml } from '../job/project-facts.ts';
import type { Env, Host } from '../system/host.ts';
import { resolvePaths } from '../system/paths.ts';
import { statsOf } from '../system/try-read.ts';
import { reporterEnv } from './reporter-env.ts';
import { compiledFolder, reporterCommand, startJob } from './start-reporter.ts';

export interface WaitingReporter {
  shell: ChildProcess;
  /** The pipe of the job. */
  line: Writable;
  root: string;
  /** {@link identity} of the file that the shell holds open as lhp.yaml. */
  lhpYaml: string;
  /** The folder that the reporter has as its NODE_COMPILE_CACHE, and its {@link identity}. */
  cache: string;
  cacheIdentity: string | undefined;
  watched: boolean;
}

const SHELL = '/bin/sh';
/** Of the shell; the reporter does not get it. */
const JOB_DESCRIPTOR = 4;
/**
 * A line on the standard input says that the wrapper waits for the reporter ({@link startNow}).
 * Else the shell waits a moment longer: a reporter that starts while the wrapper ends, and the
 * user's shell takes over, uses the same cores and caches, and slows both down. `sleep` is called
 * by its path, because a folder of a project may be in PATH; where it is not there, or takes no
 * fraction of a second, the shell does not wait. The reporter reads the job from its environment,
 * and lhp.yaml from its standard input.
 */
const SCRIPT =
  `read -r now || /bin/sleep 0.05; IFS= read -r ${JOB_VARIABLE} <&${JOB_DESCRIPTOR} || exit; ` +
  `export ${JOB_VARIABLE}; exec "$@" <&3 3<&- ${JOB_DESCRIPTOR}<&-`;
/** A bash that is called sh reads options and functions from these. */
const READ_BY_BASH = /^(BASH_|BASHOPTS$|SHELLOPTS$)/;

/**
 * Starts the shell; `undefined` where that cannot be done without writing something (the folder of
 * the compiled reporter does not exist yet), or without reading lhp.yaml, or there is no such
 * shell.
 */
export function startWaiting(root: string, host: Host): WaitingReporter | undefined {
  if (host.platform === 'win32' || !existsSync(SHELL)) return undefined;
  // Before the folder is checked, so that each later change of it is seen.
  const cacheIdentity = identityOf(resolvePaths(host).cache);
  const cache = compiledFolder(host);
  const opened = cache === undefined ? undefined : openLhpYaml(root);
  if (cache === undefined || opened === undefined) return undefined;
  const { file, args, watched } = reporterCommand();
  try {
    const shell = spawn(SHELL, ['-c', SCRIPT, 'sh', file, ...args], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore', opened, 'pipe'],
      cwd: '/',
      env: { ...forShell(reporterEnv(host.env, host.cwd)), NODE_COMPILE_CACHE: cache },
    });
    shell.on('error', () => {}); // EAGAIN, ENOMEM: `pid` is undefined
    if (shell.pid === undefined) return undefined;
    const line = shell.stdio[JOB_DESCRIPTOR] as Writable;
    for (const pipe of [shell.stdin, line]) pipe?.on('error', () => {}); // the shell was killed
    // The line begins with a blank, so that the pipe's first write, which is the slowest, is made
    // while the command runs.
    line.write(' ');
    const lhpYaml = identity(fstatSync(opened, { bigint: true }));
    return { shell, line, root, lhpYaml, cache, cacheIdentity, watched };
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
  const { shell, line, watched } = waiting;
  if (!isUpToDate(waiting, job)) {
    for (const pipe of [shell.stdin, line]) pipe?.destroy();
    return undefined;
  }
  const started: StartedJob = { ...startJob(job, host), lhpYamlIsOpen: true, watched };
  // In the kernel's buffer when this returns, so this process may end.
  line.write(`${JSON.stringify(started)}\n`);
  shell.unref();
  return shell;
}

/** Lets a reporter that has its job start at once, for a wrapper that waits for it. */
export const startNow = (reporter: ChildProcess): unknown => reporter.stdin?.end('\n');

/**
 * That the folder of compiled code is safe from other users was checked when the shell was started
 * ({@link compiledFolder}). If this user has replaced it or changed its permissions since, a
 * reporter is started that checks it again.
 */
function isUpToDate(waiting: WaitingReporter, job: Job): boolean {
  const { shell, root, lhpYaml, cache, cacheIdentity } = waiting;
  return (
    shell.exitCode === null &&
    shell.signalCode === null &&
    job.root === root &&
    identityOf(join(root, 'lhp.yaml')) === lhpYaml &&
    identityOf(cache) === cacheIdentity
  );
}

/** What differs where a path leads to another file now, or to one with other permissions. */
const identity = ({ dev, ino, mode }: BigIntStats): string => `${dev}:${ino}:${mode}`;

function identityOf(path: string): string | undefined {
  const found = statsOf(path);
  return found && identity(found);
}

const forShell = (env: Env): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !READ_BY_BASH.test(name)));
