// attempts.ts: remembers which waiting runs may already be stored by the collector: one small file
// a run, from its first post until it is sent or lost. Senders only append to it, so no sender can
// undo what another has noted, even if two are at work (a laptop that was suspended during a post,
// a lock that was taken over). It is read when a run is refused: a backend may refuse what it
// already has (docs/adr/0007-acknowledged-is-stored.md), and such a run is not lost.
import { join } from 'node:path';
import { appendPrivate, ensureFolder, removeFile } from '../system/files.ts';
import { isNamed, OWN_FILES } from '../system/own-files.ts';
import type { Paths } from '../system/paths.ts';
import { list, readText } from '../system/try-read.ts';

const BEGUN = '+';
const NOT_STORED = '-';

const attemptsFile = (paths: Paths, run: number) => join(paths.attempts, String(run));

/** Called before a post: from here on the run may be stored, even if this process is killed. */
export function noteBegun(paths: Paths, run: number): void {
  ensureFolder(paths.attempts);
  appendPrivate(attemptsFile(paths, run), BEGUN);
}

/** The post that was noted last has certainly stored nothing. */
export function noteNotStored(paths: Paths, run: number): void {
  appendPrivate(attemptsFile(paths, run), NOT_STORED);
}

/**
 * Whether an attempt other than our own, before it or at the same time, may have stored the run.
 */
export function hasOtherAttempts(paths: Paths, run: number): boolean {
  const notes = readText(attemptsFile(paths, run));
  if (notes === undefined) return true; // another sender has settled the run meanwhile
  return notes.split(BEGUN).length - notes.split(NOT_STORED).length > 1;
}

export const forgetAttempts = (paths: Paths, run: number): void =>
  void removeFile(attemptsFile(paths, run));

/** The runs that have attempts, by their timestamps. */
export const attempted = (paths: Paths): number[] =>
  list(paths.attempts)
    .filter((name) => isNamed(OWN_FILES.attempts, name))
    .map(Number);
