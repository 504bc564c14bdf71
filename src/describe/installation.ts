// installation.ts: which lhp and which Python ran. From files only: script → interpreter → its site-packages → the name of lhp's
// dist-info folder. Where lhp hides behind a launcher whose environment is elsewhere, the launcher is asked.
import { existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Deps } from '../system/deps.ts';
import { list, output, readText } from '../system/system.ts';
import type { Program } from '../wrap/command.ts';

export interface Installation {
  lhpVersion: string | undefined;
  /** `major.minor` of the Python that runs lhp. */
  pythonVersion: string | undefined;
  /** The PyYAML that lhp reads projects with: its rules for merge keys changed (scan/mapping.ts). */
  pyyamlVersion: string | undefined;
}

/** The versions behind the lhp that ran: from its files, or, where it hides behind a launcher, by asking `lhp --version`. */
export async function installation(program: Program, cwd: string, deps: Deps): Promise<Installation> {
  const python = interpreterOf(program, cwd, deps);
  const found = python ? fromInterpreter(python, deps) : undefined;
  if (found?.lhpVersion) return found;
  if (program.kind === 'launcher') return askPython(program, cwd, deps);
  const lhpVersion = await askVersion(program, cwd, deps);
  return { lhpVersion, pythonVersion: found?.pythonVersion, pyyamlVersion: found?.pyyamlVersion };
}

interface Interpreter {
  /** As it was named: a venv's own link, not what it points to. */
  path: string;
}

function interpreterOf({ kind, command }: Program, cwd: string, deps: Deps): Interpreter | undefined {
  const [first = ''] = command;
  if (kind === 'python') return located(first, cwd, deps);
  if (kind === 'lhp') {
    const script = which(first, cwd, deps);
    return script ? interpreterOfScript(script, deps) : undefined;
  }
  return projectVenv(basename(first), command, cwd, deps);
}

const located = (name: string, cwd: string, deps: Deps): Interpreter | undefined => {
  const path = which(name, cwd, deps);
  return path ? (pyenvShim(path, deps) ?? { path }) : undefined;
};

/** Through the script's first line, or, for a Windows launcher, through the folder it lies in. */
function interpreterOfScript(script: string, deps: Deps): Interpreter | undefined {
  if (deps.platform === 'win32') return { path: join(dirname(script), 'python.exe') };
  const shim = pyenvShim(script, deps, 'lhp');
  if (shim) return interpreterOfScript(shim.path, deps);
  const text = readText(real(script))?.slice(0, 4096) ?? '';
  // pip writes the second form where the path is too long for a first line or has a space in it.
  const path =
    /^#!\s*(\/\S*python[\d.]*)(?:\s+-\S+)*\s*\n/.exec(text)?.[1] ??
    /^#!\/bin\/sh\n'''exec' "?([^"\n]+?)"? "\$0"/.exec(text)?.[1];
  if (path) return { path };
  const name = /^#!\s*\S*\/env\s+(?:-S\s+)?(python[\d.]*)/.exec(text)?.[1];
  return name ? located(name, dirname(script), deps) : undefined;
}

/** A pyenv shim starts the version's own program; which one is in PYENV_VERSION, or there is only one that has it. */
function pyenvShim(path: string, deps: Deps, program = basename(path)): Interpreter | undefined {
  if (!/[\\/]shims[\\/][^\\/]+$/.test(path) || !/pyenv/.test(readText(path)?.slice(0, 1024) ?? '')) return undefined;
  const versions = join(dirname(dirname(path)), 'versions');
  const wanted = deps.env.PYENV_VERSION?.split(':') ?? list(versions);
  const having = wanted
    .map((version) => join(versions, version, 'bin', program))
    .filter((candidate) => existsSync(candidate));
  return having.length === 1 && having[0] ? { path: having[0] } : undefined;
}

/** `uv run` and in-project `poetry run` use the `.venv` beside pyproject.toml (or where their variables say). */
function projectVenv(launcher: string, command: readonly string[], cwd: string, deps: Deps): Interpreter | undefined {
  // Options can choose another environment: then only asking helps.
  if (command.some((word) => /^(--(project|with|isolated|no-project|python|active)|-p|-w|-P)/.test(word)))
    return undefined;
  const own = launcher.startsWith('uv') ? deps.env.UV_PROJECT_ENVIRONMENT : deps.env.VIRTUAL_ENV;
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'pyproject.toml'))) {
      const venv = own ? resolve(folder, own) : join(folder, '.venv');
      const path = deps.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
      return existsSync(path) ? { path } : undefined;
    }
    if (folder === dirname(folder)) return undefined;
  }
}

/** The prefix of an interpreter is its venv, if it lies in one, else where its real file is. */
function fromInterpreter({ path }: Interpreter, deps: Deps): Installation {
  const venv = dirname(dirname(path));
  const config = readText(join(venv, 'pyvenv.cfg'));
  const target = real(path);
  const prefixes = config
    ? [venv]
    : [...new Set([venv, dirname(dirname(target)), '/usr/local', join(deps.home ?? '/dev/null', '.local')])];
  const fromConfig = /^version(?:_info)?\s*=\s*(\d+\.\d+)/m.exec(config ?? '')?.[1];
  const fromName = /^python(\d\.\d+)/.exec(basename(target))?.[1];
  const version = fromConfig ?? fromName;
  for (const prefix of prefixes) {
    for (const { folder, python } of sitePackages(prefix)) {
      if (version && python && python !== version) continue;
      const lhpVersion = installedVersion(folder, LHP);
      if (!lhpVersion) continue;
      return { lhpVersion, pythonVersion: version ?? python, pyyamlVersion: installedVersion(folder, PYYAML) };
    }
  }
  return { lhpVersion: undefined, pythonVersion: version, pyyamlVersion: undefined };
}

function sitePackages(prefix: string): { folder: string; python: string | undefined }[] {
  const found = ['lib', 'lib64'].flatMap((lib) =>
    list(join(prefix, lib)).flatMap((name) => {
      const python = /^python(\d(?:\.\d+)?)$/.exec(name)?.[1];
      if (!python) return [];
      return ['site-packages', 'dist-packages'].map((kind) => ({
        folder: join(prefix, lib, name, kind),
        python: python.includes('.') ? python : undefined,
      }));
    }),
  );
  return [...found, { folder: join(prefix, 'Lib', 'site-packages'), python: undefined }];
}

const LHP = /^lakehouse[_-]plumber-(.+)\.(dist|egg)-info$/i;
const PYYAML = /^pyyaml-([^-]+?)(-py[\d.]+)?\.(dist|egg)-info$/i;

/** The folder's name is the distribution's name and version (PyPA, "Recording installed projects"). */
function installedVersion(folder: string, distribution: RegExp): string | undefined {
  for (const name of list(folder)) {
    const version = distribution.exec(name)?.[1];
    if (version) return version;
  }
  return undefined;
}

/** The same words that started lhp, with `--version`: it prints the number alone or at the end of a line. */
async function askVersion({ command }: Program, cwd: string, deps: Deps): Promise<string | undefined> {
  const [file = '', ...rest] = command;
  // Asking is no use of lhp: its own telemetry must not count it.
  const env = { ...deps.env, LHP_TELEMETRY: 'off' };
  const text = await output(which(file, cwd, deps) ?? file, [...rest, '--version'], { cwd, env });
  return /(\d+\.\d+[\w.]*)\s*$/.exec(text.trim())?.[1];
}

const VERSIONS =
  "import sys, importlib.metadata as m; print(m.version('lakehouse-plumber'), '%d.%d' % sys.version_info[:2], m.version('PyYAML'))";

/** A launcher starts Python as readily as lhp, in the same environment. */
async function askPython({ command }: Program, cwd: string, deps: Deps): Promise<Installation> {
  const target = command.lastIndexOf('-m') >= 0 ? command.slice(0, command.lastIndexOf('-m')) : command.slice(0, -1);
  const python = /python[\d.]*$/.test(target.at(-1) ?? '') ? [] : ['python'];
  const [file = '', ...rest] = [...target, ...python, '-c', VERSIONS];
  const text = await output(which(file, cwd, deps) ?? file, rest, { cwd, env: deps.env });
  const [, lhpVersion, pythonVersion, pyyamlVersion] = /^(\S+) (\d+\.\d+) (\S+)$/m.exec(text.trim()) ?? [];
  return { lhpVersion, pythonVersion, pyyamlVersion };
}

function which(name: string, cwd: string, deps: Deps): string | undefined {
  if (isAbsolute(name)) return name;
  if (/[\\/]/.test(name)) return resolve(cwd, name);
  const endings = deps.platform === 'win32' ? ['.exe', '.cmd', '.bat', ''] : [''];
  for (const folder of (deps.env.PATH ?? '').split(delimiter)) {
    for (const ending of endings) {
      const path = resolve(cwd, folder, name + ending);
      if (existsSync(path)) return path;
    }
  }
  return undefined;
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
