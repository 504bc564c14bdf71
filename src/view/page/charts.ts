// charts.ts: the three charts: how long, how often, how large, over time; and where a version or
// the size changed, with the verdict of changes.ts. The numbers are those of summary.ts.

import { type Essentials, fineTimeline, SIZE_KEYS, type SizeKey } from '../../history/summary.ts';
import type { Run } from '../../otlp/decode.ts';
import { byId, h } from './dom.ts';
import { figure } from './figure.ts';
import { count, day, plural, seconds, span } from './format.ts';
import { marked, markItem, TONES } from './marks.ts';
import type { Series } from './plot.ts';

const SIZES: Record<SizeKey, Series> = {
  files_generated: { label: 'files written', color: 'series-1' },
  flowgroups_count: { label: 'flowgroups', color: 'series-2', dash: [8, 4] },
  pipelines_count: { label: 'pipelines', color: 'series-3', dash: [2, 3] },
  templates_count: { label: 'templates in use', color: 'series-4', dash: [10, 3, 2, 3] },
};

export interface Charts {
  draw(runs: readonly Run[], of: Essentials): void;
  redraw(): void;
}

export function startCharts(): Charts {
  const host = byId('charts');
  const list = h('ol', { class: 'changes' });
  const duration = figure(host, {
    id: 'duration',
    title: 'How long a generate takes',
    unit: ' s',
    format: seconds,
    series: [
      { label: 'median', color: 'series-1' },
      { label: '95th percentile', color: 'series-2', dash: [6, 6] },
    ],
  });
  duration.element.querySelector('figcaption')?.after(list);
  const often = figure(host, {
    id: 'runs-over-time',
    title: 'How often it runs',
    unit: '',
    format: count,
    series: [{ label: 'runs', color: 'series-1', bars: true }],
  });
  const sizes = figure(host, {
    id: 'sizes',
    title: 'How large the project is',
    unit: '',
    format: count,
    series: SIZE_KEYS.map((key) => SIZES[key]),
  });
  const figures = [duration, often, sizes];

  return {
    redraw() {
      for (const each of figures) each.redraw();
    },
    draw(runs, { p50, p95, first, last, by }) {
      const buckets = fineTimeline(runs);
      const found = marked(runs);
      const each =
        buckets.length > 1 && buckets[0]
          ? `each point is ${unit(buckets[0])}`
          : 'a line comes with more runs';
      const slower = found.filter(({ verdict }) => verdict === 'slower').length;
      duration.draw({
        buckets,
        values: [buckets.map((bucket) => bucket.p50), buckets.map((bucket) => bucket.p95)],
        marks: found.map((change, index) => ({
          timestamp: change.timestamp,
          label: String(index + 1),
          color: TONES[change.verdict],
        })),
        caption: `Median ${seconds(p50)}, 95th percentile ${seconds(p95)}, over ${plural(runs.length, 'run')}; ${each}. ${
          found.length === 0
            ? 'No change of version or size is marked.'
            : `${plural(found.length, 'change')} of version or size ${found.length === 1 ? 'is' : 'are'} marked; after ${count(slower)} it took clearly longer.`
        }`,
      });
      list.replaceChildren(...found.map((mark) => markItem(mark, by.project_id.length > 1)));
      const busiest = buckets.toSorted((a, b) => b.runs - a.runs)[0];
      often.draw({
        buckets,
        values: [buckets.map((bucket) => bucket.runs)],
        caption: `${plural(runs.length, 'run')} ${days(first ?? 0, last ?? 0)}${busiest && busiest.runs > 1 && buckets.length > 1 ? `; the most were ${count(busiest.runs)}, ${span(busiest)}` : ''}.`,
      });
      sizes.draw({
        buckets,
        values: SIZE_KEYS.map((key) => buckets.map((bucket) => bucket.sizes[key])),
        caption: `${SIZE_KEYS.map((key) => `${SIZES[key].label}: ${fromTo(buckets.flatMap((bucket) => bucket.sizes[key] ?? []))}`).join('; ')}. Dry runs write no files and are left out there.`,
      });
    },
  };
}

const unit = ({ start, end }: { start: number; end: number }) => {
  const minutes = Math.round((end - start) / 60_000);
  if (minutes < 60) return `${minutes} minutes`;
  const days = Math.round(minutes / (24 * 60));
  return days === 0 ? 'an hour' : days === 1 ? 'a day' : `${days} days`;
};

const days = (first: number, last: number) =>
  day(first) === day(last) ? `on ${day(first)}` : `from ${day(first)} to ${day(last)}`;

const fromTo = (values: number[]): string => {
  const [first = null, last = null] = [values[0], values.at(-1)];
  return first === last ? count(first) : `${count(first)} → ${count(last)}`;
};
