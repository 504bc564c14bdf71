// agreement.ts: compares the answers of two backends to one panel.
import type { Answer } from './measured.ts';

/** Quantiles may differ by a bucket: those of VictoriaMetrics are 4.4 % wide. */
const BUCKET = 0.045;
/** Sums differ in their last digits by the order in which they were added. */
const ROUNDING = 1e-9;

export type Agreement = 'same' | 'within a bucket' | 'different';

/**
 * @param a - The answers of a panel's requests, in the order of the requests. Where one backend
 *   asks in one request what the other asks in several, series are compared by their order.
 */
export function agreement(a: readonly Answer[], b: readonly Answer[]): Agreement {
  if (a.length !== b.length) return agreement([inOrder(a)], [inOrder(b)]);
  const sizes = (all: readonly Answer[]) => all.map(({ size }) => size).join();
  if (sizes(a) !== sizes(b)) return 'different';
  const all = a.flatMap((one, i) =>
    [...one].map(([labels, values]) => furthest(values, b[i]?.get(labels))),
  );
  const largest = Math.max(0, ...all);
  if (largest <= ROUNDING) return 'same';
  return largest <= BUCKET ? 'within a bucket' : 'different';
}

/** All series, numbered in the order of the requests, and within one in that of their labels. */
function inOrder(answers: readonly Answer[]): Answer {
  const series = answers.flatMap((one) => [...one].sort(([x], [y]) => (x < y ? -1 : 1)));
  return new Map(series.map(([, values], i) => [String(i), values]));
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
