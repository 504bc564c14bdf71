// help.ts: what a command's help says beside its options: remarks, exit status, examples. They are kept as values, so that the
// terminal, the manual page and the tests have the same ones. Also the words that a value may be, and the nearest to a wrong one.
import { Argument, Command, InvalidArgumentError, Option } from 'commander';

export interface More {
  /** Paragraphs. */
  remarks?: readonly string[];
  /** Exit statuses that need a word; 2 is a usage error everywhere. */
  exits?: readonly (readonly [status: string, meaning: string])[];
  examples: readonly (readonly [command: string, what: string])[];
}

/** No line of help is longer, however wide the terminal is. */
const MAX_WIDTH = 100;
/** Where it is not known, as commander has it. */
const DEFAULT_WIDTH = 80;
const widthOf = ({ columns }: { columns?: number }) => Math.min(columns || DEFAULT_WIDTH, MAX_WIDTH);

/** How help is laid out; for the program, whose commands inherit it. */
export const layOut = (program: Command): Command =>
  program.configureHelp({ subcommandTerm: (command) => command.name(), minWidthToWrap: 10 }).configureOutput({
    getOutHelpWidth: () => widthOf(process.stdout),
    getErrHelpWidth: () => widthOf(process.stderr),
    outputError: (text, write) => write(text.replace(/^error: /, 'lhp-otel: ')),
  });

const described = new WeakMap<Command, More>();
export const moreOf = (command: Command): More | undefined => described.get(command);

/** Adds the remarks, statuses and examples to a command's help, and the way to it to its errors. */
export function explain(command: Command, more: More): Command {
  described.set(command, more);
  const name = [...ancestors(command), command].map((each) => each.name()).join(' ');
  return command
    .showHelpAfterError(`(${name} --help says more)`)
    .addHelpText('after', ({ error }) => moreText(command, more, widthOf(error ? process.stderr : process.stdout)));
}

function ancestors(command: Command): Command[] {
  return command.parent ? [...ancestors(command.parent), command.parent] : [];
}

function moreText(command: Command, { remarks = [], exits = [], examples }: More, width: number): string {
  const help = command.createHelp();
  const table = (rows: readonly (readonly [string, string])[]) => {
    const wide = Math.max(...rows.map(([left]) => left.length));
    // Where two columns do not fit, what each does stands below it.
    const fits = rows.every(([, right]) => 2 + wide + 2 + right.length <= width);
    return rows.map(([left, right]) => `  ${fits ? left.padEnd(wide + 2) : `${left}\n      `}${right}`.trimEnd());
  };
  return [
    ...remarks.map((text) => ['', help.boxWrap(text, width)]),
    ...(exits.length > 0 ? [['', 'Exit status:', ...table(exits)]] : []),
    ['', 'Examples:', ...table(examples)],
  ]
    .flat()
    .join('\n');
}

/** An argument of a closed set of words. */
export function wordArgument(flags: string, description: string, words: readonly string[]): Argument {
  return new Argument(flags, description).choices(words).argParser(oneOf(words));
}

/** An option of a closed set of words. */
export function wordOption(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).argParser(oneOf(words));
}

function oneOf(words: readonly string[]): (word: string) => string {
  return (word) => {
    if (words.includes(word)) return word;
    const legal = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
    throw new InvalidArgumentError(`It must be ${legal}.${nearest(word, words)}`);
  };
}

/** What commander says when a command has a typing error, for any words: it suggests the nearest ones, or nothing. */
function nearest(word: string, words: readonly string[]): string {
  const said: string[] = [];
  const commands = new Command().exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
  for (const each of words) commands.command(each);
  try {
    commands.parse(['--', word], { from: 'user' });
  } catch {
    // that it is none of them is known
  }
  return /\n\(Did you mean .*\)/.exec(said.join(''))?.[0] ?? '';
}

export function positive(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return count;
}
