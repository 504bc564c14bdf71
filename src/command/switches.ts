// switches.ts: the opt-outs that a launcher sets for lhp, and that our own environment does not
// have: `env NAME=value` before lhp, an environment file, the settings of a project. An opt-out
// that may be set and cannot be read counts as set, so that nothing is recorded against it. This is
// asked before the command starts, and only if a launcher stands before lhp. It only reads files.
import { join, resolve } from 'node:path';
import { environmentLayer } from '../consent/consent.ts';
import type { Host } from '../system/host.ts';
import { list } from '../system/try-read.ts';
import type { Launch } from './command.ts';
import { condaPrefix } from './conda-prefix.ts';
import { environmentsIn } from './environment-folders.ts';
import { type Launcher, listed } from './launchers/launcher.ts';
import { launcherOf } from './launchers.ts';
import { environmentFiles, type Place, settingsFiles } from './settings-files.ts';
import {
  type Between,
  filesNamedIn,
  fromText,
  linesOfTable,
  mentionsSwitch,
  PLACES,
  switchesOf,
  textOf,
  WHERE_LHP_LOOKS,
} from './switch-text.ts';

export type { Between } from './switch-text.ts';

/** The first opt-out that a launcher sets, or `undefined`. */
export function switchBetween(launches: readonly Launch[], host: Host): Between | undefined {
  for (const launch of launches) {
    const row = launcherOf(launch.name);
    const between = fromWords(launch, row, host) ?? fromFiles(launch, row, host);
    if (between) return between;
  }
  return undefined;
}

/** What the launcher's own words set and remove. */
function fromWords(
  { name, given, unknown }: Launch,
  row: Launcher,
  { env }: Host,
): Between | undefined {
  if (unknown.some((option) => /env/i.test(option))) return { unknown: `an option of ${name}` };
  const cleared = given.some(({ option }) => listed(row.clears, option));
  const set = new Map<string, string>();
  const removed = new Set<string>(cleared ? PLACES : []);
  for (const { option, value = '' } of given) {
    const equals = value.indexOf('=');
    if (option === '=' || listed(row.sets, option))
      set.set(value.slice(0, equals), value.slice(equals + 1));
    else if (listed(row.unsets, option)) removed.add(value);
    else if (mentionsSwitch(value)) return { unknown: `an option of ${name}` };
  }
  const layer = environmentLayer(switchesOf(env, set));
  if (layer) return { layer };
  const moved = PLACES.some((place) =>
    set.has(place) ? set.get(place) !== env[place] : removed.has(place) && env[place] !== undefined,
  );
  return moved ? WHERE_LHP_LOOKS : undefined;
}

/**
 * What files set: those that the words name, those of the project, those of a conda environment.
 */
function fromFiles(launch: Launch, row: Launcher, host: Host): Between | undefined {
  const { env } = host;
  const settings = settingsFiles(launch, row, env);
  return (
    firstOf(environmentFiles(launch, row, env), (path) => fromText(textOf(path), env)) ??
    firstOf(settings, (place) => fromSettings(place, env)) ??
    (row.conda ? fromCondaEnvironments(launch, row, settings, host) : undefined)
  );
}

/** The first answer. The others are not asked, because each reads a file. */
function firstOf<T>(all: readonly T[], ask: (one: T) => Between | undefined): Between | undefined {
  for (const one of all) {
    const between = ask(one);
    if (between) return between;
  }
  return undefined;
}

function fromSettings({ path, folder, table }: Place, env: Host['env']): Between | undefined {
  const whole = textOf(path);
  const text =
    typeof whole === 'string' && table !== undefined ? linesOfTable(whole, table) : whole;
  const between = fromText(text, env);
  if (between || typeof text !== 'string') return between;
  return firstOf(filesNamedIn(text), (name) =>
    fromText(name === undefined ? undefined : textOf(resolve(folder, name)), env),
  );
}

/** pixi keeps its environments in the project. For the others the environment is looked up. */
function fromCondaEnvironments(
  launch: Launch,
  row: Launcher,
  settings: readonly Place[],
  host: Host,
): Between | undefined {
  if (row.environmentFolders === undefined) {
    const prefix = condaPrefix(launch, host);
    return prefix === undefined
      ? { unknown: 'the environment of conda' }
      : fromPrefix(prefix, host.env);
  }
  const projects = new Set(settings.map(({ folder }) => folder));
  const prefixes = [...projects].flatMap((folder) => environmentsIn(folder, [row]));
  return firstOf(prefixes, (prefix) => fromPrefix(prefix, host.env));
}

/**
 * The variables of a conda environment (`conda env config vars set`), and those that the scripts of
 * its packages export.
 */
function fromPrefix(prefix: string, env: Host['env']): Between | undefined {
  const scripts = join(prefix, 'etc', 'conda', 'activate.d');
  const variables = join(prefix, 'etc', 'conda', 'env_vars.d');
  const paths = [
    join(prefix, 'conda-meta', 'state'),
    ...list(scripts).map((name) => join(scripts, name)),
    ...list(variables).map((name) => join(variables, name)),
  ];
  return firstOf(paths, (path) => fromText(textOf(path), env));
}
