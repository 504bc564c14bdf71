// try-read.ts: reads for which a missing or unreadable file is no error.
import { type BigIntStats, readdirSync, statSync } from 'node:fs';
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

/**
 * What a path leads to, or `undefined` where that cannot be found out: nothing is there, a folder
 * above it may not be read, links lead in a circle, the name is too long.
 */
export function statsOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined; // as documented
  }
}

export const isFile = (path: string): boolean => statsOf(path)?.isFile() === true;
export const isFolder = (path: string): boolean => statsOf(path)?.isDirectory() === true;

/** The names in a folder; none where it cannot be read. */
export function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // as documented
  }
}
