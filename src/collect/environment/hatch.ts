// hatch.ts: the environment of `hatch run`: a folder in Hatch's data folder, whose name contains
// the project's name and a digest of the project's path.
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { folderWith, type Launch } from '../../command/command.ts';
import type { Host } from '../../system/host.ts';
import {
  at,
  configHome,
  dataHome,
  type Environment,
  environmentAt,
  optionOf,
  readToml,
} from './environment.ts';

export function hatchEnvironment(launch: Launch, host: Host): Environment | undefined {
  const { env } = host;
  if (
    launch.unknown.length > 0 ||
    launch.given.some(({ option }) => /^\+|^-[ix]$|^--(include|exclude|filter)$/.test(option))
  )
    return undefined;
  const name = optionOf(launch, ':', '-e', '--env') ?? (env.HATCH_ENV || 'default');
  const root = folderWith('pyproject.toml', launch.cwd);
  if (root === undefined) return undefined;
  const toml = readToml(join(root, 'pyproject.toml'));
  const environments =
    at(readToml(join(root, 'hatch.toml')), 'envs') ?? at(toml, 'tool', 'hatch', 'envs');
  const own = [at(environments, name), at(environments, 'default')];
  if (
    own.some(
      (one) => (at(one, 'type') ?? 'virtual') !== 'virtual' || at(one, 'matrix') !== undefined,
    )
  )
    return undefined;
  const path = env.HATCH_ENV_TYPE_VIRTUAL_PATH ?? at(own[0], 'path');
  if (typeof path === 'string' && path !== '') return environmentAt(root, path);
  // Other environments inherit the path of the default one, so several names may share a folder.
  if (at(own[1], 'path') !== undefined) return undefined;
  const project = at(toml, 'project', 'name');
  const config =
    optionOf(launch, '--config') ??
    env.HATCH_CONFIG ??
    join(configHome(host), 'hatch', 'config.toml');
  const virtual = at(readToml(resolve(launch.cwd, config)), 'dirs', 'env', 'virtual');
  if (typeof project !== 'string' || (virtual !== undefined && virtual !== '')) return undefined;
  const normal = project.replace(/[-_.]+/g, '-').toLowerCase();
  const data =
    optionOf(launch, '--data-dir') ?? env.HATCH_DATA_DIR ?? join(dataHome(host), 'hatch');
  const digest = createHash('sha256').update(realpathSync(root)).digest('base64url').slice(0, 8);
  return environmentAt(
    resolve(launch.cwd, data),
    'env',
    'virtual',
    normal,
    digest,
    name === 'default' ? normal : name,
  );
}
