// duration.ts: reads a length of time as people write it: `1500`, `500ms`, `1.5s`, `1m`.
import { MINUTE_MS, SECOND_MS } from '../system/time.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND_MS, m: MINUTE_MS };

/** Whole milliseconds; `undefined` where the text is no length of time, or has fractions of one. */
export function milliseconds(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,6})?) ?(ms|s|m)?$/.exec(text.trim());
  if (!match) return undefined;
  const exact = Number(match[1]) * (UNITS[match[2] ?? 'ms'] ?? 1);
  const whole = Math.round(exact);
  // 1.005 * 1000 is a little less than 1005.
  return Math.abs(exact - whole) < 1e-6 ? whole : undefined;
}
