// launch-words.ts: reads the options of a launcher, by its row of the table, up to the command that
// it starts. An option that the row does not list may or may not take the next word as its value,
// so the options can have several readings.
import { type Launcher, listed, wordsOf } from './launchers/launcher.ts';

/** An option as it was given. */
export interface Given {
  option: string;
  value: string | undefined;
}

/** One way to read the options of a launcher. */
export interface Reading {
  /** Index of the first word after the options. */
  next: number;
  given: Given[];
  /** Options that the row does not list. */
  unknown: string[];
}

/**
 * Each unknown option doubles the number of readings. A command line with more of them is not
 * recognized.
 */
const MAX_UNKNOWN = 6;
const HELP = ['-h', '--help', '-V', '--version'];

/** A reading that has not reached the command yet. */
interface Unfinished {
  at: number;
  given: Given[];
  unknown: string[];
}

/**
 * Every way to read the options that begin at `start`. Empty if an option says that the launcher
 * starts no command.
 */
export function readOptions(words: readonly string[], start: number, row: Launcher): Reading[] {
  const readings: Reading[] = [];
  const open: Unfinished[] = [{ at: start, given: [], unknown: [] }];
  for (let unfinished = open.pop(); unfinished; unfinished = open.pop()) {
    const { at, given, unknown } = unfinished;
    const word = words[at];
    if (word === undefined) continue;
    if (word === '--') readings.push({ next: at + 1, given, unknown });
    else if (!isOption(word, row)) readings.push({ next: at, given, unknown });
    else open.push(...readOption(words, unfinished, row));
  }
  return readings;
}

/** A lone `-` is an option only to env(1). */
const isOption = (word: string, row: Launcher): boolean =>
  word === '-'
    ? listed(row.clears, '-')
    : word.startsWith('-') || selectsHatchEnvironment(word, row);

/** `hatch run +py=3.12 lhp` */
const selectsHatchEnvironment = (word: string, row: Launcher): boolean =>
  row.environmentPrefix === true && /^\+\w/.test(word);

/** The readings of one more word, the preferred one last. */
function readOption(words: readonly string[], unfinished: Unfinished, row: Launcher): Unfinished[] {
  const { at, given, unknown } = unfinished;
  const word = words[at] as string;
  const read = readWord(word, row);
  if (!read) return [];
  const all = [...given, ...read.given];
  const last = all.at(-1);
  const withValue = (option: string): Given[] => [
    ...all.slice(0, -1),
    { option, value: words[at + 1] },
  ];
  if (read.takes === 'yes') return [{ at: at + 2, given: withValue(last?.option ?? ''), unknown }];
  if (read.takes === 'no') return [{ at: at + 1, given: all, unknown }];
  if (unknown.length >= MAX_UNKNOWN) return [];
  const more = [...unknown, word];
  const without = { at: at + 1, given: all, unknown: more };
  const next = words[at + 1];
  // The next word is no value if it looks like an option, or if the value follows a `=`.
  return next === undefined || next.startsWith('-') || word.includes('=')
    ? [without]
    : [{ at: at + 2, given: withValue(word), unknown: more }, without];
}

interface Word {
  given: Given[];
  /** Whether the last option takes the next word as its value. */
  takes: 'yes' | 'no' | 'unknown';
}

/** The options in one word, or `undefined` if one of them is refused. */
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
  const option = completed(equals < 0 ? word : word.slice(0, equals), row);
  if (isRefused(option, row)) return undefined;
  const takes = isKnown(option, row) ? 'no' : 'unknown';
  if (equals >= 0) return { given: [{ option, value: word.slice(equals + 1) }], takes };
  const given = [{ option, value: undefined }];
  return takesValue(option, row) ? { given, takes: 'yes' } : { given, takes };
}

/**
 * Reads letter by letter. The first option with a value takes the rest of the word, or the next
 * word.
 */
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

const takesValue = (option: string, row: Launcher): boolean =>
  [row.values, row.sets, row.unsets].some((list) => listed(list, option));
const isKnown = (option: string, row: Launcher): boolean =>
  takesValue(option, row) ||
  [row.flags, row.module, row.clears, row.noEnvFile].some((list) => listed(list, option));
const isRefused = (option: string, row: Launcher): boolean =>
  listed(row.refused, option) || (HELP.includes(option) && !isKnown(option, row));

/** argparse and getopt accept the first letters of a long option if they fit no other option. */
function completed(name: string, row: Launcher): string {
  if (isKnown(name, row) || name.length < 4) return name;
  const lists = [row.flags, row.values, row.refused, row.unsets, row.clears, row.sets];
  const names = lists.flatMap((list) => wordsOf(list)).filter((option) => option.startsWith(name));
  const [first = name, ...others] = new Set(names);
  return others.length === 0 ? first : name;
}
