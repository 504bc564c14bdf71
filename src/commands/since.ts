// since.ts: parses the value of `stats --since`: a date or time in the user's time zone, or a time
// span before now.
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../system/time.ts';

export const SINCE_FORMS =
  'how long ago (90m, 1h, 30d, 2w, 1y), today, yesterday, a day (2026-11-01) or a time ' +
  '(2026-11-01T09:30)';

const UNITS: Record<string, number> = {
  m: MINUTE_MS,
  min: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
  y: 365 * DAY_MS,
};

/** Milliseconds since the epoch; `undefined` if the text is none of {@link SINCE_FORMS}. */
export function parseSince(text: string, now: number = Date.now()): number | undefined {
  const word = text.trim().toLowerCase();
  const [, count, unit = ''] = /^(\d{1,6}) ?([a-z]+)$/.exec(word) ?? [];
  if (count !== undefined)
    return Object.hasOwn(UNITS, unit) ? now - Number(count) * (UNITS[unit] as number) : undefined;
  const today = new Date(now);
  const midnight = (daysAgo: number) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() - daysAgo).getTime();
  if (word === 'today') return midnight(0);
  if (word === 'yesterday') return midnight(1);
  return parseTime(word);
}

function parseTime(word: string): number | undefined {
  const numbers = /^(\d{4})-(\d\d)-(\d\d)(?:[t ](\d\d):(\d\d)(?::(\d\d))?)?$/
    .exec(word)
    ?.slice(1)
    .map((part) => Number(part ?? 0));
  if (!numbers) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbers;
  const time = new Date(year, month - 1, day, hour, minute, second);
  // Date turns an invalid day such as February 30 into a later one. A local time that is skipped
  // when the clock is put forward is valid, and is the time an hour later.
  const isDay = time.getMonth() === month - 1 && time.getDate() === day;
  return isDay && hour < 24 && minute < 60 && second < 60 ? time.getTime() : undefined;
}
