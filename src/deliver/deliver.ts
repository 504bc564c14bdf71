// deliver.ts: the waiting runs → the operator's collector, oldest first. The bytes of each file are
// posted (post.ts) as they are. A run leaves the spool only with a 200 (sent) or a final refusal
// (lost, and counted); everything else means: again later.
import { existsSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import { hasOtherAttempts, noteBegun, noteNotStored } from '../spool/attempts.ts';
import { markLost, markSent } from '../spool/outcome.ts';
import { readRun, type StoredRun, waiting } from '../spool/stored-runs.ts';
import { errorCode } from '../system/error.ts';
import { ensureFolder } from '../system/files.ts';
import type { Env } from '../system/host.ts';
import type { Paths } from '../system/paths.ts';
import { readText } from '../system/try-read.ts';
import type { Answer } from './classify.ts';
import { mustWait, noteFailure, readDeliveryState, writeDeliveryState } from './delivery-state.ts';
import { poster } from './post.ts';

/**
 * A lock of this age belongs to a process that was killed or sleeps: a post takes a minute at most,
 * and makes it young.
 */
const STALE_LOCK_MS = 120_000;
/**
 * The gateway accepts runs and drops points that are further ahead than this (5 minutes by its
 * clock).
 */
const AHEAD_MS = 60_000;

const now = () => new Date().toISOString();

export interface DeliverOptions {
  /** Asked again before each post: `off` in the meantime means that nothing is sent. */
  consented: () => boolean;
  /** Try also where the back-off says to wait. */
  force?: boolean;
  log?: (text: string) => void;
  /** Where NODE_EXTRA_CA_CERTS and SSL_CERT_* are looked for. */
  env: Env;
}

/**
 * Delivers what is waiting; gives the number of runs delivered. Another process that is delivering
 * already does it for us.
 */
export async function deliver(
  paths: Paths,
  config: Config,
  options: DeliverOptions,
): Promise<number> {
  const { url } = config;
  if (url === undefined || config.problems.length > 0) {
    if (config.configured)
      writeDeliveryState(paths, {
        ...readDeliveryState(paths),
        lastFailure: now(),
        problem: 'the configuration is wrong',
      });
    return 0;
  }
  let sent = 0;
  // Once more after the lock is free again: a run may have come in while it was held, and relied on
  // us.
  while (waiting(paths).length > 0 && lock(paths)) {
    const before = sent;
    try {
      const outcome = await deliverWaiting(paths, { ...config, url }, options);
      sent += outcome.sent;
      if (!outcome.goOn) return sent;
    } finally {
      unlock(paths);
    }
    if (sent === before && waiting(paths).length > 0) break;
  }
  return sent;
}

async function deliverWaiting(
  paths: Paths,
  config: Config & { url: string },
  options: DeliverOptions,
) {
  let sent = 0;
  const state = readDeliveryState(paths);
  if (!options.force && mustWait(state)) {
    options.log?.(`waiting until ${state.retryAt} after ${state.failures} failures`);
    return { sent, goOn: false };
  }
  const post = posterOrProblem(paths, config, options.env);
  if (!post) return { sent, goOn: false };
  for (const run of waiting(paths)) {
    if (isAhead(run)) continue;
    if (!options.consented() || !keepLock(paths)) return { sent, goOn: false };
    const bytes = readRun(run);
    if (!bytes) {
      markLost(paths, run, 'unreadable');
      continue;
    }
    noteBegun(paths, run.timestamp);
    const answer = await post(bytes);
    options.log?.(`${run.timestamp}: ${answer.kind}${answer.why ? ` (${answer.why})` : ''}`);
    // Settled by another, or deleted by the user in the meantime: there is nothing to note.
    if (!existsSync(run.path)) continue;
    if (answer.kind === 'later') {
      if (!answer.mayBeStored) noteNotStored(paths, run.timestamp);
      noteFailure(paths, answer.why);
      return { sent, goOn: false };
    }
    // A backend can refuse what it already has (docs/adr/0007-acknowledged-is-stored.md): after an
    // attempt without an answer that is the likelier reason, and the run is not counted as lost.
    const unsure = answer.kind === 'refused' && answer.mayBeStored;
    const there = unsure && (answer.repeated || hasOtherAttempts(paths, run.timestamp));
    sent += settle(paths, run, there ? { ...answer, kind: 'accepted' } : answer);
  }
  return { sent, goOn: true };
}

/**
 * A file that was read a moment ago can be gone or changed: said, as everything that goes wrong on
 * the way.
 */
function posterOrProblem(paths: Paths, config: Config & { url: string }, env: Env) {
  try {
    return poster(config, env);
  } catch (error) {
    noteFailure(
      paths,
      `TLS cannot be set up with the configured files (${errorCode(error) ?? 'internal error'})`,
    );
    return undefined;
  }
}

/** Recorded by a clock that has been set back since; delivered when its time has come. */
export const isAhead = (run: StoredRun): boolean => run.timestamp > Date.now() + AHEAD_MS;

function settle(paths: Paths, run: StoredRun, answer: Answer): number {
  if (answer.kind === 'refused') {
    markLost(paths, run, 'rejected');
    const { problem: _, ...state } = readDeliveryState(paths);
    writeDeliveryState(paths, { ...state, lastFailure: now(), problem: answer.why });
    return 0;
  }
  markSent(paths, run);
  const rejected = (readDeliveryState(paths).rejectedPoints ?? 0) + answer.rejectedPoints;
  writeDeliveryState(paths, {
    lastSuccess: now(),
    failures: 0,
    ...(rejected > 0 ? { rejectedPoints: rejected } : {}),
  });
  return 1;
}

// ── lock: not for exactness (a run that is sent twice counts once), but so that many runs at once
// make one sender ──────────

function lock(paths: Paths): boolean {
  const path = paths.deliverLock;
  ensureFolder(dirname(path));
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        // a full disk has room for a name, and this one would look alive
        rmSync(path, { force: true });
        throw error;
      }
      if (!isStale(path)) return false;
      rmSync(path, { force: true });
    }
  }
  return false;
}

/**
 * Whether a process that is gone, or one that hangs, holds the lock; the next delivery takes it
 * away.
 */
export const lockIsStale = (paths: Paths): boolean => isStale(paths.deliverLock);

/** Whether a process is posting now. */
export const isDelivering = (paths: Paths): boolean =>
  existsSync(paths.deliverLock) && !lockIsStale(paths);

function isStale(path: string): boolean {
  try {
    if (Math.abs(statSync(path).mtimeMs - Date.now()) > STALE_LOCK_MS) return true;
    process.kill(Number(readText(path)), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** False where another has taken it over: we have slept. */
function keepLock(paths: Paths): boolean {
  try {
    if (readText(paths.deliverLock) !== String(process.pid)) return false;
    const now = new Date();
    utimesSync(paths.deliverLock, now, now);
    return true;
  } catch {
    return false; // taken over and done with
  }
}

function unlock(paths: Paths): void {
  if (keepLock(paths)) rmSync(paths.deliverLock, { force: true });
}
