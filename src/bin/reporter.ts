// reporter.ts: the process behind the user's back that nobody waits for: scan → identify → record →
// spool → deliver. Started by handover.ts after a successful generate, detached and niced; prints
// nothing, fails silently (but for the debug log), ends by itself.
import { existsSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { describeRun } from '../collect/collect.ts';
import { ciSlot } from '../collect/identify.ts';
import { noticeOf } from '../consent/notice.ts';
import { obstacleToRuns } from '../consent/place.ts';
import { type Decision, resolveMode } from '../consent/resolve-mode.ts';
import { JOB_VARIABLE, type StartedJob } from '../job/job.ts';
import { followingJobs } from '../library/shared-reporter.ts';
import { forget, prune, store, waiting } from '../spool/spool.ts';
import { debugLog } from '../system/debug-log.ts';
import { errorCode } from '../system/error.ts';
import { type Host, systemHost } from '../system/host.ts';
import { endWithin } from '../system/watchdog.ts';
import { REPORTER_SECONDS } from '../wrap/start-reporter.ts';

/**
 * What waits, waits no longer than this (for what hangs, see REPORTER_SECONDS). Where hundreds of
 * us start at once, it takes minutes until each has written its run.
 */
const RECORDING_MS = 10 * 60_000;
/** What is not delivered by then, a later run delivers. */
const DELIVERY_MS = 90_000;
/** From so many waiting runs on, memory counts for more than time. */
const BACKLOG = 100;
const NICENESS = 10;

/** `stored` is told when the runs are on disk, and only their delivery is left. */
export async function report(job: StartedJob, host: Host, stored = () => {}): Promise<void> {
  let waits: StartedJob | undefined;
  let failure: unknown;
  for await (const each of jobsOf(job)) {
    try {
      if (await recordOne(each, host)) waits = each;
    } catch (error) {
      failure ??= error; // the others go on
    }
  }
  if (waits) {
    stored();
    await deliverRuns(waits.root, host);
  }
  if (failure !== undefined) throw failure;
}

async function* jobsOf(job: StartedJob): AsyncGenerator<StartedJob> {
  yield job;
  if (job.more) yield* followingJobs();
}

/** Gives whether the run is to be delivered now. */
async function recordOne(job: StartedJob, host: Host): Promise<boolean> {
  // Asked again: this process may have started late, and `off` means off.
  const { mode, paths } = resolveMode(host, job.root);
  if (mode === 'off' || (await obstacleToRuns(host.env, paths))) return false;
  const log = debugLog(host.env, paths);
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

/** Describes the run and puts it on disk, where nothing stands against it. */
async function describeAndStore(
  job: StartedJob,
  host: Host,
  { mode, paths, log }: Pick<Decision, 'mode' | 'paths'> & { log: (text: string) => void },
): Promise<'waiting' | 'local' | undefined> {
  const known = existsSync(paths.state);
  const event = await describeRun(job, host, paths);
  // `purge --all` in the meantime: nothing of ours is to come back.
  if (known && !existsSync(paths.state)) return undefined;
  const { recordRun } = await import('../otlp/encode.ts');
  const slot = event.is_ci === true ? ciSlot(paths) : undefined;
  const outcome = mode === 'send' ? 'waiting' : 'local';
  const run = await store(paths, outcome, (timestamp, lost) =>
    recordRun(event, { timestamp, startedAt: job.startedAt, lost, slot }),
  );
  // `off` first writes the choice and then deletes what is there; what came in between is deleted
  // here.
  if (resolveMode(host, job.root).mode === 'off') {
    forget(run);
    return undefined;
  }
  prune(paths);
  log(`${run.timestamp}: ${outcome}`);
  return outcome;
}

async function deliverRuns(root: string | undefined, host: Host): Promise<void> {
  const decision = resolveMode(host, root);
  const { config, paths } = decision;
  if (!config) return;
  const log = debugLog(host.env, paths);
  await logged(log, async () => {
    if ((await noticeOf(decision, host.env)) !== 'due') {
      // Compiling what runs often takes 10 MiB. Unknown V8 flags only print a warning, to a closed
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

let end: NodeJS.Timeout | undefined;
/** This process ends by then at the latest. */
function lives(milliseconds: number): void {
  clearTimeout(end);
  end = setTimeout(() => process.exit(1), milliseconds).unref();
}

async function main(): Promise<void> {
  lives(RECORDING_MS);
  try {
    setPriority(NICENESS);
  } catch {
    // not allowed here; then at normal priority
  }
  const job = JSON.parse(process.env[JOB_VARIABLE] ?? '') as StartedJob;
  delete process.env[JOB_VARIABLE];
  if (!job.watched) endWithin(REPORTER_SECONDS * 1000);
  await report(job, systemHost(), () => lives(DELIVERY_MS));
}

if (process.env[JOB_VARIABLE] !== undefined) {
  main().then(
    () => process.exit(0),
    () => process.exit(1), // said in the debug log
  );
}
