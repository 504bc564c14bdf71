// completion-command.ts: the command `completion`.
import type { Command } from 'commander';
import { printScript } from '../system/print.ts';
import { COMPLETION_SHELLS, completionText } from './completion.ts';
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
