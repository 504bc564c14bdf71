// log.ts: the only way in which telemetry says anything: one line on stderr, asked for by lhp's -v or LHP_OTEL_LOG=debug
// (or, from the commands that a user called by name, always). Lines hold no paths of projects, no names, no header values.
import { writeSync } from 'node:fs';
import type { Env } from './deps.ts';
import { printable } from './printable.ts';

/** One line, whatever is in the text. */
export function say(text: string): void {
  try {
    writeSync(2, `lhp-otel: ${printable(text)}\n`);
  } catch {
    // stderr is closed: nobody is listening
  }
}

export const debugging = (env: Env): boolean => env.LHP_OTEL_LOG?.trim().toLowerCase() === 'debug';

export const sayOff = (layer: string, speak = say): void =>
  speak(`telemetry is off (${layer}): nothing recorded, no network activity`);
