// try-read.ts: reads for which a missing or unreadable file is no error.
import { readdirSync } from 'node:fs';
import { readRegular } from './files.ts';

/**
 * The text of a regular file, or `undefined` where it cannot be read or is larger than `maxBytes`
 * (default 1 MiB).
 */
export function readText(path: string, maxBytes?: number): string | undefined {
  try {
    return readRegular(path, maxBytes === undefined ? {} : { maxBytes }).toString('utf8');
  } catch {
    return undefined; // as documented
  }
}

/** The names in a folder; none where it cannot be read. */
export function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // as documented
  }
}
