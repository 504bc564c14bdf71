// conda-prefix.ts: the folder of the environment in which `conda run` and `micromamba run` start
// their command.
import { existsSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import type { Host } from '../system/host.ts';
import { readText } from '../system/try-read.ts';
import { realPath, which } from '../system/which.ts';
import type { Launch } from './command.ts';

/** `undefined` if there is no such environment, or if several have this name. */
export function condaPrefix({ name, from, given }: Launch, host: Host): string | undefined {
  const option = (...names: string[]) => given.findLast((one) => names.includes(one.option))?.value;
  const prefix = option('-p', '--prefix');
  if (prefix !== undefined)
    return environment(resolve(from, prefix.replace(/^~(?=\/)/, host.home ?? '~')));
  const wanted = option('-n', '--name');
  const roots = rootsOf(name.split(' ')[0] ?? '', option('-r', '--root-prefix'), from, host);
  if (wanted === undefined)
    return host.env.CONDA_PREFIX ? environment(host.env.CONDA_PREFIX) : only(roots);
  if (/[\\/]/.test(wanted)) return environment(resolve(from, wanted));
  if (wanted === 'base' || wanted === 'root') return only(roots);
  const folders = [
    ...(host.env.CONDA_ENVS_PATH ?? host.env.CONDA_ENVS_DIRS ?? '')
      .split(delimiter)
      .filter(Boolean),
    ...roots.map((root) => join(root, 'envs')),
    ...(host.home === undefined ? [] : [join(host.home, '.conda', 'envs')]),
  ];
  return only([...folders.map((folder) => join(folder, wanted)), ...registered(wanted, host)]);
}

/** conda lists every environment that it creates in `~/.conda/environments.txt`. */
function registered(name: string, { home }: Host): string[] {
  const text = home === undefined ? undefined : readText(join(home, '.conda', 'environments.txt'));
  return (text ?? '')
    .split('\n')
    .filter((path) => basename(path) === name && basename(dirname(path)) === 'envs');
}

/** Folders in which conda or micromamba may be installed. */
function rootsOf(program: string, option: string | undefined, from: string, host: Host): string[] {
  const { env, home } = host;
  if (option !== undefined) return [resolve(from, option)];
  const named = env.MAMBA_ROOT_PREFIX || env.CONDA_ROOT;
  if (program === 'micromamba') {
    if (named) return [named];
    return home === undefined
      ? []
      : [join(home, '.local', 'share', 'mamba'), join(home, 'micromamba')];
  }
  const executable = env.CONDA_EXE || which(program, host.cwd, host);
  return [
    // <root>/bin/conda or <root>/condabin/conda
    ...(executable ? [dirname(dirname(realPath(executable)))] : []),
    ...(named ? [named] : []),
  ];
}

const environment = (path: string) => (existsSync(join(path, 'conda-meta')) ? path : undefined);

/** The only environment among these paths. Links to the same environment count once. */
function only(paths: readonly string[]): string | undefined {
  const found = new Set(paths.flatMap((path) => environment(path) ?? []).map(realPath));
  return found.size === 1 ? [...found][0] : undefined;
}
