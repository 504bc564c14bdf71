// moment.ts: dates and times as text that sorts, in the user's time zone.

const two = (number: number) => String(number).padStart(2, '0');

/** `2026-11-28` */
export function day(timestamp: number): string {
  const date = new Date(timestamp);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `2026-11-28 09:30:00` */
export function moment(timestamp: number): string {
  const date = new Date(timestamp);
  return `${day(timestamp)} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}
