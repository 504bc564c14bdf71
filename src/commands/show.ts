// show.ts: the command `show`.
import type { Command } from 'commander';
import { describePreview } from '../collect/collect.ts';
import { type Generate, parseCommand } from '../command/command.ts';
import { switchBetween } from '../command/switches.ts';
import { decidedBy } from '../consent/consent.ts';
import { obstacleToRuns } from '../consent/place.ts';
import { resolveMode } from '../consent/resolve-mode.ts';
import { FORMATS, type Format, newestRuns, previewOf, type ShownRun } from '../history/show.ts';
import { jsonLines, runLines } from '../history/show-text.ts';
import { thisProject } from '../history/this-project.ts';
import type { Host } from '../system/host.ts';
import { say } from '../system/log.ts';
import { columns, printJson, printJsonText } from '../system/print.ts';
import { projectRoot } from '../system/project-root.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';
import { parseWholeNumber, valueOption, wordOption } from './usage.ts';

/** Printed on stderr when the history is empty, so that stdout contains runs only. */
export const NO_RUNS_YET = 'no run is recorded yet; try: lhp-otel run -- lhp generate --env dev';

interface ShowOptions {
  last: number;
  format: Format;
  preview?: boolean;
}

export function addShow(program: Command, context: Context): void {
  const show = program
    .command('show')
    .summary('exactly what was recorded')
    .description(
      'Prints recorded runs, the newest last: indented below a heading on a terminal, otherwise ' +
        'one line per run.',
    )
    .addOption(
      valueOption(
        '-n, --last <count>',
        'only the newest runs',
        'a whole number from 1',
        parseWholeNumber,
      ).default(10),
    )
    .addOption(
      wordOption(
        '--format <format>',
        'event: the telemetry page’s JSON; otlp: the exact request',
        FORMATS,
      ).default('event'),
    )
    .option(
      '--preview',
      'what would be recorded now for the project in this folder; nothing is stored',
    )
    .argument(
      '[command...]',
      'with --preview: the generate command (default: lhp generate --env dev)',
    )
    .action((words: string[], options: ShowOptions) =>
      options.preview
        ? printPreview(words, options.format, show, context)
        : printRuns(words, options, show, context),
    );
  explain(show, {
    exits: [['1', 'with --preview: nothing would be recorded here']],
    examples: [
      ['lhp-otel show --last 1', 'the newest run'],
      ['lhp-otel show --format otlp', 'the requests as they are or were sent'],
      ['lhp-otel show --preview -- lhp generate --env prod', 'what that command would record'],
    ],
    onlyPrints: true,
  });
}

function printRuns(
  words: readonly string[],
  { last, format }: ShowOptions,
  show: Command,
  { host, print }: Context,
): void {
  if (words.length > 0) show.error(`error: '${words.join(' ')}' is for --preview only`);
  const runs = newestRuns(resolveMode(host, projectRoot(host.cwd)).paths, last);
  if (runs.length === 0) say(NO_RUNS_YET);
  if (!process.stdout.isTTY) {
    for (const run of runs) printForProgram(run, format);
    return;
  }
  const here = thisProject(host);
  for (const [index, run] of runs.entries())
    print(...(index > 0 ? [''] : []), ...runLines(run, valueIn(run, format), here, columns()));
}

async function printPreview(
  words: readonly string[],
  format: Format,
  show: Command,
  { host, print }: Context,
): Promise<void> {
  const given = words.length > 0 ? words : ['lhp', 'generate', '--env', 'dev'];
  const generate = parseCommand(given, host.cwd, host.env);
  if (!generate)
    return show.error(
      `error: '${words.join(' ')}' is not an lhp generate, like: lhp generate --env dev`,
    );
  const run = await preview(generate, host);
  if (process.stdout.isTTY) print(...jsonLines(valueIn(run, format), columns()));
  else printForProgram(run, format);
}

/** Throws an error with the reason if this command would not be recorded. */
async function preview(generate: Generate, host: Host): Promise<ShownRun> {
  const refuse = (why: string): never => {
    throw new Error(`${why}: nothing would be recorded`);
  };
  const project = projectRoot(generate.cwd) ?? refuse('no lhp.yaml here or in a parent folder');
  const { consent, paths } = resolveMode(host, project);
  if (!consent.enabled) refuse(`telemetry is off (${decidedBy(consent)})`);
  const obstacle = await obstacleToRuns(host.env, paths);
  if (obstacle) refuse(obstacle.what);
  const off = switchBetween(generate.program.launches, host);
  if (off)
    refuse(
      'layer' in off ? `telemetry is off (${off.layer})` : `${off.unknown} may say off to lhp`,
    );
  return previewOf(await describePreview(project, generate, host, paths));
}

const valueIn = ({ event, text }: ShownRun, format: Format): unknown =>
  format === 'otlp' ? JSON.parse(text) : event;

/** One line. */
function printForProgram({ event, text }: ShownRun, format: Format): void {
  if (format === 'otlp') printJsonText(text);
  else printJson(event);
}
