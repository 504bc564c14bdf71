// marks.ts: the changes that are marked in the chart of durations. An update of lhp is a change in
// every series (project, environment, …), at the next run of each. Equal changes within a week are
// therefore shown as one mark, with the verdict of changes.ts for each series below it.
import { type Change, changes } from '../../history/changes.ts';
import { VERDICTS } from '../../history/words.ts';
import type { Run } from '../../spool/run.ts';
import { DAY_MS } from '../../system/time.ts';
import { h } from './dom.ts';
import { day, difference, plural, seconds, word } from './format.ts';
import { projectPhrase } from './projects.ts';
import { changeInWords } from './sentences.ts';

export interface Marked {
  timestamp: number;
  /** The worst verdict of its series. */
  verdict: Change['verdict'];
  changes: Change[];
}

/** Names of colours in base.css. */
export const TONES: Record<Change['verdict'], string> = {
  slower: 'bad',
  faster: 'good',
  same: 'muted',
  few: 'muted',
};
const WORST_FIRST: Change['verdict'][] = ['slower', 'faster', 'same', 'few'];
const WEEK_MS = 7 * DAY_MS;
/** More marks than this are not readable in a chart; the newest are kept. */
const MAX_MARKS = 12;

export function marked(runs: readonly Run[]): Marked[] {
  const marks: Marked[] = [];
  for (const change of changes(runs)) {
    const mark = marks.findLast(
      ({ timestamp, changes: [first] }) =>
        change.timestamp - timestamp < WEEK_MS && first !== undefined && isAlike(first, change),
    );
    if (mark) mark.changes.push(change);
    else marks.push({ timestamp: change.timestamp, verdict: 'few', changes: [change] });
  }
  for (const mark of marks)
    mark.verdict =
      WORST_FIRST.find((verdict) => mark.changes.some((change) => change.verdict === verdict)) ??
      'few';
  return marks.slice(-MAX_MARKS);
}

/** Whether two changes are of the same project and to the same versions, or both of its size. */
function isAlike(a: Change, b: Change): boolean {
  const change = ({ changed }: Change) =>
    changed.map(({ what, to }) => (what === 'flowgroups_count' ? what : `${what} ${to}`)).join();
  return a.series.project_id === b.series.project_id && change(a) === change(b);
}

/** @param severalProjects - whether runs of more than one project are shown. */
export function markItem(
  { timestamp, verdict, changes: members }: Marked,
  severalProjects: boolean,
): HTMLLIElement {
  const [first] = members;
  const clear = members.filter(
    (change) => change.verdict === 'slower' || change.verdict === 'faster',
  );
  const others = members.filter((change) => !clear.includes(change));
  return h(
    'li',
    {},
    h('strong', {}, first ? changeInWords(first) : ''),
    severalProjects && first ? ` of ${projectPhrase(first.series.project_id)}` : '',
    ` on ${day(timestamp)}: `,
    h('strong', { class: TONES[verdict] }, VERDICTS[verdict]),
    h('ul', {}, ...clear.map(seriesItem)),
    others.length > 0 &&
      h(
        'details',
        {},
        h(
          'summary',
          {},
          `${clear.length > 0 ? 'and ' : ''}${plural(others.length, 'series', 'series')} without ` +
            'a clear difference',
        ),
        h('ul', {}, ...others.map(seriesItem)),
      ),
  );
}

function seriesItem({ series, before, after, runs, verdict }: Change): HTMLLIElement {
  const { project_id: project, environment, is_ci: ci, dry_run: dry } = series;
  const where =
    `${word(environment, 20)}${ci ? ' in CI' : ''}${dry ? ', dry runs' : ''} of ` +
    `${projectPhrase(project)}`;
  return h(
    'li',
    {},
    h('bdi', {}, where),
    `: median ${seconds(before)} → ${seconds(after)} (${difference(before, after)}) over ` +
      `${runs.before} and ${plural(runs.after, 'run')}: `,
    h('span', { class: TONES[verdict] }, VERDICTS[verdict]),
  );
}
