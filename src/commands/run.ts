// run.ts: the command `run`, as the help shows it. src/wrap/run.ts runs the command.
import type { Command } from 'commander';
import { launches } from '../command/launchers.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';
import { inWords } from './usage.ts';

export function addRun(program: Command, { run: runCommand, exit }: Context): void {
  const run = program
    .command('run')
    .summary('run a command, and record a successful `lhp generate`')
    .description(
      'Runs a command as if without lhp-otel: same output, terminal, signals and exit status. ' +
        'A successful generate of lhp is recorded after it has ended.',
    )
    .usage('[--] <command…>')
    .argument('[command...]', 'the command and its arguments')
    .passThroughOptions()
    // cli.ts handles the usual case. This runs if there is no command, or an option before it.
    .action(async (words: string[]) => {
      if (words.length === 0)
        run.error('error: no command given; it must be like: lhp-otel run -- lhp generate');
      exit(await runCommand(words));
    });
  explain(run, {
    remarks: [
      'A generate is recognized as `lhp generate`, by a path to lhp, or as ' +
        '`python -m lhp.cli.main generate`.',
      `It is also recognized after ${launchersInWords(true)}.`,
      `And after ${launchersInWords(false)}.`,
    ],
    exits: [['n', 'that of the command; 127 if it is not found, 126 if it cannot be run']],
    examples: [
      ['lhp-otel run -- lhp generate --env dev', 'record one generate'],
      ['lhp-otel run -- uv run lhp generate --env prod', 'the same through uv'],
      ['lhp-otel run -- lhp -v generate --env dev', 'also print what telemetry did'],
    ],
    withoutNotice: true,
  });
}

/** The launchers of the table: those with a Python environment, or the others. */
function launchersInWords(withEnvironment: boolean): string {
  const rows = launches().filter(([, row]) => (row.environment !== undefined) === withEnvironment);
  return inWords(
    rows.map(([name]) => `\`${name}\``),
    'and',
  );
}
