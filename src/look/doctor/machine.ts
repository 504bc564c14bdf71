// machine.ts: the probes of `doctor` that stay on this machine: configuration, state folder, spool, the last delivery. They read, and
// change nothing.
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../decide/config.ts';
import type { Mode } from '../../decide/decide.ts';
import { lockIsStale } from '../../deliver/deliver.ts';
import { mustWait, readDeliveryState } from '../../deliver/delivery-state.ts';
import { spoolHealth, storedRuns } from '../../spool/spool.ts';
import type { Paths } from '../../system/paths.ts';
import { codeOf, failure, ok, skipped, type Verdict, warning } from './verdict.ts';

const DAY_MS = 24 * 60 * 60_000;
/** What a full spool takes, and what a single run needs. */
const SPACE_WARNING = 32 * 1024 * 1024;
const SPACE_FAILURE = 1024 * 1024;

export function probeConfiguration(mode: Mode, config: Config | undefined): Verdict {
  if (!config) return skipped('not read: telemetry is off');
  if (config.problems.length > 0) return failure(config.problems.join('; '), 'mend it; runs wait meanwhile');
  if (config.warnings.length > 0) return warning(config.warnings.join('; '), 'use https');
  if (mode === 'send') return ok(`endpoint ${new URL(config.url ?? '').host}, from ${config.source}`);
  return ok('no endpoint configured: runs stay on this machine');
}

export function probeState({ state, spool, history }: Paths): Verdict {
  const folders = [state, spool, history].filter((path) => existsSync(path));
  for (const folder of folders.length > 0 ? folders : [existing(state)]) {
    const stats = statSync(folder);
    if (!stats.isDirectory())
      return failure(`${folder} is not a folder`, 'set HOME or XDG_STATE_HOME to a folder of yours');
    const user = process.getuid?.();
    if (folders.length > 0 && user !== undefined && stats.uid !== user)
      return failure(`${folder} belongs to user ${stats.uid}, and you are ${user}`, `chown -R ${user} ${state}`);
    try {
      accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      return failure(`${folder} cannot be written (${codeOf(error)})`, 'make it writable, or set XDG_STATE_HOME');
    }
    if (folders.length > 0 && process.platform !== 'win32' && (stats.mode & 0o077) !== 0)
      return warning(
        `others can look into ${folder} (mode ${(stats.mode & 0o777).toString(8)})`,
        `chmod 700 ${folder}`,
      );
  }
  const { bavail, bsize } = statfsSync(existing(state));
  return judgeSpace(state, bavail * bsize);
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
    oldest === undefined ? '' : `, the oldest for ${(Math.max(0, Date.now() - oldest) / DAY_MS).toFixed(1)} days`;
  const text = `${waiting} waiting${age}; ${unreadable} unreadable, ${foreign} foreign, ${lost} given up`;
  if (unreadable > 0) return warning(text, 'the unreadable ones are given up and counted with the next delivery');
  if (foreign > 0) return warning(text, `somebody else's files are in ${paths.spool}; they are never sent`);
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
  if (state.problem) return warning(`${last}; ${state.lastFailure}: ${state.problem}`, 'lhp-otel flush tries again');
  return ok(last);
}
