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
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${day(timestamp)} ${time.map(two).join(':')}`;
}
