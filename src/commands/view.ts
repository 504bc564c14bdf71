// view.ts: the command `view`.
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { explain } from './help.ts';
import { parseWholeNumber, valueOption } from './usage.ts';

const MAX_PORT = 65_535;
const parsePort = (text: string): number | undefined => {
  const port = parseWholeNumber(text);
  return port !== undefined && port <= MAX_PORT ? port : undefined;
};

export function addView(program: Command, { host, print }: Context): void {
  const command = program
    .command('view')
    .summary('a page on this machine: every run, charts, consent')
    .description(
      'Opens a page that only this machine serves: every recorded run, charts of your generate ' +
        'times, consent and delivery.',
    )
    .addOption(
      valueOption(
        '--port <number>',
        'use this port instead of a free one',
        `a port from 1 to ${MAX_PORT}`,
        parsePort,
      ),
    )
    .option('--no-open', 'print the address, and open no browser')
    .action(async (options: { port?: number; open: boolean }) => {
      const { view } = await import('../view/view.ts');
      await view(host, { port: options.port ?? 0, open: options.open }, print);
    });
  explain(command, {
    remarks: [
      'The page is served until you press Ctrl-C. Its address contains a password that is valid ' +
        'until then.',
    ],
    exits: [['1', 'the port is in use']],
    examples: [
      ['lhp-otel view', 'open it in the browser'],
      ['lhp-otel view --port 8000 --no-open', 'for a tunnel to the same port of your own machine'],
    ],
  });
}
