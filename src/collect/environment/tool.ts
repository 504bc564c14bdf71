// tool.ts: the environments of `uvx` (`uv tool run`) and `pipx run`. Both make an environment in
// their cache and record nowhere which one a run used. Known are only: a version that the command
// pins, and, for uvx, an installed tool, which it uses if no option asks for anything else.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Launch } from '../../command/command.ts';
import type { Host } from '../../system/host.ts';
import { dataHome, type Environment, hasOption, optionOf } from './environment.ts';

const PINNED = /^lakehouse[-_.]+plumber(?:\[[^\]]*\])?\s*(?:===?|@)\s*(\d+\.\d+\.\d+[\w.]*)$/i;

export const pipxEnvironment = (launch: Launch): Environment | undefined =>
  pinned(optionOf(launch, '--spec') ?? '');

/** Options of uvx that do not change which environment is used. */
const INDIFFERENT =
  /^(--from|-q|--quiet|-v|--verbose|--offline|--directory|--env-file|--no-progress|--color)$/;

export function uvToolEnvironment(launch: Launch, host: Host): Environment | undefined {
  const spec = optionOf(launch, '--from') ?? '';
  const version = pinned(spec);
  if (version && !hasOption(launch, '--overrides', '-c', '--constraints')) return version;
  const plain = launch.given.every(({ option }) => INDIFFERENT.test(option));
  if (!plain || launch.unknown.length > 0 || !/^lakehouse[-_.]+plumber$/i.test(spec))
    return undefined;
  const tools = host.env.UV_TOOL_DIR || join(dataHome(host), 'uv', 'tools');
  const prefix = join(tools, 'lakehouse-plumber');
  return existsSync(join(prefix, 'uv-receipt.toml')) ? { prefix } : undefined;
}

/** The installation that a requirement such as `lakehouse-plumber==0.9.3` pins. */
function pinned(spec: string): Environment | undefined {
  const lhpVersion = PINNED.exec(spec)?.[1];
  return lhpVersion === undefined
    ? undefined
    : { installation: { lhpVersion, pythonVersion: undefined, pyyamlVersion: undefined } };
}
