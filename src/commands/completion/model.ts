// model.ts: the commander program as what a shell can complete: commands, options, and the words
// that are legal values. It is made from the program itself, so a script that is printed now knows
// what this version takes.
import type { Command, Option } from 'commander';

export interface CompletedOption {
  /** `-n`, `--last`. */
  names: string[];
  about: string;
  takesValue: boolean;
  /** The legal values; none where it can be anything. */
  values: readonly string[];
}

export interface CompletedCommand {
  name: string;
  about: string;
  options: CompletedOption[];
  /** The legal values of its argument. */
  values: readonly string[];
  /**
   * Where its arguments are a command line, which is completed as the shell would complete it
   * alone, from which word on.
   */
  wraps?: 'first word' | 'behind --';
}

export interface CompletedProgram {
  name: string;
  options: CompletedOption[];
  commands: CompletedCommand[];
}

export function modelOf(program: Command): CompletedProgram {
  return {
    name: program.name(),
    options: optionsOf(program),
    commands: program.commands.map((command) => ({
      name: command.name(),
      about: command.summary(),
      options: optionsOf(command),
      values: command.registeredArguments[0]?.argChoices ?? [],
      // One with options of its own takes them for its own until there is a --.
      ...(command.registeredArguments.some(({ variadic }) => variadic) && {
        wraps: command.options.length > 0 ? 'behind --' : 'first word',
      }),
    })),
  };
}

const optionsOf = (command: Command): CompletedOption[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .map((option: Option) => ({
      names: [option.short, option.long].filter((name) => name !== undefined),
      about: option.description,
      takesValue: option.required || option.optional,
      values: option.argChoices ?? [],
    }));
