// first-word.ts: what the first word of a command line says of it. This stands before every command
// that is run, so it knows names alone. What the launchers among them do, launchers.ts has, which
// is loaded only for them.
import { basename } from 'node:path';

/** A row each in launchers.ts. */
export const LAUNCHER_NAMES =
  'caffeinate choom chronic chrt env ionice nice nohup numactl prlimit setsid stdbuf taskset time timeout genv gnice \
gnohup gstdbuf gtime gtimeout uv uvx pipx poetry hatch pdm pipenv pixi conda mamba micromamba rye';

export const programName = (word: string): string =>
  basename(word).replace(/\.(exe|cmd|bat)$/i, '');

export const isPython = (name: string): boolean => /^(python|pypy)(\d(\.\d+)?)?$|^py$/.test(name);

/**
 * `lhp`: lhp's own arguments follow. `other`: a program that may start lhp. `undefined`: neither.
 */
export function kindOf(word: string): 'lhp' | 'other' | undefined {
  const name = programName(word);
  if (name === 'lhp') return 'lhp';
  return isPython(name) || LAUNCHER_NAMES.split(' ').includes(name) ? 'other' : undefined;
}
