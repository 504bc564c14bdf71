// store.ts: writes a run into the spool or the history. Its file is written once, and after that
// only moved by a rename (outcome.ts), so at each moment a run is in exactly one place, whatever
// process is killed when.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { LossReason } from '../contract/contract.ts';
import { errorCode } from '../system/error.ts';
import { ensureFolder } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { claimLosses, countByReason } from './losses.ts';
import { markLost } from './outcome.ts';
import { keptPath, unfinishedPath, waitingPath } from './run-paths.ts';
import { fileNames, type StoredRun } from './stored-runs.ts';

export type Recorder = (
  timestamp: number,
  lost: ReadonlyMap<LossReason, number>,
  write: (request: Uint8Array) => void,
) => Promise<void>;

/**
 * Stores a run under a millisecond that no other run of this machine has. The temporary file is
 * named by the millisecond, created exclusively, and renamed when it is complete. So one process at
 * a time has that name, and a run that had the millisecond before is visible in the spool or, after
 * that, in the history.
 *
 * @param record - Passes the request for a millisecond, and for the losses that the run counts, to
 *   `write`, once. It throws what `write` throws.
 * @param now - Milliseconds since the epoch: this one is tried, and then the next ones.
 * @param preferred - Milliseconds that are tried before `now`.
 * @throws what `record` throws. The run is given up then, and no loss counts as counted by it.
 */
export async function store(
  paths: Paths,
  outcome: 'waiting' | 'local',
  record: Recorder,
  now: number,
  preferred: Iterable<number> = [],
): Promise<StoredRun> {
  for (const folder of [paths.spool, paths.history]) ensureFolder(folder);
  const milliseconds = inTurn(preferred, now);
  for (;;) {
    const timestamp = milliseconds.next().value;
    const temporary = unfinishedPath(paths, timestamp);
    if (!createExclusively(temporary)) continue;
    try {
      // First the spool, then the history: a run moves in this direction, so it cannot be missed in
      // both.
      if (isTaken(fileNames(paths.spool), timestamp)) continue;
      const history = fileNames(paths.history);
      if (isTaken(history, timestamp)) continue;
      const claimed = outcome === 'waiting' ? claimLosses(paths, history, timestamp) : [];
      await record(timestamp, countByReason(claimed), (request) => {
        // r+ fails where the file is missing: then this process was suspended for so long that the
        // run was given up (retention.ts).
        writeFileSync(temporary, request, { flag: 'r+', flush: true });
      });
      const path =
        outcome === 'local' ? keptPath(paths, timestamp, 'local') : waitingPath(paths, timestamp);
      renameSync(temporary, path);
      return { timestamp, outcome, path };
    } catch (error) {
      // A full disk has no room for the bytes, but has room for a name: the run is given up, and a
      // later run counts it.
      if (outcome === 'waiting')
        markLost(paths, { timestamp, outcome, path: temporary }, 'unreadable');
      throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
  }
}

function* inTurn(preferred: Iterable<number>, now: number): Generator<number, never> {
  yield* preferred;
  for (let at = now; ; at += 1) yield at;
}

function createExclusively(path: string): boolean {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function isTaken(files: readonly string[], timestamp: number): boolean {
  const prefix = `${timestamp}.`;
  return files.some((name) => name.startsWith(prefix) && name.endsWith('.json'));
}
