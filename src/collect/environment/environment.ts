// environment.ts: what the rules of the launchers share. A rule reads files, by the launcher's own
// order, and starts nothing. Where the launcher may have chosen otherwise it says nothing: then the
// versions are recorded as `other`.
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'smol-toml';
import type { Launch } from '../../command/command.ts';
import type { Host } from '../../system/host.ts';
import { readText } from '../../system/try-read.ts';
import type { Installation } from '../packages.ts';

/**
 * Where the command was looked for first: a prefix; or what is known of it without one; `outside`:
 * as without the launcher.
 */
export type Environment = { prefix: string } | { installation: Installation } | 'outside';

export type Rule = (launch: Launch, host: Host) => Environment | undefined;

/** The value of the last of these options; `''` for one without a value. */
export function optionOf({ given }: Launch, ...names: string[]): string | undefined {
  const found = given.findLast(({ option }) => names.includes(option));
  return found && (found.value ?? '');
}

export const hasOption = (launch: Launch, ...names: string[]): boolean =>
  optionOf(launch, ...names) !== undefined;

/** A variable that is a switch, as these programs read it. */
export const isTrue = (value: string | undefined): boolean =>
  /^(1|true|t|yes|y|on)$/i.test(value?.trim() ?? '');

type Table = Record<string, unknown>;

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A TOML file as a table; `undefined` where it is not there or cannot be read. */
export function readToml(path: string): Table | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch {
    return undefined; // damaged, and then the launcher would have failed
  }
}

/** The value at a path of keys. */
export function at(value: unknown, ...keys: string[]): unknown {
  return keys.reduce<unknown>(
    (inner, key) => (isTable(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    value,
  );
}

export const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** The environment that is active where the launcher was started. */
export function activeEnvironment({
  VIRTUAL_ENV,
  CONDA_PREFIX,
  CONDA_DEFAULT_ENV,
}: Host['env']): string | undefined {
  // conda's base is active in every shell of many, and is no environment of a project.
  return CONDA_DEFAULT_ENV === 'base' ? undefined : VIRTUAL_ENV || CONDA_PREFIX || undefined;
}

/** The environment of a folder, if it is one. */
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
