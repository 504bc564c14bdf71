// lock.ts: one process delivers at a time. The lock is not needed for exact counts, as a run that
// is sent twice counts once; it keeps many runs that end together from opening a connection each.
// The file holds the process id of its owner, and its modification time says that the owner lives.
import { existsSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../system/error.ts';
import { ensureFolder } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { readText } from '../system/try-read.ts';

/**
 * The owner of a lock of this age was killed or suspended: it refreshes the lock before each post,
 * and a post takes at most a minute.
 */
const STALE_MS = 120_000;

/** False where another process has it. */
export function takeLock(paths: Paths): boolean {
  const path = paths.deliverLock;
  ensureFolder(dirname(path));
  if (create(path)) return true;
  if (!isStale(path)) return false;
  rmSync(path, { force: true });
  return create(path);
}

function create(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // On a full disk the file was created and is empty: without an owner it would be held to be
    // alive.
    rmSync(path, { force: true });
    throw error;
  }
}

/**
 * Refreshes the lock. False where another process has taken it over, which happens after this one
 * was suspended.
 */
export function keepLock(paths: Paths): boolean {
  try {
    if (readText(paths.deliverLock) !== String(process.pid)) return false;
    const now = new Date();
    utimesSync(paths.deliverLock, now, now);
    return true;
  } catch {
    return false; // taken over, and released since
  }
}

export function releaseLock(paths: Paths): void {
  if (keepLock(paths)) rmSync(paths.deliverLock, { force: true });
}

/** Whether the lock's owner has ended or hangs; the next delivery takes the lock over. */
export const lockIsStale = (paths: Paths): boolean => isStale(paths.deliverLock);

/** Whether a process is delivering now. */
export const isDelivering = (paths: Paths): boolean =>
  existsSync(paths.deliverLock) && !lockIsStale(paths);

function isStale(path: string): boolean {
  let owner: string | undefined;
  try {
    // Also a lock from the future: it was made while the clock was wrong.
    if (Math.abs(statSync(path).mtimeMs - Date.now()) > STALE_MS) return true;
    owner = readText(path);
    process.kill(Number(owner), 0);
    return false;
  } catch (error) {
    // If the owner released its lock and then ended, another process may have the lock now.
    return errorCode(error) === 'ESRCH' && readText(path) === owner;
  }
}
