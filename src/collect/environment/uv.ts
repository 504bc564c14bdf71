// uv.ts: the environment of `uv run`: the workspace's, unless options or variables name another.
import { dirname, join, relative, resolve, sep } from 'node:path';
import { folderWith, type Launch } from '../../command/command.ts';
import type { Host } from '../../system/host.ts';
import { at, type Environment, hasOption, isTrue, optionOf, readToml } from './environment.ts';

export function uvEnvironment(launch: Launch, host: Host): Environment | undefined {
  const { env } = host;
  // An environment made for this run alone, or an option that may say so.
  if (launch.unknown.length > 0 || isTrue(env.UV_ISOLATED)) return undefined;
  if (hasOption(launch, '--isolated', '-w', '--with', '--with-editable', '--with-requirements'))
    return undefined;
  const named = optionOf(launch, '--project') ?? env.UV_PROJECT;
  const start = named ? resolve(launch.cwd, named) : launch.cwd;
  const found =
    hasOption(launch, '--no-project') || isTrue(env.UV_NO_PROJECT) ? 'none' : workspaceOf(start);
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

/** The active environment, else the nearest `.venv`, else the Python on PATH. */
function withoutProject(launch: Launch, start: string, { env }: Host): Environment | undefined {
  if (hasOption(launch, '-p', '--python') || env.UV_PYTHON) return undefined;
  if (env.VIRTUAL_ENV) return { prefix: resolve(launch.cwd, env.VIRTUAL_ENV) };
  if (env.CONDA_PREFIX)
    return env.CONDA_DEFAULT_ENV === 'base' ? undefined : { prefix: env.CONDA_PREFIX };
  const folder = folderWith('.venv', start);
  return folder === undefined ? 'outside' : { prefix: join(folder, '.venv') };
}

/**
 * The root of the workspace that a folder belongs to; `none` outside of a project; `undefined`
 * where that is not sure.
 */
export function workspaceOf(start: string, tool = 'uv'): string | 'none' | undefined {
  const project = folderWith('pyproject.toml', start);
  if (project === undefined) return 'none';
  const toml = readToml(join(project, 'pyproject.toml'));
  if (toml === undefined) return undefined;
  if (at(toml, 'tool', tool, 'managed') === false) return 'none';
  if (at(toml, 'tool', tool, 'workspace') !== undefined) return project;
  if (at(toml, 'project') === undefined) return 'none';
  const above =
    dirname(project) === project ? undefined : folderWith('pyproject.toml', dirname(project));
  if (above === undefined) return project;
  // The next project above decides.
  const outer = readToml(join(above, 'pyproject.toml'));
  if (outer === undefined) return undefined;
  const workspace = at(outer, 'tool', tool, 'workspace');
  if (workspace === undefined) return project;
  const path = relative(above, project).split(sep);
  const excluded = matchesAny(at(workspace, 'exclude'), path);
  const included = matchesAny(at(workspace, 'members'), path);
  if (excluded === undefined || included === undefined) return undefined;
  return included && !excluded ? above : project;
}

/**
 * Whether one of the patterns is the path; `undefined` where a pattern says more than `*`, `?` and
 * `**`.
 */
function matchesAny(patterns: unknown, path: readonly string[]): boolean | undefined {
  if (patterns === undefined) return false;
  if (!Array.isArray(patterns)) return undefined;
  const parts = patterns.map((one) =>
    typeof one === 'string' && !/[[\]{}!\\]/.test(one) ? one : undefined,
  );
  if (parts.includes(undefined)) return undefined;
  return parts.some((one) =>
    matchesPath(
      (one as string).split('/').filter((part) => part && part !== '.'),
      path,
    ),
  );
}

function matchesPath(pattern: readonly string[], path: readonly string[]): boolean {
  return wildcard(
    pattern.length,
    path.length,
    (i) => pattern[i] === '**',
    (i, j) => matchesName(pattern[i] as string, path[j] as string),
  );
}

const matchesName = (pattern: string, name: string): boolean =>
  wildcard(
    pattern.length,
    name.length,
    (i) => pattern[i] === '*',
    (i, j) => pattern[i] === '?' || pattern[i] === name[j],
  );

/**
 * A pattern with parts that stand for any number: it goes back to the last of them only, so time is
 * bounded.
 */
function wildcard(
  patterns: number,
  items: number,
  isAny: (i: number) => boolean,
  matches: (i: number, j: number) => boolean,
): boolean {
  let i = 0;
  let any = -1;
  let from = 0;
  for (let j = 0; j < items; ) {
    if (i < patterns && isAny(i)) {
      any = i;
      from = j;
      i += 1;
    } else if (i < patterns && matches(i, j)) {
      i += 1;
      j += 1;
    } else if (any >= 0) {
      from += 1;
      i = any + 1;
      j = from;
    } else return false;
  }
  while (i < patterns && isAny(i)) i += 1;
  return i === patterns;
}
