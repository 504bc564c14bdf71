// help.ts: the help texts of the commands, and the command `help` itself. Remarks, exit statuses
// and examples are kept as values: the terminal, the manual page and the tests read the same ones.
import type { Command, OptionValues } from 'commander';
import { print, printError } from '../system/print.ts';
import { wordArgument } from './usage.ts';

/** What the program knows about a command, beside what commander keeps. */
export interface CommandNotes {
  /** Paragraphs. */
  remarks?: readonly string[];
  /** Exit statuses that need an explanation; 2 is a usage error in every command. */
  exits?: readonly (readonly [status: string, meaning: string])[];
  examples: readonly (readonly [command: string, meaning: string])[];
  /** The output is the command's only purpose: the command fails if stdout is closed. */
  onlyPrints?: Trait;
  /** The notice of the endpoint is not shown before this command runs. */
  withoutNotice?: Trait;
}

/** Whether something is true of a command, always or depending on its options. */
type Trait = boolean | ((options: OptionValues) => boolean);

const notes = new WeakMap<Command, CommandNotes>();
export const notesOf = (command: Command): CommandNotes | undefined => notes.get(command);

/** Whether this is true of the command as it was called. */
export function hasTrait(command: Command, trait: 'onlyPrints' | 'withoutNotice'): boolean {
  const value = notesOf(command)?.[trait] ?? false;
  return typeof value === 'function' ? value(command.opts()) : value;
}

/** Adds remarks, exit statuses and examples to the help of a command. */
export function explain(command: Command, about: CommandNotes): Command {
  notes.set(command, about);
  return command.addHelpText('after', ({ error }) =>
    notesText(command, about, widthOf(error ? process.stderr : process.stdout)),
  );
}

/** Help lines are never wider than this, so that they stay readable on a wide terminal. */
const MAX_WIDTH = 100;
/** Used when the width of the terminal is unknown, as commander does. */
const DEFAULT_WIDTH = 80;
const widthOf = ({ columns }: { columns?: number }) =>
  Math.min(columns || DEFAULT_WIDTH, MAX_WIDTH);

/** Sets the layout of the program's help. Commands that are added later inherit it. */
export const layOut = (program: Command): Command =>
  program
    .configureHelp({ subcommandTerm: (command) => command.name(), minWidthToWrap: 10 })
    .configureOutput({
      getOutHelpWidth: () => widthOf(process.stdout),
      getErrHelpWidth: () => widthOf(process.stderr),
      writeOut: (text) => print(...linesOf(text)),
      writeErr: (text) => printError(...linesOf(text)),
    });

const linesOf = (text: string) => text.replace(/\n$/, '').split('\n');

function notesText(
  command: Command,
  { remarks = [], exits = [], examples }: CommandNotes,
  width: number,
): string {
  const help = command.createHelp();
  const table = (rows: readonly (readonly [string, string])[]) => {
    const widest = Math.max(...rows.map(([left]) => left.length));
    // If two columns do not fit, the meaning goes below its term.
    const fits = rows.every(([, right]) => 2 + widest + 2 + right.length <= width);
    return rows.map(([left, right]) =>
      `  ${fits ? left.padEnd(widest + 2) : `${left}\n      `}${right}`.trimEnd(),
    );
  };
  return [
    ...remarks.map((text) => ['', help.boxWrap(text, width)]),
    ...(exits.length > 0 ? [['', 'Exit status:', ...table(exits)]] : []),
    ['', 'Examples:', ...table(examples)],
  ]
    .flat()
    .join('\n');
}

/**
 * Adds the command `help`, after all others. commander's own `help` accepts any word and then
 * prints the help of the program; this one rejects a word that is not a command.
 */
export function addHelp(program: Command): void {
  const find = (name: string) => program.commands.find((command) => command.name() === name);
  const names = [...program.commands.map((command) => command.name()), 'help'];
  explain(
    program
      .helpCommand(false)
      .command('help')
      .summary('print the help of a command')
      .description('Prints the help of a command.')
      .addArgument(wordArgument('help', '[command]', 'the command', names))
      .action((name: string | undefined) => ((name && find(name)) || program).help()),
    {
      examples: [['lhp-otel help show', 'the same as lhp-otel show --help']],
      onlyPrints: true,
      withoutNotice: true,
    },
  );
}
