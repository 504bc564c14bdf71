// installation.ts: which lhp and which Python ran. From files only, and nothing is started to learn
// it: the launcher's environment → the entry script → its interpreter → the packages beside it.
// What is not certain is not said.
import { existsSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import type { Launch, Program } from '../command/command.ts';
import { listed } from '../command/launch-words.ts';
import { type EnvironmentRule, launcherOf } from '../command/launchers.ts';
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

/** The versions behind the lhp that ran; what is not known is `undefined`. */
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
  // `python -m` looks into its working folder first.
  if (python === undefined || (program.kind === 'python' && existsSync(join(cwd, 'lhp', 'cli'))))
    return NOTHING;
  return fromInterpreter(python, { ...inside, cwd });
}

/**
 * What is known behind a wrapper or launcher: its variables, and the environment that it looks into
 * first.
 */
async function enter(launch: Launch, host: Host): Promise<Host | Installation | undefined> {
  const row = launcherOf(launch.name);
  const changed = { ...host, env: variablesBehind(launch, host.env) };
  if (row.environment === undefined) return changed;
  const { RULES } = await import('./environment/rules.ts');
  const found = RULES[row.environment](launch, changed);
  if (found === undefined || found === 'outside') return found && changed;
  if ('installation' in found) return found.installation;
  const bin = join(found.prefix, host.platform === 'win32' ? 'Scripts' : 'bin');
  const active = isConda(row.environment)
    ? { CONDA_PREFIX: found.prefix }
    : { VIRTUAL_ENV: found.prefix };
  const env = { ...changed.env, ...active, PATH: `${bin}${delimiter}${changed.env.PATH ?? ''}` };
  return existsSync(bin) ? { ...changed, env } : undefined;
}

const isConda = (rule: EnvironmentRule) =>
  rule === 'conda' || rule === 'micromamba' || rule === 'pixi';

/** `env -u A B=1`: what is behind it. */
function variablesBehind({ name, given }: Launch, outer: Host['env']): Host['env'] {
  const row = launcherOf(name);
  let env: Record<string, string | undefined> = given.some(({ option }) =>
    listed(row.clears, option),
  )
    ? {}
    : { ...outer };
  for (const { option, value = '' } of given) {
    const equals = value.indexOf('=');
    if (listed(row.unsets, option)) env = { ...env, [value]: undefined };
    else if ((option === '=' || listed(row.sets, option)) && equals > 0)
      env = { ...env, [value.slice(0, equals)]: value.slice(equals + 1) };
  }
  return env;
}

function interpreterOf({ kind, file }: Program, cwd: string, host: Host): string | undefined {
  const path = which(file, cwd, host);
  if (path === undefined) return undefined;
  if (kind === 'python') return pyenvShim(path, host) ?? path;
  const shim = pyenvShim(path, host, 'lhp');
  const python = interpreterOfEntryScript(shim ?? path, host);
  if (python === undefined || python.includes('/') || host.platform === 'win32') return python;
  const found = which(python, cwd, host);
  return found && (pyenvShim(found, host) ?? found);
}

/**
 * A pyenv shim starts the version's own program; which one is in PYENV_VERSION, or there is only
 * one that has it.
 */
function pyenvShim(path: string, { env }: Host, program = basename(path)): string | undefined {
  if (!/[\\/]shims[\\/][^\\/]+$/.test(path) || !/pyenv/.test(readText(path)?.slice(0, 1024) ?? ''))
    return undefined;
  const versions = join(dirname(dirname(path)), 'versions');
  const wanted = env.PYENV_VERSION?.split(':') ?? list(versions);
  const having = wanted
    .map((version) => join(versions, version, 'bin', program))
    .filter((one) => existsSync(one));
  return having.length === 1 ? having[0] : undefined;
}
