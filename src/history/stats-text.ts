// stats-text.ts: the numbers of recorded runs as lines for a terminal: durations, small lines over
// time, tables, marked changes. Every line fits the width. Words come from files that anybody may
// have edited, so only printable ASCII of them is shown.
import type { Run } from '../otlp/decode.ts';
import type { Env } from '../system/host.ts';
import type { Line, Part } from '../system/print.ts';
import { type Change, changes } from './changes.ts';
import { day } from './moment.ts';
import { type Bucket, essentials, type Group, type GroupKey, timeline } from './summary.ts';
import { projectWord, type ThisProject } from './this-project.ts';

export interface Screen {
  columns: number;
  /** Whether the locale has the characters of a small line. */
  unicode: boolean;
}

/** Fewer columns nobody has. */
const MIN_COLUMNS = 40;
const MAX_MARKS = 90;
const MAX_ROWS = 8;
const MAX_CHANGES = 5;
const MARKS = '▁▂▃▄▅▆▇█';

export const hasUnicode = (env: Env): boolean =>
  /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');

/** The runs are oldest first, and there is one at least. */
export function statsText(runs: readonly Run[], screen: Screen, here?: ThisProject): Line[] {
  const { by, ...all } = essentials(runs);
  const columns = Math.max(screen.columns, MIN_COLUMNS);
  const span = `${day(all.first ?? 0)} to ${day(all.last ?? 0)}`;
  return [
    [bold(`${all.runs} ${all.runs === 1 ? 'run' : 'runs'}`), `, ${span}`],
    `median ${seconds(all.p50)}, 95 % took at most ${seconds(all.p95)}`,
    '',
    ...trends(runs, { ...screen, columns }),
    ...tables(by, columns, here),
    ...changeLines(changes(runs), columns, seriesWord(by, here)),
  ];
}

const bold = (text: string): Part => ({ text, style: 'bold' });

/** What is always shown, and what only when there is more than one. */
const TABLES: readonly (readonly [GroupKey, title: string, always: boolean])[] = [
  ['environment', 'environment', true],
  ['lhp_version', 'lhp', true],
  ['python_version', 'Python', true],
  ['is_ci', 'in CI', false],
  ['dry_run', 'dry run', false],
  ['project_id', 'project', false],
];

const TRENDS: readonly (readonly [
  label: string,
  value: (bucket: Bucket) => number | null,
  unit: '' | ' s',
])[] = [
  ['runs', ({ runs }) => runs, ''],
  ['p50', ({ p50 }) => p50, ' s'],
  ['p95', ({ p95 }) => p95, ' s'],
  ['files', ({ sizes }) => sizes.files_generated, ''],
  ['flowgroups', ({ sizes }) => sizes.flowgroups_count, ''],
  ['pipelines', ({ sizes }) => sizes.pipelines_count, ''],
  ['templates', ({ sizes }) => sizes.templates_count, ''],
];
const LABEL = 12;
/** `1234.56 to 1234.56 s` */
const RANGE = 20;

function trends(runs: readonly Run[], { columns, unicode }: Screen): string[] {
  const room = columns - LABEL - RANGE - 2;
  const buckets = timeline(runs, Math.min(room, MAX_MARKS));
  const days = buckets[0] ? Math.round((buckets[0].end - buckets[0].start) / 86_400_000) : 0;
  const lines = TRENDS.map(([label, value, unit]) => {
    const values = buckets.map(value);
    return `${label.padEnd(LABEL)}${unicode ? `${sparkline(values)}  ` : ''}${range(values, unit)}`;
  });
  const mark = `${unicode ? 'a mark is' : 'lowest to highest by'} ${days === 1 ? 'a day' : `${days} days`}`;
  return [...lines, `${' '.repeat(LABEL)}${mark}`];
}

/** A character for each value, from the lowest to the highest; a gap where there is none. */
function sparkline(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const mark = (value: number) =>
    MARKS[high === low ? 0 : Math.round(((value - low) / (high - low)) * (MARKS.length - 1))];
  return values.map((value) => (value === null ? ' ' : mark(value))).join('');
}

function range(values: readonly (number | null)[], unit: '' | ' s'): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return 'unknown';
  const text = (value: number) => (unit ? value.toFixed(2) : String(Math.round(value * 10) / 10));
  const [low, high] = [text(Math.min(...known)), text(Math.max(...known))];
  return `${low === high ? low : `${low} to ${high}`}${unit}`;
}

/** ` 12345  1234.56 s  1234.56 s` */
const NUMBERS = [7, 11, 11] as const;

function tables(
  by: Record<GroupKey, Group[]>,
  columns: number,
  here: ThisProject | undefined,
): Line[] {
  const room = columns - NUMBERS.reduce((sum, width) => sum + width, 0);
  const shown = TABLES.filter(([key, , always]) => always || by[key].length > 1).map(
    ([key, title]) => ({
      title,
      rows: by[key]
        .slice(0, MAX_ROWS)
        .map((group) => ({ ...group, value: word(nameOf(group.value, here), room) })),
      more: by[key].length - MAX_ROWS,
    }),
  );
  const wide = Math.max(
    ...shown.flatMap(({ title, rows }) => [title, ...rows.map(({ value }) => value)]).map(length),
  );
  const row = (value: string, ...numbers: string[]) =>
    value.padEnd(wide) + numbers.map((number, at) => number.padStart(NUMBERS[at] ?? 0)).join('');
  return shown.flatMap(({ title, rows, more }) => [
    '',
    [bold(row(title, 'runs', 'p50', 'p95'))],
    ...rows.map(({ value, runs, p50, p95 }) =>
      row(value, String(runs), seconds(p50), seconds(p95)),
    ),
    ...(more > 0 ? [`and ${more} more`] : []),
  ]);
}

const length = (text: string) => text.length;

/** The folder's name of the project that the user stands in. */
const nameOf = (value: string, here: ThisProject | undefined) =>
  value === here?.id ? here.folder : value;

/**
 * The page's booleans as words, a digest by its beginning, and of anything else what can be
 * printed.
 */
function word(value: string, room: number): string {
  if (value === 'true') return 'yes';
  if (value === 'false') return 'no';
  if (/^[0-9a-f]{64}$/.test(value)) return value.slice(0, 8);
  const printable = value.replace(/[^\x20-\x7e]/g, '?');
  return printable.length > room ? `${printable.slice(0, room - 2)}..` : printable;
}

const VERDICTS: Record<Change['verdict'], string> = {
  slower: 'slower',
  faster: 'faster',
  same: 'as fast',
  few: 'too few runs to say',
};
const COLORS = { slower: 'red', faster: 'green', same: undefined, few: undefined } as const;

function changeLines(
  all: readonly Change[],
  columns: number,
  kind: (of: Change['series']) => string,
): Line[] {
  if (all.length === 0) return [];
  const lines = all
    .slice(-MAX_CHANGES)
    .flatMap(({ timestamp, changed, series, before, after, verdict }): Line[] => {
      const [date, said, style] = [day(timestamp), VERDICTS[verdict], COLORS[verdict]];
      const details = [
        `${before.toFixed(2)} to ${after.toFixed(2)} s in ${kind(series)}`,
        ...changed.map(
          ({ what, from, to }) =>
            `${CHANGED[what]} ${word(String(from), 11)} to ${word(String(to), 11)}`,
        ),
      ];
      const colored: Part[] = [`${date}  `, style ? { text: said, style } : said];
      const fits = `${date}  ${said}  ${details.join(', ')}`.length <= columns;
      return fits
        ? [[...colored, `  ${details.join(', ')}`]]
        : [colored, ...details.flatMap((text) => wrapped(text, columns))];
    });
  return ['', [bold('changes, the newest last')], ...lines];
}

/** What a line calls a series: all that tells it from the others which are shown. */
function seriesWord(by: Record<GroupKey, Group[]>, here: ThisProject | undefined) {
  const several = (key: GroupKey) => by[key].length > 1;
  return ({ environment, is_ci, dry_run, project_id }: Change['series']) =>
    [
      word(environment, 12),
      is_ci ? ' in CI' : several('is_ci') ? ' not in CI' : '',
      dry_run ? ', dry runs' : '',
      several('project_id') ? ` of ${word(projectWord(project_id, here), 24)}` : '',
    ].join('');
}

/** Behind two spaces, broken between words where the terminal is too narrow. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const part of text.split(' ')) {
    const longer = `${lines.at(-1)} ${part}`;
    if (lines.length > 0 && longer.length <= columns) lines[lines.length - 1] = longer;
    else lines.push(lines.length > 0 ? `    ${part}` : `  ${part}`);
  }
  return lines;
}

const CHANGED = {
  lhp_version: 'lhp',
  python_version: 'Python',
  flowgroups_count: 'flowgroups',
} as const;

const seconds = (value: number | null): string =>
  value === null ? 'unknown' : `${value.toFixed(2)} s`;
