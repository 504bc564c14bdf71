// handover.ts: after a successful generate: ask consent, then start the reporter as a process of
// its own and let go. The user never waits here, except in CI, where the machine dies with the job:
// there at most LHP_OTEL_FLUSH_TIMEOUT. Never throws.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Generate } from '../command/command.ts';
import { ciVariableSet, isCi } from '../config/ci.ts';
import { type Announced, announce, announceLater } from '../consent/notice.ts';
import { obstacleTo, obstacleToRuns } from '../consent/place.ts';
import { type Decision, resolveMode } from '../consent/resolve-mode.ts';
import { SITUATIONS, situationFor } from '../consent/situation.ts';
import { clockNow, JOB_VARIABLE, type Job, type StartedJob } from '../job/job.ts';
import { isBundle, openLhpYaml } from '../job/project-facts.ts';
import { debugLog } from '../system/debug-log.ts';
import { errorCode } from '../system/error.ts';
import { ensureFolder, isSafeFromOthers } from '../system/files.ts';
import type { Env, Host } from '../system/host.ts';
import { debugging, say, sayOff } from '../system/log.ts';
import { resolvePaths } from '../system/paths.ts';
import { projectRoot } from '../system/project-root.ts';
import { reporterEnv } from './reporter-env.ts';

/**
 * V8 lets its young generation grow to 48 MiB before it cleans up. Kept small, it costs no time
 * here, and a scan of 4,000 files or a spool of 5,000 runs takes less memory (MiB, per semi-space).
 */
export const REPORTER_FLAGS: readonly string[] = ['--max-semi-space-size=2'];
/**
 * A reporter that hangs is killed by then: ten minutes for its run, because hundreds may start at
 * once, and 90 s for deliveries. Not by a timer of its own: that does not run while its thread
 * hangs.
 */
export const REPORTER_SECONDS = 690;
/** Of GNU and of BusyBox. Never by name: PATH can lead into a project. */
const TIMEOUT_PROGRAMS = ['/usr/bin/timeout', '/bin/timeout'];

export interface FinishedGenerate {
  generate: Generate;
  startedAt: number;
  endedAt: number;
  durationSeconds: number;
  bundle?: boolean | undefined;
  /** A descriptor of the project's lhp.yaml, where it is open already. */
  lhpYaml?: number | undefined;
}

/**
 * @param hook - Of a shell hook, which has given the prompt back: what became of the notice there.
 *   Nobody reads stderr then.
 */
export async function handOver(
  finished: FinishedGenerate,
  host: Host,
  hook?: string,
): Promise<void> {
  const { verbose, ...generate } = finished.generate;
  let speak: (text: string) => void =
    hook === undefined && (verbose || debugging(host.env)) ? say : () => {};
  try {
    const root = projectRoot(generate.cwd);
    const decision = resolveMode(host, root);
    const { consent, mode, paths } = decision;
    if (!consent.enabled)
      return sayOff(
        consent.problem === undefined ? consent.layer : `${consent.layer}, which cannot be read`,
        speak,
      );
    if (root === undefined)
      return speak('no lhp.yaml here or above: nothing recorded, no network activity');
    if (await obstacleToRuns(host.env, paths))
      return speak('nothing can be recorded here (lhp-otel status says why), no network activity');
    if (hook !== undefined) speak = debugLog(host.env, paths);
    const told =
      hook === undefined
        ? await announce(decision, host.env)
        : await announceLater(decision, host.env, hook);
    const { startedAt, endedAt, durationSeconds, bundle, lhpYaml } = finished;
    const deliver = told === 'before';
    const job = { startedAt, endedAt, durationSeconds, root, generate, bundle, deliver };
    const reporter = startReporter(job, host, lhpYaml);
    if (reporter.pid === undefined) return speak('no process could be started: nothing recorded');
    speak(`a process of its own was started to record this run ${describe(decision, told)}`);
    if (mode === 'send' && deliver) await flushInCi(reporter, host.env, decision);
  } catch (error) {
    speak(`telemetry failed (${errorCode(error) ?? 'internal error'}): nothing recorded`);
  }
}

/** What will become of the run, as far as it is known. */
function describe(decision: Decision, told: Announced): string {
  if (told === 'now')
    return 'and it waits for the next one; the notice was shown just now, no network activity';
  const situation = situationFor(decision, told === 'not yet' ? 'due' : 'shown');
  const to = situation === 'delivers' ? ` to ${new URL(decision.config?.url ?? '').host}` : '';
  return SITUATIONS[situation].run + to;
}

/** The job as of now: what has to be looked at before the project changes. */
export const beginJob = (job: Job): StartedJob => ({
  ...job,
  bundle: job.bundle ?? (job.root !== undefined && isBundle(job.root)),
  lhpYamlIsOpen: false,
  clock: clockNow(),
  watched: false,
});

/**
 * Starts the reporter in a session of its own, so that neither the terminal nor the shell's job
 * control reaches it.
 *
 * @param lhpYaml - A descriptor of the project's lhp.yaml; it is opened here where it is not given.
 */
export function startReporter(job: Job, host: Host, lhpYaml?: number): ChildProcess {
  const opened =
    lhpYaml === undefined && job.root !== undefined ? openLhpYaml(job.root) : undefined;
  const standardInput = lhpYaml ?? opened;
  const watcher = TIMEOUT_PROGRAMS.find((path) => existsSync(path));
  const started = {
    ...beginJob(job),
    lhpYamlIsOpen: standardInput !== undefined,
    watched: watcher !== undefined,
  };
  const [file = '', ...words] = [
    ...(watcher === undefined ? [] : [watcher, '-s', 'KILL', String(REPORTER_SECONDS)]),
    ...[process.execPath, ...REPORTER_FLAGS, reporterProgram()],
  ];
  try {
    const reporter = spawn(file, words, {
      detached: true,
      stdio: [
        standardInput ?? 'ignore',
        'ignore',
        'ignore',
        ...(job.more ? (['pipe'] as const) : []),
      ],
      windowsHide: true,
      // Not the user's folder: it may be unmounted or deleted while the reporter runs.
      cwd: process.platform === 'win32' ? undefined : '/',
      env: {
        ...reporterEnv(host.env, host.cwd),
        ...compileCache(host),
        [JOB_VARIABLE]: JSON.stringify(started),
      },
    });
    reporter.on('error', () => {}); // a full process table costs the run, not the user
    reporter.unref();
    return reporter;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/**
 * V8 need not compile the reporter each time. Node runs what it finds there, so the folder must be
 * safe from other users. Node does not create it here: in some homes it would never stop trying.
 */
function compileCache(host: Host): { NODE_COMPILE_CACHE?: string } {
  const { cache } = resolvePaths(host);
  if (obstacleTo(cache, ciVariableSet(host.env))) return {};
  try {
    ensureFolder(cache);
    return isSafeFromOthers(cache) ? { NODE_COMPILE_CACHE: cache } : {};
  } catch {
    return {}; // nowhere to keep it
  }
}

/** The program that records; it lies beside this one. */
export function reporterProgram(): string {
  return join(
    import.meta.dirname,
    import.meta.filename.endsWith('.ts') ? '../bin/reporter.ts' : 'reporter.cjs',
  );
}

async function flushInCi(reporter: ChildProcess, env: Env, { config }: Decision): Promise<void> {
  const limit = config?.flushTimeoutMs;
  if (!limit || !(await isCi(env))) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, limit);
    reporter.ref();
    reporter.on('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  reporter.unref();
}
