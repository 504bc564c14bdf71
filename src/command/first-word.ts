// first-word.ts: what the first word of a command line says about it. It is loaded before every
// command, so it knows only the names of the launchers; the table itself (launchers.ts) is loaded
// for a launcher only.
import { basename } from 'node:path';
import { LAUNCHER_NAMES } from './launcher-names.ts';

export const programName = (word: string): string =>
  basename(word).replace(/\.(exe|cmd|bat)$/i, '');

export const isPython = (name: string): boolean => /^(python|pypy)(\d(\.\d+)?)?$|^py$/.test(name);

/**
 * What a program can have to do with lhp: `lhp` is lhp itself, so its own arguments follow; `other`
 * may start lhp; `undefined` is neither.
 */
export function kindOf(word: string): 'lhp' | 'other' | undefined {
  const name = programName(word);
  if (name === 'lhp') return 'lhp';
  return isPython(name) || LAUNCHER_NAMES.includes(name) ? 'other' : undefined;
}
