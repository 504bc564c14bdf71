// system.ts: questions to the machine whose answer may be "nobody knows": each gives `undefined` or nothing instead of an error.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Deps } from './deps.ts';
import { readRegular } from './files.ts';

/** What a program prints on stdout; empty where it is not there or fails. */
export async function output(
  file: string,
  args: string[],
  options: { cwd?: string; env?: Deps['env'] } = {},
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(file, args, {
      ...options,
      timeout: 10_000,
      maxBuffer: 1024 * 1024,
      windowsHide: true,
    });
    return stdout;
  } catch {
    return ''; // not there, or it failed: then nobody knows
  }
}

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
