// log.ts: messages on stderr, a line each. A recorded run prints them only with lhp's -v or
// LHP_OTEL_LOG=debug; a command that the user calls by name prints them always. Lines contain no
// paths of projects, no names and no header values. Part of the hot path; `printable` is here
// because the bundler would put a file of its own into one more chunk.
import { writeSync } from 'node:fs';
import type { Env } from './host.ts';

/** Prints one line, whatever the text contains. False where stderr is closed. */
export function say(text: string): boolean {
  try {
    writeSync(2, `lhp-otel: ${printable(text)}\n`);
    return true;
  } catch {
    return false; // EBADF, EPIPE: nobody reads it
  }
}

export const debugging = (env: Env): boolean => env.LHP_OTEL_LOG?.trim().toLowerCase() === 'debug';

/** What is printed where an opt-out applies. */
export const offText = (layer: string): string =>
  `telemetry is off (${layer}): nothing recorded, no network activity`;

/** Characters that a terminal interprets: escape sequences, C1 controls, direction marks. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Makes a text of unknown origin one harmless line: such a character becomes `\u{1b}`. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
