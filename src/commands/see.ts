// see.ts: the commands that show what was recorded: `show`.
import type { Command } from 'commander';
import { parseCommand } from '../command.ts';
import { decide, projectRoot } from '../decide.ts';
import { describeRun } from '../describe.ts';
import { explain, positive, wordOption } from '../help.ts';
import { say } from '../log.ts';
import { FORMATS, type Format, showPreview, showRuns } from '../show.ts';
import type { Context } from './context.ts';

export function addSeeCommands(program: Command, context: Context): void {
  addShow(program, context);
}

function addShow(program: Command, { deps, print }: Context): void {
  const generateUsage = 'it must be like: lhp generate --env dev';
  const show = program
    .command('show')
    .summary('exactly what was recorded')
    .description('Prints recorded runs, one line each, the newest last.')
    .option('-n, --last <count>', 'the newest runs only', positive, 10)
    .addOption(
      wordOption('--format <format>', 'event: the telemetry page’s JSON; otlp: the exact request', FORMATS).default(
        'event',
      ),
    )
    .option('--preview', 'what would be recorded for the project in this folder, now; nothing is kept')
    .argument('[command...]', 'with --preview: the generate to look at; if none is given, lhp generate --env dev')
    .action(async (words: string[], options: { last: number; format: Format; preview?: boolean }) => {
      const root = projectRoot(deps.cwd);
      const { consent, paths } = decide(deps, root);
      if (!options.preview) {
        if (words.length > 0) show.error(`error: "${words.join(' ')}" is for --preview only`);
        let shown = 0;
        for (const line of showRuns(paths, options.last, options.format)) {
          print(line);
          shown += 1;
        }
        if (shown === 0) say(NOTHING_YET);
        return;
      }
      const generate = parseCommand(words.length > 0 ? words : ['lhp', 'generate', '--env', 'dev'], deps.cwd);
      if (!generate) return show.error(`error: "${words.join(' ')}" is no lhp generate; ${generateUsage}`);
      const folder = projectRoot(generate.cwd);
      if (folder === undefined) throw new Error('no lhp.yaml here or above: nothing would be recorded');
      if (!consent.enabled) throw new Error(`telemetry is off (${consent.layer}): nothing would be recorded`);
      const job = { startedAt: 0, durationSeconds: 0, root: folder, generate, deliver: false };
      print(await showPreview(await describeRun(job, deps, paths), options.format));
    });
  explain(show, {
    exits: [['1', 'with --preview: nothing would be recorded here']],
    examples: [
      ['lhp-otel show --last 1', 'the newest run'],
      ['lhp-otel show --format otlp', 'as the requests that are or were sent'],
      ['lhp-otel show --preview -- lhp generate --env prod', 'what that would record'],
    ],
  });
}

/** For a person whose history is empty; on stderr, so that stdout has runs only. */
const NOTHING_YET = 'no run is recorded yet: run one with `lhp-otel run -- lhp generate --env dev`';
