// usage.ts: usage errors in words for a user: what the command accepts, and what was typed.
// commander detects the errors, but its messages are about parsing. The legal values are kept with
// each option and argument, so that the messages for a missing and for a wrong value name the same
// ones.
import { Argument, Command, type ErrorOptions, Option } from 'commander';

/** A command line is wrong. */
export class UsageError extends Error {
  /** What would be right, one line each. */
  readonly hints: readonly string[];
  constructor(message: string, hints: readonly string[] = []) {
    super(message);
    this.hints = hints;
  }
}

/** A commander command that throws a {@link UsageError} instead of printing an error. */
export class UserCommand extends Command {
  override createCommand(name?: string): Command {
    return new UserCommand(name);
  }

  override error(message: string, { code }: ErrorOptions = {}): never {
    const [, text = message, nearest] =
      /^(?:error: )?(.*?)(?:\n(\(Did you mean [^\n]*\)))?$/s.exec(message) ?? [];
    throw new UsageError(reword(this, text, code), nearest ? [nearest] : []);
  }
}

/** A line that says where the help for this command line is. */
export function helpHint(program: Command, words: readonly string[]): string {
  const name = program.name();
  const command = program.commands.find(
    (each) => each.name() === words.find((word) => word !== '--'),
  );
  return command
    ? `(see ${name} ${command.name()} --help)`
    : `(see ${name} --help; to record a command, put it after \`${name} run --\`)`;
}

/** Rewords a message of commander. */
function reword(command: Command, text: string, code: string | undefined): string {
  const name = command.name();
  const quoted = /'(.*)'/s.exec(text)?.[1] ?? '';
  if (code === 'commander.unknownCommand') return `there is no command '${quoted}'`;
  if (code === 'commander.unknownOption') return unknownOption(command, quoted);
  if (code === 'commander.optionMissingArgument') {
    const option = command.options.find(({ flags }) => flags === quoted);
    return `${option?.long} needs a value: ${legalValues(option)}`;
  }
  if (code === 'commander.missingArgument') {
    const argument = command.registeredArguments[command.args.length];
    return `${name} needs ${argument?.description}: ${legalValues(argument)}`;
  }
  if (code === 'commander.excessArguments') {
    const accepted = command.registeredArguments.length;
    const more = command.args
      .slice(accepted)
      .map((word) => `'${word}'`)
      .join(' ');
    return accepted === 0
      ? `${name} takes no further words, but got ${more}`
      : `${name} takes one word, but also got ${more}`;
  }
  return text;
}

function unknownOption(command: Command, flag: string): string {
  const [, long, value] = /^(--[^=]+)=(.*)$/s.exec(flag) ?? [];
  if (command.options.some((option) => option.long === long))
    return `${long} takes no value, but got '${value}'`;
  const owner = command.commands.find(({ options }) =>
    options.some((option) => [option.short, option.long].includes(flag)),
  );
  return owner
    ? `${flag} goes after its command, like: ${command.name()} ${owner.name()} ${flag}`
    : `${command.name()} has no option '${flag}'`;
}

/** A whole number from 1, or `undefined`. */
export const parseWholeNumber = (text: string): number | undefined => {
  const count = Number(text);
  return /^\d+$/.test(text) && count >= 1 && Number.isSafeInteger(count) ? count : undefined;
};

/** The legal values of options and arguments, in words. */
const legal = new WeakMap<object, string>();
const legalValues = (of: object | undefined): string => (of && legal.get(of)) ?? 'any word';

/** `a, b and c` */
export const inWords = (words: readonly string[], last: 'or' | 'and'): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;

/** An argument of a command that must be one of these words. */
export function wordArgument(
  command: string,
  flags: string,
  description: string,
  words: readonly string[],
): Argument {
  const argument = new Argument(flags, description).choices(words).argParser((word) => {
    if (words.includes(word)) return word;
    throw new UsageError(
      `${command} takes ${inWords(words, 'or')}, not '${word}'`,
      nearest(word, words),
    );
  });
  legal.set(argument, inWords(words, 'or'));
  return argument;
}

/** An option whose value must be one of these words. */
export const wordOption = (flags: string, description: string, words: readonly string[]): Option =>
  parsedBy(new Option(flags, description).choices(words), inWords(words, 'or'), (word) =>
    words.includes(word) ? word : new UsageError('', nearest(word, words)),
  );

/**
 * An option whose value is parsed.
 *
 * @param words - the legal values, in words.
 * @param parse - returns `undefined` for an illegal value.
 */
export const valueOption = <T>(
  flags: string,
  description: string,
  words: string,
  parse: (word: string) => T | undefined,
): Option =>
  parsedBy(new Option(flags, description), words, (word) => parse(word) ?? new UsageError(''));

function parsedBy(option: Option, words: string, parse: (word: string) => unknown): Option {
  legal.set(option, words);
  return option.argParser((word) => {
    const value = parse(word);
    if (value instanceof UsageError)
      throw new UsageError(`${option.long} takes ${words}, not '${word}'`, value.hints);
    return value;
  });
}

/**
 * The suggestion that commander makes for a mistyped command, for any list of words. If it suggests
 * several, none is returned: the message names all words anyway.
 */
function nearest(word: string, words: readonly string[]): string[] {
  const commands = new UserCommand();
  for (const each of words) commands.command(each);
  try {
    commands.parse(['--', word], { from: 'user' });
  } catch (error) {
    if (error instanceof UsageError) return error.hints.filter((hint) => !hint.includes('one of'));
  }
  return [];
}
