// pipenv.ts: the environment of `pipenv run`: the active one, else one in the folder of Pipenv's
// environments, else `.venv` beside the Pipfile.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { folderWith, type Launch } from '../../command/command.ts';
import type { Host } from '../../system/host.ts';
import { isFolder, readText } from '../../system/try-read.ts';
import {
  at,
  dataHome,
  type Environment,
  environmentAt,
  expandHome,
  hasOption,
  isTrue,
  readToml,
} from './environment.ts';

export function pipenvEnvironment(launch: Launch, host: Host): Environment | undefined {
  const { env } = host;
  if (launch.unknown.length > 0 || hasOption(launch, '--system', '--python')) return undefined;
  if (env.PIPENV_PYTHON || env.PIPENV_DEFAULT_PYTHON_VERSION) return undefined;
  if (env.VIRTUAL_ENV && env.PIPENV_ACTIVE === undefined && !isTrue(env.PIPENV_IGNORE_VIRTUALENVS))
    return { prefix: env.VIRTUAL_ENV };
  const found = folderWith('Pipfile', launch.cwd);
  const pipfile = env.PIPENV_PIPFILE
    ? resolve(launch.cwd, env.PIPENV_PIPFILE)
    : found && join(found, 'Pipfile');
  if (pipfile === undefined) return undefined;
  const root = resolve(pipfile, '..');
  const workon = expandHome(env.WORKON_HOME || join(dataHome(host), 'virtualenvs'), host);
  const own = join(root, '.venv');
  if (existsSync(own) && !isFolder(own)) {
    const name = readText(own)?.trim() ?? '';
    return name ? environmentAt(/[\\/]/.test(name) ? root : workon, name) : undefined;
  }
  const variable = env.PIPENV_VENV_IN_PROJECT;
  const wanted = variable ? isTrue(variable) : at(readToml(pipfile), 'pipenv', 'venv_in_project');
  if (wanted === true) return environmentAt(own);
  const central = environmentAt(workon, env.PIPENV_CUSTOM_VENV_NAME || nameOf(root, pipfile));
  return central ?? (wanted === false ? undefined : environmentAt(own));
}

function nameOf(root: string, pipfile: string): string {
  const name = basename(root)
    .replace(/[ &$`!*@"()[\]\\\r\n\t]/g, '_')
    .slice(0, 42);
  const digest = createHash('sha256').update(pipfile).digest().subarray(0, 6);
  return `${name}-${digest.toString('base64url')}`;
}
