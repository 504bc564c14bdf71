// status.ts: the command `status`.
import type { Command } from 'commander';
import { STATUS_COLUMN, statusOf, statusText } from '../status.ts';
import { say } from '../system/log.ts';
import { hanging, printJson } from '../system/print.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';

export function addStatus(program: Command, { host, print, exit }: Context): void {
  const status = program
    .command('status')
    .summary('on or off and why, where runs go, what is waiting')
    .description(
      'Shows whether runs are recorded and what decided that, where they go, how many are ' +
        'waiting, and the last delivery and problem.',
    )
    .option('--json', 'as one JSON object')
    .action(async (options: { json?: boolean }) => {
      const state = await statusOf(host);
      if (options.json) printJson(state, 2);
      else print(...hanging(statusText(state), STATUS_COLUMN));
      if (state.problems.length === 0) return;
      if (!options.json) for (const problem of state.problems) say(problem);
      exit(1);
    });
  explain(status, {
    exits: [['1', 'the configuration is wrong, or nothing can be recorded']],
    examples: [
      ['lhp-otel status', ''],
      ['lhp-otel status --json', 'for a program'],
    ],
  });
}
