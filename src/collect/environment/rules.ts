// rules.ts: one rule for each kind of environment that wrap/launchers.ts names.
import type { EnvironmentRule } from '../../command/launchers.ts';
import type { Rule } from './environment.ts';
import { hatchEnvironment } from './hatch.ts';
import { condaEnvironment, pixiEnvironment, ryeEnvironment, toolEnvironment } from './others.ts';
import { pdmEnvironment } from './pdm.ts';
import { pipenvEnvironment } from './pipenv.ts';
import { poetryEnvironment } from './poetry.ts';
import { uvEnvironment } from './uv.ts';

export const RULES: Readonly<Record<EnvironmentRule, Rule>> = {
  conda: condaEnvironment,
  hatch: hatchEnvironment,
  micromamba: condaEnvironment,
  pdm: pdmEnvironment,
  pipenv: pipenvEnvironment,
  pixi: pixiEnvironment,
  poetry: poetryEnvironment,
  rye: ryeEnvironment,
  tool: toolEnvironment,
  uv: uvEnvironment,
};
