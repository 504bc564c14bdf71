// timestamp.ts: dates and times as PyYAML reads them, and as Python prints them.
import { defineScalarTag, NOT_RESOLVED } from 'js-yaml';
import { ConstructionError, PythonScalar } from './python.ts';

// Without a time, month and day must have two digits.
const DATE = '(\\d\\d)-(\\d\\d)';
const TIME = '(\\d\\d?)-(\\d\\d?)(?:[Tt]|[ \\t]+)(\\d\\d?):(\\d\\d):(\\d\\d)(?:\\.(\\d*))?';
const ZONE = '(?:[ \\t]*(Z|([-+])(\\d\\d?)(?::(\\d\\d))?))?';
const TIMESTAMP = new RegExp(`^(\\d{4})-(?:${DATE}|${TIME}${ZONE})$`);
export const timestampTag = defineScalarTag<PythonScalar>('tag:yaml.org,2002:timestamp', {
  implicit: true,
  implicitFirstChars: [...'0123456789'],
  resolve: (text) => {
    const match = TIMESTAMP.exec(text);
    return match ? timestamp(match) : NOT_RESOLVED;
  },
  identify: () => false,
});

function timestamp(match: RegExpExecArray): PythonScalar {
  const [, year, month, day] = match;
  onlyExists(match);
  const two = (text: string | undefined) => (text ?? '0').padStart(2, '0');
  if (day !== undefined)
    return new PythonScalar(
      'date',
      `${year}-${month}-${day}`,
      `datetime.date(${[year, month, day].map(Number).join(', ')})`,
    );
  const [, , , , m, d, hour, minute, second, fraction = '', zone, sign, zoneHour, zoneMinute] =
    match;
  const micros = fraction.slice(0, 6).padEnd(6, '0');
  const offset =
    zone === undefined
      ? ''
      : zone === 'Z'
        ? '+00:00'
        : `${sign}${two(zoneHour)}:${two(zoneMinute)}`;
  const fractionText = Number(micros) > 0 ? `.${micros}` : '';
  const time = `${two(hour)}:${minute}:${second}${fractionText}`;
  const text = `${year}-${two(m)}-${two(d)} ${time}${offset}`;
  const numbers = [year, m, d, hour, minute, second, micros].map(Number);
  // Python leaves out seconds and microseconds that are zero.
  const shown = numbers.slice(0, numbers[6] ? 7 : numbers[5] ? 6 : 5).join(', ');
  return new PythonScalar(
    'date',
    text,
    `datetime.datetime(${shown}${offset && `, tzinfo=${pythonZone(offset)}`})`,
  );
}

function pythonZone(offset: string): string {
  const seconds =
    (offset.startsWith('-') ? -60 : 60) *
    (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4)));
  if (seconds === 0) return 'datetime.timezone.utc';
  const delta = seconds < 0 ? `days=-1, seconds=${86_400 + seconds}` : `seconds=${seconds}`;
  return `datetime.timezone(datetime.timedelta(${delta}))`;
}

/** Throws a ConstructionError where no such date or time exists. */
function onlyExists(match: RegExpExecArray): void {
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day] = match[2] ? [part(1), part(2), part(3)] : [part(1), part(4), part(5)];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (year < 1 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
    throw new ConstructionError('no date');
  if (part(6) > 23 || part(7) > 59 || part(8) > 59 || part(12) * 60 + part(13) >= 24 * 60)
    throw new ConstructionError('no time');
}
