// plot.ts: draws one chart over time with uPlot: lines or bars, and numbered marks. A canvas cannot
// be read by a screen reader; figure.ts adds a caption and a table with the same values.
import UPlot from 'uplot';
import type { Bucket } from '../../history/summary.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../system/time.ts';
import { count } from './format.ts';
import { drawMarks, type Mark } from './plot-marks.ts';
import { color } from './theme.ts';

export interface SeriesStyle {
  /** Name of a colour in base.css. */
  color: string;
  dash?: number[];
  bars?: boolean;
}

export interface Series extends SeriesStyle {
  label: string;
  value(bucket: Bucket): number | null;
}

export interface Plotted {
  buckets: readonly Bucket[];
  /** For each series, one value per bucket. */
  values: (number | null)[][];
  marks: readonly Mark[];
}

export interface Plot {
  draw(plotted: Plotted): void;
  /** Draws again, in the current colours. */
  redraw(): void;
}

const HEIGHT = 210;
/** uPlot counts time in seconds. */
const toSeconds = (milliseconds: number) => milliseconds / SECOND_MS;
/** Seconds between two labels of the time axis. */
const TIME_STEPS = [
  ...[2, 5, 10, 20, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
  ...[1, 2, 3, 7, 14, 30, 60, 90, 180, 365, 730, 1825, 3650].map((days) => days * DAY_MS),
].map(toSeconds);
/** Steps between two labels of an axis of whole numbers. */
const WHOLE_STEPS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((power) =>
  [1, 2, 5].map((step) => step * power),
);
const HOUR = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric' });

/**
 * @param unit - appended to the numbers of the axis.
 * @param onHover - called with the index of the bucket under the pointer, or `undefined`.
 */
export function plot(
  host: HTMLElement,
  series: Series[],
  unit: string,
  onHover: (bucket: number | undefined) => void,
): Plot {
  let marks: readonly Mark[] = [];
  /** Both ends of the time axis, in seconds. */
  let ends: [number, number] = [0, 1];
  const size = () => ({ width: host.clientWidth, height: HEIGHT });
  const chart = new UPlot(
    {
      ...size(),
      padding: [18, 30, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 8 }, y: false },
      scales: {
        x: { range: () => ends },
        y: { range: (_, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
      },
      axes: axes(host, unit, () => ends),
      series: [{}, ...series.map((each) => style(each, series))],
      hooks: {
        draw: [(drawn) => drawMarks(drawn, marks)],
        setCursor: [({ cursor }) => onHover(cursor.idx ?? undefined)],
      },
    },
    [[], ...series.map(() => [])],
    host,
  );
  new ResizeObserver(() => chart.setSize(size())).observe(host);
  return {
    draw({ buckets, values, marks: marked }) {
      marks = marked;
      ends = [toSeconds(buckets[0]?.start ?? 0), toSeconds(buckets.at(-1)?.end ?? 1000)];
      const middles = buckets.map(({ start, end }) => toSeconds((start + end) / 2));
      chart.setData([middles, ...values]);
    },
    redraw: () => chart.redraw(),
  };
}

function axes(host: HTMLElement, unit: string, ends: () => [number, number]): UPlot.Axis[] {
  const axis: UPlot.Axis = {
    stroke: () => color('muted'),
    grid: { stroke: () => color('line'), width: 1 },
    ticks: { show: false },
    font: `12px ${getComputedStyle(host).fontFamily}`,
  };
  return [
    {
      ...axis,
      size: 30,
      grid: { show: false },
      incrs: TIME_STEPS,
      space: 64,
      values: (_, splits) => splits.map((second) => timeLabel(second * SECOND_MS, ends())),
    },
    {
      ...axis,
      size: 56,
      ...(unit === '' && { incrs: WHOLE_STEPS }),
      values: (_, splits) => splits.map((value) => count(value) + unit),
    },
  ];
}

function timeLabel(time: number, [from, to]: [number, number]): string {
  const days = ((to - from) * SECOND_MS) / DAY_MS;
  if (days > 400) return MONTH.format(time);
  // An axis of hours shows the date at midnight.
  const isMidnight = HOUR.format(time) === '00:00';
  return (days > 3 || isMidnight ? DAY : HOUR).format(time);
}

/**
 * Lines with equal values are drawn on top of each other. The first line is the widest, so that
 * each one stays visible below the next.
 */
export const lineWidth = (one: Series, all: readonly Series[]): number => 2 + below(one, all);
const below = (one: Series, all: readonly Series[]) => 1.25 * (all.length - 1 - all.indexOf(one));

function style(one: Series, all: readonly Series[]): UPlot.Series {
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
