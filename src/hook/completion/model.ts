// model.ts: what a shell can complete: the commands, their options, and the legal values. It is
// read from the commander program, so a script offers exactly what this version accepts.
import type { Command, Option } from 'commander';

export interface CompletedOption {
  /** `-n`, `--last`. */
  names: string[];
  about: string;
  takesValue: boolean;
  /** The legal values. Empty if every value is legal. */
  values: readonly string[];
}

export interface CompletedCommand {
  name: string;
  about: string;
  options: CompletedOption[];
  /** The legal values of its argument. */
  values: readonly string[];
  /**
   * Its arguments are the command line of another program, which the shell completes by itself,
   * from this word on.
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
      // A command with options reads them as its own until there is a `--`.
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
