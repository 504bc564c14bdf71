// poetry.ts: the environment of `poetry run`: the active one, else `.venv` in the project, else one
// in Poetry's folder.
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { folderWith, type Launch } from '../../command/command.ts';
import type { Host } from '../../system/host.ts';
import { isFolder, list } from '../../system/try-read.ts';
import { which } from '../../system/which.ts';
import {
  activeEnvironment,
  at,
  cacheHome,
  configHome,
  type Environment,
  expandHome,
  isTrue,
  optionOf,
  readToml,
} from './environment.ts';

export function poetryEnvironment(launch: Launch, host: Host): Environment | undefined {
  if (launch.unknown.length > 0) return undefined;
  const project = optionOf(launch, '-P', '--project');
  const root = folderWith('pyproject.toml', project ? resolve(launch.cwd, project) : launch.cwd);
  const toml = root === undefined ? undefined : readToml(join(root, 'pyproject.toml'));
  if (root === undefined || toml === undefined) return undefined;
  const setting = settingsOf(root, host);
  const folder = resolve(launch.cwd, environmentsFolder(setting, host));
  const name = environmentName(
    at(toml, 'project', 'name') ?? at(toml, 'tool', 'poetry', 'name'),
    root,
  );
  // `poetry env use` records its choice, which then overrides the active environment.
  const chosen = at(readToml(join(folder, 'envs.toml')), name, 'minor');
  const active = activeEnvironment(host.env);
  if (active !== undefined && chosen === undefined) return { prefix: active };
  const inProject = join(root, '.venv');
  if (setting('in-project') !== false && isFolder(inProject)) return { prefix: inProject };
  if (setting('create') === false) return 'outside';
  if (typeof chosen === 'string') return { prefix: join(folder, `${name}-py${chosen}`) };
  const made = list(folder).filter((one) => one.startsWith(`${name}-py`));
  // Which Python Poetry prefers is not known here. If there is only one environment, and no other
  // lhp, then lhp ran in that one.
  if (made.length !== 1 || which('lhp', launch.cwd, host)) return undefined;
  return { prefix: join(folder, made[0] as string) };
}

type Setting = (name: string) => unknown;

/**
 * A setting of the table `virtualenvs`: from a variable, else from the project's poetry.toml, else
 * from the user's config.toml.
 */
function settingsOf(root: string, host: Host): Setting {
  const { env } = host;
  const user = env.POETRY_CONFIG_DIR || join(configHome(host), 'pypoetry');
  const files = [join(root, 'poetry.toml'), join(user, 'config.toml')];
  const tables = files.map((path) => at(readToml(path), 'virtualenvs'));
  return (name) => {
    const variable = env[`POETRY_VIRTUALENVS_${name.toUpperCase().replaceAll('-', '_')}`];
    if (variable !== undefined) return name === 'path' ? variable : isTrue(variable);
    return tables.map((table) => at(table, name)).find((value) => value !== undefined);
  };
}

function environmentsFolder(setting: Setting, host: Host): string {
  const cache = host.env.POETRY_CACHE_DIR || join(cacheHome(host), 'pypoetry');
  const path = setting('path');
  return typeof path === 'string'
    ? expandHome(path.replace('{cache-dir}', cache), host)
    : join(cache, 'virtualenvs');
}

/** Poetry's name for the project's environments: the project's name, and a digest of its folder. */
function environmentName(name: unknown, root: string): string {
  const project = (typeof name === 'string' && name ? name : 'non-package-mode').toLowerCase();
  const normal = project.replace(/[-_.]+/g, '-').replace(/[ $`!*@"\\\r\n\t]/g, '_');
  const digest = createHash('sha256').update(realpathSync(root)).digest('base64url');
  return `${normal.slice(0, 42)}-${digest.slice(0, 8)}`;
}
