// command.ts: is this command line a generate of lhp, and with which options? Reads arguments the way lhp's own parser
// (click) does, and changes nothing. What is not recognised is no generate and passes through unrecorded: that is the safe
// side, also for consent (`env DO_NOT_TRACK=1 lhp …` is not looked into).
import { basename, resolve } from 'node:path';

/** How the lhp that ran was started; tells where its installation is. */
export interface Program {
  kind: 'lhp' | 'python' | 'launcher';
  /** The words up to and without `lhp`'s arguments, e.g. `['uv', 'run', 'lhp']`. */
  command: string[];
}

export interface Generate {
  program: Program;
  /** The folder that lhp ran in. */
  cwd: string;
  environment: string | undefined;
  output: string | undefined;
  pipelineConfig: string | undefined;
  dryRun: boolean;
  noBundle: boolean;
  verbose: boolean;
}

/** Options of `uv`, `uv run` and `poetry` that take a value in the next word, so that the command behind them is found. */
const LAUNCHER_VALUES: Record<string, string[]> = {
  uv: [
    ...[
      '--directory',
      '--project',
      '--config-file',
      '--cache-dir',
      '--color',
      '--allow-insecure-host',
      '--python',
      '-p',
      '--with',
      '-w',
    ],
    ...[
      '--with-editable',
      '--with-requirements',
      '--extra',
      '--no-extra',
      '--group',
      '--no-group',
      '--only-group',
      '--env-file',
      '--package',
    ],
    ...[
      '--index',
      '--default-index',
      '--index-url',
      '-i',
      '--extra-index-url',
      '--find-links',
      '-f',
      '--index-strategy',
      '--keyring-provider',
    ],
    ...[
      '--resolution',
      '--prerelease',
      '--fork-strategy',
      '--exclude-newer',
      '--link-mode',
      '--refresh-package',
      '--reinstall-package',
    ],
    ...[
      '--upgrade-package',
      '-P',
      '--config-setting',
      '-C',
      '--no-build-isolation-package',
      '--no-build-package',
      '--no-binary-package',
    ],
    ...['--python-platform', '--python-preference'],
  ],
  poetry: ['-C', '--directory', '-P', '--project'],
};

export function parseCommand(words: readonly string[], cwd: string): Generate | undefined {
  const found = findLhp(words, 0, cwd, false);
  if (!found) return undefined;
  const options = parseLhp(words.slice(found.next));
  return options && { program: { kind: found.kind, command: words.slice(0, found.next) }, cwd: found.cwd, ...options };
}

interface Found {
  kind: Program['kind'];
  /** Index of lhp's first own argument. */
  next: number;
  cwd: string;
}

function findLhp(words: readonly string[], at: number, cwd: string, launched: boolean): Found | undefined {
  const name = programName(words[at]);
  if (name === 'lhp') return { kind: launched ? 'launcher' : 'lhp', next: at + 1, cwd };
  if (/^(python|pypy)(\d(\.\d+)?)?$|^py$/.test(name)) {
    const next = pythonTarget(words, at + 1);
    return next === undefined ? undefined : { kind: launched ? 'launcher' : 'python', next, cwd };
  }
  if ((name === 'uv' || name === 'poetry') && !launched) return launcherTarget(name, words, at + 1, cwd);
  return undefined;
}

const programName = (word: string | undefined) => basename(word ?? '').replace(/\.(exe|cmd|bat)$/i, '');

/** `python [options] -m lhp …` or `python [options] path/to/lhp …`: the index behind it. */
function pythonTarget(words: readonly string[], start: number): number | undefined {
  for (let at = start; at < words.length; at += 1) {
    const word = words[at] as string;
    if (!word.startsWith('-') || word === '-') return programName(word) === 'lhp' ? at + 1 : undefined;
    const module = word.startsWith('--') ? null : /^-[bBdEhiIOPqRsSuvVx?]*m(.*)$/.exec(word);
    if (module) return module[1] ? isLhpModule(module[1], at + 1) : isLhpModule(words[at + 1], at + 2);
    if (/^-[bBdEhiIOPqRsSuvVx?]*c/.test(word)) return undefined;
    if (/^-[bBdEhiIOPqRsSuvVx?]*[XW]$/.test(word) || word === '--check-hash-based-pycs') at += 1;
  }
  return undefined;
}

const isLhpModule = (module: string | undefined, next: number) =>
  module === 'lhp' || module === 'lhp.cli.main' ? next : undefined;

/** `uv run`, `poetry run`: skips the launcher's own options, follows a change of folder, and looks at the command behind. */
function launcherTarget(name: string, words: readonly string[], start: number, from: string): Found | undefined {
  const values = LAUNCHER_VALUES[name] as string[];
  let cwd = from;
  let running = false;
  for (let at = start; at < words.length; at += 1) {
    const word = words[at] as string;
    if (running && name === 'uv' && (word === '-m' || word === '--module')) {
      const next = isLhpModule(words[at + 1], at + 2);
      return next === undefined ? undefined : { kind: 'launcher', next, cwd };
    }
    if (word === '--' && running) return findLhp(words, at + 1, cwd, true);
    if (!word.startsWith('-')) {
      if (running) return findLhp(words, at, cwd, true);
      if (word !== 'run') return undefined;
      running = true;
      continue;
    }
    const [option, attached] = splitOption(word, values);
    if (!values.includes(option)) continue;
    const value = attached ?? words[at + 1] ?? '';
    if (attached === undefined) at += 1;
    // uv's -C is a build setting; poetry's is the folder.
    if (option === '--directory' || (name === 'poetry' && option === '-C')) cwd = resolve(cwd, value);
  }
  return undefined;
}

/** `--name=value` and `-Xvalue` into option and value. */
function splitOption(word: string, values: string[]): [string, string | undefined] {
  const equals = word.indexOf('=');
  if (word.startsWith('--')) return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
  const short = word.slice(0, 2);
  return word.length > 2 && values.includes(short) ? [short, word.slice(2)] : [word, undefined];
}

/** lhp generate's options with a value: spelling → field. Everything else is a flag (of some version of lhp). */
const VALUE_OPTIONS: Record<string, 'environment' | 'output' | 'pipelineConfig' | 'ignored'> = {
  '-e': 'environment',
  '--env': 'environment',
  '-o': 'output',
  '--output': 'output',
  '-pc': 'pipelineConfig',
  '--pipeline-config': 'pipelineConfig',
  '-p': 'ignored',
  '--pipeline': 'ignored',
  '--max-workers': 'ignored',
};

type Options = Omit<Generate, 'program' | 'cwd'>;

/** lhp's own arguments; `undefined` where they are no generate (another command, `--help`, `--version`). */
function parseLhp(words: readonly string[]): Options | undefined {
  let at = 0;
  let verbose = false;
  // The group's options are flags.
  for (; at < words.length && (words[at] as string).startsWith('-'); at += 1) {
    const word = words[at] as string;
    if (word === '--help' || word === '--version' || /^-[a-z]*h/.test(word)) return undefined;
    if (word === '--verbose' || /^-[a-z]*v/.test(word)) verbose = true;
  }
  if (words[at] !== 'generate') return undefined;
  const given: Partial<Record<string, string>> = {};
  let dryRun = false;
  let noBundle = false;
  for (at += 1; at < words.length; at += 1) {
    const word = words[at] as string;
    if (word === '--') break;
    if (!word.startsWith('-') || word === '-') continue;
    const [option, attached] = clickOption(word);
    const field = VALUE_OPTIONS[option];
    if (field) {
      if (attached === undefined) at += 1;
      given[field] = attached ?? words[at];
    } else if (option === '--help' || option === '-h') return undefined;
    else if (option === '--dry-run') dryRun = true;
    else if (option === '--no-bundle') noBundle = true;
    else if (option === '--verbose' || option === '-v') verbose = true;
  }
  return {
    environment: given.environment,
    output: given.output,
    pipelineConfig: given.pipelineConfig,
    dryRun,
    noBundle,
    verbose,
  };
}

/**
 * One word into option and attached value, as click does it: first the whole word (up to `=`) as a long option, of which
 * `-pc` is one, then letter by letter, where an option with a value takes the rest of the word.
 */
function clickOption(word: string): [string, string | undefined] {
  const equals = word.indexOf('=');
  const long = equals < 0 ? word : word.slice(0, equals);
  if (word.startsWith('--') || long === '-pc') return [long, equals < 0 ? undefined : word.slice(equals + 1)];
  for (let i = 1; i < word.length; i += 1) {
    const short = `-${word[i]}`;
    if (VALUE_OPTIONS[short]) return [short, i + 1 < word.length ? word.slice(i + 1) : undefined];
    if (short === '-h' || short === '-v') return [short, undefined];
  }
  return [word, undefined];
}
