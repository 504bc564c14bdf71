// uv.ts: the environment of `uv run`: that of the workspace, unless options or variables name
// another one.
import { join, resolve } from 'node:path';
import { folderWith, type Launch } from '../../command/command.ts';
import type { Host } from '../../system/host.ts';
import { type Environment, hasOption, isTrue, optionOf } from './environment.ts';
import { workspaceOf } from './workspace.ts';

export function uvEnvironment(launch: Launch, host: Host): Environment | undefined {
  const { env } = host;
  // These options make an environment for this run alone, and an unknown option may do so.
  const isolating = ['--isolated', '-w', '--with', '--with-editable', '--with-requirements'];
  if (launch.unknown.length > 0 || isTrue(env.UV_ISOLATED) || hasOption(launch, ...isolating))
    return undefined;
  const named = optionOf(launch, '--project') ?? env.UV_PROJECT;
  const start = named ? resolve(launch.cwd, named) : launch.cwd;
  const found =
    hasOption(launch, '--no-project') || isTrue(env.UV_NO_PROJECT)
      ? 'none'
      : workspaceOf(start, 'uv');
  if (found === undefined) return undefined;
  if (found !== 'none') {
    const active = hasOption(launch, '--active') ? env.VIRTUAL_ENV : undefined;
    return {
      prefix: active
        ? resolve(launch.cwd, active)
        : resolve(found, env.UV_PROJECT_ENVIRONMENT || '.venv'),
    };
  }
  return withoutProject(launch, start, host);
}

/** Outside a project: the active environment, else the nearest `.venv`, else the Python on PATH. */
function withoutProject(launch: Launch, start: string, { env }: Host): Environment | undefined {
  if (hasOption(launch, '-p', '--python') || env.UV_PYTHON) return undefined;
  if (env.VIRTUAL_ENV) return { prefix: resolve(launch.cwd, env.VIRTUAL_ENV) };
  if (env.CONDA_PREFIX)
    return env.CONDA_DEFAULT_ENV === 'base' ? undefined : { prefix: env.CONDA_PREFIX };
  const folder = folderWith('.venv', start);
  return folder === undefined ? 'outside' : { prefix: join(folder, '.venv') };
}
