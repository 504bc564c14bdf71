// charts.ts: the charts over time. The numbers come from summary.ts; where a version or the size of
// the project changed, marks.ts says what that did to durations.
import {
  type Bucket,
  type Essentials,
  fineTimeline,
  SIZE_KEYS,
  type SizeKey,
} from '../../history/summary.ts';
import { SIZES } from '../../history/words.ts';
import type { Run } from '../../spool/run.ts';
import { DAY_MS, MINUTE_MS } from '../../system/time.ts';
import { byId, h } from './dom.ts';
import { type FigureOptions, figure } from './figure.ts';
import { count, day, plural, seconds, span } from './format.ts';
import { type Marked, marked, markItem, TONES } from './marks.ts';
import type { SeriesStyle } from './plot.ts';

/** What the filters leave of the history. */
interface Shown {
  runs: readonly Run[];
  summary: Essentials;
  buckets: readonly Bucket[];
  changes: readonly Marked[];
}

interface Chart extends FigureOptions {
  /** The essential numbers in a sentence; it is also the text alternative of the drawing. */
  caption(shown: Shown): string;
  /** Whether changes are marked in this chart, and listed below it. */
  showsChanges?: boolean;
}

const SIZE_STYLES: Record<SizeKey, SeriesStyle> = {
  files_generated: { color: 'series-1' },
  flowgroups_count: { color: 'series-2', dash: [8, 4] },
  pipelines_count: { color: 'series-3', dash: [2, 3] },
  templates_count: { color: 'series-4', dash: [10, 3, 2, 3] },
};

/**
 * Every chart of the page, in its order. To add one: a row here; a number in summary.ts, if no
 * bucket has it yet; and its numbers in expectCharts of test/browser/view.test.ts, which fails
 * until they are there.
 */
const CHARTS: readonly Chart[] = [
  {
    id: 'duration',
    title: 'How long a generate takes',
    unit: ' s',
    format: seconds,
    series: [
      { label: 'median', color: 'series-1', value: ({ p50 }) => p50 },
      { label: '95th percentile', color: 'series-2', dash: [6, 6], value: ({ p95 }) => p95 },
    ],
    caption: durationCaption,
    showsChanges: true,
  },
  {
    id: 'runs-over-time',
    title: 'How often it runs',
    unit: '',
    format: count,
    series: [{ label: 'runs', color: 'series-1', bars: true, value: ({ runs }) => runs }],
    caption: runsCaption,
  },
  {
    id: 'sizes',
    title: 'How large the project is',
    unit: '',
    format: count,
    series: SIZE_KEYS.map((key) => ({
      label: SIZES[key],
      ...SIZE_STYLES[key],
      value: ({ sizes }) => sizes[key],
    })),
    caption: sizesCaption,
  },
];

export interface Charts {
  draw(runs: readonly Run[], summary: Essentials): void;
  redraw(): void;
}

/** The charts must be created when they are visible, because their width is measured. */
export function startCharts(): Charts {
  const changeList = h('ol', { class: 'changes' });
  const figures = CHARTS.map((chart) => ({
    chart,
    figure: figure(byId('charts'), chart, chart.showsChanges ? changeList : undefined),
  }));
  return {
    redraw() {
      for (const { figure } of figures) figure.redraw();
    },
    draw(runs, summary) {
      const buckets = fineTimeline(runs);
      const changes = marked(runs);
      const marks = changes.map(({ timestamp, verdict }, index) => ({
        timestamp,
        label: String(index + 1),
        color: TONES[verdict],
      }));
      for (const { chart, figure } of figures)
        figure.draw({
          buckets,
          caption: chart.caption({ runs, summary, buckets, changes }),
          marks: chart.showsChanges ? marks : [],
        });
      const severalProjects = summary.by.project_id.length > 1;
      changeList.replaceChildren(...changes.map((change) => markItem(change, severalProjects)));
    },
  };
}

function durationCaption({ runs, summary: { p50, p95 }, buckets, changes }: Shown): string {
  const [first] = buckets;
  const step =
    first && buckets.length > 1
      ? `each point is ${lengthOf(first)}`
      : 'a line is drawn when there are more runs';
  const slower = changes.filter(({ verdict }) => verdict === 'slower').length;
  const marks =
    changes.length === 0
      ? 'No change of version or size is marked.'
      : `${plural(changes.length, 'change')} of version or size ` +
        `${changes.length === 1 ? 'is' : 'are'} marked; after ${count(slower)} of them it took ` +
        'clearly longer.';
  return (
    `Median ${seconds(p50)}, 95th percentile ${seconds(p95)}, over ` +
    `${plural(runs.length, 'run')}; ${step}. ${marks}`
  );
}

function runsCaption({ runs, summary: { first, last }, buckets }: Shown): string {
  const period = days(first ?? 0, last ?? 0);
  const busiest = buckets.toSorted((a, b) => b.runs - a.runs)[0];
  const most =
    busiest && busiest.runs > 1 && buckets.length > 1
      ? `; the most were ${count(busiest.runs)}, ${span(busiest)}`
      : '';
  return `${plural(runs.length, 'run')} ${period}${most}.`;
}

function sizesCaption({ buckets }: Shown): string {
  const parts = SIZE_KEYS.map((key) => {
    const values = buckets.flatMap(({ sizes }) => sizes[key] ?? []);
    return `${SIZES[key]}: ${fromTo(values)}`;
  });
  return `${parts.join('; ')}. Medians; dry runs write no files, so they do not count for files.`;
}

function lengthOf({ start, end }: Pick<Bucket, 'start' | 'end'>): string {
  const minutes = Math.round((end - start) / MINUTE_MS);
  if (minutes < 60) return `${minutes} minutes`;
  const days = Math.round((end - start) / DAY_MS);
  return days === 0 ? 'an hour' : days === 1 ? 'a day' : `${days} days`;
}

const days = (first: number, last: number) =>
  day(first) === day(last) ? `on ${day(first)}` : `from ${day(first)} to ${day(last)}`;

const fromTo = (values: readonly number[]): string => {
  const [first = null, last = null] = [values[0], values.at(-1)];
  return first === last ? count(first) : `${count(first)} → ${count(last)}`;
};
