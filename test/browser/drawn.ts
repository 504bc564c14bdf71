// drawn.ts: records what a page draws on its canvases, so that tests can compare the drawing itself
// with the numbers, and not only the text beside it.
import { expect } from 'vitest';

export interface Drawn {
  figure: string;
  kind: 'stroke' | 'fill';
  color: string;
  points: number[][];
  /** In CSS pixels. */
  width: number;
  dash: number[];
}

/** A disc with a number above a chart. */
export interface Disc {
  figure: string;
  x: number;
  y: number;
  radius: number;
}

/** Runs in the page, before the page's own script. The lists are `window.drawn` and `.discs`. */
export function recordDrawing(): void {
  const drawn: Drawn[] = [];
  const discs: Disc[] = [];
  Object.assign(window, { drawn, discs });
  const arc = CanvasRenderingContext2D.prototype.arc;
  CanvasRenderingContext2D.prototype.arc = function (this: CanvasRenderingContext2D, ...given) {
    const [x, y, radius] = given;
    discs.push({ figure: this.canvas.closest('figure')?.id ?? '', x, y, radius });
    arc.apply(this, given);
  };
  const points = new WeakMap<Path2D, number[][]>();
  for (const name of ['lineTo', 'rect'] as const) {
    const original = Path2D.prototype[name] as (this: Path2D, ...numbers: number[]) => void;
    Path2D.prototype[name] = function (this: Path2D, ...numbers: number[]) {
      points.set(this, [...(points.get(this) ?? []), numbers]);
      original.apply(this, numbers);
    };
  }
  for (const kind of ['stroke', 'fill'] as const) {
    const original = CanvasRenderingContext2D.prototype[kind] as (
      this: CanvasRenderingContext2D,
      path?: Path2D,
    ) => void;
    CanvasRenderingContext2D.prototype[kind] = function (
      this: CanvasRenderingContext2D,
      path?: Path2D,
    ) {
      const figure = this.canvas.closest('figure')?.id ?? '';
      const color = String(kind === 'stroke' ? this.strokeStyle : this.fillStyle);
      if (path instanceof Path2D)
        drawn.push({
          figure,
          kind,
          color,
          points: points.get(path) ?? [],
          width: this.lineWidth / devicePixelRatio,
          dash: this.getLineDash().map((length) => length / devicePixelRatio),
        });
      if (path) original.call(this, path);
      else original.call(this);
    } as (typeof CanvasRenderingContext2D.prototype)[typeof kind];
  }
}

/** Expects pixels to be a linear function of values. The canvas rounds to whole pixels. */
export function expectLinear(
  values: number[],
  pixels: (number | undefined)[],
  direction: 1 | -1,
): void {
  expect(pixels).toHaveLength(values.length);
  const pairs = values.map((value, index) => [value, pixels[index] ?? Number.NaN] as const);
  const [low, high] = [
    pairs.toSorted((a, b) => a[0] - b[0])[0],
    pairs.toSorted((a, b) => b[0] - a[0])[0],
  ];
  if (!low || !high || low[0] === high[0]) {
    for (const [, pixel] of pairs) expect(pixel).toBe(pairs[0]?.[1]);
    return;
  }
  const slope = (high[1] - low[1]) / (high[0] - low[0]);
  expect(Math.sign(slope)).toBe(direction);
  for (const [value, pixel] of pairs)
    expect(Math.abs(low[1] + slope * (value - low[0]) - pixel)).toBeLessThanOrEqual(2);
}
