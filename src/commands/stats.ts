// stats.ts: the command `stats`.
import type { Command } from 'commander';
import { resolveMode } from '../consent/resolve-mode.ts';
import { thisProject } from '../history/this-project.ts';
import { say } from '../system/log.ts';
import { columns, printJson } from '../system/print.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';
import { NO_RUNS_YET } from './show.ts';
import { parseSince, SINCE_FORMS } from './since.ts';
import { valueOption } from './usage.ts';

interface StatsOptions {
  since?: number;
  json?: boolean;
}

export function addStats(program: Command, context: Context): void {
  const command = program
    .command('stats')
    .summary('your generate times: over time, by environment and version')
    .description(
      'Summarizes the runs recorded on this machine: durations and sizes over time, by ' +
        'environment, version and project, and how durations changed when lhp or the project ' +
        'changed.',
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
    .action((options: StatsOptions) => printStats(options, context));
  explain(command, {
    remarks: [
      'The 95th percentile is the time that 95 % of the runs did not exceed. A change is called ' +
        'slower or faster only with at least 8 runs before and after it, and if a rank test ' +
        'finds the difference significant.',
      'NO_COLOR and FORCE_COLOR are respected. The small charts need a UTF-8 locale.',
      'JSON, in seconds and ISO 8601: runs, p50 (median), p95 (95th percentile), first, last; ' +
        'by.{environment, lhp_version, python_version, is_ci, dry_run, project_id}: value, runs, ' +
        'p50, p95, last; days: start, end, runs, p50, p95, sizes; changes: timestamp, series, ' +
        'changed, before, after, runs, verdict (slower, faster, same, few).',
    ],
    examples: [
      ['lhp-otel stats', 'every recorded run'],
      ['lhp-otel stats --since 30d', 'the last 30 days'],
      ['lhp-otel stats --json', 'for a program'],
    ],
    onlyPrints: true,
  });
}

async function printStats({ since, json }: StatsOptions, { host, print }: Context): Promise<void> {
  const { recordedRuns } = await import('../history/read-runs.ts');
  const { select } = await import('../history/summary.ts');
  const { hasUnicode, statsText } = await import('../history/stats-text.ts');
  const { statsOf } = await import('../history/stats.ts');
  const all = recordedRuns(resolveMode(host, undefined).paths);
  const runs = since === undefined ? all : select(all, { from: since });
  if (json) printJson(statsOf(runs), 2);
  else if (runs.length > 0) {
    const screen = { columns: columns(), unicode: hasUnicode(host.env) };
    print(...statsText(runs, screen, thisProject(host)));
  } else
    say(all.length > 0 ? 'no runs since then; leave out --since to see older ones' : NO_RUNS_YET);
}
