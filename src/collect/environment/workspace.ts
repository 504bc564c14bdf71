// workspace.ts: the workspace of a project, as uv and Rye describe it in pyproject.toml.
import { dirname, join, relative, sep } from 'node:path';
import { folderWith } from '../../command/command.ts';
import { at, readToml } from './environment.ts';

/**
 * The root of the workspace that a folder belongs to; `none` outside a project; `undefined` if it
 * is not certain.
 *
 * @param tool - whose settings in pyproject.toml describe the workspace.
 */
export function workspaceOf(start: string, tool: 'uv' | 'rye'): string | 'none' | undefined {
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
  // The next project above lists its members.
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
 * Whether a pattern matches the path. `undefined` if a pattern has more than `*`, `?` and `**`,
 * which is not read here.
 */
function matchesAny(patterns: unknown, path: readonly string[]): boolean | undefined {
  if (patterns === undefined) return false;
  if (!Array.isArray(patterns)) return undefined;
  const texts = patterns.filter((one) => typeof one === 'string' && !/[[\]{}!\\]/.test(one));
  if (texts.length < patterns.length) return undefined;
  return texts.some((one: string) =>
    matchesPath(
      one.split('/').filter((part) => part && part !== '.'),
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
 * Matches a pattern in which some parts stand for any number of items. On a mismatch it goes back
 * only to the last such part, so the time is bounded.
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
