// json.ts: a small JSON file as a value, and what is wrong with one that cannot be read, in words
// that hold nothing of the file: a file with headers holds secrets, and the parser's own message
// quotes it.
import { errorCode } from './error.ts';
import { readRegular } from './files.ts';

/**
 * Throws a system error, or a `SyntaxError`. A byte order mark, as editors of Windows write one, is
 * read.
 */
export function readJson(path: string): unknown {
  return JSON.parse(decode(readRegular(path)));
}

/** UTF-8, or what a byte order mark says. */
function decode(bytes: Buffer): string {
  const mark = bytes.subarray(0, 2).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/** Nothing is there under this name. */
export const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '');

/** Why it cannot be read, in words behind the file's name. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof SyntaxError) return 'not valid JSON';
  return `cannot be read (${errorCode(error) ?? 'unknown error'})`;
}
