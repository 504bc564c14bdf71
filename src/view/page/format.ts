// format.ts: numbers, times and recorded words as text. Times are in the browser's time zone.
import { HOUR_MS } from '../../system/time.ts';

/** A no-break space keeps a number and its unit on one line. */
const SPACE = '\u00a0';
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const TIME = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const COUNT = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1 });

export const day = (timestamp: number): string => DAY.format(timestamp);
export const time = (timestamp: number): string =>
  Number.isNaN(timestamp) ? 'at an unknown time' : TIME.format(timestamp);
/** `null`: it could not be counted. */
export const count = (value: number | null): string => (value === null ? '–' : COUNT.format(value));
export const plural = (value: number, one: string, many: string = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

export function seconds(value: number | null): string {
  if (value === null) return '–';
  if (value < 59.95) return `${value.toFixed(value < 9.995 ? 2 : 1)}${SPACE}s`;
  const whole = Math.round(value);
  return whole < 3600
    ? `${Math.floor(whole / 60)}${SPACE}min ${whole % 60}${SPACE}s`
    : `${Math.floor(whole / 3600)}${SPACE}h ${Math.floor((whole % 3600) / 60)}${SPACE}min`;
}

/** `+38 %` */
export function difference(before: number, after: number): string {
  const percent = Math.round((after / before - 1) * 100);
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent)}${SPACE}%`;
}

/** A bucket of the timeline: part of a day, a day, or several days. */
export function span({ start, end }: { start: number; end: number }): string {
  if (end - start <= HOUR_MS)
    return `${day(start)}, ${CLOCK.format(start)} to ${CLOCK.format(end)}`;
  const last = end - 1;
  return day(start) === day(last) ? day(start) : `${day(start)} to ${day(last)}`;
}

/**
 * A recorded word, cut to a length and without invisible characters: a file in the history may have
 * been edited and contain anything.
 */
export function word(text: string, max: number = 40): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
  return visible.length > max ? `${visible.slice(0, max - 1)}…` : visible;
}

/** The first digits of a digest, enough to tell projects apart. */
export const digest = (text: string): string => word(text, 9);
