// command.ts: decides whether a command line is a generate of lhp, and with which options. It reads
// the words as the programs themselves read them: lhp's parser (lhp-options.ts), and the launchers
// by their table (launchers.ts). It changes nothing and starts nothing. A command line that is not
// recognized is no generate: it runs unrecorded.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Env } from '../system/host.ts';
import { isPython, programName } from './first-word.ts';
import { type Given, type Reading, readOptions } from './launch-words.ts';
import { type Launcher, listed } from './launchers/launcher.ts';
import { LAUNCHERS, rowOf } from './launchers.ts';
import { type GenerateOptions, parseLhp } from './lhp-options.ts';

/** A launcher that stands before lhp. */
export interface Launch {
  /** Its name in the table, with subcommands, such as `uv run`. */
  name: string;
  /** The folder in which it was started. */
  from: string;
  /** The folder in which it starts its command. */
  cwd: string;
  given: Given[];
  /** Options that the table does not list. */
  unknown: string[];
}

/** How the lhp that ran was started. Its installation is found from here. */
export interface Program {
  /** `python` runs lhp as a module, or runs a script called lhp. */
  kind: 'lhp' | 'python';
  /** Its name or path, as typed. */
  file: string;
  /** The launchers before it, the outermost first. */
  launches: Launch[];
}

export interface Generate extends GenerateOptions {
  program: Program;
  /** The folder in which lhp ran. */
  cwd: string;
  /**
   * Words that are the command in another reading of the line. If one of them is a program
   * (programs.ts), that program ran, and this is no generate.
   */
  doubts?: string[];
}

/**
 * The generate that a command line is, or `undefined`.
 *
 * @param env - Some options of launchers have a variable that stands for them.
 */
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

/** Reads the command that begins at a word. */
function find(line: Line, at: number, cwd: string, launches: Launch[]): Result {
  const word = line.words[at];
  if (word === undefined) return { doubts: [] };
  const name = programName(word);
  if (name === 'lhp') return lhpFrom(line, { kind: 'lhp', file: word, launches }, at + 1, cwd);
  if (isPython(name)) return findModule(line, at, cwd, launches);
  const row = rowOf(LAUNCHERS, name);
  return row
    ? findCommand(line, { name, row, from: cwd, start: at + 1, before: [] }, launches)
    : { doubts: [word] };
}

function lhpFrom(line: Line, program: Program, next: number, cwd: string): Result {
  const options = parseLhp(line.words.slice(next));
  return options
    ? { found: { program, cwd, ...options }, doubts: [] }
    : { doubts: [line.words[next - 1] as string] };
}

/** `python [options] -m lhp.cli.main …`, `-m uv run …`, or `python [options] path/to/lhp`. */
function findModule(line: Line, at: number, cwd: string, launches: Launch[]): Result {
  const file = line.words[at] as string;
  const target = pythonTarget(line.words, at + 1);
  if (!target) return { doubts: [file] };
  const { name, next, module } = target;
  if (module ? isLhpModule(name) : programName(name) === 'lhp')
    return lhpFrom(line, { kind: 'python', file, launches }, next, cwd);
  const row = module ? rowOf(LAUNCHERS, name) : undefined;
  return row
    ? findCommand(line, { name, row, from: cwd, start: next, before: [] }, launches)
    : { doubts: [file] };
}

/** No released lhp can run as `python -m lhp` (0.2.7 to 0.9.3). A later one might. */
const isLhpModule = (name: string) => /^lhp(\.cli(\.main)?)?$/.test(name);

/** The module or script that Python runs, and the index of its first argument. */
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

/** A launcher whose options are to be read. */
interface Opened {
  name: string;
  row: Launcher;
  from: string;
  /** Index of the first word after its name. */
  start: number;
  /** Options given before the subcommand. */
  before: Given[];
}

/** Looks for a generate in every reading of a launcher's options. */
function findCommand(line: Line, opened: Opened, launches: Launch[]): Result {
  const results = readOptions(line.words, opened.start, opened.row).map((reading) =>
    opened.row.subcommands
      ? findSubcommand(line, opened, reading, launches)
      : findLaunched(line, opened, reading, launches),
  );
  const found = results.find((result) => result.found)?.found;
  const doubts = [...new Set(results.flatMap((result) => result.doubts))];
  const foreign = results.some((result) => result.foreign);
  return found && !foreign && !couldBeFetched(opened.row, doubts)
    ? { found, doubts }
    : { doubts, foreign };
}

/**
 * Whether a launcher that fetches packages could run one of these words. `generate` is what follows
 * if lhp's name is read as the value of an option.
 */
const couldBeFetched = (row: Launcher, doubts: readonly string[]): boolean =>
  row.package !== undefined && doubts.some((word) => word !== 'generate' && isPackage(word));

/** The name of a Python package, with extras and version. */
const isPackage = (word: string) => /^[a-z][\w.-]*(\[[\w,.-]*\])?(@.*|[=<>~!]=.*)?$/i.test(word);

function findSubcommand(
  line: Line,
  { name, row, from, before }: Opened,
  reading: Reading,
  launches: Launch[],
): Result {
  const word = line.words[reading.next] ?? '';
  const subcommand = rowOf(row.subcommands, word);
  // A known subcommand without a command makes this reading as good as one that finds a generate.
  if (!subcommand) return { doubts: [], foreign: listed(row.others, word) };
  const opened: Opened = {
    name: `${name} ${word}`,
    row: subcommand,
    from,
    start: reading.next + 1,
    before: [...before, ...reading.given],
  };
  return findCommand(line, opened, launches);
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
  const inner = [...launches, { name, from, cwd, given, unknown: reading.unknown }];
  if (given.some(({ option }) => listed(row.module, option))) {
    const module = words[at] ?? '';
    const program: Program = { kind: 'python', file: 'python', launches: inner };
    return isLhpModule(module) ? lhpFrom(line, program, at + 1, cwd) : { doubts: [module] };
  }
  const colon = row.environmentPrefix ? (words[at] ?? '').indexOf(':') : -1;
  if (colon < 0) return find(line, at, cwd, inner);
  const word = words[at] as string;
  given.push({ option: ':', value: word.slice(0, colon) });
  return find({ ...line, words: words.with(at, word.slice(colon + 1)) }, at, cwd, inner);
}

/** The folder in which a launcher starts its command. */
function folderOf(row: Launcher, from: string, given: readonly Given[], env: Env): string {
  const chosen = (options: string | undefined, variable: string | undefined) =>
    given.findLast(({ option }) => listed(options, option))?.value ??
    (variable === undefined ? undefined : env[variable]);
  const folder = chosen(row.folder, row.folderVariable);
  if (!folder) return from;
  if (!row.folderInProject) return resolve(from, folder);
  const project = chosen(row.project, row.projectVariable);
  const root = project ? resolve(from, project) : folderWith('pyproject.toml', from);
  return resolve(root ?? from, folder);
}

/** The nearest folder, from this one upwards, that has a file of this name. */
export function folderWith(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
