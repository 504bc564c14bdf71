// attempts.ts: which waiting runs may be stored already: one small file a run, from its first post until it is settled. Senders
// only append to it, so that what one has noted no other can undo, also when two are at work (a laptop that was shut in the
// middle, a lock that was taken over). Read when a run is refused: a backend can refuse what it has
// (docs/adr/0007-acknowledged-is-stored.md), and such a run is no loss.
import { appendFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';

const BEGUN = '+';
const NOT_STORED = '-';

const file = (paths: Paths, run: number) => join(paths.attempts, String(run));

/** From here on the run may be stored, whatever becomes of this process. */
export function noteBegun(paths: Paths, run: number): void {
  ensureFolder(paths.attempts);
  appendFileSync(file(paths, run), BEGUN, { mode: 0o600 });
}

/** The attempt that was noted last is known to have stored nothing. */
export function noteNotStored(paths: Paths, run: number): void {
  appendFileSync(file(paths, run), NOT_STORED, { mode: 0o600 });
}

/** Whether another attempt than our own, earlier or at the same time, may have stored the run. */
export function othersBegun(paths: Paths, run: number): boolean {
  try {
    const notes = readFileSync(file(paths, run), 'utf8');
    return notes.split(BEGUN).length - notes.split(NOT_STORED).length > 1;
  } catch {
    return true; // settled by another sender in the meantime
  }
}

export const forgetAttempts = (paths: Paths, run: number): void => rmSync(file(paths, run), { force: true });

/** The runs with attempts. */
export function attempted(paths: Paths): number[] {
  try {
    return readdirSync(paths.attempts).map(Number);
  } catch {
    return []; // none yet
  }
}
