// completion.ts: the completion script of a shell, made from the commander program, so that it
// offers what this version accepts. The scripts are our own because the libraries for it
// (@bomb.sh/tab, omelette, tabtab) start the program at each TAB, which takes Node 40 ms and more,
// and because they cannot let the shell complete the command after `run`.
import type { Command } from 'commander';
import { modelOf } from '../hook/completion/model.ts';
import { SHELL_NAMES, shellOf } from '../hook/shells.ts';

export const COMPLETION_SHELLS = SHELL_NAMES;

/** @throws if the shell is none of {@link COMPLETION_SHELLS}. */
export const completionText = (shellName: string, program: Command): string =>
  shellOf(shellName).completion(modelOf(program));
