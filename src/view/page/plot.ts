// plot.ts: one chart over time, drawn by uPlot on a canvas: lines or bars, marks with a number, the
// values under the pointer. What it shows is also in the caption and the table beside it
// (figure.ts), so the canvas is a picture with a text alternative.
import UPlot from 'uplot';
import { count } from './format.ts';
import { spread } from './spread.ts';
import { color } from './theme.ts';

export interface Series {
  label: string;
  /** Name of a colour in base.css. */
  color: string;
  dash?: number[];
  bars?: boolean;
}

export interface Mark {
  /** Milliseconds since the epoch. */
  timestamp: number;
  label: string;
  color: string;
}

export interface Plotted {
  /** Begin and end of each place on the time axis, milliseconds since the epoch. */
  buckets: { start: number; end: number }[];
  /** For each series, a value for each bucket. */
  values: (number | null)[][];
  marks: Mark[];
}

export interface Plot {
  draw(plotted: Plotted): void;
  /** In the colours of now. */
  redraw(): void;
}

const HEIGHT = 210;
const DAY_S = 24 * 3600;
/** Steps of the time axis: minutes, hours, and whole days, up to years. */
const STEPS = [
  ...[2, 5, 10, 20, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * 60),
  ...[1, 2, 3, 7, 14, 30, 60, 90, 180, 365, 730, 1825, 3650].map((days) => days * DAY_S),
];
/** Steps of an axis of numbers that are whole. */
const WHOLE = [1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((power) =>
  [1, 2, 5].map((step) => step * power),
);
const HOUR = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric' });

/**
 * `unit` stands behind the numbers of the axis. `over` is told the bucket under the pointer, or
 * nothing.
 */
export function plot(
  host: HTMLElement,
  series: Series[],
  unit: string,
  over: (bucket: number | undefined) => void,
): Plot {
  let marks: Mark[] = [];
  let ends: [number, number] = [0, 1];
  const font = () => `12px ${getComputedStyle(host).fontFamily}`;
  const axis: UPlot.Axis = {
    stroke: () => color('muted'),
    grid: { stroke: () => color('line'), width: 1 },
    ticks: { show: false },
    font: font(),
  };
  const chart = new UPlot(
    {
      width: host.clientWidth,
      height: HEIGHT,
      padding: [18, 30, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 8 }, y: false },
      scales: {
        x: { range: () => ends },
        y: { range: (_, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
      },
      axes: [
        {
          ...axis,
          size: 30,
          grid: { show: false },
          incrs: STEPS,
          space: 64,
          values: (_, splits) => splits.map(timeLabel),
        },
        {
          ...axis,
          size: 56,
          ...(unit === '' && { incrs: WHOLE }),
          values: (_, splits) => splits.map((value) => count(value) + unit),
        },
      ],
      series: [{}, ...series.map((each) => look(each, series))],
      hooks: {
        draw: [(drawn) => drawMarks(drawn, marks)],
        setCursor: [({ cursor }) => over(cursor.idx ?? undefined)],
      },
    },
    [[], ...series.map(() => [])],
    host,
  );
  new ResizeObserver(() => chart.setSize({ width: host.clientWidth, height: HEIGHT })).observe(
    host,
  );

  function timeLabel(second: number): string {
    const [from, to] = ends;
    const form = to - from > 400 * DAY_S ? MONTH : to - from > 3 * DAY_S ? DAY : HOUR;
    const time = second * 1000;
    // In a time axis of hours a day is named at its begin.
    return (form === HOUR && isMidnight(time) ? DAY : form).format(time);
  }

  return {
    draw({ buckets, values, marks: marked }) {
      marks = marked;
      ends = [(buckets[0]?.start ?? 0) / 1000, (buckets.at(-1)?.end ?? 1000) / 1000];
      chart.setData([buckets.map(({ start, end }) => (start + end) / 2000), ...values]);
    },
    redraw: () => chart.redraw(),
  };
}

const isMidnight = (time: number): boolean => HOUR.format(time) === '00:00';

/**
 * Series that are equal lie one above the other: the first is the widest, so each can be seen below
 * the next ones, as its points can.
 */
export const lineWidth = (one: Series, all: readonly Series[]): number => 2 + below(one, all);
const below = (one: Series, all: readonly Series[]) => 1.25 * (all.length - 1 - all.indexOf(one));

function look(one: Series, all: readonly Series[]): UPlot.Series {
  const { color: name, dash, bars } = one;
  const stroke = () => color(name);
  if (bars && UPlot.paths.bars)
    return {
      fill: stroke,
      width: 0,
      points: { show: false },
      paths: UPlot.paths.bars({ size: [0.8, 48], align: 0 }),
    };
  const points = { size: 4 + 2 * below(one, all), fill: stroke };
  return { stroke, width: lineWidth(one, all), spanGaps: true, points, ...(dash && { dash }) };
}

const RADIUS = 8;

/** The discs are moved apart, so that every number can be read. */
function drawMarks(chart: UPlot, marks: readonly Mark[]): void {
  const { left, width } = chart.bbox;
  const ratio = UPlot.pxRatio;
  const seen = marks
    .map((mark) => ({ mark, x: chart.valToPos(mark.timestamp / 1000, 'x', true) }))
    .filter(({ x }) => x >= left && x <= left + width);
  const gap = (2 * RADIUS + 2) * ratio;
  const discs = spread(
    seen.map(({ x }) => x),
    gap,
    left,
    left + width,
  );
  for (const [at, { mark, x }] of seen.entries()) drawMark(chart, mark, x, discs[at] ?? x);
}

/** A dashed line at its time, with its number in a disc above the plot. */
function drawMark(chart: UPlot, { label, color: name }: Mark, x: number, disc: number): void {
  const { ctx, bbox } = chart;
  const ratio = UPlot.pxRatio;
  const radius = RADIUS * ratio;
  ctx.save();
  ctx.strokeStyle = color(name);
  ctx.fillStyle = color(name);
  ctx.lineWidth = ratio;
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(disc, bbox.top - radius);
  ctx.lineTo(x, bbox.top + 4 * ratio);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.beginPath();
  ctx.arc(disc, bbox.top - radius, radius, 0, 2 * Math.PI);
  ctx.fill();
  ctx.fillStyle = color('card');
  ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillText(label, disc, bbox.top - radius);
  ctx.restore();
}
