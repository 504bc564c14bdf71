// system.ts: questions to the machine whose answer may be "nobody knows": each gives `undefined` or
// nothing instead of an error.
import { readdirSync } from 'node:fs';
import { readRegular } from './files.ts';

/** The text of a regular file of at most `maxBytes` (default 1 MiB). */
export function readText(path: string, maxBytes?: number): string | undefined {
  try {
    return readRegular(path, maxBytes === undefined ? {} : { maxBytes }).toString('utf8');
  } catch {
    return undefined;
  }
}

export function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
