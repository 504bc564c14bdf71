// handover.ts: after a successful generate: ask consent, then start the reporter as a process of its own and let go. The user
// never waits here, except in CI, where the machine dies with the job: there at most LHP_OTEL_FLUSH_TIMEOUT. Never throws.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import type { GenerateEvent } from '../contract.ts';
import { ciVariableSet, isCi } from '../decide/ci.ts';
import { type Decision, decide, projectRoot } from '../decide/decide.ts';
import type { Deps, Env } from '../system/deps.ts';
import { ensureFolder, isSafeFromOthers, writePrivate } from '../system/files.ts';
import { debugging, say, sayOff } from '../system/log.ts';
import { PENDING_NOTICE, pathsOf } from '../system/paths.ts';
import type { Generate } from './command.ts';
import { isBundle, openLhpYaml } from './project-facts.ts';
import { reporterEnv } from './reporter-env.ts';

/** What the reporter needs to know of a run. It holds paths, so it travels in the reporter's own environment, not in `ps`. */
export interface Job {
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** What has changed since then is no fact of this run. */
  endedAt: number;
  durationSeconds: number;
  root: string | undefined;
  generate?: Omit<Generate, 'verbose'>;
  /** What a host of the library knows itself; counts that are missing are scanned in `root`. */
  known?: Partial<GenerateEvent> & { project_name?: string };
  /** False on the run that showed the notice. */
  deliver: boolean;
  /** Whether the project was a bundle when the run ended; looked up here where it is not given. */
  bundle?: boolean | undefined;
  /** Whether more jobs follow on descriptor 3 (shared-reporter.ts). */
  more?: boolean;
}

/** What is added to a {@link Job} on its way. */
export interface StartedJob extends Job {
  bundle: boolean;
  /** The reporter's standard input is the lhp.yaml of the run. */
  lhpYamlIsOpen: boolean;
  /** Wall clock minus monotonic clock, in ms: later it shows whether the wall clock was set back. */
  clock: number;
  /** Another process ends the reporter after {@link REPORTER_SECONDS}. */
  watched: boolean;
}

export const clockNow = (): number => Date.now() - Number(process.hrtime.bigint() / 1_000_000n);

export const JOB_VARIABLE = 'LHP_OTEL_JOB';
/**
 * V8 lets its young generation grow to 48 MiB before it cleans up. Kept small, it costs no time here, and a scan of 4,000 files or
 * a spool of 5,000 runs takes less memory (MiB, per semi-space).
 */
export const REPORTER_FLAGS: readonly string[] = ['--max-semi-space-size=2'];
/**
 * A reporter that hangs is killed by then: ten minutes for its run, because hundreds may start at
 * once, and 90 s for deliveries. Not by a timer of its own: that does not run while its thread hangs.
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

/** Whether this is the run of the notice, which is not delivered. */
type Notice = (decision: Decision, env: Env) => boolean;

export async function handOver(finished: FinishedGenerate, deps: Deps, noticed: Notice = showNotice): Promise<void> {
  const { verbose, ...generate } = finished.generate;
  const speaks = verbose || debugging(deps.env);
  const speak = speaks ? say : () => {};
  try {
    const root = projectRoot(generate.cwd);
    const decision = decide(deps, root);
    if (!decision.consent.enabled) {
      if (speaks) sayOff(decision.consent.layer);
      return;
    }
    if (root === undefined) return speak('no lhp.yaml here or above: nothing recorded, no network activity');
    const first = decision.mode === 'send' && noticed(decision, deps.env);
    const { startedAt, endedAt, durationSeconds, bundle, lhpYaml } = finished;
    const job = { startedAt, endedAt, durationSeconds, root, generate, bundle, deliver: !first };
    const reporter = startReporter(job, deps, lhpYaml);
    speak(describe(decision, first));
    if (decision.mode === 'send' && !first) await flushInCi(reporter, deps.env, decision);
  } catch (error) {
    speak(`telemetry failed (${(error as NodeJS.ErrnoException).code ?? 'internal error'}): nothing recorded`);
  }
}

function describe({ mode, config }: Decision, first: boolean): string {
  if (mode === 'local') return 'recording this run on this machine; no endpoint is configured, no network activity';
  if (first) return 'recording this run on this machine; the notice was shown, no network activity';
  if (config?.url === undefined)
    return 'recording this run; it waits, because the configuration is wrong (lhp-otel status), no network activity';
  return `recording this run; a process of its own delivers it to ${new URL(config.url).host}`;
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
export function startReporter(job: Job, deps: Deps, lhpYaml?: number): ChildProcess {
  const opened = lhpYaml === undefined && job.root !== undefined ? openLhpYaml(job.root) : undefined;
  const standardInput = lhpYaml ?? opened;
  const watcher = TIMEOUT_PROGRAMS.find((path) => existsSync(path));
  const started = { ...beginJob(job), lhpYamlIsOpen: standardInput !== undefined, watched: watcher !== undefined };
  const [file = '', ...words] = [
    ...(watcher === undefined ? [] : [watcher, '-s', 'KILL', String(REPORTER_SECONDS)]),
    ...[process.execPath, ...REPORTER_FLAGS, reporterProgram()],
  ];
  try {
    const reporter = spawn(file, words, {
      detached: true,
      stdio: [standardInput ?? 'ignore', 'ignore', 'ignore', ...(job.more ? (['pipe'] as const) : [])],
      windowsHide: true,
      // Not the user's folder: it may be unmounted or deleted while the reporter runs.
      cwd: process.platform === 'win32' ? undefined : '/',
      env: {
        ...reporterEnv(deps.env, deps.cwd),
        ...compileCache(deps),
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
 * V8 need not compile the reporter each time. Node runs what it finds there, so the folder must be safe from
 * other users. Node does not create it here: in some homes it would never stop trying.
 */
function compileCache(deps: Deps): { NODE_COMPILE_CACHE?: string } {
  const { cache } = pathsOf(deps);
  try {
    ensureFolder(cache);
    return isSafeFromOthers(cache) ? { NODE_COMPILE_CACHE: cache } : {};
  } catch {
    return {}; // nowhere to keep it
  }
}

/** The program that records; it lies beside this one. */
export function reporterProgram(): string {
  return join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../reporter.ts' : 'reporter.cjs');
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

/** Once for an endpoint, on a terminal: says what will be delivered. True when it was shown just now. */
function showNotice(decision: Decision, env: Env): boolean {
  const notice = isatty(2) ? noticeDue(decision, env) : undefined;
  if (!notice) return false;
  writePrivate(notice.seen, notice.mark);
  for (const line of notice.lines) say(line);
  return true;
}

/**
 * The same behind the shell hook, which has given the prompt back: the notice is left in a file, the next run's hook shows
 * it and makes that file the mark, and nothing is delivered before. `terminal`: none was shown; `shown`: just now.
 */
export function leaveNotice(decision: Decision, env: Env, terminal: string): boolean {
  if (terminal === 'shown') return true;
  const notice = terminal === 'terminal' ? noticeDue(decision, env) : undefined;
  if (!notice) return false;
  const text = notice.lines.map((line) => `lhp-otel: ${line}\n`).join('');
  writePrivate(join(decision.paths.state, PENDING_NOTICE), `${notice.mark}\n${text}`);
  return true;
}

/** The notice for this endpoint, where it was not shown yet. */
function noticeDue({ paths, config }: Decision, env: Env) {
  if (config?.url === undefined || ciVariableSet(env)) return undefined;
  const { host } = new URL(config.url);
  const seen = join(paths.state, 'notice.json');
  const mark = JSON.stringify({ endpoint: createHash('sha256').update(config.url).digest('hex') });
  try {
    if (readFileSync(seen, 'utf8').split('\n')[0] === mark) return undefined;
  } catch {
    // not shown yet
  }
  const lines = [
    `usage metrics of lhp generate will be delivered to ${host} from the next run on; this run is not.`,
    'counts, versions, duration, and hashed ids of project and machine; never names, paths or contents.',
    'see exactly what: lhp-otel show    why and where: lhp-otel status',
    'switch off: lhp-otel off    for this project: touch .lhp_do_not_track',
  ];
  return { seen, mark, lines };
}
