// plot.ts: one chart over time, drawn by uPlot on a canvas: lines or bars, marks with a number, the values under the pointer. What it
// shows is also in the caption and the table beside it (figure.ts), so the canvas is a picture with a text alternative.
import UPlot from 'uplot';
import { count } from './format.ts';
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
/** Steps of the time axis: whole days, up to years. */
const STEPS = [1, 2, 3, 7, 14, 30, 60, 90, 180, 365, 730, 1825, 3650].map((days) => days * DAY_S);
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric' });

/** `unit` stands behind the numbers of the axis. `over` is told the bucket under the pointer, or nothing. */
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
      scales: { x: { range: () => ends }, y: { range: (_, _low, high) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [
        {
          ...axis,
          size: 30,
          grid: { show: false },
          incrs: STEPS,
          space: 64,
          values: (_, splits) => splits.map(timeLabel),
        },
        { ...axis, size: 56, values: (_, splits) => splits.map((value) => count(value) + unit) },
      ],
      series: [{}, ...series.map(look)],
      hooks: {
        draw: [
          (drawn) => {
            for (const mark of marks) drawMark(drawn, mark);
          },
        ],
        setCursor: [({ cursor }) => over(cursor.idx ?? undefined)],
      },
    },
    [[], ...series.map(() => [])],
    host,
  );
  new ResizeObserver(() => chart.setSize({ width: host.clientWidth, height: HEIGHT })).observe(host);

  function timeLabel(second: number): string {
    return (ends[1] - ends[0] > 400 * DAY_S ? MONTH : DAY).format(second * 1000);
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

function look({ color: name, dash, bars }: Series): UPlot.Series {
  const stroke = () => color(name);
  if (bars && UPlot.paths.bars)
    return { fill: stroke, width: 0, points: { show: false }, paths: UPlot.paths.bars({ size: [0.8, 48], align: 0 }) };
  return { stroke, width: 2, spanGaps: true, points: { size: 5, fill: stroke }, ...(dash && { dash }) };
}

/** A dashed line at its time, with its number in a disc above the plot. */
function drawMark(chart: UPlot, { timestamp, label, color: name }: Mark): void {
  const { ctx, bbox } = chart;
  const ratio = UPlot.pxRatio;
  const x = chart.valToPos(timestamp / 1000, 'x', true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const radius = 8 * ratio;
  ctx.save();
  ctx.strokeStyle = color(name);
  ctx.fillStyle = color(name);
  ctx.lineWidth = ratio;
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.beginPath();
  ctx.arc(x, bbox.top - radius, radius, 0, 2 * Math.PI);
  ctx.fill();
  ctx.fillStyle = color('card');
  ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillText(label, x, bbox.top - radius);
  ctx.restore();
}
