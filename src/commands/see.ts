// see.ts: the commands that show what was recorded: `show`, `stats`, `view`.
import type { Command } from 'commander';
import { describePreview } from '../collect/collect.ts';
import { parseCommand } from '../command/command.ts';
import { switchBetween } from '../command/switches.ts';
import { decidedBy } from '../consent/consent.ts';
import { obstacleToRuns } from '../consent/place.ts';
import { resolveMode } from '../consent/resolve-mode.ts';
import { FORMATS, type Format, newestRuns, previewOf, type ShownRun } from '../history/show.ts';
import { jsonLines, runLines } from '../history/show-text.ts';
import { thisProject } from '../history/this-project.ts';
import { say } from '../system/log.ts';
import { columns, printJson, printJsonText } from '../system/print.ts';
import { projectRoot } from '../system/project-root.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';
import { parseSince, SINCE_FORMS } from './since.ts';
import { valueOption, wordOption } from './usage.ts';

export function addSeeCommands(program: Command, context: Context): void {
  addShow(program, context);
  addStats(program, context);
  addView(program, context);
}

function addStats(program: Command, { host, print }: Context): void {
  const stats = program
    .command('stats')
    .summary('your generate times: over time, by environment and version')
    .description(
      'Sums up the recorded runs of this machine: durations and sizes over time, by environment, versions and project, and what changed when lhp or the project did.',
    )
    .addOption(
      valueOption(
        '--since <when>',
        'only runs since a day (2026-11-01) or of the last 90m, 1h, 30d, 2w',
        SINCE_FORMS,
        (word) => parseSince(word),
      ),
    )
    .option('--json', 'as one JSON object')
    .action(async (options: { since?: number; json?: boolean }) => {
      const { recordedRuns } = await import('../history/read-runs.ts');
      const { select } = await import('../history/summary.ts');
      const { hasUnicode, statsText } = await import('../history/stats-text.ts');
      const { statsOf } = await import('../history/stats.ts');
      const all = recordedRuns(resolveMode(host, undefined).paths);
      const runs = options.since === undefined ? all : select(all, { from: options.since });
      if (options.json) printJson(statsOf(runs), 2);
      else if (runs.length > 0) {
        const screen = { columns: columns(), unicode: hasUnicode(host.env) };
        print(...statsText(runs, screen, thisProject(host)));
      } else
        say(all.length > 0 ? 'no run since then; without --since there are more' : NOTHING_YET);
    });
  explain(stats, {
    remarks: [
      'p50 is the median, p95 what 95 of 100 runs took at most, in seconds. A change is called slower only where noise would not do: 8 runs before and after at least, and a rank test.',
      'Color as NO_COLOR and FORCE_COLOR say; the small lines need a UTF-8 locale.',
      'JSON: runs, p50, p95, first, last; by.{environment, lhp_version, python_version, is_ci, dry_run, project_id}: value, runs, p50, p95, last; days: start, end, runs, p50, p95, sizes; changes: timestamp, series, changed, before, after, runs, verdict (slower, faster, same, few).',
    ],
    examples: [
      ['lhp-otel stats', 'all of the history'],
      ['lhp-otel stats --since 30d', 'the last 30 days'],
      ['lhp-otel stats --json', 'for a program'],
    ],
  });
}

function addView(program: Command, { host, print }: Context): void {
  const view = program
    .command('view')
    .summary('a page on this machine: every run, charts, consent')
    .description(
      'Serves a page on this machine only: every recorded run, charts of your times, consent and delivery; and opens it.',
    )
    .addOption(valueOption('--port <number>', 'instead of a free one', PORT, port))
    .option('--no-open', 'print the address only, and open no browser')
    .action(async (options: { port?: number; open: boolean }) => {
      const { view } = await import('../view/view.ts');
      await view(host, { port: options.port ?? 0, open: options.open }, print);
    });
  explain(view, {
    remarks: ['It ends with Ctrl-C. The address holds a password that is good until then.'],
    exits: [['1', 'the port is taken']],
    examples: [
      ['lhp-otel view', 'open it in the browser'],
      ['lhp-otel view --port 8000 --no-open', 'for a tunnel to the same port of your own machine'],
    ],
  });
}

const COUNT = 'a whole number from 1';
const PORT = 'a port from 1 to 65535';

const positive = (text: string): number | undefined => {
  const count = Number(text);
  return /^\d+$/.test(text) && count >= 1 && Number.isSafeInteger(count) ? count : undefined;
};

const port = (text: string): number | undefined => {
  const number = positive(text);
  return number !== undefined && number <= 65_535 ? number : undefined;
};

function addShow(program: Command, { host, print }: Context): void {
  const generateUsage = 'it must be like: lhp generate --env dev';
  const show = program
    .command('show')
    .summary('exactly what was recorded')
    .description(
      'Prints recorded runs, the newest last: on a terminal indented below a heading, else one line each.',
    )
    .addOption(
      valueOption('-n, --last <count>', 'the newest runs only', COUNT, positive).default(10),
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
      'what would be recorded for the project in this folder, now; nothing is kept',
    )
    .argument(
      '[command...]',
      'with --preview: the generate to look at; if none is given, lhp generate --env dev',
    )
    .action(
      async (words: string[], options: { last: number; format: Format; preview?: boolean }) => {
        if (!options.preview) {
          const { paths } = resolveMode(host, projectRoot(host.cwd));
          if (words.length > 0) show.error(`error: '${words.join(' ')}' is for --preview only`);
          return printRuns(newestRuns(paths, options.last), options.format);
        }
        const given = words.length > 0 ? words : ['lhp', 'generate', '--env', 'dev'];
        const generate = parseCommand(given, host.cwd, host.env);
        if (!generate)
          return show.error(`error: '${words.join(' ')}' is no lhp generate; ${generateUsage}`);
        const folder = projectRoot(generate.cwd);
        if (folder === undefined)
          throw new Error('no lhp.yaml here or above: nothing would be recorded');
        const { consent, paths } = resolveMode(host, folder);
        if (!consent.enabled)
          throw new Error(`telemetry is off (${decidedBy(consent)}): nothing would be recorded`);
        const obstacle = await obstacleToRuns(host.env, paths);
        if (obstacle) throw new Error(`${obstacle.what}: nothing would be recorded`);
        const off = switchBetween(generate.program.launches, host);
        if (off)
          throw new Error(
            `${'layer' in off ? `telemetry is off (${off.layer})` : `${off.unknown} may say off to lhp`}: nothing would be recorded`,
          );
        const { event, text } = await previewOf(
          await describePreview(folder, generate, host, paths),
        );
        if (process.stdout.isTTY)
          print(...jsonLines(options.format === 'otlp' ? JSON.parse(text) : event, columns()));
        else if (options.format === 'otlp') printJsonText(text);
        else printJson(event);
      },
    );

  function printRuns(runs: Iterable<ShownRun>, format: Format): void {
    const here = process.stdout.isTTY ? thisProject(host) : undefined;
    let shown = 0;
    for (const { text, ...run } of runs) {
      if (process.stdout.isTTY) {
        const value: unknown = format === 'otlp' ? JSON.parse(text) : run.event;
        print(...(shown > 0 ? [''] : []), ...runLines(run, value, here, columns()));
      } else if (format === 'otlp') printJsonText(text);
      else printJson(run.event);
      shown += 1;
    }
    if (shown === 0) say(NOTHING_YET);
  }

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
const NOTHING_YET = 'no run is recorded yet; try: lhp-otel run -- lhp generate --env dev';
