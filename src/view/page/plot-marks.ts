// plot-marks.ts: the numbered marks of a chart.
import UPlot from 'uplot';
import { spread } from './spread.ts';
import { color } from './theme.ts';

export interface Mark {
  /** Milliseconds since the epoch. */
  timestamp: number;
  label: string;
  /** Name of a colour in base.css. */
  color: string;
}

const RADIUS = 8;

/** Draws the marks; discs that would overlap are moved apart, so that every number is readable. */
export function drawMarks(chart: UPlot, marks: readonly Mark[]): void {
  const { left, width } = chart.bbox;
  const ratio = UPlot.pxRatio;
  const visible = marks
    .map((mark) => ({ mark, x: chart.valToPos(mark.timestamp / 1000, 'x', true) }))
    .filter(({ x }) => x >= left && x <= left + width);
  const gap = (2 * RADIUS + 2) * ratio;
  const discs = spread(
    visible.map(({ x }) => x),
    gap,
    left,
    left + width,
  );
  for (const [at, { mark, x }] of visible.entries()) drawMark(chart, mark, x, discs[at] ?? x);
}

/** Draws a dashed line at the time of the mark, and its number in a disc above the plot. */
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
