// outcome.ts: moves a run out of the spool when it is decided what becomes of it: sent, or lost.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { LossReason } from '../contract/contract.ts';
import { errorCode } from '../system/error.ts';
import { ensureFolder, moveOver } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { forgetAttempts } from './attempts.ts';
import { keptPath, lostPath } from './run-paths.ts';
import type { StoredRun } from './stored-runs.ts';

export function markSent(paths: Paths, run: StoredRun): void {
  moveRun(run.path, keptPath(paths, run.timestamp, 'sent'));
  forgetAttempts(paths, run.timestamp);
}

/**
 * Gives a run up. The next recorded run counts it in `lhp.telemetry.lost_runs`, together with the
 * losses that this run would have counted.
 */
export function markLost(paths: Paths, run: StoredRun, reason: LossReason): void {
  moveRun(run.path, lostPath(paths, run.timestamp, reason));
  forgetAttempts(paths, run.timestamp);
}

/** False where the file is gone: another process was faster, or the user has deleted it. */
export function moveRun(from: string, to: string): boolean {
  // Recreate the folder where it was deleted, or the run is sent again forever.
  if (existsSync(from)) ensureFolder(dirname(to));
  try {
    moveOver(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
