// lock.ts: one process delivers at a time. The lock is not needed for exact counts, as a run that
// is sent twice counts once; it keeps many runs that end together from opening a connection each.
// The file holds the process id of its owner, and its modification time says that the owner lives.
// Anything else under its name (restored with the folder, or put there) must not stop deliveries.
import {
  lstatSync,
  readdirSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../system/error.ts';
import { ensureFolder, readRegular } from '../system/files.ts';
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
  const state = lockState(paths);
  if (state === 'none' || state === 'held') return undefined;
  if (state === 'foreign' || !remove(path)) return NO_LOCK;
  return create(path) ? lockAt(path) : undefined;
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
  if (!stats) return 'none';
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
