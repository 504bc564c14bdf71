// launch-words.ts: reads the words of a wrapper or launcher by its row of the table, up to the
// command that it starts. An option that the table does not know may take the next word or not, so
// there can be several readings.
import type { Launcher } from './launchers.ts';

export interface Given {
  option: string;
  value: string | undefined;
}

export interface Reading {
  /** Index of the first word that is no option. */
  next: number;
  given: Given[];
  /** Options that the table does not know. */
  unknown: string[];
  /** `--` stood before it. */
  ended: boolean;
}

/** More options that nobody knows are no command line of today's programs. */
const MAX_UNKNOWN = 6;
const HELP = ['-h', '--help', '-V', '--version'];

/**
 * Every way to read the options that begin at `start`. None where an option says that no command is
 * started.
 */
export function readOptions(words: readonly string[], start: number, row: Launcher): Reading[] {
  const readings: Reading[] = [];
  const walk = (at: number, given: Given[], unknown: string[]): void => {
    const word = words[at];
    if (word === undefined) return;
    const ended = word === '--';
    const cleared = word === '-' && listed(row.clears, '-');
    if (
      ended ||
      !(word.startsWith('-') || selectsHatchEnvironment(word, row)) ||
      (word === '-' && !cleared)
    ) {
      readings.push({ next: ended ? at + 1 : at, given, unknown, ended });
      return;
    }
    const read = readWord(word, row);
    if (!read) return;
    const all = [...given, ...read.given];
    if (read.takes === 'yes') {
      const last = all.pop();
      walk(at + 2, [...all, { option: last?.option ?? '', value: words[at + 1] }], unknown);
      return;
    }
    if (read.takes === 'no') {
      walk(at + 1, all, unknown);
      return;
    }
    if (unknown.length >= MAX_UNKNOWN) return;
    walk(at + 1, all, [...unknown, word]);
    // A word that looks like an option is an option.
    if (words[at + 1] !== undefined && !words[at + 1]?.startsWith('-') && !word.includes('='))
      walk(
        at + 2,
        [...all.slice(0, -1), { option: word, value: words[at + 1] }],
        [...unknown, word],
      );
  };
  walk(start, [], []);
  return readings;
}

/** `hatch run +py=3.12 lhp` */
const selectsHatchEnvironment = (word: string, row: Launcher) =>
  row.prefixed === true && /^\+\w/.test(word);

interface Word {
  given: Given[];
  /** Whether the last option takes the next word. */
  takes: 'yes' | 'no' | 'unknown';
}

/** The options in one word; `undefined` where one of them is refused. */
function readWord(word: string, row: Launcher): Word | undefined {
  if (word.startsWith('--')) return readLong(word, row);
  if (row.numbers && /^-\d+$/.test(word)) return { given: [], takes: 'no' };
  if (selectsHatchEnvironment(word, row))
    return { given: [{ option: '+', value: word.slice(1) }], takes: 'no' };
  if (isRefused(word, row)) return undefined;
  if (listed(row.flags, word) || listed(row.clears, word))
    return { given: [{ option: word, value: undefined }], takes: 'no' };
  return readShort(word, row);
}

function readLong(word: string, row: Launcher): Word | undefined {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals);
  const option = completed(name, row);
  if (isRefused(option, row)) return undefined;
  if (equals >= 0) {
    const known = isKnown(option, row);
    return { given: [{ option, value: word.slice(equals + 1) }], takes: known ? 'no' : 'unknown' };
  }
  const given = [{ option, value: undefined }];
  if (takesValue(option, row)) return { given, takes: 'yes' };
  return { given, takes: isKnown(option, row) ? 'no' : 'unknown' };
}

/** Letter by letter: the first one with a value takes the rest of the word, or the next word. */
function readShort(word: string, row: Launcher): Word | undefined {
  const given: Given[] = [];
  for (let i = 1; i < word.length; i += 1) {
    const option = `-${word[i]}`;
    const rest = word.slice(i + 1);
    if (isRefused(option, row)) return undefined;
    if (takesValue(option, row)) {
      const value = rest.startsWith('=') ? rest.slice(1) : rest;
      given.push({ option, value: rest ? value : undefined });
      return { given, takes: rest ? 'no' : 'yes' };
    }
    if (isKnown(option, row)) given.push({ option, value: undefined });
    else return { given, takes: i > 1 && given.length === i - 1 && rest ? 'no' : 'unknown' };
  }
  return { given, takes: 'no' };
}

const takesValue = (option: string, row: Launcher) =>
  [row.values, row.sets, row.unsets].some((list) => listed(list, option));
const isKnown = (option: string, row: Launcher) =>
  takesValue(option, row) ||
  [row.flags, row.module, row.clears, row.noEnvFile].some((list) => listed(list, option));
const isRefused = (option: string, row: Launcher) =>
  listed(row.refused, option) || (HELP.includes(option) && !isKnown(option, row));

/** Python's argparse and GNU's getopt take the beginning of a long option for the option. */
function completed(name: string, row: Launcher): string {
  if (isKnown(name, row) || name.length < 4) return name;
  const names = [row.flags, row.values, row.refused, row.unsets, row.clears, row.sets]
    .flatMap((list) => list?.split(' ') ?? [])
    .filter((option) => option.startsWith(name));
  const different = [...new Set(names)];
  return different.length === 1 ? (different[0] as string) : name;
}

/** Whether an option is in one of the table's lists. */
export const listed = (list: string | undefined, option: string): boolean =>
  list !== undefined && ` ${list} `.includes(` ${option} `);
