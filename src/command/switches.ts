// switches.ts: the switches of consent that are set between us and lhp: by `env NAME=value` in
// front of it, by a launcher's environment file or settings. lhp sees them and our own environment
// does not hold them. What cannot be known here counts as off: nothing is recorded against a switch
// that lhp may have seen. Only where a wrapper or launcher stands before lhp; then before the
// command starts, from files alone.
import { join, resolve } from 'node:path';
import { environmentLayer } from '../consent/consent.ts';
import { type Layer, OPT_OUT_VARIABLES } from '../consent/layers.ts';
import { errorCode } from '../system/error.ts';
import { readRegular } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { list } from '../system/try-read.ts';
import { folderWith, type Launch } from './command.ts';
import { condaPrefix } from './conda-prefix.ts';
import { listed } from './launch-words.ts';
import { type Launcher, launcherOf, type Settings } from './launchers.ts';

/** The switch that is off, or words for what cannot be known. */
export type Between = { layer: Layer } | { unknown: string };

/** They say where lhp keeps its own `telemetry off`. */
const PLACES = ['LHP_CONFIG_DIR', 'XDG_CONFIG_HOME', 'HOME', 'APPDATA', 'USERPROFILE'];
/** An environment file or a project's settings are a few lines. */
const MAX_BYTES = 1024 * 1024;

export function switchBetween(launches: readonly Launch[], host: Host): Between | undefined {
  for (const launch of launches) {
    const row = launcherOf(launch.name);
    const between = fromWords(launch, row, host) ?? fromFiles(launch, row, host);
    if (between) return between;
  }
  return undefined;
}

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
    else if (mentions(value)) return { unknown: `an option of ${name}` };
  }
  const layer = environmentLayer(switchesOf(env, set));
  if (layer) return { layer };
  const moved = PLACES.some((place) =>
    set.has(place) ? set.get(place) !== env[place] : removed.has(place) && env[place] !== undefined,
  );
  return moved ? { unknown: 'where lhp keeps its own consent' } : undefined;
}

/**
 * Our own environment was asked before. With upstream off, `LHP_TELEMETRY` says nothing here as
 * well.
 */
const switchesOf = (env: Host['env'], set: ReadonlyMap<string, string>) => ({
  LHP_OTEL_UPSTREAM: env.LHP_OTEL_UPSTREAM,
  ...Object.fromEntries(
    [...set].filter(([name]) => (OPT_OUT_VARIABLES as readonly string[]).includes(name)),
  ),
});

const mentions = (text: string) =>
  [...OPT_OUT_VARIABLES, ...PLACES.slice(0, 2)].some((name) => text.includes(name));

function fromFiles(launch: Launch, row: Launcher, host: Host): Between | undefined {
  const { env } = host;
  const files = environmentFiles(launch, row, env).map((path) => () => fromText(textOf(path), env));
  const settings = settingsOf(launch, row, env).map((one) => () => fromSettings(one, row, env));
  for (const ask of [...files, ...settings]) {
    const between = ask();
    if (between) return between;
  }
  if (row.environment === 'conda' || row.environment === 'micromamba') {
    const prefix = condaPrefix(launch, host);
    return prefix === undefined ? { unknown: 'the environment of conda' } : fromPrefix(prefix, env);
  }
  return undefined;
}

/** uv reads them from the folder that it changes to; pdm from the project's. */
function environmentFiles({ cwd, from, given }: Launch, row: Launcher, env: Host['env']): string[] {
  if (given.some(({ option }) => listed(row.noEnvFile, option))) return [];
  const folder = row.folderInProject ? projectOf(given, row, from, env) : cwd;
  const named = given.flatMap(({ option, value }) =>
    value && listed(row.envFile, option) ? [value] : [],
  );
  const variable = (row.envFileVariable && env[row.envFileVariable]) || '';
  return [...named, ...variable.split(/(?<!\\)\s+/).filter(Boolean)].map((file) =>
    resolve(folder, file.replaceAll('\\ ', ' ')),
  );
}

function projectOf(given: Launch['given'], row: Launcher, from: string, env: Host['env']): string {
  const named =
    given.findLast(({ option }) => listed(row.project, option))?.value ?? variableOf(row, env);
  if (named === undefined) return folderWith('pyproject.toml', from) ?? from;
  const path = resolve(from, named);
  return /\.toml$/.test(path) ? resolve(path, '..') : path;
}

const variableOf = ({ environment }: Launcher, env: Host['env']): string | undefined =>
  (environment === 'pdm'
    ? env.PDM_PROJECT
    : environment === 'pixi'
      ? env.PIXI_PROJECT_MANIFEST
      : undefined) || undefined;

interface Place extends Settings {
  folder: string;
}

function settingsOf({ cwd, from, given }: Launch, row: Launcher, env: Host['env']): Place[] {
  if (row.environment === 'pipenv') return pipenvSettings(cwd, row, env);
  const named =
    given.some(({ option }) => listed(row.project, option)) || variableOf(row, env) !== undefined;
  // Of a relative project both readings are looked at: from the folder that is left, and from the
  // new one.
  const starts = named
    ? [projectOf(given, row, from, env), projectOf(given, row, cwd, env)]
    : [cwd];
  return (row.settings ?? []).flatMap((one) =>
    [...new Set(starts.map((start) => folderWith(one.file, start)))].flatMap((folder) =>
      folder === undefined ? [] : [{ ...one, folder }],
    ),
  );
}

function pipenvSettings(cwd: string, row: Launcher, env: Host['env']): Place[] {
  const pipfile = env.PIPENV_PIPFILE
    ? resolve(cwd, env.PIPENV_PIPFILE, '..')
    : (folderWith('Pipfile', cwd) ?? cwd);
  const location = env.PIPENV_DOTENV_LOCATION;
  const loads = !['1', 'true', 't', 'yes', 'y', 'on'].includes(
    env.PIPENV_DONT_LOAD_ENV?.toLowerCase() ?? '',
  );
  const settings = (row.settings ?? [])
    .filter(({ file }) => loads || file !== '.env')
    .map((one) => ({ ...one, folder: pipfile }));
  return location ? [...settings, { file: location, folder: cwd }] : settings;
}

function fromSettings({ file, folder, table }: Place, row: Launcher, env: Host['env']) {
  const whole = textOf(resolve(folder, file));
  const text =
    typeof whole === 'string' && table !== undefined ? linesOfTable(whole, table) : whole;
  const between = fromText(text, env);
  if (between || typeof text !== 'string') return between;
  for (const path of filesNamedIn(text)) {
    const other = fromText(path === undefined ? undefined : textOf(resolve(folder, path)), env);
    if (other) return other;
  }
  if (row.environment !== 'pixi' || !/\.toml$/.test(file)) return undefined;
  const environments = join(folder, '.pixi', 'envs');
  return list(environments)
    .map((name) => fromPrefix(join(environments, name), env))
    .find(Boolean);
}

/**
 * The environment files and activation scripts that settings name; `undefined` for one that cannot
 * be told.
 */
function filesNamedIn(text: string): (string | undefined)[] {
  const values = text.matchAll(/\bscripts\s*=\s*(\[[^\]]*\])|\benv[-_]file[\w.]*\s*=([^\n]*)/g);
  return [...values].flatMap(([, scripts, file]) => {
    const quoted = [...(scripts ?? file ?? '').matchAll(/"([^"\\]*)"|'([^']*)'/g)].map(
      ([, double, single]) => double ?? single,
    );
    return quoted.length > 0 || scripts !== undefined ? quoted : [undefined];
  });
}

/**
 * Variables of a conda environment (`conda env config vars set`), and what its packages' scripts
 * export.
 */
function fromPrefix(prefix: string, env: Host['env']): Between | undefined {
  const scripts = join(prefix, 'etc', 'conda', 'activate.d');
  const variables = join(prefix, 'etc', 'conda', 'env_vars.d');
  const paths = [
    join(prefix, 'conda-meta', 'state'),
    ...list(scripts).map((name) => join(scripts, name)),
    ...list(variables).map((name) => join(variables, name)),
  ];
  return paths.map((path) => fromText(textOf(path), env)).find(Boolean);
}

/** `null` where there is no such file, `undefined` where it cannot be read. */
function textOf(path: string): string | null | undefined {
  try {
    return readRegular(path, { maxBytes: MAX_BYTES }).toString('utf8');
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '') ? null : undefined;
  }
}

/**
 * The lines of one table of a TOML file and of those in and above it, where a dotted key can reach
 * it.
 */
function linesOfTable(text: string, table: string): string {
  let inside = true;
  const lines = text.split('\n').filter((line) => {
    const [, indent, header] =
      /^(\s*)\[\[?([\w\s."'-]+)\]\]?\s*(?:#.*)?$/.exec(line.trimEnd()) ?? [];
    if (header !== undefined) {
      const name = header.replace(/[\s"']/g, '');
      const related = `${name}.`.startsWith(`${table}.`) || `${table}.`.startsWith(`${name}.`);
      // An indented header may be a list inside a value, so it can only add lines.
      inside = related || (inside && indent !== '');
    }
    return inside;
  });
  return lines.join('\n');
}

const MENTION = new RegExp(`\\b(${OPT_OUT_VARIABLES.join('|')})\\b(.*)`, 'g');
/**
 * `NAME=value`, `NAME: "value",` and what closes them, and nothing that a program would have to
 * work out.
 */
const PLAIN = /^["']?\s*[=:]\s*(?:"([^"\\$`]*)"|'([^'\\]*)'|([\w.-]*))\s*[,;}\]]*\s*(?:#.*)?$/;
const MOVES = new RegExp(`^\\s*(?:export\\s+)?["']?(?:${PLACES.join('|')})["']?\\s*[=:]`, 'm');

/** What a text of assignments (dotenv, TOML, JSON, shell) says of the switches. */
function fromText(text: string | null | undefined, env: Host['env']): Between | undefined {
  if (text === null) return undefined;
  if (text === undefined) return { unknown: 'an environment file' };
  for (const line of text.split('\n')) {
    if (/^\s*#/.test(line)) continue;
    for (const [, name = '', rest = ''] of line.matchAll(MENTION)) {
      const plain = PLAIN.exec(rest.trimEnd());
      const value = plain?.[1] ?? plain?.[2] ?? plain?.[3];
      if (value === undefined) return { unknown: `the value of ${name}` };
      const layer = environmentLayer(switchesOf(env, new Map([[name, value]])));
      if (layer) return { layer };
    }
  }
  return MOVES.test(text) ? { unknown: 'where lhp keeps its own consent' } : undefined;
}
