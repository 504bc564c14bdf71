// debug-log.ts: where the processes in the background say what they did: with LHP_OTEL_LOG=debug
// into a small file of the state folder, which `status` names, because their stderr is closed. Its
// lines hold what debug lines may hold (log.ts): no paths of projects, no names, no headers.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { appendPrivate, ensureFolder, writePrivate } from './files.ts';
import type { Env } from './host.ts';
import { debugging, printable } from './log.ts';
import type { Paths } from './paths.ts';
import { readText } from './probe.ts';

export const DEBUG_LOG = 'debug.log';
/** Then the older half goes. */
const MAX_BYTES = 64 * 1024;
const MAX_LINE = 300;

/**
 * What a process says from now on; nothing where nobody asked. Fails silently: there is nowhere
 * else to say it.
 */
export function debugLog(env: Env, paths: Paths): (text: string) => void {
  if (!debugging(env)) return () => {};
  const path = join(paths.state, DEBUG_LOG);
  let made = false;
  return (text) => {
    try {
      // Made for the first line only: after that a folder that is gone was purged, and is not to
      // come back.
      if (!made) ensureFolder(paths.state);
      made = true;
      const line = `${new Date().toISOString()} ${process.pid} ${printable(text).slice(0, MAX_LINE)}\n`;
      appendPrivate(path, line);
      if (statSync(path).size > MAX_BYTES) shorten(path);
    } catch {
      // a full or read-only disk
    }
  };
}

function shorten(path: string): void {
  const kept = (readText(path) ?? '').slice(-MAX_BYTES / 2);
  writePrivate(path, kept.slice(kept.indexOf('\n') + 1));
}
