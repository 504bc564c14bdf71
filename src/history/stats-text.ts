// stats-text.ts: the numbers about recorded runs as lines for a terminal: durations, small charts
// over time, tables, changes. Every line fits the terminal. Recorded words come from files that
// anyone may have edited, so only their printable ASCII characters are shown.
import type { Run } from '../spool/run.ts';
import type { Env } from '../system/host.ts';
import type { Line, Part } from '../system/print.ts';
import { DAY_MS } from '../system/time.ts';
import { type Change, changes } from './changes.ts';
import { day } from './moment.ts';
import {
  type Bucket,
  essentials,
  GROUP_KEYS,
  type Group,
  type GroupKey,
  SIZE_KEYS,
  timeline,
} from './summary.ts';
import { projectWord, type ThisProject } from './this-project.ts';
import { GROUPS, LEVELS, SIZES, VERDICTS } from './words.ts';

export interface Screen {
  columns: number;
  /** Whether the locale has the characters of the small charts. */
  unicode: boolean;
}

/** Narrowest supported terminal. */
const MIN_COLUMNS = 40;
/** Widest small chart. */
const MAX_MARKS = 90;
/** Rows of a table; the rest is a long tail. */
const MAX_ROWS = 8;
const MAX_CHANGES = 5;
const MARKS = '▁▂▃▄▅▆▇█';

export const hasUnicode = (env: Env): boolean =>
  /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');

/** @param runs - at least one, oldest first. */
export function statsText(runs: readonly Run[], screen: Screen, here?: ThisProject): Line[] {
  const { by, ...all } = essentials(runs);
  const columns = Math.max(screen.columns, MIN_COLUMNS);
  const span = `${day(all.first ?? 0)} to ${day(all.last ?? 0)}`;
  return [
    [bold(`${all.runs} ${all.runs === 1 ? 'run' : 'runs'}`), `, ${span}`],
    `median ${seconds(all.p50)}, 95th percentile ${seconds(all.p95)}`,
    '',
    ...trends(runs, { ...screen, columns }),
    ...tables(by, columns, here),
    ...changeLines(changes(runs), columns, seriesNamer(by, here)),
  ];
}

const bold = (text: string): Part => ({ text, style: 'bold' });

/** Tables that are shown even if they have a single row. */
const ALWAYS_SHOWN: readonly GroupKey[] = ['environment', 'lhp_version', 'python_version'];

const TRENDS: readonly (readonly [
  label: string,
  value: (bucket: Bucket) => number | null,
  unit: '' | ' s',
])[] = [
  ['runs', ({ runs }) => runs, ''],
  ['median', ({ p50 }) => p50, ' s'],
  ['95th', ({ p95 }) => p95, ' s'],
  ...SIZE_KEYS.map((key) => [SIZES[key], ({ sizes }: Bucket) => sizes[key], ''] as const),
];
const LABEL_WIDTH = 12;
/** Room for `1234.56 to 1234.56 s`. */
const RANGE_WIDTH = 20;

function trends(runs: readonly Run[], { columns, unicode }: Screen): string[] {
  const room = columns - LABEL_WIDTH - RANGE_WIDTH - 2;
  const buckets = timeline(runs, Math.min(room, MAX_MARKS));
  const days = buckets[0] ? Math.round((buckets[0].end - buckets[0].start) / DAY_MS) : 0;
  const lines = TRENDS.map(([label, value, unit]) => {
    const values = buckets.map(value);
    const chart = unicode ? `${sparkline(values)}  ` : '';
    return `${label.padEnd(LABEL_WIDTH)}${chart}${range(values, unit)}`;
  });
  const step = days === 1 ? 'day' : `${days} days`;
  const legend = unicode ? `one bar per ${step}` : `lowest to highest value per ${step}`;
  return [...lines, `${' '.repeat(LABEL_WIDTH)}${legend}`];
}

/** One character per value, scaled from the lowest to the highest; a space if there is none. */
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

/** Column widths, as in ` 12345  1234.56 s  1234.56 s`. */
const NUMBER_WIDTHS = [7, 11, 11] as const;

function tables(
  by: Record<GroupKey, Group[]>,
  columns: number,
  here: ThisProject | undefined,
): Line[] {
  const room = columns - NUMBER_WIDTHS.reduce((sum, width) => sum + width, 0);
  const shown = GROUP_KEYS.filter((key) => ALWAYS_SHOWN.includes(key) || by[key].length > 1).map(
    (key) => ({
      title: GROUPS[key].title,
      rows: by[key]
        .slice(0, MAX_ROWS)
        .map((group) => ({ ...group, name: word(nameOf(key, group.value, here), room) })),
      more: by[key].length - MAX_ROWS,
    }),
  );
  const widest = Math.max(
    ...shown.flatMap(({ title, rows }) => [title, ...rows.map(({ name }) => name)]).map(length),
  );
  const row = (name: string, ...numbers: string[]) =>
    name.padEnd(widest) +
    numbers.map((number, at) => number.padStart(NUMBER_WIDTHS[at] ?? 0)).join('');
  return shown.flatMap(({ title, rows, more }) => [
    '',
    [bold(row(title, 'runs', 'median', '95th'))],
    ...rows.map(({ name, runs, p50, p95 }) => row(name, String(runs), seconds(p50), seconds(p95))),
    ...(more > 0 ? [`and ${more} more`] : []),
  ]);
}

const length = (text: string) => text.length;

function nameOf(key: GroupKey, value: string, here: ThisProject | undefined): string {
  if (key === 'project_id' && value === here?.id) return here.folder;
  return GROUPS[key].value?.(value) ?? value;
}

/** A recorded word as printable ASCII, cut to the room; a digest by its first digits. */
function word(value: string, room: number): string {
  if (/^[0-9a-f]{64}$/.test(value)) return value.slice(0, 8);
  const printable = value.replace(/[^\x20-\x7e]/g, '?');
  return printable.length > room ? `${printable.slice(0, room - 2)}..` : printable;
}

const COLORS = { slower: 'red', faster: 'green', same: undefined, few: undefined } as const;

function changeLines(
  all: readonly Change[],
  columns: number,
  seriesName: (of: Change['series']) => string,
): Line[] {
  if (all.length === 0) return [];
  const lines = all
    .slice(-MAX_CHANGES)
    .flatMap(({ timestamp, changed, series, before, after, verdict }): Line[] => {
      const [date, text, style] = [day(timestamp), VERDICTS[verdict], COLORS[verdict]];
      const details = [
        `${before.toFixed(2)} to ${after.toFixed(2)} s in ${seriesName(series)}`,
        ...changed.map(
          ({ what, from, to }) =>
            `${LEVELS[what]} ${word(String(from), 11)} to ${word(String(to), 11)}`,
        ),
      ];
      const first: Part[] = [`${date}  `, style ? { text, style } : text];
      const fits = `${date}  ${text}  ${details.join(', ')}`.length <= columns;
      return fits
        ? [[...first, `  ${details.join(', ')}`]]
        : [first, ...details.flatMap((detail) => wrapped(detail, columns))];
    });
  return ['', [bold('Changes, the newest last')], ...lines];
}

/** Names a series by everything that distinguishes it from the other series shown. */
function seriesNamer(by: Record<GroupKey, Group[]>, here: ThisProject | undefined) {
  const several = (key: GroupKey) => by[key].length > 1;
  return ({ environment, is_ci, dry_run, project_id }: Change['series']) =>
    [
      word(environment, 12),
      is_ci ? ' in CI' : several('is_ci') ? ' not in CI' : '',
      dry_run ? ', dry runs' : '',
      several('project_id') ? ` of ${word(projectWord(project_id, here), 24)}` : '',
    ].join('');
}

/** Lines indented by two spaces and broken between words. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const part of text.split(' ')) {
    const longer = `${lines.at(-1)} ${part}`;
    if (lines.length > 0 && longer.length <= columns) lines[lines.length - 1] = longer;
    else lines.push(lines.length > 0 ? `    ${part}` : `  ${part}`);
  }
  return lines;
}

const seconds = (value: number | null): string =>
  value === null ? 'unknown' : `${value.toFixed(2)} s`;
