// agreement.ts: compares the answers of two backends to one panel.
import type { Answer } from './measured.ts';

/** Quantiles may differ by a bucket: those of VictoriaMetrics are 4.4 % wide. */
const BUCKET = 0.045;
/** Sums differ in their last digits by the order in which they were added. */
const ROUNDING = 1e-9;

export type Agreement = 'same' | 'within a bucket' | 'different';

/** The answers of a panel's requests, in the order of the requests. */
export function agreement(a: readonly Answer[], b: readonly Answer[]): Agreement {
  const sizes = (all: readonly Answer[]) => all.map(({ size }) => size).join();
  if (sizes(a) !== sizes(b)) return 'different';
  const all = a.flatMap((one, i) =>
    [...one].map(([labels, values]) => furthest(values, b[i]?.get(labels))),
  );
  const largest = Math.max(0, ...all);
  if (largest <= ROUNDING) return 'same';
  return largest <= BUCKET ? 'within a bucket' : 'different';
}

/** The largest relative distance of two values of one series. */
function furthest(a: readonly string[], b: readonly string[] | undefined): number {
  if (a.length !== b?.length) return Number.POSITIVE_INFINITY;
  return Math.max(0, ...a.map((value, i) => distance(value, b[i] as string)));
}

function distance(a: string, b: string): number {
  if (a === b) return 0;
  const [x, y] = [Number(a), Number(b)];
  const apart = Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y));
  return Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
}
