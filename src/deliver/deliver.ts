// deliver.ts: posts the waiting runs to the operator's collector, oldest first, each file byte for
// byte. A run leaves the spool only when it is stored (the collector answered 200) or refused for
// good (400, 413: lost, and counted); after anything else it waits for a later delivery.
import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { hasOtherAttempts, noteBegun, noteNotStored } from '../spool/attempts.ts';
import { markLost, markSent } from '../spool/outcome.ts';
import { readRun, type StoredRun, waiting } from '../spool/stored-runs.ts';
import { errorCode } from '../system/error.ts';
import type { Env } from '../system/host.ts';
import type { Paths } from '../system/paths.ts';
import { mustWait } from './backoff.ts';
import type { Answer } from './classify.ts';
import { noteFailure, noteProblem, noteSuccess, readDeliveryState } from './delivery-state.ts';
import { type Lock, takeLock } from './lock.ts';
import { type Post, poster } from './post.ts';

/**
 * A run with a later time than this is not delivered yet: its clock was set back since. The gateway
 * accepts such a request but drops points that are more than 5 minutes ahead of its own clock.
 */
const AHEAD_MS = 60_000;

export interface DeliverOptions {
  /** Asked before each post, so that `off` ends a delivery that is under way. */
  consented: () => boolean;
  /** Ignore the back-off. */
  force?: boolean;
  log?: (text: string) => void;
  /** Names the certificate authorities (authorities.ts). */
  env: Env;
}

type Endpoint = Config & { url: string };

/**
 * Delivers what waits. Does nothing where another process is delivering: that one delivers all.
 *
 * @returns the number of runs delivered.
 */
export async function deliver(
  paths: Paths,
  config: Config,
  options: DeliverOptions,
): Promise<number> {
  const { url } = config;
  if (url === undefined || config.problems.length > 0) {
    if (config.configured) noteProblem(paths, 'the configuration is wrong');
    return 0;
  }
  let sent = 0;
  // Again after the lock is released: a run that was recorded meanwhile relied on this process.
  while (waiting(paths).length > 0) {
    const lock = takeLock(paths);
    if (!lock) break;
    const before = sent;
    try {
      const outcome = await deliverWaiting(paths, { ...config, url }, options, lock);
      sent += outcome.sent;
      if (!outcome.goOn) return sent;
    } finally {
      lock.release();
    }
    if (sent === before && waiting(paths).length > 0) break;
  }
  return sent;
}

interface Outcome {
  sent: number;
  /** False where a further attempt now would end in the same way. */
  goOn: boolean;
}

async function deliverWaiting(
  paths: Paths,
  config: Endpoint,
  options: DeliverOptions,
  lock: Lock,
): Promise<Outcome> {
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
    if (!options.consented() || !lock.keep()) return { sent, goOn: false };
    const bytes = readRun(run);
    if (!bytes) {
      markLost(paths, run, 'unreadable');
      continue;
    }
    noteBegun(paths, run.timestamp);
    const answer = await post(bytes);
    options.log?.(`${run.timestamp}: ${answer.kind}${answer.why ? ` (${answer.why})` : ''}`);
    // Settled by another process, or deleted by the user, while it was posted.
    if (!existsSync(run.path)) continue;
    if (answer.kind === 'later') {
      if (!answer.mayBeStored) noteNotStored(paths, run.timestamp);
      noteFailure(paths, answer.why);
      return { sent, goOn: false };
    }
    if (isStored(paths, run, answer)) {
      markSent(paths, run);
      noteSuccess(paths, answer.rejectedPoints);
      sent += 1;
    } else {
      markLost(paths, run, 'rejected');
      noteProblem(paths, answer.why);
    }
  }
  return { sent, goOn: true };
}

/**
 * A backend can refuse a run that it already has (docs/adr/0007-acknowledged-is-stored.md). After
 * an attempt that ended without an answer this is the likelier reason for a refusal, and the run
 * does not count as lost.
 */
function isStored(paths: Paths, run: StoredRun, answer: Answer): boolean {
  if (answer.kind === 'accepted') return true;
  return answer.mayBeStored && (answer.repeated || hasOtherAttempts(paths, run.timestamp));
}

/** A PEM file that was readable when the configuration was checked may be gone or changed now. */
function posterOrProblem(paths: Paths, config: Endpoint, env: Env): Post | undefined {
  try {
    return poster(config, env);
  } catch (error) {
    const why = errorCode(error) ?? 'internal error';
    noteFailure(paths, `TLS cannot be set up with the configured files (${why})`);
    return undefined;
  }
}

/** Whether the run was recorded by a clock that was ahead; it is delivered when its time comes. */
export const isAhead = (run: StoredRun): boolean => run.timestamp > Date.now() + AHEAD_MS;
