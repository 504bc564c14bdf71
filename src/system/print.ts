// print.ts: the only way from our commands to the terminal, beside `say` in log.ts, which has
// stderr's single lines. What is printed is a list of lines, and each goes through `printable`:
// text that somebody else has written cannot act on the terminal, and a line break in it makes no
// line of its own. Output that cannot be written is a failure of the command; only a reader that
// has gone (`| head`) has had enough.
import { fstatSync, readFileSync, statSync } from 'node:fs';
import { styleText } from 'node:util';
import { printable } from './log.ts';

type Style = 'bold' | 'red' | 'green';
export type Part = string | { text: string; style: Style };
/** A string is one line, whatever is in it. */
export type Line = string | readonly Part[];
export type Print = (...lines: readonly Line[]) => void;

export const print: Print = (...lines) => write(process.stdout, lines);
/** For what is as long as a help text; a single line is for `say`. */
export const printError: Print = (...lines) => write(process.stderr, lines);

/** How wide the terminal is; where it is not known, as most are. */
export const columns = (): number => process.stdout.columns || 80;

/** JSON that a terminal can be shown, and that parses to the same value. */
export const jsonText = (value: unknown, indent?: number): string =>
  terminalSafeJson(JSON.stringify(value, null, indent));

export const printJson = (value: unknown, indent?: number): void =>
  raw(`${jsonText(value, indent)}\n`);

/**
 * JSON as it is in a file, on one line: byte for byte where it is ours, which has no such
 * characters.
 */
export const printJsonText = (text: string): void =>
  raw(`${terminalSafeJson(text.replace(/[\t\n\r]/g, ' '))}\n`);

/**
 * Lines that fit the terminal, broken between words; what follows a break stands below its column.
 * For a program they stay as they are.
 */
export const hanging = (
  lines: readonly string[],
  column: number,
  stream: NodeJS.WriteStream = process.stdout,
): string[] =>
  stream.isTTY
    ? lines.flatMap((line) => broken(printable(line), column, stream.columns || 80))
    : [...lines];

function broken(line: string, column: number, width: number): string[] {
  if (line.length <= width) return [line];
  const room = line.slice(0, width + 1).lastIndexOf(' ');
  // A word that is longer than the line, as a path can be, stays whole: it can be copied.
  const at = room > column ? room : line.indexOf(' ', Math.max(column, width));
  const rest = at < 0 ? '' : line.slice(at).trimStart();
  if (rest === '') return [line];
  return [line.slice(0, at).trimEnd(), ...broken(' '.repeat(column) + rest, column, width)];
}

/** A program's text for a shell, which must get every byte; on a terminal it is only looked at. */
export const printScript = (text: string): void =>
  process.stdout.isTTY ? print(...text.replace(/\n$/, '').split('\n')) : raw(text);

/** Asks on the terminal; Ctrl-C and Ctrl-D are a no. */
export async function isConfirmed(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<string>((resolve) => void terminal.on('close', () => resolve('')));
  const answer = await Promise.race([terminal.question(`${printable(question)} [y/N] `), ended]);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** In a string of JSON it may be written as its code; outside of strings none of these is legal. */
const UNSAFE_IN_JSON = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const WHITE = new Set(['\t', '\n', '\r']);

function terminalSafeJson(text: string): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  // Our own indentation is the only line break: JSON.stringify writes one in a string as \n.
  return text.replace(UNSAFE_IN_JSON, (character) =>
    WHITE.has(character) ? character : character.split('').map(escaped).join(''),
  );
}

function write(stream: NodeJS.WriteStream, lines: readonly Line[]): void {
  const text = (part: Part) =>
    typeof part === 'string'
      ? printable(part)
      : styleText(part.style, printable(part.text), { stream });
  raw(
    lines
      .map((line) => `${(typeof line === 'string' ? [line] : line).map(text).join('')}\n`)
      .join(''),
    stream,
  );
}

function raw(text: string, stream: NodeJS.WriteStream = process.stdout): void {
  stream.write(text, (error) => {
    if (error && stream === process.stdout) problem ??= error;
  });
}

let problem: NodeJS.ErrnoException | undefined;

/** Why stdout took not everything, once that is known; `broken` is called as soon as it is. */
export function watchOutput(
  broken: (error: NodeJS.ErrnoException) => void,
): () => Promise<Error | undefined> {
  process.stdout.on('error', broken);
  // A slow reader gets everything: the process would end with what is in a full pipe's queue
  // unwritten.
  return async () => {
    await new Promise<void>((written) => process.stdout.write('', () => written()));
    return problem;
  };
}

/** In words; nothing for a closed pipe, which is no failure. */
export function outputProblem({ code, message }: NodeJS.ErrnoException): string | undefined {
  if (code === 'EPIPE') return undefined;
  const [, words = message] = /^\w+: ([^,]+)/.exec(message) ?? [];
  return `the output could not be written: ${words} (${code ?? 'error'})`;
}

/**
 * Whether stdout was closed when we were started (`>&-`). Node puts /dev/null in its place, for
 * reading and writing, which a shell's `>/dev/null` is not. A program that starts us with such a
 * /dev/null of its own looks the same, so this is asked only where the output is all that a command
 * is for.
 */
export function isOutputClosed(): boolean {
  try {
    const O_RDWR = 2;
    const [, flags = ''] =
      /^flags:\s*(\d+)/m.exec(readFileSync('/proc/self/fdinfo/1', 'latin1')) ?? [];
    return (
      fstatSync(1).rdev === statSync('/dev/null').rdev && (Number.parseInt(flags, 8) & 3) === O_RDWR
    );
  } catch {
    return false; // no Linux: nobody knows
  }
}
