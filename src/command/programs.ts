// programs.ts: whether a word of a command line could have been the command. Asked after a
// successful run whose launcher had an option that launchers.ts does not know: `uv run --new pytest
// lhp generate` is no generate where pytest is a program, and `uv run --new value lhp generate` is
// one where `value` is none.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Host } from '../system/host.ts';
import { list } from '../system/try-read.ts';
import { which } from '../system/which.ts';
import type { Generate } from './command.ts';

export function isDoubtful({ doubts = [], program }: Generate, host: Host): boolean {
  const folders = program.launches.flatMap(({ from, cwd }) => [from, cwd]);
  return doubts.some((word) => couldRun(word, [...new Set(folders)], host));
}

function couldRun(word: string, folders: readonly string[], host: Host): boolean {
  // No program is called like a version, a list, an address or a setting.
  if (/[=<>,:@\s]/.test(word) || /^[\d.]+$/.test(word)) return false;
  if (/[\\/]|\.py$/.test(word)) return folders.some((folder) => existsSync(resolve(folder, word)));
  return (
    which(word, host.cwd, host) !== undefined ||
    folders.some((folder) => inEnvironment(word, folder, host))
  );
}

/**
 * In an environment of the project: what launchers make beside it, or what their variables name.
 */
function inEnvironment(word: string, from: string, { env, platform }: Host): boolean {
  const bin = platform === 'win32' ? 'Scripts' : 'bin';
  const named = [env.VIRTUAL_ENV, env.CONDA_PREFIX, env.UV_PROJECT_ENVIRONMENT];
  for (let folder = from; ; folder = dirname(folder)) {
    const pixi = join(folder, '.pixi', 'envs');
    const environments = [
      ...['.venv', 'venv', 'env'].map((name) => join(folder, name)),
      ...list(pixi).map((name) => join(pixi, name)),
      ...named.flatMap((path) => (path ? [resolve(folder, path)] : [])),
    ];
    if (environments.some((path) => existsSync(join(path, bin, word)))) return true;
    if (folder === dirname(folder)) return false;
  }
}
