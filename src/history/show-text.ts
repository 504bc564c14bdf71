// show-text.ts: recorded runs as lines for a terminal: a heading for each, which says of when,
// where and what it is and what became of it, and its JSON below, indented. Programs get one line a
// run (show.ts), with the same values.
import type { Outcome, Run } from '../otlp/decode.ts';
import { jsonText, type Line } from '../system/print.ts';
import { moment } from './moment.ts';
import { projectWord, type ThisProject } from './this-project.ts';

const BECAME: Record<Outcome, string> = {
  local: 'kept on this machine',
  waiting: 'waiting',
  sent: 'sent',
  lost: 'given up',
};

/** `shown` is the event or the request. */
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
    BECAME[outcome] + (reason ? ` (${reason})` : ''),
  ].join('  ');
  return [[{ text: heading, style: 'bold' }], ...jsonLines(shown, columns)];
}

/** Indented JSON; a value that is too long for the terminal stands below its key. */
export function jsonLines(value: unknown, columns: number): string[] {
  return jsonText(value, 1)
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', key, text] =
        line.length > columns ? (/^( *)("[^"]*":) (.*)$/.exec(line) ?? []) : [];
      return key ? [`${indent}${key}`, `${indent} ${text}`] : [line];
    });
}
