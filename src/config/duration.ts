// duration.ts: a time as people write it → milliseconds: `1500`, `500ms`, `1.5s`, `1m`.

const UNITS = { ms: 1, s: 1000, m: 60_000 };

/** Whole milliseconds, or `undefined` where the text is no time or is finer than that. */
export function milliseconds(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,6})?) ?(ms|s|m)?$/.exec(text.trim());
  if (!match) return undefined;
  const exact = Number(match[1]) * UNITS[(match[2] ?? 'ms') as keyof typeof UNITS];
  const whole = Math.round(exact);
  // 1.005 * 1000 is a little less than 1005.
  return Math.abs(exact - whole) < 1e-6 ? whole : undefined;
}
