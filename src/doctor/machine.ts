// machine.ts: the probes of `doctor` that stay on this machine: configuration, state folder, spool,
// the last delivery. They read, and change nothing.
import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import { type Obstacle, obstacleTo, obstacleToChoice } from '../consent/place.ts';
import type { Mode } from '../consent/resolve-mode.ts';
import { lockIsStale } from '../deliver/deliver.ts';
import { mustWait, readDeliveryState } from '../deliver/delivery-state.ts';
import { spoolHealth, storedRuns } from '../spool/stored-runs.ts';
import { isSafeFromOthers } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { failure, ok, type Verdict, warning } from './verdict.ts';

const DAY_MS = 24 * 60 * 60_000;
/** What a full spool takes, and what a single run needs. */
const SPACE_WARNING = 32 * 1024 * 1024;
const SPACE_FAILURE = 1024 * 1024;

export function probeConfiguration(mode: Mode, config: Config): Verdict {
  if (config.problems.length > 0)
    return failure(config.problems.join('; '), `mend it; ${MEANWHILE[mode]}`);
  if (mode === 'off' && config.off.user === false && config.off.operator === false)
    return ok('can be read');
  if (mode === 'off') return ok('can be read, and says off');
  if (config.warnings.length > 0) return warning(config.warnings.join('; '), 'use https');
  if (mode === 'send')
    return ok(`endpoint ${new URL(config.url ?? '').host}, from ${config.source}`);
  return ok('no endpoint configured: runs stay on this machine');
}

const MEANWHILE: Record<Mode, string> = {
  off: 'nothing is recorded meanwhile',
  local: 'runs stay on this machine meanwhile, for good',
  send: 'runs wait meanwhile',
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
        `others can look into ${folder} (mode ${mode.toString(8)})`,
        `chmod 700 ${folder}`,
      );
  }
  const { bavail, bsize } = statfsSync(existing(state));
  return judgeSpace(state, bavail * bsize);
}

/**
 * The folders beside the state: whether `off` could be written, and whether compiled code can be
 * kept.
 */
export function probeFolders(paths: Paths, inCi: boolean): Verdict {
  const choice = obstacleToChoice(paths);
  if (choice && !inCi)
    return warning(`lhp-otel off could not be kept: ${choice.what}`, choice.advice);
  const cache = obstacleTo(paths.cache, inCi);
  if (cache) return warning(`compiled code cannot be kept: ${cache.what}`, cache.advice);
  if (existsSync(paths.cache) && !isSafeFromOthers(paths.cache))
    return warning(
      `compiled code is not kept: others can write a folder above ${paths.cache}`,
      'set XDG_CACHE_HOME to a folder that is yours alone',
    );
  return ok('configuration and cache are yours');
}

/** @param bytes - that are free for this user. */
export function judgeSpace(state: string, bytes: number): Verdict {
  const left = `${Math.floor(bytes / 1024 / 1024)} MiB left for ${state}`;
  if (bytes < SPACE_FAILURE) return failure(left, 'make room: no run can be recorded');
  if (bytes < SPACE_WARNING) return warning(left, 'make room: runs that wait need up to 32 MiB');
  return ok(`${state} is writable and private, ${left.split(' for ')[0]}`);
}

/** The folder itself, or the nearest above it that is there. */
const existing = (path: string): string =>
  existsSync(path) || dirname(path) === path ? path : existing(dirname(path));

export function probeSpool(paths: Paths): Verdict {
  const { waiting, oldest, unreadable, foreign } = spoolHealth(paths);
  const lost = storedRuns(paths).filter(({ outcome }) => outcome === 'lost').length;
  const age =
    oldest === undefined
      ? ''
      : `, the oldest for ${(Math.max(0, Date.now() - oldest) / DAY_MS).toFixed(1)} days`;
  const text = `${waiting} waiting${age}; ${unreadable} unreadable, ${foreign} foreign, ${lost} given up`;
  if (unreadable > 0)
    return warning(text, 'the unreadable ones are given up and counted with the next delivery');
  if (foreign > 0)
    return warning(text, `somebody else's files are in ${paths.spool}; they are never sent`);
  if (lockIsStale(paths)) return warning(`${text}; a stale lock`, 'the next delivery removes it');
  if (lost > 0) return warning(text, 'lost runs are counted in lhp.telemetry.lost_runs');
  return ok(text);
}

export function probeDelivery(paths: Paths): Verdict {
  const state = readDeliveryState(paths);
  const last = `last delivery ${state.lastSuccess ?? 'never'}`;
  if (mustWait(state))
    return warning(
      `${last}; not again before ${state.retryAt}, after ${state.failures} failures: ${state.problem}`,
      'lhp-otel flush tries at once',
    );
  if (state.problem)
    return warning(`${last}; ${state.lastFailure}: ${state.problem}`, 'lhp-otel flush tries again');
  return ok(last);
}
