// stored-runs.ts: the recorded runs on disk, as a list and as content. One run is one file, and one
// file is one OTLP request. The file's name is the millisecond of the run: spool/<ms>.json waits to
// be delivered, history/<ms>.<outcome>.json does not. Nothing is written here.
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GenerateEvent, LossReason } from '../contract/contract.ts';
import { conforms } from '../otlp/conforms.ts';
import { eventOf, type OtlpRequest } from '../otlp/decode.ts';
import { errorCode } from '../system/error.ts';
import { readRegular } from '../system/files.ts';
import { isOwnFile, OWN_FILES } from '../system/own-files.ts';
import type { Paths } from '../system/paths.ts';
import type { Outcome } from './run.ts';

/** A recorded run takes about 3 kB. A larger file was not written by us. */
export const MAX_RUN_BYTES = 64 * 1024;

export interface StoredRun {
  /** Milliseconds since the epoch; the file's name, and the timestamp of the data points. */
  timestamp: number;
  outcome: Outcome;
  reason?: LossReason;
  path: string;
}

/** A run in the history. */
export interface HistoryRun extends StoredRun {
  /** For a lost run: the timestamp of the run whose request counts the loss. */
  countedIn?: number;
}

/** Every recorded run, oldest first. */
export function storedRuns(paths: Paths): StoredRun[] {
  // A run moves from the spool to the history. So the spool is listed first, and no run is missed;
  // a run that is moved in between is in both lists, and the later one is right.
  const runs = new Map<number, StoredRun>();
  for (const run of waiting(paths)) runs.set(run.timestamp, run);
  for (const run of historyRuns(paths)) runs.set(run.timestamp, run);
  return [...runs.values()].sort((a, b) => a.timestamp - b.timestamp);
}

/** The runs that wait to be delivered, oldest first. */
export function waiting(paths: Paths): StoredRun[] {
  return fileNames(paths.spool)
    .flatMap((name): StoredRun[] => {
      const ms = OWN_FILES.waitingRun.name.exec(name)?.groups?.ms;
      if (ms === undefined) return [];
      return [{ timestamp: Number(ms), outcome: 'waiting', path: join(paths.spool, name) }];
    })
    .sort((a, b) => a.timestamp - b.timestamp);
}

/**
 * The runs of the history, in no order.
 *
 * @param files - The names to look at, for a caller that has listed the folder already.
 */
export function historyRuns(
  paths: Paths,
  files: readonly string[] = fileNames(paths.history),
): HistoryRun[] {
  return files.flatMap((name): HistoryRun[] => {
    const path = join(paths.history, name);
    const kept = OWN_FILES.keptRun.name.exec(name)?.groups;
    if (kept) return [{ timestamp: Number(kept.ms), outcome: kept.outcome as Outcome, path }];
    const lost = OWN_FILES.lostRun.name.exec(name)?.groups;
    if (!lost) return [];
    const run: HistoryRun = {
      timestamp: Number(lost.ms),
      outcome: 'lost',
      reason: lost.reason as LossReason,
      path,
    };
    if (lost.countedIn !== undefined) run.countedIn = Number(lost.countedIn);
    return [run];
  });
}

/**
 * The bytes of a run; `undefined` where the file is missing, a link, too large, or not exactly what
 * we record. Such a file is never sent.
 */
export function readRun({ path, timestamp }: StoredRun): Buffer | undefined {
  try {
    const bytes = readRegular(path, { maxBytes: MAX_RUN_BYTES, follow: false });
    return conforms(bytes, timestamp) ? bytes : undefined;
  } catch {
    return undefined; // missing, a link, or unreadable: in each case not a run
  }
}

/** A run with the bytes of its file, and the event that they hold. */
export interface WholeRun extends StoredRun {
  bytes: Buffer;
  event: GenerateEvent;
}

/**
 * Like {@link readRun}, also where the run was moved since it was listed, as happens when it is
 * delivered.
 */
export function readWhole(paths: Paths, run: StoredRun): WholeRun | undefined {
  const bytes = readRun(run);
  if (bytes)
    return { ...run, bytes, event: eventOf(JSON.parse(bytes.toString('utf8')) as OtlpRequest) };
  const moved = isGone(run) ? inHistory(paths, run) : undefined;
  return moved && moved.path !== run.path ? readWhole(paths, moved) : undefined;
}

const isGone = ({ path }: StoredRun): boolean =>
  lstatSync(path, { throwIfNoEntry: false }) === undefined;

const inHistory = (paths: Paths, { timestamp }: StoredRun): StoredRun | undefined =>
  historyRuns(
    paths,
    fileNames(paths.history).filter((name) => name.startsWith(`${timestamp}.`)),
  )[0];

/** What is in the spool. Nothing is moved or removed. */
export function spoolHealth(paths: Paths) {
  const runs = waiting(paths);
  const foreign = fileNames(paths.spool).filter((name) => !isOwnFile('spool', name));
  return {
    waiting: runs.length,
    oldest: runs[0]?.timestamp,
    // A run that was moved or deleted since the listing is not unreadable.
    unreadable: runs.filter((run) => readRun(run) === undefined && !isGone(run)).length,
    foreign: foreign.length,
  };
}

/** The names in a folder; none where it does not exist. Throws where it cannot be read. */
export function fileNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
