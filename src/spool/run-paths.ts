// run-paths.ts: the path of a run's file at each step of its way. The names are those of the rows
// `…Run` in system/own-files.ts.
import { join } from 'node:path';
import type { LossReason } from '../contract/contract.ts';
import type { Paths } from '../system/paths.ts';

export const unfinishedPath = (paths: Paths, ms: number): string => join(paths.spool, `${ms}.tmp`);

export const waitingPath = (paths: Paths, ms: number): string => join(paths.spool, `${ms}.json`);

export const keptPath = (paths: Paths, ms: number, outcome: 'sent' | 'local'): string =>
  join(paths.history, `${ms}.${outcome}.json`);

/** @param countedIn - The run whose request counts the loss. */
export const lostPath = (
  paths: Paths,
  ms: number,
  reason: LossReason,
  countedIn?: number,
): string =>
  join(
    paths.history,
    `${ms}.lost-${reason}${countedIn === undefined ? '' : `.in-${countedIn}`}.json`,
  );
