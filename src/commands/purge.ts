// purge.ts: the command `purge`: says what will go, asks, and removes it. Without a terminal it asks nobody, and wants --yes.
import { basename, dirname } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { decide } from '../decide/decide.ts';
import { purgeRuns, storedRuns } from '../spool/spool.ts';
import type { Paths } from '../system/paths.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';
import type { Traces } from './purge-all.ts';

export function addPurge(program: Command, { deps, print, exit }: Context): void {
  const purge = program
    .command('purge')
    .summary('delete every recorded run, or all that is ours')
    .description(
      'Deletes every recorded run of this user: what waits, the history, sent ones too, and the debug log. With --all everything else as well, as before the first run: state, configuration, and the hook in every shell.',
    )
    .option('--all', 'leave nothing; what is not ours, and an `off`, stays and is named')
    .option('-y, --yes', 'do not ask')
    .action(async (options: { all?: boolean; yes?: boolean }) => {
      const { paths } = decide(deps, undefined);
      if (!options.yes && !(process.stdin.isTTY && process.stderr.isTTY))
        purge.error('error: there is no terminal to ask on; to delete without a question, say --yes');
      const agreed = async (lines: string[]) => {
        if (options.yes || (await confirmed(lines))) return true;
        print('nothing was deleted');
        exit(1);
        return false;
      };
      if (options.all) return void exit(await purgeAll(agreed));
      const { length } = storedRuns(paths);
      if (length > 0 && !(await agreed([`${runs(length)}, which only this machine has`]))) return;
      purgeRuns(paths);
      print(`${runs(length)} deleted`);
    });

  async function purgeAll(agreed: (lines: string[]) => Promise<boolean>): Promise<number> {
    const { paths } = decide(deps, undefined);
    const { removeTraces, tracesOf } = await import('./purge-all.ts');
    const { isDelivering } = await import('../deliver/deliver.ts');
    const found = tracesOf(deps, paths);
    const lines = listed(found, paths);
    if (lines.length > 0 && !(await agreed(lines))) return 1;
    const sending = isDelivering(paths);
    const problems = [...found.problems, ...removeTraces(found)];
    for (const problem of problems) process.stderr.write(`lhp-otel: ${problem}\n`);
    if (lines.length === 0 && problems.length === 0) print('there is nothing to delete');
    for (const line of problems.length === 0 ? lines : []) print(`deleted: ${line}`);
    for (const path of found.foreign) print(`not ours, and still there: ${path}`);
    for (const path of found.kept) print(`still off: ${path} says so, and stays; to remove it as well: rm '${path}'`);
    if (found.hooks.length > 0) print('shells that are open keep the hook until they end');
    if (sending) print('a run was just being delivered, and may have arrived');
    return problems.length > 0 ? 1 : 0;
  }

  explain(purge, {
    remarks: [
      'Asks first, on a terminal. With --all nothing is deleted that is not known by its name, and no link is followed.',
      'Shells that are open keep the hook until they end, and what they run is recorded; so close them, or start them anew. A run that is being recorded at this moment is not kept; one that is being delivered may arrive, and nobody can take back what was delivered.',
      'The program itself: npm uninstall -g lhp-otel',
    ],
    exits: [['1', 'the answer was no, or what is named could not be deleted']],
    examples: [
      ['lhp-otel purge', 'delete the history, and go on'],
      ['lhp-otel purge --all', 'before the program is uninstalled'],
      ['lhp-otel purge --all --yes', 'in a script'],
    ],
  });
}

const runs = (count: number) => `${count} recorded ${count === 1 ? 'run' : 'runs'}`;

/** What will go, a line each. */
function listed({ hooks, files, folders }: Traces, paths: Paths): string[] {
  const inState = (path: string) => path.startsWith(paths.state);
  const configuration = files.filter((path) => dirname(path) === dirname(paths.config));
  const others = files.filter((path) => !inState(path) && !configuration.includes(path));
  const recorded = files.filter((path) => [paths.spool, paths.history].includes(dirname(path)) && /json$/.test(path));
  return [
    ...(folders.includes(paths.state) ? [`${paths.state}, with ${runs(recorded.length)}`] : []),
    ...(configuration.length > 0
      ? [`${configuration.map((path) => basename(path)).join(', ')} in ${dirname(paths.config)}`]
      : folders.filter((path) => path === dirname(paths.config))),
    ...hooks.map((rc) => `the hook in ${rc}`),
    ...others,
  ];
}

async function confirmed(lines: string[]): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D are a no.
  const ended = new Promise<string>((resolve) => void terminal.on('close', () => resolve('')));
  const question = ['This will be deleted:', ...lines.map((line) => `  ${line}`), 'Go on? [y/N] '].join('\n');
  const answer = await Promise.race([terminal.question(question), ended]);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
