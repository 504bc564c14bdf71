// log.ts: the only way in which telemetry says anything: one line on stderr, asked for by lhp's -v or LHP_OTEL_LOG=debug
// (or, from the commands that a user called by name, always). Lines hold no paths of projects, no names, no header values.
import { writeSync } from 'node:fs';
import type { Env } from './deps.ts';
import { printable } from './printable.ts';

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

export const sayOff = (layer: string, speak: (text: string) => unknown = say): void =>
  void speak(`telemetry is off (${layer}): nothing recorded, no network activity`);
