// figure.ts: one chart with its text: title, legend with the values under the pointer, caption, and
// all numbers as a table. Caption and table are made from the same values as the drawing, so they
// are its text alternative.
import type { Bucket } from '../../history/summary.ts';
import { h, table } from './dom.ts';
import { span } from './format.ts';
import { lineWidth, type Plotted, plot, type Series } from './plot.ts';
import type { Mark } from './plot-marks.ts';

export interface FigureOptions {
  id: string;
  title: string;
  series: Series[];
  /** Appended to the numbers of the axis. */
  unit: string;
  format(value: number | null): string;
}

export interface Figure {
  draw(shown: { buckets: readonly Bucket[]; caption: string; marks: readonly Mark[] }): void;
  /** Draws again, after the colours have changed. */
  redraw(): void;
}

/**
 * Adds a figure to the page.
 *
 * @param host - must be visible: the chart is made as wide as it.
 * @param below - an element to show below the caption.
 */
export function figure(host: HTMLElement, options: FigureOptions, below?: HTMLElement): Figure {
  const { id, title, series, unit, format } = options;
  const when = h('span', { class: 'when' });
  const outputs = series.map(() => h('output', {}));
  const caption = h('figcaption', { id: `${id}-caption` });
  const drawing = h('div', {
    class: 'plot',
    role: 'img',
    'aria-labelledby': `${id}-title ${id}-caption`,
  });
  // It scrolls, so it must be reachable with the keyboard.
  const numbers = h('section', {
    class: 'numbers',
    tabindex: 0,
    'aria-label': `${title}: all numbers`,
  });
  host.append(
    h(
      'figure',
      { id, class: 'card' },
      h('h3', { id: `${id}-title` }, title),
      legend(series, outputs, when),
      drawing,
      caption,
      below,
      h('details', {}, h('summary', {}, 'All numbers of this chart'), numbers),
    ),
  );

  let shown: Plotted = { buckets: [], values: [], marks: [] };
  const plotted = plot(drawing, series, unit, (index) => {
    const bucket = index === undefined ? undefined : shown.buckets[index];
    when.textContent = bucket ? span(bucket) : '';
    for (const [row, output] of outputs.entries())
      output.textContent =
        bucket && index !== undefined ? format(shown.values[row]?.[index] ?? null) : '';
  });
  return {
    draw({ buckets, caption: text, marks }) {
      shown = { buckets, values: series.map(({ value }) => buckets.map(value)), marks };
      plotted.draw(shown);
      caption.textContent = text;
      const rows = buckets.map((bucket) => [
        span(bucket),
        ...series.map(({ value }) => format(value(bucket))),
      ]);
      numbers.replaceChildren(table(['When', ...series.map(({ label }) => label)], rows));
    },
    redraw: plotted.redraw,
  };
}

const legend = (series: readonly Series[], outputs: readonly HTMLElement[], when: HTMLElement) =>
  h(
    'p',
    { class: 'legend', 'aria-hidden': 'true' },
    ...series.map((one, index) =>
      h('span', { class: `key ${one.color}` }, keyOf(one, series), one.label, ' ', outputs[index]),
    ),
    when,
  );

const KEY_WIDTH = 34;
const KEY_HEIGHT = 8;

/** A sample of the line as it is drawn, with its width and dashes; a square for bars. */
function keyOf(one: Series, all: readonly Series[]): SVGElement {
  const draw = (tag: 'svg' | 'line', attributes: Record<string, string | number>) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes))
      element.setAttribute(name, String(value));
    return element;
  };
  const [width, height] = one.bars ? [KEY_HEIGHT, KEY_HEIGHT] : [lineWidth(one, all), KEY_HEIGHT];
  const length = one.bars ? KEY_HEIGHT : KEY_WIDTH;
  const svg = draw('svg', { width: length, height, viewBox: `0 0 ${length} ${height}` });
  svg.append(
    draw('line', {
      x1: 0,
      x2: length,
      y1: height / 2,
      y2: height / 2,
      'stroke-width': width,
      ...(one.dash && { 'stroke-dasharray': one.dash.join(' ') }),
    }),
  );
  return svg;
}
