// marks.tsx: annotations: a dashed line across a chart, and a triangle below its axis. Grafana's
// own component for them is not in @grafana/ui.
import type { GrafanaTheme2 } from '@grafana/data';
import type { UPlotConfigBuilder } from '@grafana/ui';
import { useLayoutEffect } from 'react';
import type uPlot from 'uplot';
import type { Mark } from './frames.ts';

interface MarksProps {
  builder: UPlotConfigBuilder;
  marks: readonly Mark[];
  theme: GrafanaTheme2;
}

/** Draws the marks of a chart, as its child. */
export function Marks({ builder, marks, theme }: MarksProps) {
  useLayoutEffect(() => {
    builder.addHook('draw', (plot: uPlot) => {
      for (const { time, color } of marks)
        drawMark(plot, time, theme.visualization.getColorByName(color));
    });
  }, [builder, marks, theme]);
  return null;
}

function drawMark({ ctx, bbox, valToPos }: uPlot, time: number, color: string): void {
  const x = Math.round(valToPos(time, 'x', true));
  const bottom = bbox.top + bbox.height;
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.lineWidth = 2;
  ctx.setLineDash([5, 5]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bottom);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(x, bottom);
  ctx.lineTo(x - 5, bottom + 6);
  ctx.lineTo(x + 5, bottom + 6);
  ctx.fill();
  ctx.restore();
}
