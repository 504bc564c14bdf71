// attempts.ts: which waiting runs may be stored already: one small file a run, from its first post
// until it is settled. Senders only append to it, so that what one has noted no other can undo,
// also when two are at work (a laptop that was shut in the middle, a lock that was taken over).
// Read when a run is refused: a backend can refuse what it has
// (docs/adr/0007-acknowledged-is-stored.md), and such a run is no loss.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { appendPrivate, ensureFolder } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { list, readText } from '../system/probe.ts';

const BEGUN = '+';
const NOT_STORED = '-';

const file = (paths: Paths, run: number) => join(paths.attempts, String(run));

/** From here on the run may be stored, whatever becomes of this process. */
export function noteBegun(paths: Paths, run: number): void {
  ensureFolder(paths.attempts);
  appendPrivate(file(paths, run), BEGUN);
}

/** The attempt that was noted last is known to have stored nothing. */
export function noteNotStored(paths: Paths, run: number): void {
  appendPrivate(file(paths, run), NOT_STORED);
}

/** Whether another attempt than our own, earlier or at the same time, may have stored the run. */
export function hasOtherAttempts(paths: Paths, run: number): boolean {
  const notes = readText(file(paths, run));
  if (notes === undefined) return true; // settled by another sender in the meantime
  return notes.split(BEGUN).length - notes.split(NOT_STORED).length > 1;
}

export const forgetAttempts = (paths: Paths, run: number): void =>
  rmSync(file(paths, run), { force: true });

/** The name of a file here: the run's millisecond. */
export const ATTEMPTED = /^\d{13}$/;

/** The runs with attempts. */
export const attempted = (paths: Paths): number[] =>
  list(paths.attempts)
    .filter((name) => ATTEMPTED.test(name))
    .map(Number);
