// flush.ts: the command `flush`.
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { explain } from './help.ts';

export function addFlush(program: Command, { host, print, showNotice }: Context): void {
  const command = program
    .command('flush')
    .summary('deliver now, and wait for it')
    .description('Delivers the waiting runs now, and waits until that is done.')
    .action(async () => {
      const { flush } = await import('../deliver/flush.ts');
      const { text, ok } = await flush(host, await showNotice());
      if (!ok) throw new Error(text);
      print(text);
    });
  explain(command, {
    remarks: [
      'Useful as the last step of a CI job, or after the configuration was corrected.',
      'Outside CI nothing is delivered until the notice of the endpoint was shown on a terminal. ' +
        'The command that shows it delivers nothing yet.',
    ],
    exits: [['1', 'some runs are still waiting']],
    examples: [['lhp-otel flush', '']],
  });
}
