// package.ts: how this copy of lhp-otel was installed, and where it is. Both packages contain the
// same dist/: npm puts it into node_modules/lhp-otel, pip into the Python package lhp_otel.
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface Copy {
  /** `files`: a checkout, also one that `npm install -g .` has linked to. */
  kind: 'npm' | 'pip' | 'files';
  /** The folder of the package, which contains dist/. */
  folder: string;
}

/** @param dist - the folder of our programs, with its links resolved. */
export function copyIn(dist: string): Copy {
  const folder = dirname(dist);
  if (basename(dist) !== 'dist') return { kind: 'files', folder: dist };
  if (basename(folder) === 'lhp_otel') return { kind: 'pip', folder };
  const isNpm = basename(folder) === 'lhp-otel' && basename(dirname(folder)) === 'node_modules';
  return { kind: isNpm ? 'npm' : 'files', folder };
}

export const thisCopy = (): Copy => copyIn(import.meta.dirname);

/**
 * The command that pip has installed for a copy: a shell script, which finds Node and the package
 * by itself (scripts/wheel/launcher.sh). Its path has no version of Python in it. `undefined` for
 * other copies, on Windows, and where pip was told to put the command elsewhere.
 */
export function launcherOf({ kind, folder }: Copy): string | undefined {
  if (kind !== 'pip' || process.platform === 'win32') return undefined;
  // bin/ is beside lib/python3.11/site-packages/ or, with `pip install --target`, in that folder.
  const packages = dirname(folder);
  return [join(packages, '..', '..', '..', 'bin'), join(packages, 'bin')]
    .map((bin) => join(bin, 'lhp-otel'))
    .find((path) => existsSync(path));
}

/** Folders of programs that install a package for one call. Any of them may be emptied later. */
const CACHES: readonly (readonly [program: string, path: RegExp, instead: string])[] = [
  ['uvx', /[\\/](archive|environments|builds)-v\d+[\\/]/, 'uv tool install lhp-otel'],
  ['npx', /[\\/]_npx[\\/]/, 'npm install -g lhp-otel'],
  ['pipx run', /[\\/](\.cache[\\/]pipx|pipx[\\/]\.cache)[\\/]/, 'pipx install lhp-otel'],
];

/** The program in whose cache a copy is, and how to install one that stays. */
export function cacheOf({ folder }: Copy): { program: string; instead: string } | undefined {
  const [found] = CACHES.filter(([, path]) => path.test(folder));
  return found && { program: found[0], instead: found[2] };
}
