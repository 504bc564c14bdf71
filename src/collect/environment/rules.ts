// rules.ts: the rules by the names that the table of launchers uses (src/command/launchers.ts).
import { condaEnvironment } from './conda.ts';
import type { Rule } from './environment.ts';
import { hatchEnvironment } from './hatch.ts';
import { pdmEnvironment } from './pdm.ts';
import { pipenvEnvironment } from './pipenv.ts';
import { pixiEnvironment } from './pixi.ts';
import { poetryEnvironment } from './poetry.ts';
import { ryeEnvironment } from './rye.ts';
import { pipxEnvironment, uvToolEnvironment } from './tool.ts';
import { uvEnvironment } from './uv.ts';

export const RULES: Readonly<Record<string, Rule>> = {
  conda: condaEnvironment,
  hatch: hatchEnvironment,
  pdm: pdmEnvironment,
  pipenv: pipenvEnvironment,
  pipx: pipxEnvironment,
  pixi: pixiEnvironment,
  poetry: poetryEnvironment,
  rye: ryeEnvironment,
  uv: uvEnvironment,
  'uv tool': uvToolEnvironment,
};
