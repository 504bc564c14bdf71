// figure.ts: a chart with its words: title, legend with the values under the pointer, a caption
// that says the essential numbers, and all numbers as a table. Caption and table are made from what
// the canvas is given, so they are its text alternative.
import { h, table } from './dom.ts';
import { span } from './format.ts';
import { lineWidth, type Mark, type Plotted, plot, type Series } from './plot.ts';

export interface FigureOptions {
  id: string;
  title: string;
  series: Series[];
  /** Behind the numbers of the axis. */
  unit: string;
  format(value: number | null): string;
}

export interface Figure {
  element: HTMLElement;
  draw(shown: {
    caption: string;
    buckets: Plotted['buckets'];
    values: Plotted['values'];
    marks?: Mark[];
  }): void;
  redraw(): void;
}

/** `host` must be on the page: the chart is as wide as its place. */
export function figure(
  host: HTMLElement,
  { id, title, series, unit, format }: FigureOptions,
): Figure {
  const when = h('span', { class: 'when' });
  const values = series.map(() => h('output', {}));
  const legend = h(
    'p',
    { class: 'legend', 'aria-hidden': 'true' },
    ...series.map((each, index) =>
      h(
        'span',
        { class: `key ${each.color}` },
        keyOf(each, series),
        each.label,
        ' ',
        values[index] as HTMLElement,
      ),
    ),
    when,
  );
  const caption = h('figcaption', { id: `${id}-caption` });
  const canvas = h('div', {
    class: 'plot',
    role: 'img',
    'aria-labelledby': `${id}-title ${id}-caption`,
  });
  // It scrolls, so the keyboard must be able to come there.
  const numbers = h('section', {
    class: 'numbers',
    tabindex: 0,
    'aria-label': `${title}: all numbers`,
  });
  const element = h(
    'figure',
    { id, class: 'card' },
    h('h3', { id: `${id}-title` }, title),
    legend,
    canvas,
    caption,
    h('details', {}, h('summary', {}, 'All numbers of this chart'), numbers),
  );
  host.append(element);

  let shown: Plotted = { buckets: [], values: [], marks: [] };
  const plotted = plot(canvas, series, unit, (index) => {
    const bucket = index === undefined ? undefined : shown.buckets[index];
    when.textContent = bucket ? span(bucket) : '';
    for (const [row, output] of values.entries())
      output.textContent =
        bucket && index !== undefined ? format(shown.values[row]?.[index] ?? null) : '';
  });
  return {
    element,
    draw({ caption: text, buckets, values: drawn, marks = [] }) {
      shown = { buckets, values: drawn, marks };
      plotted.draw(shown);
      caption.textContent = text;
      const rows = buckets.map((bucket, index) => [
        span(bucket),
        ...drawn.map((list) => format(list[index] ?? null)),
      ]);
      numbers.replaceChildren(table(['When', ...series.map(({ label }) => label)], rows));
    },
    redraw: plotted.redraw,
  };
}

const KEY_WIDTH = 34;
const KEY_HEIGHT = 8;

/** A piece of the very line: its width and its dashes; a bar is a block. */
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
