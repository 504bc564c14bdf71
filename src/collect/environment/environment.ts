// environment.ts: what the rules share. A rule finds the environment in which a launcher runs its
// command. It reads the launcher's own files, in the launcher's own order, and starts nothing. If
// the launcher may have chosen another environment, the rule gives `undefined`, and the versions
// are recorded as `other`.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'smol-toml';
import type { Launch } from '../../command/command.ts';
import { isTrue } from '../../command/launchers/launcher.ts';
import type { Host } from '../../system/host.ts';
import { readText } from '../../system/try-read.ts';
import type { Installation } from '../packages.ts';

/**
 * The folder of the environment (`prefix`); or the installation, if it is known without its folder;
 * or `outside`, if the command runs as it would without the launcher.
 */
export type Environment = { prefix: string } | { installation: Installation } | 'outside';

export { isTrue };

export type Rule = (launch: Launch, host: Host) => Environment | undefined;

/** The value of the last of these options, or `''` if that one has no value. */
export function optionOf({ given }: Launch, ...names: string[]): string | undefined {
  const found = given.findLast(({ option }) => names.includes(option));
  return found && (found.value ?? '');
}

export const hasOption = (launch: Launch, ...names: string[]): boolean =>
  optionOf(launch, ...names) !== undefined;

type Table = Record<string, unknown>;

export const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A TOML file as a table, or `undefined` if it is missing or cannot be read. */
export function readToml(path: string): Table | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch {
    return undefined; // Invalid TOML, with which the launcher fails.
  }
}

/** The value at a path of keys. */
export function at(value: unknown, ...keys: string[]): unknown {
  return keys.reduce<unknown>(
    (inner, key) => (isTable(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    value,
  );
}

/** The environment that is active in the shell that started the launcher. */
export function activeEnvironment({
  VIRTUAL_ENV,
  CONDA_PREFIX,
  CONDA_DEFAULT_ENV,
}: Host['env']): string | undefined {
  // Many people have conda's base active in every shell. It belongs to no project.
  return CONDA_DEFAULT_ENV === 'base' ? undefined : VIRTUAL_ENV || CONDA_PREFIX || undefined;
}

/** The environment at a path, if there is one. */
export const environmentAt = (...path: string[]): Environment | undefined => {
  const prefix = resolve(...path);
  return existsSync(join(prefix, 'pyvenv.cfg')) ? { prefix } : undefined;
};

export const dataHome = ({ env, home = '/' }: Host): string =>
  env.XDG_DATA_HOME || join(home, '.local', 'share');
export const configHome = ({ env, home = '/' }: Host): string =>
  env.XDG_CONFIG_HOME || join(home, '.config');
export const cacheHome = ({ env, home = '/' }: Host): string =>
  env.XDG_CACHE_HOME || join(home, '.cache');

export const expandHome = (path: string, { home }: Host): string =>
  path.replace(/^~(?=\/|$)/, home ?? '~');
