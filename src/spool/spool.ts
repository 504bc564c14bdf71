// spool.ts: recorded runs on disk. One run is one file is one OTLP request; its name is its
// millisecond, and it is written once and then only moved: spool/<ms>.json waits to be delivered,
// history/<ms>.<outcome>.json has been. Every move is a rename, so at each moment a run is in
// exactly one place, whatever is killed when. Bounded by count, size and age.
import {
  existsSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type GenerateEvent, LOSS_REASONS, type LossReason } from '../contract/contract.ts';
import { conforms } from '../otlp/conforms.ts';
import { eventOf, type OtlpRequest, type Outcome } from '../otlp/decode.ts';
import { DEBUG_LOG } from '../system/debug-log.ts';
import { ensureFolder, readRegular, TEMPORARY } from '../system/files.ts';
import { type Paths, PENDING_NOTICE } from '../system/paths.ts';
import { attempted, forgetAttempts } from './attempts.ts';

/**
 * Older points are refused by the operator's Prometheus; a laptop on holiday for a week still
 * counts.
 */
export const MAX_AGE_MS = 7 * 24 * 3600 * 1000;
const MAX_SPOOLED = 5_000;
const MAX_SPOOL_BYTES = 32 * 1024 * 1024;
const MAX_HISTORY = 10_000;
const HISTORY_SLACK = 500;
/** A recorded run has about 3 kB; a larger file is not ours. */
const MAX_RUN_BYTES = 64 * 1024;
/** A temporary file of this age belongs to a reporter that died. */
const ABANDONED_MS = 10 * 60 * 1000;

export interface StoredRun {
  /** Milliseconds since the epoch; the name and the timestamp of its points. */
  timestamp: number;
  outcome: Outcome;
  reason?: LossReason;
  path: string;
}

const WAITING = /^(\d{13})\.json$/;
/** What can be in the spool, and in the history. */
export const SPOOLED = /^\d{13}\.(json|tmp)$/;
export const KEPT = new RegExp(
  `^(\\d{13})\\.(sent|local|lost-(${LOSS_REASONS.join('|')}))(\\.in-(\\d{13}))?\\.json$`,
);

/**
 * Writes a run under a millisecond that no other run of this machine has. `make` gives the bytes
 * for that millisecond. The temporary file carries the name, is created exclusively and is renamed
 * only when complete: whoever holds it, holds the millisecond, and whoever held it before is
 * visible in the spool or, after that, in the history.
 */
export async function store(
  paths: Paths,
  outcome: 'waiting' | 'local',
  make: (timestamp: number, lost: ReadonlyMap<LossReason, number>) => Promise<Uint8Array>,
  now: number = Date.now(),
): Promise<StoredRun> {
  for (const folder of [paths.spool, paths.history]) ensureFolder(folder);
  for (let timestamp = now; ; timestamp += 1) {
    const temporary = join(paths.spool, `${timestamp}.tmp`);
    if (!createExclusively(temporary)) continue;
    try {
      // First the spool, then the history: a run moves in this direction, so it cannot slip through
      // between the two looks.
      if (isTaken(names(paths.spool), timestamp)) continue;
      const history = names(paths.history);
      if (isTaken(history, timestamp)) continue;
      const claimed = outcome === 'waiting' ? claimLosses(paths, history, timestamp) : [];
      // Never created anew: where it is gone, this process has slept so long that the run was given
      // up (`prune`).
      writeFileSync(temporary, await make(timestamp, countReasons(claimed)), {
        flag: 'r+',
        flush: true,
      });
      const path =
        outcome === 'local'
          ? join(paths.history, `${timestamp}.local.json`)
          : join(paths.spool, `${timestamp}.json`);
      renameSync(temporary, path);
      return { timestamp, outcome, path };
    } catch (error) {
      // A full disk still has room for a name: the run is given up, and counted when there is room
      // again.
      if (outcome === 'waiting')
        markLost(paths, { timestamp, outcome, path: temporary }, 'unreadable');
      throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
  }
}

function createExclusively(path: string): boolean {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isTaken(files: readonly string[], timestamp: number): boolean {
  const prefix = `${timestamp}.`;
  return files.some((name) => name.startsWith(prefix) && name.endsWith('.json'));
}

/** Every recorded run, oldest first. */
export function storedRuns(paths: Paths): StoredRun[] {
  return [...waiting(paths), ...kept(paths)].sort((a, b) => a.timestamp - b.timestamp);
}

/** What is to be delivered, oldest first. */
export function waiting(paths: Paths): StoredRun[] {
  return names(paths.spool)
    .flatMap((name): StoredRun[] => {
      const match = WAITING.exec(name);
      return match
        ? [{ timestamp: Number(match[1]), outcome: 'waiting', path: join(paths.spool, name) }]
        : [];
    })
    .sort((a, b) => a.timestamp - b.timestamp);
}

interface KeptRun extends StoredRun {
  /** The run whose request counts this loss. */
  countedIn?: number;
}

function kept(paths: Paths, files: readonly string[] = names(paths.history)): KeptRun[] {
  return files.flatMap((name): KeptRun[] => {
    const match = KEPT.exec(name);
    if (!match) return [];
    const [, timestamp, word = '', reason, , countedIn] = match;
    const run: KeptRun = {
      timestamp: Number(timestamp),
      outcome: reason ? 'lost' : (word as Outcome),
      path: join(paths.history, name),
    };
    if (reason) run.reason = reason as LossReason;
    if (countedIn) run.countedIn = Number(countedIn);
    return [run];
  });
}

/**
 * The bytes of a run, or `undefined` where the file is gone, a link, too large, or not exactly what
 * we record: that is not ours to send.
 */
export const readRun = (run: StoredRun): Buffer | undefined => readWhole(run)?.bytes;

/** The bytes, and what they say. */
export function readWhole(run: StoredRun): { bytes: Buffer; event: GenerateEvent } | undefined {
  try {
    const bytes = readRegular(run.path, { maxBytes: MAX_RUN_BYTES, follow: false });
    if (!conforms(bytes, run.timestamp)) return undefined;
    return { bytes, event: eventOf(JSON.parse(bytes.toString('utf8')) as OtlpRequest) };
  } catch {
    return undefined;
  }
}

/** What lies in the spool, with nothing moved or removed. */
export function spoolHealth(paths: Paths) {
  const runs = waiting(paths);
  const foreign = names(paths.spool).filter((name) => !SPOOLED.test(name));
  return {
    waiting: runs.length,
    oldest: runs[0]?.timestamp,
    unreadable: runs.filter((run) => readRun(run) === undefined).length,
    foreign: foreign.length,
  };
}

export function markSent(paths: Paths, run: StoredRun): void {
  move(run.path, join(paths.history, `${run.timestamp}.sent.json`));
  forgetAttempts(paths, run.timestamp);
}

/**
 * Gives a run up; the next recorded run counts it in `lhp.telemetry.lost_runs`, and also the losses
 * that this one carried.
 */
export function markLost(paths: Paths, run: StoredRun, reason: LossReason): void {
  move(run.path, join(paths.history, `${run.timestamp}.lost-${reason}.json`));
  forgetAttempts(paths, run.timestamp);
}

/**
 * Keeps the bounds: what is too old or too much is given up, and the history is cut to its newest
 * runs.
 */
export function prune(paths: Paths, now: number = Date.now()): void {
  let count = 0;
  let bytes = 0;
  for (const run of waiting(paths).reverse()) {
    const size = sizeOf(run.path);
    // No run of ours, and it must not take the room of those.
    if (size > MAX_RUN_BYTES) {
      markLost(paths, run, 'unreadable');
      continue;
    }
    count += 1;
    bytes += size;
    // Also from as far ahead: a clock was wrong, and nobody waits until it is right.
    if (Math.abs(run.timestamp - now) > MAX_AGE_MS) markLost(paths, run, 'expired');
    else if (count > MAX_SPOOLED || bytes > MAX_SPOOL_BYTES) markLost(paths, run, 'spool_full');
  }
  for (const name of names(paths.spool)) {
    const abandoned = /^(\d{13})\.tmp$/.exec(name);
    if (!abandoned || Number(abandoned[1]) > now - ABANDONED_MS) continue;
    // A reporter died here after it had taken its millisecond: that run is lost, and says so.
    const run = {
      timestamp: Number(abandoned[1]),
      outcome: 'waiting',
      path: join(paths.spool, name),
    } as const;
    markLost(paths, run, 'unreadable');
  }
  for (const name of names(paths.state))
    if (TEMPORARY.test(name) && changed(join(paths.state, name)) < now - ABANDONED_MS)
      remove(join(paths.state, name));
  // Of a sender that was killed when it had moved the run.
  for (const run of attempted(paths))
    if (!existsSync(join(paths.spool, `${run}.json`))) forgetAttempts(paths, run);
  cutHistory(paths);
}

/**
 * A loss is forgotten only when the request that counts it was delivered, and before that request:
 * or it would be counted again.
 */
function cutHistory(paths: Paths): void {
  const files = names(paths.history);
  // To look at each of ten thousand takes as long as all the rest, so not every time.
  if (files.length <= MAX_HISTORY + HISTORY_SLACK) return;
  const runs = kept(paths, files).sort((a, b) => b.timestamp - a.timestamp);
  const old = runs.slice(MAX_HISTORY);
  if (old.length === 0) return;
  const delivered = new Set(
    runs.flatMap(({ outcome, timestamp }) => (outcome === 'sent' ? timestamp : [])),
  );
  const forgotten = new Set(old.map(({ timestamp }) => timestamp));
  for (const { countedIn = 0, timestamp, path } of runs)
    if (delivered.has(countedIn) && (forgotten.has(countedIn) || forgotten.has(timestamp)))
      remove(path);
  for (const { outcome, path } of old) if (outcome !== 'lost') remove(path);
}

/**
 * Losses that no request counts yet are marked with the request that will. The mark is a rename, so
 * two reporters cannot count one loss; it holds as long as the request is not given up itself.
 */
function claimLosses(paths: Paths, history: readonly string[], timestamp: number): KeptRun[] {
  const claimed: KeptRun[] = [];
  const losses = history.filter((name) => name.includes('.lost-'));
  for (const loss of kept(paths, losses)) {
    if (
      loss.outcome !== 'lost' ||
      (loss.countedIn !== undefined && isCounting(paths, loss.countedIn))
    )
      continue;
    const path = join(paths.history, `${loss.timestamp}.lost-${loss.reason}.in-${timestamp}.json`);
    if (move(loss.path, path)) claimed.push({ ...loss, path, countedIn: timestamp });
  }
  return claimed;
}

/**
 * Whether this request is being written, waits, or was delivered; looked for in the order in which
 * a run moves.
 */
function isCounting(paths: Paths, timestamp: number): boolean {
  const places = [join(paths.spool, `${timestamp}.tmp`), join(paths.spool, `${timestamp}.json`)];
  return [...places, join(paths.history, `${timestamp}.sent.json`)].some(existsSync);
}

function countReasons(losses: readonly KeptRun[]): ReadonlyMap<LossReason, number> {
  const counts = new Map<LossReason, number>();
  for (const { reason } of losses) if (reason) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}

/** As if it had never been recorded. */
export const forget = (run: StoredRun): void => void remove(run.path);

/**
 * `off`: deletes what waits to be sent, losses that wait to be counted, what was drawn at random,
 * and a notice that waits to be shown. What was sent, and what was recorded for this machine only,
 * stays visible to the user. Only what carries our names is deleted.
 */
export function purge(paths: Paths): number {
  let deleted = 0;
  for (const name of names(paths.spool)) {
    if (SPOOLED.test(name))
      deleted += Number(remove(join(paths.spool, name)) && WAITING.test(name));
  }
  for (const run of kept(paths)) if (run.outcome === 'lost') deleted += Number(remove(run.path));
  for (const run of attempted(paths)) forgetAttempts(paths, run);
  for (const drawn of ['machine-id', 'ci-slot.json']) remove(join(paths.state, drawn));
  remove(join(paths.state, PENDING_NOTICE));
  return deleted;
}

/**
 * The user's wish to have nothing kept: as `off` deletes, and all of the history, too. A loss that
 * no request has counted yet goes with its run and is never counted; those that were go before the
 * requests that count them, or they would be counted again.
 */
export function purgeRuns(paths: Paths): number {
  let deleted = purge(paths);
  for (const run of kept(paths)) deleted += Number(remove(run.path));
  remove(join(paths.state, DEBUG_LOG));
  return deleted;
}

/** False where another reporter was faster, or the user has purged. */
function move(from: string, to: string): boolean {
  // Somebody may have deleted the folder: a run that cannot leave the spool would be sent for ever.
  if (existsSync(from)) ensureFolder(dirname(to));
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** A folder is not ours, whatever its name is, and stays. */
function remove(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'EISDIR', 'EPERM'].includes(code)) return false;
    throw error;
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/** Nothing, where it is gone. */
const sizeOf = (path: string): number => lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
const changed = (path: string): number =>
  lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN;
