// debug-log.ts: with LHP_OTEL_LOG=debug the background processes write what they did into a small
// file, which `status` names; their stderr is closed. As debug lines on stderr (log.ts), its lines
// hold no paths of projects, no names and no headers.
import { statSync } from 'node:fs';
import { appendPrivate, ensureFolder, writePrivate } from './files.ts';
import type { Host } from './host.ts';
import { debugging, printable } from './log.ts';
import type { Paths } from './paths.ts';
import { readText } from './try-read.ts';

/** A larger log loses its older half. */
const MAX_BYTES = 64 * 1024;
const MAX_LINE = 300;

/**
 * Gives a function that appends a line; it does nothing without LHP_OTEL_LOG=debug. Errors are
 * ignored: there is no other place to report them.
 */
export function debugLog(host: Host, paths: Paths): (text: string) => void {
  if (!debugging(host.env)) return () => {};
  let created = false;
  return (text) => {
    try {
      // Only for the first line: a folder that is gone after that was purged, and must stay gone.
      if (!created) ensureFolder(paths.state);
      created = true;
      const time = new Date(host.now()).toISOString();
      const line = `${time} ${process.pid} ${printable(text).slice(0, MAX_LINE)}\n`;
      appendPrivate(paths.debugLog, line);
      if (statSync(paths.debugLog).size > MAX_BYTES) shorten(paths.debugLog);
    } catch {
      // a full or read-only disk
    }
  };
}

function shorten(path: string): void {
  const kept = (readText(path) ?? '').slice(-MAX_BYTES / 2);
  writePrivate(path, kept.slice(kept.indexOf('\n') + 1));
}
