// machine.ts: the probes of `doctor` that look at this machine only: configuration, folders, spool,
// last delivery.
import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import { type Obstacle, obstacleTo, obstacleToChoice } from '../consent/place.ts';
import type { Mode } from '../consent/resolve-mode.ts';
import { mustWait } from '../deliver/backoff.ts';
import { readDeliveryState } from '../deliver/delivery-state.ts';
import { lockState } from '../deliver/lock.ts';
import { spoolHealth, storedRuns } from '../spool/stored-runs.ts';
import { isSafeFromOthers } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { DAY_MS } from '../system/time.ts';
import { failure, ok, type Verdict, warning } from './verdict.ts';

const MEBIBYTE = 1024 * 1024;
/** The size of a full spool. */
const SPACE_WARNING = 32 * MEBIBYTE;
/** More than a single run needs. */
const SPACE_FAILURE = MEBIBYTE;

export function probeConfiguration(mode: Mode, config: Config): Verdict {
  if (config.problems.length > 0)
    return failure(config.problems.join('; '), `correct it; ${MEANWHILE[mode]}`);
  if (mode === 'off' && config.off.user === false && config.off.operator === false)
    return ok('readable');
  if (mode === 'off') return ok('readable, and switches telemetry off');
  if (config.warnings.length > 0) return warning(config.warnings.join('; '), 'use https');
  if (mode === 'send')
    return ok(`endpoint ${new URL(config.url ?? '').host}, from ${config.source}`);
  return ok('no endpoint configured: runs stay on this machine');
}

const MEANWHILE: Record<Mode, string> = {
  off: 'until then nothing is recorded',
  local: 'runs recorded until then stay on this machine for good',
  send: 'until then runs wait',
};

export function probeState(
  { state, spool, history }: Paths,
  obstacle: Obstacle | undefined,
): Verdict {
  if (obstacle) return failure(`nothing can be recorded: ${obstacle.what}`, obstacle.advice);
  for (const folder of [state, spool, history].filter((path) => existsSync(path))) {
    const mode = statSync(folder).mode & 0o777;
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      return warning(
        `other users can read ${folder} (mode ${mode.toString(8)})`,
        `chmod 700 ${folder}`,
      );
  }
  const { bavail, bsize } = statfsSync(existing(state));
  return judgeSpace(state, bavail * bsize);
}

/** The folders beside the state: can `off` be stored, and can compiled code be cached? */
export function probeFolders(paths: Paths, inCi: boolean): Verdict {
  const choice = obstacleToChoice(paths);
  if (choice && !inCi)
    return warning(`lhp-otel off could not be stored: ${choice.what}`, choice.advice);
  const cache = obstacleTo(paths.cache, inCi);
  if (cache) return warning(`compiled code cannot be cached: ${cache.what}`, cache.advice);
  if (existsSync(paths.cache) && !isSafeFromOthers(paths.cache))
    return warning(
      `compiled code is not cached: other users can write to a folder above ${paths.cache}`,
      'set XDG_CACHE_HOME to a folder that only you can write to',
    );
  return ok('configuration and cache can be written');
}

/** @param bytes - free space for this user. */
export function judgeSpace(state: string, bytes: number): Verdict {
  const left = `${Math.floor(bytes / MEBIBYTE)} MiB left`;
  const text = `${left} for ${state}`;
  if (bytes < SPACE_FAILURE) return failure(text, 'free disk space: no run can be recorded');
  if (bytes < SPACE_WARNING)
    return warning(text, 'free disk space: waiting runs take up to 32 MiB');
  return ok(`${state} is writable and private, ${left}`);
}

/** The folder, or its nearest parent that exists. */
const existing = (path: string): string =>
  existsSync(path) || dirname(path) === path ? path : existing(dirname(path));

export function probeSpool(paths: Paths): Verdict {
  const { waiting, oldest, unreadable, foreign } = spoolHealth(paths);
  const lost = storedRuns(paths).filter(({ outcome }) => outcome === 'lost').length;
  const age =
    oldest === undefined
      ? ''
      : `, the oldest for ${(Math.max(0, Date.now() - oldest) / DAY_MS).toFixed(1)} days`;
  const others = `${unreadable} unreadable, ${foreign} foreign, ${lost} given up`;
  const text = `${waiting} waiting${age}; ${others}`;
  if (unreadable > 0)
    return warning(text, 'the next delivery gives up the unreadable ones and counts them');
  if (foreign > 0)
    return warning(
      text,
      `lhp-otel did not write all files in ${paths.spool}; those are never sent`,
    );
  const lock = lockState(paths);
  if (lock === 'stale') return warning(`${text}; a stale lock`, 'the next delivery removes it');
  if (lock === 'foreign')
    return warning(
      `${text}; ${paths.deliverLock} is a folder that lhp-otel did not create`,
      'move it away: until then several runs may be delivered at the same time',
    );
  if (lost > 0)
    return warning(text, 'runs that were given up are counted in lhp.telemetry.lost_runs');
  return ok(text);
}

export function probeDelivery(paths: Paths): Verdict {
  const state = readDeliveryState(paths);
  const last = `last delivery ${state.lastSuccess ?? 'never'}`;
  if (mustWait(state))
    return warning(
      `${last}; next attempt not before ${state.retryAt}, after ${state.failures} failures: ` +
        `${state.problem}`,
      'lhp-otel flush tries again now',
    );
  if (state.problem)
    return warning(
      `${last}; ${state.lastFailure}: ${state.problem}`,
      'lhp-otel flush tries again now',
    );
  return ok(last);
}
