// others.ts: the launchers whose rule is a few lines: pixi, conda, rye, and those that fetch a
// tool.
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Launch } from '../../command/command.ts';
import { condaPrefix } from '../../command/conda-prefix.ts';
import type { Host } from '../../system/host.ts';
import { at, dataHome, type Environment, hasOption, optionOf, readToml } from './environment.ts';
import { workspaceOf } from './uv.ts';

/** `.pixi/envs/<name>` beside the manifest. */
export function pixiEnvironment(launch: Launch, host: Host): Environment | undefined {
  if (launch.unknown.length > 0) return undefined;
  const named = optionOf(launch, '-m', '--manifest-path') ?? host.env.PIXI_PROJECT_MANIFEST;
  const root = named ? manifestFolder(resolve(launch.from, named)) : pixiRoot(launch.cwd);
  if (root === undefined || declaresTask(root)) return undefined;
  const name =
    optionOf(launch, '-e', '--environment') ?? host.env.PIXI_ENVIRONMENT_NAME ?? 'default';
  const prefix = join(root, '.pixi', 'envs', name);
  return existsSync(join(prefix, 'conda-meta')) ? { prefix } : undefined;
}

const manifestFolder = (path: string) =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(path);

function pixiRoot(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'pixi.toml')) || existsSync(join(folder, 'mojoproject.toml')))
      return folder;
    if (at(readToml(join(folder, 'pyproject.toml')), 'tool', 'pixi') !== undefined) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** A task called lhp may have an environment of its own. */
function declaresTask(root: string): boolean {
  const tables = [
    readToml(join(root, 'pixi.toml')),
    at(readToml(join(root, 'pyproject.toml')), 'tool', 'pixi'),
    readToml(join(root, 'mojoproject.toml')),
  ];
  return tables.some((table) => {
    const features = at(table, 'feature');
    const all = [
      table,
      ...(typeof features === 'object' && features !== null ? Object.values(features) : []),
    ];
    return all.some((one) => at(one, 'tasks', 'lhp') !== undefined);
  });
}

export function condaEnvironment(launch: Launch, host: Host): Environment | undefined {
  const prefix = condaPrefix(launch, host);
  return prefix === undefined ? undefined : { prefix };
}

/** The `.venv` of the workspace's root. */
export function ryeEnvironment(launch: Launch): Environment | undefined {
  if (launch.unknown.length > 0 || hasOption(launch, '--pyproject')) return undefined;
  const root = workspaceOf(launch.cwd, 'rye');
  return root === undefined || root === 'none' ? undefined : { prefix: join(root, '.venv') };
}

/**
 * `uvx` and `pipx run` make an environment in their cache, and which one it was is not written
 * down. What is known: a version that the command names; or, for uvx, the tool that is installed,
 * which it takes where nothing is asked of it.
 */
export function toolEnvironment(launch: Launch, host: Host): Environment | undefined {
  const spec = optionOf(launch, '--from', '--spec') ?? '';
  const [, version] =
    /^lakehouse[-_.]+plumber(?:\[[^\]]*\])?\s*(?:===?|@)\s*(\d+\.\d+\.\d+[\w.]*)$/i.exec(spec) ??
    [];
  if (version !== undefined && !hasOption(launch, '--overrides', '-c', '--constraints')) {
    const installation = {
      lhpVersion: version,
      pythonVersion: undefined,
      pyyamlVersion: undefined,
    };
    return { installation };
  }
  const plain = launch.name === 'uvx' || launch.name === 'uv tool run';
  const asked = launch.given.filter(
    ({ option }) =>
      !/^(--from|-q|--quiet|-v|--verbose|--offline|--directory|--env-file|--no-progress|--color)$/.test(
        option,
      ),
  );
  if (!plain || launch.unknown.length > 0 || asked.length > 0) return undefined;
  if (!/^lakehouse[-_.]+plumber$/i.test(spec)) return undefined;
  const tools = host.env.UV_TOOL_DIR || join(dataHome(host), 'uv', 'tools');
  const prefix = join(tools, 'lakehouse-plumber');
  return existsSync(join(prefix, 'uv-receipt.toml')) ? { prefix } : undefined;
}
