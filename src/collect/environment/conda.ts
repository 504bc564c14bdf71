// conda.ts: the environment of `conda run`, `mamba run` and `micromamba run`.
import type { Launch } from '../../command/command.ts';
import { condaPrefix } from '../../command/conda-prefix.ts';
import type { Host } from '../../system/host.ts';
import type { Environment } from './environment.ts';

export function condaEnvironment(launch: Launch, host: Host): Environment | undefined {
  const prefix = condaPrefix(launch, host);
  return prefix === undefined ? undefined : { prefix };
}
