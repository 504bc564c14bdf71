// start-reporter.ts: starts bin/reporter.ts as a process of its own, for the wrapper, the shell
// hook and the library. The caller does not wait for it.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { ciVariableSet } from '../config/ci.ts';
import { obstacleTo } from '../consent/place.ts';
import { clockOffset, JOB_VARIABLE, type Job, type StartedJob } from '../job/job.ts';
import { isBundle, openLhpYaml } from '../job/project-facts.ts';
import { ensureFolder, isSafeFromOthers } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { resolvePaths } from '../system/paths.ts';
import { reporterEnv } from './reporter-env.ts';

/**
 * V8 lets its young generation grow to 48 MiB before it collects. Limited to 2 MiB a semi-space, a
 * scan of 4,000 files or a spool of 5,000 runs takes a third less memory and the same time
 * (docs/adr/0002-hot-path.md).
 */
export const REPORTER_FLAGS: readonly string[] = ['--max-semi-space-size=2'];

/**
 * A reporter is killed after this time: ten minutes to record, because hundreds may start at once,
 * and 90 s to deliver. A timer in the reporter is not enough, as it does not fire while the thread
 * is blocked.
 */
export const REPORTER_SECONDS = 690;

/** GNU's and BusyBox's. By their paths: a folder of a project may be in PATH. */
const TIMEOUT_PROGRAMS = ['/usr/bin/timeout', '/bin/timeout'];

/** The job with what the next command may change: whether the project is a bundle, and the time. */
export const startJob = (job: Job, host: Host): StartedJob => ({
  ...job,
  bundle: job.bundle ?? (job.root !== undefined && isBundle(job.root)),
  lhpYamlIsOpen: false,
  clockOffset: clockOffset(host),
  watched: false,
});

/**
 * Starts the reporter in a session of its own, so that neither the terminal nor the shell's job
 * control sends it a signal. `pid` is undefined where it could not be started.
 *
 * @param lhpYaml - A descriptor of the project's lhp.yaml; opened here where it is not given.
 */
export function startReporter(job: Job, host: Host, lhpYaml?: number): ChildProcess {
  const opened =
    lhpYaml === undefined && job.root !== undefined ? openLhpYaml(job.root) : undefined;
  const standardInput = lhpYaml ?? opened;
  const { file, args, watched } = reporterCommand();
  const lhpYamlIsOpen = standardInput !== undefined;
  const started: StartedJob = { ...startJob(job, host), lhpYamlIsOpen, watched };
  try {
    const reporter = spawn(file, args, {
      detached: true,
      stdio: [
        standardInput ?? 'ignore',
        'ignore',
        'ignore',
        ...(job.more ? (['pipe'] as const) : []),
      ],
      windowsHide: true,
      // Not the user's folder, which may be unmounted or deleted while the reporter runs.
      cwd: host.platform === 'win32' ? undefined : '/',
      env: {
        ...reporterEnv(host.env, host.cwd),
        ...compileCache(host),
        [JOB_VARIABLE]: JSON.stringify(started),
      },
    });
    reporter.on('error', () => {}); // EAGAIN, ENOMEM: drop the run silently
    reporter.unref();
    return reporter;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/** What starts a reporter, and whether timeout(1) will end it. */
export function reporterCommand(): { file: string; args: string[]; watched: boolean } {
  const timeout = TIMEOUT_PROGRAMS.find((path) => existsSync(path));
  const args = [...REPORTER_FLAGS, reporterProgram()];
  return timeout === undefined
    ? { file: process.execPath, args, watched: false }
    : {
        file: timeout,
        args: ['-s', 'KILL', String(REPORTER_SECONDS), process.execPath, ...args],
        watched: true,
      };
}

/**
 * The variable that names {@link compiledFolder}. The folder is created here, because Node retries
 * forever in a home where no folder can be created.
 */
function compileCache(host: Host): { NODE_COMPILE_CACHE?: string } {
  try {
    const folder = compiledFolder(host, ensureFolder);
    return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
  } catch {
    return {}; // the folder cannot be created: the reporter compiles its code itself
  }
}

/**
 * The folder in which Node keeps the compiled reporter, where it exists after `prepare`. Node
 * executes what it finds there, so the folder must be safe from other users.
 */
export function compiledFolder(
  host: Host,
  prepare: (folder: string) => void = () => {},
): string | undefined {
  const { cache } = resolvePaths(host);
  if (obstacleTo(cache, ciVariableSet(host.env))) return undefined;
  prepare(cache);
  return isSafeFromOthers(cache) ? cache : undefined;
}

/** The path of the reporter, which is beside this file in dist/. */
export function reporterProgram(): string {
  return join(
    import.meta.dirname,
    import.meta.filename.endsWith('.ts') ? '../bin/reporter.ts' : 'reporter.cjs',
  );
}
