// print.ts: the output of our commands, as a list of lines. Each line goes through `printable`, so
// text of unknown origin can neither control the terminal nor add a line. Output that cannot be
// written makes the command fail, except EPIPE, where the reader has ended (`| head`). Messages on
// stderr are printed by log.ts.
import { fstatSync, readFileSync, statSync } from 'node:fs';
import { styleText } from 'node:util';
import { printable } from './log.ts';

type Style = 'bold' | 'red' | 'green';
export type Part = string | { text: string; style: Style };
/** A string is printed as one line, whatever it contains. */
export type Line = string | readonly Part[];
export type Print = (...lines: readonly Line[]) => void;

export const print: Print = (...lines) => write(process.stdout, lines);
/** For several lines on stderr; a single message is printed by `say`. */
export const printError: Print = (...lines) => write(process.stderr, lines);

/** The width of the terminal in columns; 80 where it is not known. */
export const columns = (): number => process.stdout.columns || 80;

/** JSON that is safe to show on a terminal, and parses to the same value. */
export const jsonText = (value: unknown, indent?: number): string =>
  terminalSafeJson(JSON.stringify(value, null, indent));

export const printJson = (value: unknown, indent?: number): void =>
  raw(`${jsonText(value, indent)}\n`);

/** Prints the text of a JSON file on one line; a file of ours is printed byte for byte. */
export const printJsonText = (text: string): void =>
  raw(`${terminalSafeJson(text.replace(/[\t\n\r]/g, ' '))}\n`);

/**
 * On a terminal, breaks lines between words and indents what follows by `column`. Where a program
 * reads the output, lines stay as they are.
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
  // A word that is longer than the line, such as a path, stays whole, so that it can be copied.
  const at = room > column ? room : line.indexOf(' ', Math.max(column, width));
  const rest = at < 0 ? '' : line.slice(at).trimStart();
  if (rest === '') return [line];
  return [line.slice(0, at).trimEnd(), ...broken(' '.repeat(column) + rest, column, width)];
}

/** Prints a script: every byte where a program reads it, harmless lines on a terminal. */
export const printScript = (text: string): void =>
  process.stdout.isTTY ? print(...text.replace(/\n$/, '').split('\n')) : raw(text);

/** Asks on the terminal. Ctrl-C and Ctrl-D mean no. */
export async function isConfirmed(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<string>((resolve) => void terminal.on('close', () => resolve('')));
  const answer = await Promise.race([terminal.question(`${printable(question)} [y/N] `), ended]);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Legal in JSON only inside strings, where a character may be written as its code. */
const UNSAFE_IN_JSON = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const WHITE = new Set(['\t', '\n', '\r']);

function terminalSafeJson(text: string): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  // Line breaks are our own indentation: inside a string JSON.stringify writes \n.
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

/**
 * Watches stdout for errors.
 *
 * @param broken - Called at the first error.
 * @returns A function that waits until everything is written, and gives the first error.
 */
export function watchOutput(
  broken: (error: NodeJS.ErrnoException) => void,
): () => Promise<Error | undefined> {
  process.stdout.on('error', broken);
  // Without waiting, process.exit would lose what a slow reader has not taken yet.
  return async () => {
    await new Promise<void>((written) => process.stdout.write('', () => written()));
    return problem;
  };
}

/** The error in words; `undefined` for a closed pipe, which is no failure. */
export function outputProblem({ code, message }: NodeJS.ErrnoException): string | undefined {
  if (code === 'EPIPE') return undefined;
  const [, words = message] = /^\w+: ([^,]+)/.exec(message) ?? [];
  return `the output could not be written: ${words} (${code ?? 'error'})`;
}

/**
 * Whether stdout was closed when this process was started (`>&-`). Node then opens /dev/null for
 * reading and writing; a shell's `>/dev/null` is open for writing only. A parent that passes a
 * /dev/null like Node's looks the same, so only commands whose output is their purpose ask this.
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
    return false; // not Linux: it cannot be known
  }
}
