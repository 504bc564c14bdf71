// usage.ts: what is wrong with the words of a command line, in words for a user: what the command
// takes, and what it got. commander finds the fault; its own messages speak of arguments of a
// parser. The legal values are kept beside the option or argument, so that a missing and a wrong
// value name the same ones.
import { Argument, Command, type ErrorOptions, Option } from 'commander';

/** What was typed is wrong: `message` says how, `hints` what would be right, a line each. */
export class UsageError extends Error {
  /** Lines of our own words. */
  readonly hints: readonly string[];
  constructor(message: string, hints: readonly string[] = []) {
    super(message);
    this.hints = hints;
  }
}

/** A commander command that throws {@link UsageError} and prints nothing. */
export class UserCommand extends Command {
  override createCommand(name?: string): Command {
    return new UserCommand(name);
  }

  override error(message: string, { code }: ErrorOptions = {}): never {
    const [, said = message, nearest] =
      /^(?:error: )?(.*?)(?:\n(\(Did you mean [^\n]*\)))?$/s.exec(message) ?? [];
    throw new UsageError(faultOf(this, said, code), nearest ? [nearest] : []);
  }
}

/** Where the rest is said, for these words of a command line. */
export function whereToRead(program: Command, words: readonly string[]): string {
  const name = program.name();
  const command = program.commands.find(
    (each) => each.name() === words.find((word) => word !== '--'),
  );
  return command
    ? `(${name} ${command.name()} --help says more)`
    : `(${name} --help lists the commands; one that is to be recorded stands behind \`${name} run --\`)`;
}

function faultOf(command: Command, said: string, code: string | undefined): string {
  const name = command.name();
  const quoted = /'(.*)'/s.exec(said)?.[1] ?? '';
  if (code === 'commander.unknownCommand') return `there is no command '${quoted}'`;
  if (code === 'commander.unknownOption') return unknownOption(command, quoted);
  if (code === 'commander.optionMissingArgument') {
    const option = command.options.find(({ flags }) => flags === quoted);
    return `${option?.long} needs a value: ${legalOf(option)}`;
  }
  if (code === 'commander.missingArgument') {
    const argument = command.registeredArguments[command.args.length];
    return `${name} needs ${argument?.description}: ${legalOf(argument)}`;
  }
  if (code === 'commander.excessArguments') {
    const takes = command.registeredArguments.length;
    const more = command.args.slice(takes).map((word) => `'${word}'`);
    return takes === 0
      ? `${name} takes no words behind it, and got ${more.join(' ')}`
      : `${name} takes one word, and got ${more.join(' ')} as well`;
  }
  return said;
}

function unknownOption(command: Command, flag: string): string {
  const [, long, value] = /^(--[^=]+)=(.*)$/s.exec(flag) ?? [];
  if (command.options.some((option) => option.long === long))
    return `${long} takes no value, and got '${value}'`;
  const owner = command.commands.find(({ options }) =>
    options.some((option) => [option.short, option.long].includes(flag)),
  );
  return owner
    ? `${flag} stands behind its command, like: ${command.name()} ${owner.name()} ${flag}`
    : `${command.name()} has no option '${flag}'`;
}

const legal = new WeakMap<object, string>();
const legalOf = (taker: object | undefined): string => (taker && legal.get(taker)) ?? 'any word';

/** `a, b and c` */
export const inWords = (words: readonly string[], last: 'or' | 'and'): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;

/** The argument of a command that is one of these words. */
export function wordArgument(
  command: string,
  flags: string,
  description: string,
  words: readonly string[],
): Argument {
  const argument = new Argument(flags, description).choices(words).argParser((word) => {
    if (words.includes(word)) return word;
    throw new UsageError(
      `${command} knows ${inWords(words, 'and')}, not '${word}'`,
      nearest(word, words),
    );
  });
  legal.set(argument, inWords(words, 'or'));
  return argument;
}

/** An option whose value is one of these words. */
export const wordOption = (flags: string, description: string, words: readonly string[]): Option =>
  parsedBy(new Option(flags, description).choices(words), inWords(words, 'or'), (word) =>
    words.includes(word) ? word : new UsageError('', nearest(word, words)),
  );

/**
 * An option whose value is what `parse` makes of a word; `undefined` where it is none of the legal
 * ones.
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
 * What commander suggests for a typing error in a command, for any words. All are named anyway:
 * several help nobody.
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
