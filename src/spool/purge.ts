// purge.ts: deletes recorded runs for `lhp-otel off` and `lhp-otel purge`. Only files that have a
// row in system/own-files.ts are deleted.
import { join } from 'node:path';
import { removeFile } from '../system/files.ts';
import { filesRemovedBy, isNamed, type Remover } from '../system/own-files.ts';
import type { Paths } from '../system/paths.ts';
import { fileNames, type StoredRun } from './stored-runs.ts';

/** Deletes a run, as if it had never been recorded. */
export const deleteRun = (run: StoredRun): void => void removeFile(run.path);

/**
 * For `off`: deletes the runs that wait to be sent, the losses that wait to be counted, the random
 * ids, and a notice that waits to be shown. Runs that were sent, or recorded for this machine only,
 * stay visible to the user.
 *
 * @returns The number of runs deleted.
 */
export const deleteUnsent = (paths: Paths): number => deleteFiles(paths, 'off');

/**
 * For `purge`: deletes what {@link deleteUnsent} deletes, the history, and the debug log.
 *
 * @returns The number of runs deleted.
 */
export const deleteRuns = (paths: Paths): number => deleteFiles(paths, 'purge');

function deleteFiles(paths: Paths, remover: Remover): number {
  let runs = 0;
  for (const row of filesRemovedBy(remover)) {
    const { folder, isRun } = row;
    if (folder !== 'state' && folder !== 'spool' && folder !== 'history' && folder !== 'attempts')
      continue; // `off` and `purge` remove nothing in the other folders
    for (const name of fileNames(paths[folder]))
      if (isNamed(row, name) && removeFile(join(paths[folder], name))) runs += isRun ? 1 : 0;
  }
  return runs;
}
