// handover.ts: after a successful generate: ask consent, then start the reporter as a process of its own and let go. The user
// never waits here, except in CI, where the machine dies with the job: there at most LHP_OTEL_FLUSH_TIMEOUT. Never throws.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
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

/** What the reporter needs to know of a run. It holds paths, so it travels in the reporter's own environment, not in `ps`. */
export interface Job {
  /** Milliseconds since the epoch. */
  startedAt: number;
  durationSeconds: number;
  root: string | undefined;
  generate?: Omit<Generate, 'verbose'>;
  /** What a host of the library knows itself; counts that are missing are scanned in `root`. */
  known?: Partial<GenerateEvent> & { project_name?: string };
  /** False on the run that showed the notice. */
  deliver: boolean;
  /** Whether more jobs follow on descriptor 3 (shared-reporter.ts). */
  more?: boolean;
}

export const JOB_VARIABLE = 'LHP_OTEL_JOB';
/**
 * V8 lets its young generation grow to 48 MiB before it cleans up. Kept small, it costs no time here, and a scan of 4,000 files or
 * a spool of 5,000 runs takes less memory (MiB, per semi-space).
 */
export const REPORTER_FLAGS: readonly string[] = ['--max-semi-space-size=2'];
// In CI the machine dies with the job.
const CI_FLUSH_MS = 2_000;

export interface FinishedGenerate {
  generate: Generate;
  startedAt: number;
  durationSeconds: number;
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
    const { startedAt, durationSeconds } = finished;
    const reporter = startReporter({ startedAt, durationSeconds, root, generate, deliver: !first }, deps);
    speak(describe(decision, first));
    if (decision.mode === 'send' && !first) await flushInCi(reporter, deps.env);
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

/** Starts the reporter in a session of its own, so that neither the terminal nor the shell's job control reaches it. */
export function startReporter(job: Job, deps: Deps, more = false): ChildProcess {
  const reporter = spawn(process.execPath, [...REPORTER_FLAGS, reporterProgram()], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', ...(more ? (['pipe'] as const) : [])],
    windowsHide: true,
    // Not the user's folder: it may be unmounted or deleted while the reporter runs.
    cwd: process.platform === 'win32' ? undefined : '/',
    env: { ...compileCache(deps), ...reporterEnv({ ...job, more }, deps.env) },
  });
  reporter.on('error', () => {}); // a full process table costs the run, not the user
  reporter.unref();
  return reporter;
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

/** Without the user's OTEL_* (they hold other applications' API keys) and without code that NODE_OPTIONS would load. */
function reporterEnv(job: Job, env: Env): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(
    ([name]) => (!name.startsWith('OTEL_') && name !== 'NODE_OPTIONS') || name === 'OTEL_SDK_DISABLED',
  );
  return { ...Object.fromEntries(kept), [JOB_VARIABLE]: JSON.stringify(job) };
}

/** The program that records; it lies beside this one. */
export function reporterProgram(): string {
  return join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../reporter.ts' : 'reporter.cjs');
}

async function flushInCi(reporter: ChildProcess, env: Env): Promise<void> {
  const limit = flushTimeout(env);
  if (limit === 0 || !(await isCi(env))) return;
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

/** `LHP_OTEL_FLUSH_TIMEOUT` in milliseconds, or with a unit (`2s`, `500ms`); `0` never waits. */
function flushTimeout(env: Env): number {
  const match = /^(\d{1,6})(ms|s)?$/.exec(env.LHP_OTEL_FLUSH_TIMEOUT?.trim() ?? '');
  return match ? Number(match[1]) * (match[2] === 's' ? 1000 : 1) : CI_FLUSH_MS;
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
