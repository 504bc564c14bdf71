// purge.ts: the command `purge`: lists what will be deleted, asks, and deletes it. Without a
// terminal it cannot ask, and requires --yes.
import type { Command } from 'commander';
import { resolveMode } from '../consent/resolve-mode.ts';
import { deleteRuns } from '../spool/purge.ts';
import { storedRuns } from '../spool/stored-runs.ts';
import { say } from '../system/log.ts';
import { hanging, isConfirmed, printError } from '../system/print.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';
import { runsInWords, tracesInWords } from './purge-words.ts';

/** Asks whether these lines may be deleted. */
type Ask = (lines: string[]) => Promise<boolean>;

export function addPurge(program: Command, context: Context): void {
  const purge = program
    .command('purge')
    .summary('delete every recorded run, or everything')
    .description(
      'Deletes every recorded run of this user, waiting and sent, and the debug log. ' +
        'With --all also everything else that lhp-otel has written: state, configuration, ' +
        'and the hook in every shell.',
    )
    .option('--all', 'delete everything; other files, and an `off`, stay and are named')
    .option('-y, --yes', 'do not ask')
    .action(async ({ all, yes }: { all?: boolean; yes?: boolean }) => {
      if (!yes && !(process.stdin.isTTY && process.stderr.isTTY))
        purge.error(
          'error: there is no terminal to ask on; use --yes to delete without a question',
        );
      const ask: Ask = yes ? async () => true : confirmed;
      context.exit(await (all ? purgeAll(ask, context) : purgeRuns(ask, context)));
    });
  explain(purge, {
    withoutNotice: true,
    remarks: [
      'Asks first, on a terminal. --all deletes only files whose names lhp-otel writes, ' +
        'and follows no link.',
      'Open shells keep the hook until they end, and record what they run: close them. ' +
        'A run that is being recorded at this moment is discarded. One that is being delivered ' +
        'may arrive; what was delivered cannot be deleted from here.',
      'To remove the program itself, use what installed it: npm uninstall -g lhp-otel, ' +
        'pip uninstall lhp-otel, uv tool uninstall lhp-otel, or pipx uninstall lhp-otel.',
    ],
    exits: [['1', 'the answer was no, or the files named on stderr could not be deleted']],
    examples: [
      ['lhp-otel purge', 'delete the recorded runs, and continue to record'],
      ['lhp-otel purge --all', 'delete everything before uninstalling'],
      ['lhp-otel purge --all --yes', 'the same in a script'],
    ],
  });
}

/** Lists what will be deleted, and asks. */
async function confirmed(lines: string[]): Promise<boolean> {
  const indented = lines.map((line) => `  ${line}`);
  printError('This will be deleted:', ...hanging(indented, 4, process.stderr));
  return isConfirmed('Go on?');
}

/** Deletes every recorded run. Returns the exit status. */
async function purgeRuns(ask: Ask, { host, print }: Context): Promise<number> {
  const { paths } = resolveMode(host, undefined);
  const { length } = storedRuns(paths);
  if (length > 0 && !(await ask([`${runsInWords(length)}, which only this machine has`])))
    return refused(print);
  print(`${runsInWords(deleteRuns(paths))} deleted`);
  return 0;
}

/** Deletes everything that lhp-otel has written. Returns the exit status. */
async function purgeAll(ask: Ask, { host, print }: Context): Promise<number> {
  const { paths } = resolveMode(host, undefined);
  const { removeTraces, tracesOf } = await import('./purge-all.ts');
  const { lockState } = await import('../deliver/lock.ts');
  const found = tracesOf(host, paths);
  const lines = tracesInWords(found, paths, host.home);
  if (lines.length > 0 && !(await ask(lines))) return refused(print);
  const sending = lockState(paths) === 'held';
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

function refused(print: Context['print']): number {
  print('nothing was deleted');
  return 1;
}

/** As one word of a shell. */
const quoted = (path: string) => `'${path.replaceAll("'", "'\\''")}'`;
