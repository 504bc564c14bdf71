// rye.ts: the environment of `rye run`: `.venv` in the root of the workspace.
import { join } from 'node:path';
import type { Launch } from '../../command/command.ts';
import { type Environment, hasOption } from './environment.ts';
import { workspaceOf } from './workspace.ts';

export function ryeEnvironment(launch: Launch): Environment | undefined {
  if (launch.unknown.length > 0 || hasOption(launch, '--pyproject')) return undefined;
  const root = workspaceOf(launch.cwd, 'rye');
  return root === undefined || root === 'none' ? undefined : { prefix: join(root, '.venv') };
}
