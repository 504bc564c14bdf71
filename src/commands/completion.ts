// completion.ts: the command `completion`, which prints the completion script of a shell. The
// script is made from the commander program, so that it offers what this version accepts. The
// scripts are our own because the libraries for it (@bomb.sh/tab, omelette, tabtab) start the
// program at each TAB, which takes Node 40 ms and more, and because they cannot let the shell
// complete the command after `run`.
import type { Command } from 'commander';
import { modelOf } from '../hook/completion/model.ts';
import { SHELL_NAMES, shellOf } from '../hook/shells.ts';
import { printScript } from '../system/print.ts';
import { explain } from './help.ts';
import { wordArgument } from './usage.ts';

export function addCompletion(program: Command): void {
  const completion = program
    .command('completion')
    .summary('let the shell complete lhp-otel with TAB')
    .description(
      'Prints a completion script for a shell. After `lhp-otel run` it completes the other ' +
        'command.',
    )
    .addArgument(wordArgument('completion', '<shell>', 'the shell', SHELL_NAMES))
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

/** @throws if the shell is none of {@link SHELL_NAMES}. */
export const completionText = (shellName: string, program: Command): string =>
  shellOf(shellName).completion(modelOf(program));
