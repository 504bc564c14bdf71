// pixi.ts: the environment of `pixi run`: `.pixi/envs/<name>` beside the manifest.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Launch } from '../../command/command.ts';
import type { Host } from '../../system/host.ts';
import { isFolder } from '../../system/try-read.ts';
import { at, type Environment, isTable, optionOf, readToml } from './environment.ts';

const PROJECT_FILES = ['pixi.toml', 'mojoproject.toml'];

export function pixiEnvironment(launch: Launch, host: Host): Environment | undefined {
  if (launch.unknown.length > 0) return undefined;
  const named = optionOf(launch, '-m', '--manifest-path') ?? host.env.PIXI_PROJECT_MANIFEST;
  const root = named ? manifestFolder(resolve(launch.from, named)) : projectRoot(launch.cwd);
  if (root === undefined || declaresTask(root)) return undefined;
  const name =
    optionOf(launch, '-e', '--environment') ?? host.env.PIXI_ENVIRONMENT_NAME ?? 'default';
  const prefix = join(root, '.pixi', 'envs', name);
  return existsSync(join(prefix, 'conda-meta')) ? { prefix } : undefined;
}

const manifestFolder = (path: string) => (isFolder(path) ? path : dirname(path));

/** The nearest folder, from this one upwards, with a manifest of pixi. */
function projectRoot(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (PROJECT_FILES.some((name) => existsSync(join(folder, name)))) return folder;
    if (settingsInPyproject(folder) !== undefined) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

const settingsInPyproject = (folder: string) =>
  at(readToml(join(folder, 'pyproject.toml')), 'tool', 'pixi');

/** Whether pixi knows a task called lhp. A task can have an environment of its own. */
function declaresTask(root: string): boolean {
  const manifests = [
    settingsInPyproject(root),
    ...PROJECT_FILES.map((name) => readToml(join(root, name))),
  ];
  return manifests.some((manifest) => {
    const features = at(manifest, 'feature');
    const tables = [manifest, ...(isTable(features) ? Object.values(features) : [])];
    return tables.some((table) => at(table, 'tasks', 'lhp') !== undefined);
  });
}
