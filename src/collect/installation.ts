// installation.ts: the versions of lhp, Python and PyYAML behind a run. They are read from files,
// in the order in which the run itself found them: the launcher's environment, lhp's entry script,
// its interpreter, the packages of that interpreter. No program is started. A version that is not
// certain is `undefined`.
import { existsSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import type { Launch, Program } from '../command/command.ts';
import { listed } from '../command/launchers/launcher.ts';
import { launcherOf } from '../command/launchers.ts';
import type { Host } from '../system/host.ts';
import { list, readText } from '../system/try-read.ts';
import { which } from '../system/which.ts';
import { interpreterOfEntryScript } from './entry-script.ts';
import { fromInterpreter, type Installation } from './packages.ts';

export type { Installation } from './packages.ts';

const NOTHING: Installation = {
  lhpVersion: undefined,
  pythonVersion: undefined,
  pyyamlVersion: undefined,
};

/** @param cwd - the folder in which lhp ran. */
export async function installation(
  program: Program,
  cwd: string,
  host: Host,
): Promise<Installation> {
  let inside = host;
  let folder = program.launches[0]?.from ?? cwd;
  for (const launch of program.launches) {
    const entered = await enter(launch, inside);
    if (entered === undefined) return NOTHING;
    if ('lhpVersion' in entered) return entered;
    inside = entered;
    folder = launch.cwd;
  }
  const python = interpreterOf(program, folder, inside);
  // `python -m lhp.cli.main` looks for lhp in its working folder first.
  const shadowed = program.kind === 'python' && existsSync(join(cwd, 'lhp', 'cli'));
  if (python === undefined || shadowed) return NOTHING;
  return fromInterpreter(python, { ...inside, cwd });
}

/**
 * The host as the command of a launcher sees it: variables changed, its environment first on PATH.
 * Or the installation, if the launcher's words name it. `undefined` if the environment is not
 * certain.
 */
async function enter(launch: Launch, host: Host): Promise<Host | Installation | undefined> {
  const row = launcherOf(launch.name);
  const changed = { ...host, env: variablesBehind(launch, host.env) };
  if (row.environment === undefined) return changed;
  const { RULES } = await import('./environment/rules.ts');
  const found = RULES[row.environment]?.(launch, changed);
  if (found === undefined) return undefined;
  if (found === 'outside') return changed;
  if ('installation' in found) return found.installation;
  const bin = join(found.prefix, host.platform === 'win32' ? 'Scripts' : 'bin');
  if (!existsSync(bin)) return undefined;
  const active = { [row.conda ? 'CONDA_PREFIX' : 'VIRTUAL_ENV']: found.prefix };
  const PATH = `${bin}${delimiter}${changed.env.PATH ?? ''}`;
  return { ...changed, env: { ...changed.env, ...active, PATH } };
}

/** The variables that the launcher's words leave, such as `env -u A B=1`. */
function variablesBehind({ name, given }: Launch, outer: Host['env']): Host['env'] {
  const row = launcherOf(name);
  const cleared = given.some(({ option }) => listed(row.clears, option));
  const env: Record<string, string | undefined> = cleared ? {} : { ...outer };
  for (const { option, value = '' } of given) {
    const equals = value.indexOf('=');
    if (listed(row.unsets, option)) env[value] = undefined;
    else if ((option === '=' || listed(row.sets, option)) && equals > 0)
      env[value.slice(0, equals)] = value.slice(equals + 1);
  }
  return env;
}

function interpreterOf({ kind, file }: Program, cwd: string, host: Host): string | undefined {
  const path = which(file, cwd, host);
  if (path === undefined) return undefined;
  if (kind === 'python') return behindShim(path, host) ?? path;
  const script = behindShim(path, host, 'lhp') ?? path;
  const python = interpreterOfEntryScript(script, host);
  if (python === undefined || python.includes('/') || host.platform === 'win32') return python;
  const found = which(python, cwd, host);
  return found && (behindShim(found, host) ?? found);
}

/**
 * The program behind a shim of pyenv, in the version that PYENV_VERSION names, or in the only
 * version that has the program. `undefined` if the path is no such shim.
 */
function behindShim(path: string, { env }: Host, program = basename(path)): string | undefined {
  if (!/[\\/]shims[\\/][^\\/]+$/.test(path) || !/pyenv/.test(readText(path)?.slice(0, 1024) ?? ''))
    return undefined;
  const versions = join(dirname(dirname(path)), 'versions');
  const wanted = env.PYENV_VERSION?.split(':') ?? list(versions);
  const having = wanted
    .map((version) => join(versions, version, 'bin', program))
    .filter((one) => existsSync(one));
  return having.length === 1 ? having[0] : undefined;
}
