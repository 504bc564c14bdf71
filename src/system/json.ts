// json.ts: reads small JSON files, and says why one cannot be read. The text contains nothing of
// the file, because a file with headers holds secrets, and the parser's own message quotes it.
import { errorCode } from './error.ts';
import { readRegular } from './files.ts';

/**
 * The value of a JSON file in UTF-8, or in UTF-16 with a byte order mark, as editors on Windows
 * write it.
 *
 * @throws A system error, or a `SyntaxError`.
 */
export function readJson(path: string): unknown {
  return JSON.parse(decode(readRegular(path)));
}

function decode(bytes: Buffer): string {
  const mark = bytes.subarray(0, 2).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/** Whether the error means that there is no such file. */
export const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '');

/** Why a file cannot be read, in words that follow its name. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof SyntaxError) return 'not valid JSON';
  return `cannot be read (${errorCode(error) ?? 'unknown error'})`;
}
