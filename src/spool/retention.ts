// retention.ts: bounds what is kept, by count, size and age. Runs that no longer fit into the spool
// are given up and counted; of the history the newest runs stay.
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { removeFile } from '../system/files.ts';
import { OWN_FILES, TEMPORARY } from '../system/own-files.ts';
import type { Paths } from '../system/paths.ts';
import { DAY_MS, MINUTE_MS } from '../system/time.ts';
import { attempted, forgetAttempts } from './attempts.ts';
import { markLost } from './outcome.ts';
import { waitingPath } from './run-paths.ts';
import { fileNames, historyRuns, MAX_RUN_BYTES, waiting } from './stored-runs.ts';

/**
 * The operator's Prometheus refuses older points (out_of_order_time_window), and a laptop that was
 * off for a week still counts.
 */
export const MAX_AGE_MS = 7 * DAY_MS;
const MAX_SPOOLED = 5_000;
const MAX_SPOOL_BYTES = 32 * 1024 * 1024;
/** docs/configuration.md names this number; no other document does. */
export const MAX_HISTORY = 10_000;
/** The history may exceed its bound by so many runs: see {@link cutHistory}. */
export const HISTORY_SLACK = 500;
/** A temporary file of this age belongs to a reporter that died. */
const ABANDONED_MS = 10 * MINUTE_MS;

/**
 * Applies the bounds to spool, state folder and history.
 *
 * @param now - Milliseconds since the epoch.
 */
export function prune(paths: Paths, now: number): void {
  pruneSpool(paths, now);
  giveUpAbandoned(paths, now);
  for (const name of fileNames(paths.state))
    if (TEMPORARY.test(name) && changedAt(join(paths.state, name)) < now - ABANDONED_MS)
      removeFile(join(paths.state, name));
  // Left by a sender that was killed after it had moved the run.
  for (const run of attempted(paths))
    if (!existsSync(waitingPath(paths, run))) forgetAttempts(paths, run);
  cutHistory(paths);
}

function pruneSpool(paths: Paths, now: number): void {
  let count = 0;
  let bytes = 0;
  for (const run of waiting(paths).reverse()) {
    const size = sizeOf(run.path);
    // Not written by us, so it must not take the room of the others.
    if (size > MAX_RUN_BYTES) {
      markLost(paths, run, 'unreadable');
      continue;
    }
    count += 1;
    bytes += size;
    // A run from the far future was recorded by a wrong clock, and would wait for as long.
    if (Math.abs(run.timestamp - now) > MAX_AGE_MS) markLost(paths, run, 'expired');
    else if (count > MAX_SPOOLED || bytes > MAX_SPOOL_BYTES) markLost(paths, run, 'spool_full');
  }
}

/** A reporter that died after it had taken its millisecond leaves a temporary file: a lost run. */
function giveUpAbandoned(paths: Paths, now: number): void {
  for (const name of fileNames(paths.spool)) {
    const timestamp = Number(OWN_FILES.unfinishedRun.name.exec(name)?.groups?.ms ?? Number.NaN);
    if (timestamp <= now - ABANDONED_MS)
      markLost(
        paths,
        { timestamp, outcome: 'waiting', path: join(paths.spool, name) },
        'unreadable',
      );
  }
}

/**
 * Cuts the history to its newest runs. A loss is removed only after the request that counts it was
 * delivered, and is removed before that request: otherwise it would be counted again.
 */
function cutHistory(paths: Paths): void {
  const files = fileNames(paths.history);
  // Parsing that many names takes as long as everything else here, so not in each run.
  if (files.length <= MAX_HISTORY + HISTORY_SLACK) return;
  const runs = historyRuns(paths, files).sort((a, b) => b.timestamp - a.timestamp);
  const old = runs.slice(MAX_HISTORY);
  if (old.length === 0) return;
  const delivered = new Set(
    runs.flatMap(({ outcome, timestamp }) => (outcome === 'sent' ? timestamp : [])),
  );
  const removed = new Set(old.map(({ timestamp }) => timestamp));
  for (const { countedIn = 0, timestamp, path } of runs)
    if (delivered.has(countedIn) && (removed.has(countedIn) || removed.has(timestamp)))
      removeFile(path);
  for (const { outcome, path } of old) if (outcome !== 'lost') removeFile(path);
}

/** In bytes; 0 where the file is gone. */
const sizeOf = (path: string): number => lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Milliseconds since the epoch; NaN where the file is gone. */
const changedAt = (path: string): number =>
  lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN;
