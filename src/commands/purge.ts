// purge.ts: the command `purge`: says what will go, asks, and removes it. Without a terminal it
// asks nobody, and wants --yes.
import type { Command } from 'commander';
import { resolveMode } from '../consent/resolve-mode.ts';
import { deleteRuns } from '../spool/purge.ts';
import { storedRuns } from '../spool/stored-runs.ts';
import { say } from '../system/log.ts';
import { hanging, isConfirmed, printError } from '../system/print.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';
import { runsInWords as runs, tracesInWords } from './purge-words.ts';

export function addPurge(program: Command, { host, print, exit }: Context): void {
  const purge = program
    .command('purge')
    .summary('delete every recorded run, or all that is ours')
    .description(
      'Deletes every recorded run of this user: what waits, the history, sent ones too, and the debug log. With --all everything else as well, as before the first run: state, configuration, and the hook in every shell.',
    )
    .option('--all', 'leave nothing; what is not ours, and an `off`, stays and is named')
    .option('-y, --yes', 'do not ask')
    .action(async (options: { all?: boolean; yes?: boolean }) => {
      const { paths } = resolveMode(host, undefined);
      if (!options.yes && !(process.stdin.isTTY && process.stderr.isTTY))
        purge.error(
          'error: there is no terminal to ask on; to delete without a question, say --yes',
        );
      const agreed = async (lines: string[]) => {
        if (options.yes || (await confirmed(lines))) return true;
        print('nothing was deleted');
        exit(1);
        return false;
      };
      if (options.all) return void exit(await purgeAll(agreed));
      const { length } = storedRuns(paths);
      if (length > 0 && !(await agreed([`${runs(length)}, which only this machine has`]))) return;
      deleteRuns(paths);
      print(`${runs(length)} deleted`);
    });

  async function purgeAll(agreed: (lines: string[]) => Promise<boolean>): Promise<number> {
    const { paths } = resolveMode(host, undefined);
    const { removeTraces, tracesOf } = await import('./purge-all.ts');
    const { isDelivering } = await import('../deliver/deliver.ts');
    const found = tracesOf(host, paths);
    const lines = tracesInWords(found, paths, host.home);
    if (lines.length > 0 && !(await agreed(lines))) return 1;
    const sending = isDelivering(paths);
    const problems = [...found.problems, ...removeTraces(found)];
    for (const problem of problems) say(problem);
    if (lines.length === 0 && problems.length === 0) print('there is nothing to delete');
    for (const line of problems.length === 0 ? lines : []) print(`deleted: ${line}`);
    for (const path of found.foreign) print(`not ours, and still there: ${path}`);
    for (const path of found.kept)
      print(`still off: ${path} says so, and stays; to remove it as well: rm ${quoted(path)}`);
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

/** Asks below the list; everything in it may be somebody else's words. */
async function confirmed(lines: string[]): Promise<boolean> {
  const indented = lines.map((line) => `  ${line}`);
  printError('This will be deleted:', ...hanging(indented, 4, process.stderr));
  return isConfirmed('Go on?');
}

/** For a line that is pasted into a shell. */
const quoted = (path: string) => `'${path.replaceAll("'", "'\\''")}'`;
