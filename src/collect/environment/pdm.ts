// pdm.ts: the environment of `pdm run`: that of the Python which `.pdm-python` names, else the
// active one, else one in the project, else the project's `__pypackages__`.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { folderWith, type Launch } from '../../command/command.ts';
import type { Host } from '../../system/host.ts';
import { list, readText } from '../../system/try-read.ts';
import { installedIn } from '../packages.ts';
import {
  activeEnvironment,
  type Environment,
  environmentAt,
  hasOption,
  isTrue,
  optionOf,
} from './environment.ts';

export function pdmEnvironment(launch: Launch, host: Host): Environment | undefined {
  const { env } = host;
  // These use an environment by its name, or the global project.
  if (launch.unknown.length > 0 || hasOption(launch, '--venv', '-g', '--global') || env.PDM_IN_VENV)
    return undefined;
  const named = optionOf(launch, '-p', '--project') ?? env.PDM_PROJECT;
  const root = named ? resolve(launch.from, named) : folderWith('pyproject.toml', launch.from);
  if (root === undefined) return undefined;
  const ignored = isTrue(env.PDM_IGNORE_SAVED_PYTHON) || hasOption(launch, '-I', '--ignore-python');
  const saved = ignored ? undefined : readText(join(root, '.pdm-python'))?.trim();
  if (saved && existsSync(saved))
    return environmentAt(dirname(dirname(saved))) ?? localPackages(root);
  const active = isTrue(env.PDM_IGNORE_ACTIVE_VENV) ? undefined : activeEnvironment(env);
  if (active !== undefined) return { prefix: active };
  const own = ['.venv', 'venv', 'env'].map((name) => environmentAt(root, name)).find(Boolean);
  return own ?? localPackages(root);
}

/** `__pypackages__` (PEP 582) has one folder for each version of Python. */
function localPackages(root: string): Environment | undefined {
  const folder = join(root, '__pypackages__');
  const versions = list(folder).filter((name) => existsSync(join(folder, name, 'bin', 'lhp')));
  const [version] = versions;
  if (version === undefined || versions.length !== 1) return undefined;
  const found = installedIn(join(folder, version, 'lib'));
  return found.lhpVersion === undefined
    ? undefined
    : {
        installation: { ...found, pythonVersion: /^\d\.\d+$/.test(version) ? version : undefined },
      };
}
