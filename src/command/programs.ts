// programs.ts: decides whether a word of a command line could have been the command. It is asked
// after a successful run whose launcher had an option that the table does not list: then
// `uv run --new pytest lhp generate` is a generate only if there is no program called `pytest`.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Host } from '../system/host.ts';
import { which } from '../system/which.ts';
import type { Generate } from './command.ts';
import { ENVIRONMENT_VARIABLES, environmentsIn } from './environment-folders.ts';

/** Whether a word that is the command in another reading of the line is a program. */
export function isDoubtful({ doubts = [], program }: Generate, host: Host): boolean {
  const folders = program.launches.flatMap(({ from, cwd }) => [from, cwd]);
  return doubts.some((word) => couldRun(word, [...new Set(folders)], host));
}

function couldRun(word: string, folders: readonly string[], host: Host): boolean {
  // These are values: settings, lists, addresses, versions. No program has such a name.
  if (/[=<>,:@\s]/.test(word) || /^[\d.]+$/.test(word)) return false;
  if (/[\\/]|\.py$/.test(word)) return folders.some((folder) => existsSync(resolve(folder, word)));
  return (
    which(word, host.cwd, host) !== undefined ||
    folders.some((folder) => inEnvironment(word, folder, host))
  );
}

/** Whether an environment of a project, or one that a variable names, has this program. */
function inEnvironment(word: string, from: string, { env, platform }: Host): boolean {
  const bin = platform === 'win32' ? 'Scripts' : 'bin';
  const named = ENVIRONMENT_VARIABLES.flatMap((name) => env[name] || []);
  for (let folder = from; ; folder = dirname(folder)) {
    const environments = [...environmentsIn(folder), ...named.map((path) => resolve(folder, path))];
    if (environments.some((path) => existsSync(join(path, bin, word)))) return true;
    if (folder === dirname(folder)) return false;
  }
}
