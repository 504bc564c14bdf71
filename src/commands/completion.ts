// completion.ts: a completion script for a shell, printed once and loaded by the shell. Made from
// the commander program, so it cannot differ from it. Own text and no library: those that there are
// (@bomb.sh/tab, omelette, tabtab) start the program at each TAB, which with Node is 40 ms and
// more, and cannot hand over to the shell what stands behind `run`.
import type { Command } from 'commander';
import { bashCompletion } from './completion/bash.ts';
import { fishCompletion } from './completion/fish.ts';
import { type CompletedProgram, modelOf } from './completion/model.ts';
import { zshCompletion } from './completion/zsh.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } satisfies Record<
  string,
  (program: CompletedProgram) => string
>;
export const COMPLETION_SHELLS = Object.keys(SCRIPTS);

/** The shell is one of {@link COMPLETION_SHELLS}. */
export const completionText = (shell: string, program: Command): string =>
  SCRIPTS[shell as keyof typeof SCRIPTS](modelOf(program));
