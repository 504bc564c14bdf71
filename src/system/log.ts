// log.ts: the only way in which telemetry says anything: one line on stderr, asked for by lhp's -v
// or LHP_OTEL_LOG=debug (or, from the commands that a user called by name, always). Lines hold no
// paths of projects, no names, no header values. `printable` stands here and not in a file of its
// own, because the bundler would make one more file of it to load before the user's command.
import { writeSync } from 'node:fs';
import type { Env } from './host.ts';

/** One line, whatever is in the text. False where it could not be written: stderr is closed. */
export function say(text: string): boolean {
  try {
    writeSync(2, `lhp-otel: ${printable(text)}\n`);
    return true;
  } catch {
    return false;
  }
}

export const debugging = (env: Env): boolean => env.LHP_OTEL_LOG?.trim().toLowerCase() === 'debug';

export const offText = (layer: string): string =>
  `telemetry is off (${layer}): nothing recorded, no network activity`;

/**
 * A terminal would act on escape sequences, C1 controls and marks that turn the direction of
 * writing.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text that somebody else may have written, in one line: such a character is shown as its code
 * point, like \u{1b}.
 */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
