// reporter.ts: the background process that records a run after the command has ended: collect →
// OTLP request → spool → deliver. start-reporter.ts starts it, detached. It runs at low priority,
// prints nothing, and fails silently, but for the debug log.
import { existsSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { describeRun } from '../collect/collect.ts';
import { ciSlot } from '../collect/identify.ts';
import { digitsOfJob, millisecondsWith } from '../collect/job-number.ts';
import { noticeOf } from '../consent/notice.ts';
import { obstacleToRuns } from '../consent/place.ts';
import { type Decision, resolveMode } from '../consent/resolve-mode.ts';
import { CI_SLOTS, type GenerateEvent } from '../contract/contract.ts';
import { JOB_VARIABLE, type StartedJob } from '../job/job.ts';
import { followingJobs } from '../library/shared-reporter.ts';
import { deleteRun } from '../spool/purge.ts';
import { prune } from '../spool/retention.ts';
import { store } from '../spool/store.ts';
import { waiting } from '../spool/stored-runs.ts';
import { debugLog } from '../system/debug-log.ts';
import { errorCode } from '../system/error.ts';
import { type Host, systemHost } from '../system/host.ts';
import type { Paths } from '../system/paths.ts';
import { MINUTE_MS, SECOND_MS } from '../system/time.ts';
import { endWithin } from '../system/watchdog.ts';
import { REPORTER_SECONDS } from '../wrap/start-reporter.ts';

/**
 * Upper bound for recording. Where hundreds of reporters start at once, it takes minutes until each
 * has written its run. REPORTER_SECONDS is the bound for a thread that is blocked.
 */
const RECORDING_MS = 10 * MINUTE_MS;
/** Upper bound for delivering. A later run delivers what is left. */
const DELIVERY_MS = 90 * SECOND_MS;
/** With more runs waiting than this, less memory is worth more than less time. */
const BACKLOG = 100;
const NICENESS = 10;

/**
 * Records the runs of the job and of those that follow it, and delivers what waits.
 *
 * @param stored - Called when the runs are on disk, and only their delivery is left.
 */
export async function report(job: StartedJob, host: Host, stored = () => {}): Promise<void> {
  let toDeliver: StartedJob | undefined;
  let failure: unknown;
  for await (const each of jobsOf(job)) {
    try {
      if (await recordOne(each, host)) toDeliver = each;
    } catch (error) {
      failure ??= error; // thrown below, when the other jobs are done
    }
  }
  if (toDeliver) {
    stored();
    await deliverRuns(toDeliver.root, host);
  }
  if (failure !== undefined) throw failure;
}

async function* jobsOf(job: StartedJob): AsyncGenerator<StartedJob> {
  yield job;
  if (job.more) yield* followingJobs();
}

/** Returns whether the run is to be delivered now. */
async function recordOne(job: StartedJob, host: Host): Promise<boolean> {
  // Consent is checked again: this process may start long after the command has ended.
  const { mode, paths } = resolveMode(host, job.root);
  if (mode === 'off' || (await obstacleToRuns(host.env, paths))) return false;
  const log = debugLog(host, paths);
  log('reporter: started');
  return logged(log, async () => {
    const outcome = await describeAndStore(job, host, { mode, paths, log });
    const delivers = outcome === 'waiting' && job.deliver;
    if (!delivers) log('reporter: done');
    return delivers;
  });
}

async function logged<T>(log: (text: string) => void, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    log(
      `reporter: failed (${errorCode(error) ?? (error instanceof Error ? error.name : 'error')})`,
    );
    throw error;
  }
}

/**
 * Describes the run and stores it; `undefined` where the user has purged or opted out meanwhile.
 */
async function describeAndStore(
  job: StartedJob,
  host: Host,
  { mode, paths, log }: Pick<Decision, 'mode' | 'paths'> & { log: (text: string) => void },
): Promise<'waiting' | 'local' | undefined> {
  const existed = existsSync(paths.state);
  const event = await describeRun(job, host, paths, log);
  // `purge --all` has removed the folder meanwhile: nothing of ours may come back.
  if (existed && !existsSync(paths.state)) return undefined;
  const { exportRun } = await import('../otlp/encode.ts');
  const { startedAt } = job;
  const now = host.now();
  const { slot, milliseconds } = placeOf(event, startedAt, now, host, paths);
  const outcome = mode === 'send' ? 'waiting' : 'local';
  const run = await store(
    paths,
    outcome,
    (timestamp, lost, write) => exportRun(event, { timestamp, startedAt, lost, slot }, write),
    now,
    milliseconds,
  );
  // `off` first writes the choice and then deletes the runs that it finds. A run that was stored
  // after that is deleted here.
  if (resolveMode(host, job.root).mode === 'off') {
    deleteRun(run);
    return undefined;
  }
  prune(paths, host.now());
  log(`${run.timestamp}: ${outcome}`);
  return outcome;
}

/**
 * What keeps a CI run apart from those of other containers with its machine id: its slot, and the
 * milliseconds to try first (docs/adr/0010-ci-slots.md).
 */
function placeOf(
  event: GenerateEvent,
  startedAt: number,
  now: number,
  { env }: Host,
  paths: Paths,
): { slot?: string; milliseconds?: Iterable<number> } {
  if (event.is_ci !== true) return {};
  const digits = digitsOfJob(env);
  if (digits === undefined) return { slot: ciSlot(paths, CI_SLOTS.others) };
  return {
    slot: ciSlot(paths, CI_SLOTS.numbered),
    milliseconds: millisecondsWith(digits, startedAt, now),
  };
}

async function deliverRuns(root: string | undefined, host: Host): Promise<void> {
  const decision = resolveMode(host, root);
  const { config, paths } = decision;
  if (!config) return;
  const log = debugLog(host, paths);
  await logged(log, async () => {
    if ((await noticeOf(decision, host.env)) !== 'due') {
      // V8's middle compiler takes 10 MiB. Unknown V8 flags only print a warning, to a closed
      // stream.
      if (waiting(paths).length > BACKLOG) setFlagsFromString('--no-maglev');
      const { deliver } = await import('../deliver/deliver.ts');
      await deliver(paths, config, {
        env: host.env,
        consented: () => resolveMode(host, root).mode === 'send',
        log,
      });
    }
    log('reporter: done');
  });
}

let deadline: NodeJS.Timeout | undefined;

/** Ends this process after so many milliseconds; a second call replaces the first. */
function exitAfter(milliseconds: number): void {
  clearTimeout(deadline);
  deadline = setTimeout(() => process.exit(1), milliseconds).unref();
}

async function main(): Promise<void> {
  exitAfter(RECORDING_MS);
  try {
    setPriority(NICENESS);
  } catch {
    // not permitted: goes on at normal priority
  }
  const job = JSON.parse(process.env[JOB_VARIABLE] ?? '') as StartedJob;
  delete process.env[JOB_VARIABLE]; // the job holds paths, and processes started here inherit it
  if (!job.watched) endWithin(REPORTER_SECONDS * SECOND_MS);
  await report(job, systemHost(), () => exitAfter(DELIVERY_MS));
}

// Without the variable this file is imported by a test.
if (process.env[JOB_VARIABLE] !== undefined) {
  main().then(
    () => process.exit(0),
    () => process.exit(1), // the debug log has the error
  );
}
