// completion.ts: the command `completion`. The scripts are made from the commander program, so they
// cannot differ from it. They are our own text: the libraries for this (@bomb.sh/tab, omelette,
// tabtab) start the program at each TAB, which takes 40 ms or more with Node, and they cannot hand
// the words after `run` over to the shell.
import type { Command } from 'commander';
import { printScript } from '../system/print.ts';
import { bashCompletion } from './completion/bash.ts';
import { fishCompletion } from './completion/fish.ts';
import { type CompletedProgram, modelOf } from './completion/model.ts';
import { zshCompletion } from './completion/zsh.ts';
import { explain } from './help.ts';
import { wordArgument } from './usage.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } satisfies Record<
  string,
  (program: CompletedProgram) => string
>;
export const COMPLETION_SHELLS = Object.keys(SCRIPTS);

/** The shell is one of {@link COMPLETION_SHELLS}. */
export const completionText = (shell: string, program: Command): string =>
  SCRIPTS[shell as keyof typeof SCRIPTS](modelOf(program));

export function addCompletion(program: Command): void {
  const completion = program
    .command('completion')
    .summary('let the shell complete lhp-otel with TAB')
    .description(
      'Prints a completion script for a shell. After `lhp-otel run` it completes the other ' +
        'command.',
    )
    .addArgument(wordArgument('completion', '<shell>', 'the shell', COMPLETION_SHELLS))
    .action((shell: string) => printScript(completionText(shell, program)));
  explain(completion, {
    remarks: [
      'zsh: load it after compinit. bash: other commands are completed with the package ' +
        'bash-completion.',
    ],
    examples: [
      ['eval "$(lhp-otel completion bash)"', 'a line for ~/.bashrc'],
      ['eval "$(lhp-otel completion zsh)"', 'a line for ~/.zshrc'],
      ['lhp-otel completion fish | source', 'a line for config.fish'],
    ],
    onlyPrints: true,
    withoutNotice: true,
  });
}
