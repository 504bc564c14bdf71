// lock.ts: one process delivers at a time. The lock is not needed for exact counts, as a run that
// is sent twice counts once; it keeps many runs that end together from opening a connection each.
// The file holds the process id of its owner, and its modification time says that the owner lives.
// Anything else under its name (restored with the folder, or put there) must not stop deliveries.
import {
  linkSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../system/error.ts';
import { ensureFolder, readRegular, temporaryName } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';

/**
 * The owner of a lock of this age was killed or suspended: it refreshes the lock before each post,
 * and a post takes at most a minute.
 */
const STALE_MS = 120_000;

export interface Lock {
  /**
   * Refreshes the lock. False where another process has taken it over, which happens after this one
   * was suspended.
   */
  keep(): boolean;
  release(): void;
}

/** For a delivery where the place of the lock is taken by something that is not removed. */
const NO_LOCK: Lock = { keep: () => true, release: () => {} };

/** Undefined where another process has it. */
export function takeLock(paths: Paths): Lock | undefined {
  const path = paths.deliverLock;
  ensureFolder(dirname(path));
  if (create(path)) return lockAt(path);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return undefined;
  const state = stateOf(path, found);
  if (state === 'held') return undefined;
  if (state === 'foreign') return NO_LOCK;
  const place = clear(path, found);
  if (place === 'taken') return undefined;
  if (place === 'blocked') return NO_LOCK;
  return create(path) ? lockAt(path) : undefined;
}

/**
 * Removes a stale lock. Several processes may find the same one at once, so the file is first moved
 * to a name of this process. If it is not the file that was found, another process has been faster:
 * `taken`, and its lock is put back.
 */
function clear(path: string, found: Stats): 'free' | 'taken' | 'blocked' {
  if (found.isDirectory()) return remove(path) ? 'free' : 'blocked';
  const moved = temporaryName(path);
  try {
    renameSync(path, moved);
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? 'free' : 'blocked'; // ENOENT: removed by another process
  }
  const { ino, mtimeMs } = lstatSync(moved);
  const same = ino === found.ino && mtimeMs === found.mtimeMs;
  try {
    if (!same) linkSync(moved, path);
  } catch {
    // A third process has the lock now. The second finds that before its next post.
  }
  remove(moved);
  return same ? 'free' : 'taken';
}

const lockAt = (path: string): Lock => ({
  keep: () => refresh(path),
  release: () => {
    if (refresh(path)) remove(path);
  },
});

function create(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // On a full disk the file was created and is empty: without an owner it would be held to be
    // alive.
    remove(path);
    throw error;
  }
}

function refresh(path: string): boolean {
  try {
    if (ownerOf(path) !== process.pid) return false;
    const now = new Date();
    utimesSync(path, now, now);
    return true;
  } catch {
    return false; // taken over, and released since
  }
}

/** Does not follow a link. False where it cannot be removed, as a folder with files cannot. */
function remove(path: string): boolean {
  try {
    if (lstatSync(path).isDirectory()) rmdirSync(path);
    else unlinkSync(path);
    return true;
  } catch (error) {
    return errorCode(error) === 'ENOENT'; // another process was faster
  }
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return false; // not readable, so it cannot be known
  }
}

/**
 * - `held`: a process is delivering.
 * - `stale`: its owner has ended or hangs, or it is not a file. The next delivery removes it.
 * - `foreign`: a folder of somebody else's is in its place. It is not removed.
 */
export type LockState = 'none' | 'held' | 'stale' | 'foreign';

export function lockState({ deliverLock: path }: Paths): LockState {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats ? stateOf(path, stats) : 'none';
}

function stateOf(path: string, stats: Stats): Exclude<LockState, 'none'> {
  if (stats.isDirectory()) return isEmpty(path) ? 'stale' : 'foreign';
  return stats.isFile() && isAlive(path, stats) ? 'held' : 'stale';
}

function isAlive(path: string, { mtimeMs }: Stats): boolean {
  // A lock from the future was made while the clock was wrong.
  if (Math.abs(mtimeMs - Date.now()) > STALE_MS) return false;
  let owner: number | undefined;
  try {
    owner = ownerOf(path);
    process.kill(owner, 0);
    return true;
  } catch (error) {
    // If the owner released its lock and then ended, another process may have the lock now.
    return errorCode(error) !== 'ESRCH' || !isOwnedBy(owner, path);
  }
}

function isOwnedBy(owner: number | undefined, path: string): boolean {
  try {
    return ownerOf(path) === owner;
  } catch {
    return false; // it has been released
  }
}

const ownerOf = (path: string) => Number(readRegular(path, { follow: false }).toString('utf8'));
