// help.ts: what a command's help says beside its options: remarks, exit status, examples. They are
// kept as values, so that the terminal, the manual page and the tests have the same ones.
import type { Command } from 'commander';
import { print, printError } from '../system/print.ts';

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
const widthOf = ({ columns }: { columns?: number }) =>
  Math.min(columns || DEFAULT_WIDTH, MAX_WIDTH);

/** How help is laid out; for the program, whose commands inherit it. */
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

const described = new WeakMap<Command, More>();
export const moreOf = (command: Command): More | undefined => described.get(command);

/** Adds the remarks, statuses and examples to a command's help. */
export function explain(command: Command, more: More): Command {
  described.set(command, more);
  return command.addHelpText('after', ({ error }) =>
    moreText(command, more, widthOf(error ? process.stderr : process.stdout)),
  );
}

function moreText(
  command: Command,
  { remarks = [], exits = [], examples }: More,
  width: number,
): string {
  const help = command.createHelp();
  const table = (rows: readonly (readonly [string, string])[]) => {
    const wide = Math.max(...rows.map(([left]) => left.length));
    // Where two columns do not fit, what each does stands below it.
    const fits = rows.every(([, right]) => 2 + wide + 2 + right.length <= width);
    return rows.map(([left, right]) =>
      `  ${fits ? left.padEnd(wide + 2) : `${left}\n      `}${right}`.trimEnd(),
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
