// truth.ts: what the page must show. The files of the history are read and counted here, without
// any code of the program under test.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '../../scripts/harness/sandbox.ts';

export const DAY_MS = 24 * 3_600_000;
/** The time zone of the browser, which is not that of the machine. */
export const ZONE = 'America/New_York';

/** One recorded run. */
export interface Truth {
  time: number;
  outcome: string;
  words: Record<string, unknown>;
  numbers: Record<string, number | undefined>;
  day: string;
}

const dayOf = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE,
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});

/** The runs in the files of the history. */
export function truth(box: Sandbox): Truth[] {
  return [box.spoolDir, box.historyDir]
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((file) => file.endsWith('.json'))
    .map((file): Truth => {
      const [{ resource, scopeMetrics }] = JSON.parse(readFileSync(file, 'utf8')).resourceMetrics;
      type Attribute = { key: string; value: Record<string, unknown> };
      const metrics: Record<string, { attributes: Attribute[]; sum: number }> = Object.fromEntries(
        scopeMetrics[0].metrics.map(
          (metric: { name: string } & Record<string, { dataPoints: unknown[] }>) => [
            metric.name,
            (metric.exponentialHistogram ?? metric.sum)?.dataPoints[0],
          ],
        ),
      );
      const attributes: Attribute[] = [
        ...resource.attributes,
        ...(metrics['lhp.generate.runs']?.attributes ?? []),
      ];
      const [time = '', outcome = ''] = file.split('/').at(-1)?.split('.') ?? [];
      return {
        time: Number(time),
        outcome: outcome === 'json' ? 'waiting' : (outcome.split('-')[0] ?? ''),
        words: Object.fromEntries(
          attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
        ),
        numbers: Object.fromEntries(
          Object.entries(metrics).map(([name, point]) => [name, point.sum]),
        ),
        day: dayOf.format(Number(time)),
      };
    })
    .sort((a, b) => a.time - b.time);
}

export const quantile = (values: number[], q: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const [low = 0, high = 0] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
};
export const hundredths = (run: Truth) =>
  Math.round((run.numbers['lhp.generate.duration'] ?? 0) * 100) / 100;
export const inSeconds = (value: number) => `${value.toFixed(value < 9.995 ? 2 : 1)}\u00a0s`;

const clockOf = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE,
  hour: '2-digit',
  minute: '2-digit',
});

/** The label of a run's bucket: its day, or in a short history its hour or ten minutes. */
function placeOf(runs: Truth[]): (time: number) => string {
  const length = (runs.at(-1)?.time ?? 0) - (runs[0]?.time ?? 0);
  if (length > 3 * DAY_MS) return (time) => dayOf.format(time);
  const minutes = length > DAY_MS / 4 ? 60 : 10;
  return (time) => {
    const ago = new Date(time).getUTCMinutes() % minutes;
    const start = Math.floor(time / 60_000 - ago) * 60_000;
    const [from, to] = [start, start + minutes * 60_000].map((each) => clockOf.format(each));
    return `${dayOf.format(start)}, ${from} to ${to}`;
  };
}

/** The rows that the tables of the page must have: one per bucket, from the first to the last. */
export function days(runs: Truth[]) {
  const place = placeOf(runs);
  const labels: string[] = [];
  const last = place(runs.at(-1)?.time ?? 0);
  // The steps are shorter than a bucket, also on a day of 23 hours, so that none is skipped.
  const step = last.includes(' to ') ? 5 * 60_000 : DAY_MS / 2;
  for (let time = runs[0]?.time ?? 0; labels.at(-1) !== last; time += step) {
    const label = place(time);
    if (labels.at(-1) !== label) labels.push(label);
  }
  return labels.map((label) => {
    const members = runs.filter(({ time }) => place(time) === label);
    const seconds = members.map(hundredths);
    const sizes = (name: string, of = members) => of.flatMap((run) => run.numbers[name] ?? []);
    const wet = members.filter((run) => run.words['lhp.dry_run'] === false);
    const median = (values: number[]) => (values.length > 0 ? quantile(values, 0.5) : null);
    return {
      label,
      runs: members.length,
      p50: median(seconds),
      p95: seconds.length > 0 ? quantile(seconds, 0.95) : null,
      files: median(sizes('lhp.generate.files', wet)),
      flowgroups: median(sizes('lhp.project.flowgroups')),
      pipelines: median(sizes('lhp.project.pipelines')),
      templates: median(sizes('lhp.project.templates')),
    };
  });
}

/** RFC 4180. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g,
  )) {
    rows.at(-1)?.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === '\r\n') rows.push([]);
  }
  rows.pop();
  return rows;
}
