// launchers.ts: the table of launchers, one row a program. A launcher starts another program: a
// wrapper such as `nice`, or a program that runs a command in a Python environment, such as
// `uv run`. Read from these rows: how the launcher's words are read (command.ts), which opt-outs it
// sets for the command (switches.ts), which environment the command gets
// (src/collect/environment), the help of `lhp-otel run`, and launcher-names.ts, which
// `npm run generate` writes. The table is plain data, because it is loaded before the user's
// command starts.
import { CONDA_LAUNCHERS } from './launchers/conda.ts';
import type { Launcher } from './launchers/launcher.ts';
import { PROJECT_LAUNCHERS } from './launchers/projects.ts';
import { UV } from './launchers/uv.ts';
import { HOMEBREW_WRAPPERS, WRAPPERS } from './launchers/wrappers.ts';

export const LAUNCHERS: Readonly<Record<string, Launcher>> = {
  ...WRAPPERS,
  ...HOMEBREW_WRAPPERS,
  ...UV,
  ...PROJECT_LAUNCHERS,
  ...CONDA_LAUNCHERS,
};

/** The row of a program, or `undefined` for a program that is no launcher. */
export const rowOf = (
  rows: Readonly<Record<string, Launcher>> | undefined,
  name: string,
): Launcher | undefined => (rows && Object.hasOwn(rows, name) ? rows[name] : undefined);

/** The row of a launcher with its subcommands, such as `uv tool run`. */
export function launcherOf(name: string): Launcher {
  const [program = '', ...subcommands] = name.split(' ');
  return subcommands.reduce(
    (row, word) => rowOf(row.subcommands, word) ?? {},
    rowOf(LAUNCHERS, program) ?? {},
  );
}

/** Every row that a command can follow, by the words that lead to it: `nice`, `uv tool run`. */
export function launches(rows = LAUNCHERS, before = ''): [name: string, row: Launcher][] {
  return Object.entries(rows).flatMap(([word, row]) =>
    row.subcommands ? launches(row.subcommands, `${before}${word} `) : [[`${before}${word}`, row]],
  );
}
