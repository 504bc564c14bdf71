// show-text.ts: recorded runs as lines for a terminal. Each run has a heading with its time, its
// environment, its project and its outcome, and below it the indented JSON. A program that reads
// `show` gets the same values as one line per run (src/commands/show.ts).
import { LOSSES } from '../contract/contract.ts';
import type { Run } from '../spool/run.ts';
import { jsonText, type Line } from '../system/print.ts';
import { moment } from './moment.ts';
import { projectWord, type ThisProject } from './this-project.ts';
import { OUTCOMES } from './words.ts';

/** @param shown - what to print as JSON: the event or the request. */
export function runLines(
  run: Run,
  shown: unknown,
  here: ThisProject | undefined,
  columns: number,
): Line[] {
  const { timestamp, outcome, reason, event } = run;
  const heading = [
    moment(timestamp),
    event.environment,
    projectWord(event.project_id, here),
    OUTCOMES[outcome] + (reason ? ` (${LOSSES[reason]})` : ''),
  ].join('  ');
  return [[{ text: heading, style: 'bold' }], ...jsonLines(shown, columns)];
}

/** Indented JSON. A value that does not fit beside its key goes on the next line. */
export function jsonLines(value: unknown, columns: number): string[] {
  return jsonText(value, 1)
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', key, text] =
        line.length > columns ? (/^( *)("[^"]*":) (.*)$/.exec(line) ?? []) : [];
      return key ? [`${indent}${key}`, `${indent} ${text}`] : [line];
    });
}
