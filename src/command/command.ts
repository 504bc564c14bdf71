// command.ts: is this command line a generate of lhp, and with which options? Reads the words as
// the programs do that read them: lhp's own parser (click), and by launchers.ts those that start
// lhp. Changes nothing, and starts nothing. What is not recognized is no generate and passes
// through unrecorded.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Env } from '../system/host.ts';
import { isPython, programName } from './first-word.ts';
import { type Given, listed, type Reading, readOptions } from './launch-words.ts';
import { LAUNCHERS, type Launcher } from './launchers.ts';
import { type GenerateOptions, parseLhp } from './lhp-options.ts';

/** A wrapper or launcher that stands before lhp. */
export interface Launch {
  /** Its name in the table, with subcommands: `uv run`. */
  name: string;
  /** The folder it was started in, and the one that it starts its command in. */
  from: string;
  cwd: string;
  given: Given[];
  /** Options that the table does not know. */
  unknown: string[];
}

/** How the lhp that ran was started; tells where its installation is. */
export interface Program {
  /** `python` runs a module or a script called lhp. */
  kind: 'lhp' | 'python';
  /** Its name or path, as it was written. */
  file: string;
  /** What starts it, the outermost first. */
  launches: Launch[];
}

export interface Generate extends GenerateOptions {
  program: Program;
  /** The folder that lhp ran in. */
  cwd: string;
  /**
   * It is a generate unless one of these words is a program (programs.ts): then that is what was
   * started.
   */
  doubts?: string[];
}

/** @param env - Launchers have variables for some of their options. */
export function parseCommand(
  words: readonly string[],
  cwd: string,
  env: Env = {},
): Generate | undefined {
  const { found, doubts } = find({ words, env }, 0, cwd, []);
  return found && { ...found, ...(doubts.length > 0 ? { doubts } : {}) };
}

interface Line {
  words: readonly string[];
  env: Env;
}

interface Result {
  found?: Generate;
  /** Words that are the command in other readings of the line. */
  doubts: string[];
  /** Another reading is as good, and is no generate. */
  foreign?: boolean;
}

function find(line: Line, at: number, cwd: string, launches: Launch[]): Result {
  const word = line.words[at];
  if (word === undefined) return { doubts: [] };
  const name = programName(word);
  if (name === 'lhp') return lhpFrom(line, { kind: 'lhp', file: word, launches }, at + 1, cwd);
  if (isPython(name)) return findModule(line, at, cwd, launches);
  const row = Object.hasOwn(LAUNCHERS, name) ? LAUNCHERS[name] : undefined;
  if (row) return findCommand(line, { name, row, from: cwd, start: at + 1, before: [] }, launches);
  return { doubts: [word] };
}

function lhpFrom(line: Line, program: Program, next: number, cwd: string): Result {
  const options = parseLhp(line.words.slice(next));
  return options
    ? { found: { program, cwd, ...options }, doubts: [] }
    : { doubts: [line.words[next - 1] as string] };
}

/** `python [options] -m lhp.cli.main …`, `-m uv run …`, or `python [options] path/to/lhp …`. */
function findModule(line: Line, at: number, cwd: string, launches: Launch[]): Result {
  const file = line.words[at] as string;
  const target = pythonTarget(line.words, at + 1);
  if (!target) return { doubts: [file] };
  const { name, next, module } = target;
  if (module ? isLhpModule(name) : programName(name) === 'lhp')
    return lhpFrom(line, { kind: 'python', file, launches }, next, cwd);
  const row = module && Object.hasOwn(LAUNCHERS, name) ? LAUNCHERS[name] : undefined;
  return row
    ? findCommand(line, { name, row, from: cwd, start: next, before: [] }, launches)
    : { doubts: [file] };
}

/**
 * No released lhp has `lhp/__main__.py` (0.2.7 to 0.9.3); should one come, it is a generate as
 * well.
 */
const isLhpModule = (name: string) => /^lhp(\.cli(\.main)?)?$/.test(name);

function pythonTarget(words: readonly string[], start: number) {
  for (let at = start; at < words.length; at += 1) {
    const word = words[at] as string;
    if (!word.startsWith('-') || word === '-') return { name: word, next: at + 1, module: false };
    const module = word.startsWith('--') ? null : /^-[bBdEhiIOPqRsSuvVx?]*m(.*)$/.exec(word);
    if (module?.[1]) return { name: module[1], next: at + 1, module: true };
    if (module) return { name: words[at + 1] ?? '', next: at + 2, module: true };
    if (/^-[bBdEhiIOPqRsSuvVx?]*c/.test(word)) return undefined;
    if (/^-[bBdEhiIOPqRsSuvVx?]*[XW]$/.test(word) || word === '--check-hash-based-pycs') at += 1;
  }
  return undefined;
}

interface Opened {
  name: string;
  row: Launcher;
  from: string;
  start: number;
  /** Options before the subcommand. */
  before: Given[];
}

/** Behind a wrapper or launcher: every reading of its options, and what it would start. */
function findCommand(line: Line, opened: Opened, launches: Launch[]): Result {
  const results = readOptions(line.words, opened.start, opened.row).map((reading) =>
    opened.row.subcommands
      ? findSubcommand(line, opened, reading, launches)
      : findLaunched(line, opened, reading, launches),
  );
  const found = results.find((result) => result.found)?.found;
  const doubts = [...new Set(results.flatMap((result) => result.doubts))];
  const foreign = results.some((result) => result.foreign);
  // `generate` is what lhp's name would leave behind if it were an option's value.
  if (
    !found ||
    foreign ||
    (opened.row.fetches && doubts.some((word) => word !== 'generate' && isPackage(word)))
  )
    return { doubts, foreign };
  return { found, doubts };
}

/** What a launcher fetches by its name. */
const isPackage = (word: string) => /^[a-z][\w.-]*(\[[\w,.-]*\])?(@.*|[=<>~!]=.*)?$/i.test(word);

function findSubcommand(
  line: Line,
  { name, row, from, before }: Opened,
  reading: Reading,
  launches: Launch[],
): Result {
  const word = line.words[reading.next] ?? '';
  const subcommand =
    row.subcommands && Object.hasOwn(row.subcommands, word) ? row.subcommands[word] : undefined;
  // With one reading only it is of no weight; with two it is the likelier one.
  if (!subcommand) return { doubts: [], foreign: listed(row.others, word) };
  const start = reading.next + 1;
  return findCommand(
    line,
    {
      name: `${name} ${word}`,
      row: subcommand,
      from,
      start,
      before: [...before, ...reading.given],
    },
    launches,
  );
}

function findLaunched(
  line: Line,
  { name, row, from, before }: Opened,
  reading: Reading,
  launches: Launch[],
): Result {
  const given = [...before, ...reading.given];
  const { words } = line;
  let at = reading.next;
  for (; row.assigns && /^[^=]+=/.test(words[at] ?? ''); at += 1)
    given.push({ option: '=', value: words[at] });
  if (row.operand?.test(words[at] ?? '')) at += 1;
  const cwd = folderOf(row, from, given, line.env);
  const launch = { name, from, cwd, given, unknown: reading.unknown };
  if (given.some(({ option }) => listed(row.module, option))) {
    const module = words[at] ?? '';
    const program: Program = { kind: 'python', file: 'python', launches: [...launches, launch] };
    return isLhpModule(module) ? lhpFrom(line, program, at + 1, cwd) : { doubts: [module] };
  }
  const colon = row.prefixed ? (words[at] ?? '').indexOf(':') : -1;
  if (colon < 0) return find(line, at, cwd, [...launches, launch]);
  const word = words[at] as string;
  given.push({ option: ':', value: word.slice(0, colon) });
  const rest = { ...line, words: words.with(at, word.slice(colon + 1)) };
  return find(rest, at, cwd, [...launches, launch]);
}

/** Each relative folder counts once, from where the launcher was started. */
function folderOf(row: Launcher, from: string, given: readonly Given[], env: Env): string {
  const named = given.findLast(({ option }) => listed(row.folder, option))?.value;
  const folder = named ?? (row.folderVariable && env[row.folderVariable]) ?? '';
  if (!folder) return from;
  if (!row.folderInProject) return resolve(from, folder);
  const project =
    given.findLast(({ option }) => listed(row.project, option))?.value ?? env.PDM_PROJECT;
  return resolve(
    project ? resolve(from, project) : (folderWith('pyproject.toml', from) ?? from),
    folder,
  );
}

/** The nearest folder from here upwards that holds a file of this name. */
export function folderWith(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
