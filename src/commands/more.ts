// more.ts: the commands about the command line itself: `completion`, `help`. They are added last,
// because they know the others.
import type { Command } from 'commander';
import { printScript } from '../system/print.ts';
import { COMPLETION_SHELLS, completionText } from './completion.ts';
import { explain } from './help.ts';
import { wordArgument } from './usage.ts';

export function addMoreCommands(program: Command): void {
  explain(
    program
      .command('completion')
      .summary('let the shell complete lhp-otel with TAB')
      .description(
        'Prints a completion script for a shell. Behind `lhp-otel run` it completes the other command.',
      )
      .addArgument(wordArgument('completion', '<shell>', 'the shell', COMPLETION_SHELLS))
      .action((shell: string) => printScript(completionText(shell, program))),
    {
      remarks: [
        'zsh: after compinit. bash: with the package bash-completion it completes other programs too.',
      ],
      examples: [
        ['eval "$(lhp-otel completion bash)"', 'a line for ~/.bashrc'],
        ['eval "$(lhp-otel completion zsh)"', 'a line for ~/.zshrc'],
        ['lhp-otel completion fish | source', 'a line for config.fish'],
      ],
    },
  );
  addHelpCommand(program);
}

/** Not commander's own, which takes any word for a command and prints the help of the program. */
function addHelpCommand(program: Command): void {
  const named = (name: string) => program.commands.find((command) => command.name() === name);
  const names = [...program.commands.map((command) => command.name()), 'help'];
  explain(
    program
      .helpCommand(false)
      .command('help')
      .summary('print the help of a command')
      .description('Prints the help of a command.')
      .addArgument(wordArgument('help', '[command]', 'the command', names))
      .action((name: string | undefined) => ((name && named(name)) || program).help()),
    { examples: [['lhp-otel help show', 'the same as lhp-otel show --help']] },
  );
}
