// The numbers that the page and the terminal show, compared with numbers counted in another way.
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { EVENT, hourly, PROJECT, runAt } from '../../scripts/harness/history.ts';
import { essentials, fineTimeline, quantile, select, timeline } from '../../src/history/summary.ts';
import { spread } from '../../src/view/page/spread.ts';

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

describe('quantile', () => {
  it.each([
    // As numpy.quantile(values, q) gives them.
    { values: [1, 2, 3, 4], q: 0.5, is: 2.5 },
    { values: [4, 1, 3, 2], q: 0.95, is: 3.85 },
    { values: [10, 20, 30, 40, 50], q: 0.25, is: 20 },
    { values: [10, 20, 30, 40, 50], q: 0.95, is: 48 },
    { values: [7], q: 0.95, is: 7 },
    { values: [], q: 0.5, is: null },
  ])('$q of $values', ({ values, q, is }) => {
    const result = quantile(values, q);
    if (is === null) expect(result).toBeNull();
    else expect(result).toBeCloseTo(is, 10);
  });
  it('is between the lowest and the highest value, in any order of the list', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }),
        (values) => {
          const result = quantile(values, 0.95) ?? Number.NaN;
          return (
            result >= Math.min(...values) &&
            result <= Math.max(...values) &&
            result === quantile(values.toReversed(), 0.95)
          );
        },
      ),
    );
  });
});

describe('essentials', () => {
  const runs = hourly([
    { generation_time_seconds: 1, environment: 'dev' },
    { generation_time_seconds: 2, environment: 'prod', is_ci: true },
    { generation_time_seconds: 3, environment: 'dev', lhp_version: '0.9.4' },
    { generation_time_seconds: 10, environment: 'dev', dry_run: true },
  ]);
  it('counts runs, and gives first, last and durations', () => {
    const { first, last, p50, p95, runs: count } = essentials(runs);
    expect([first, last, count, p50]).toEqual([runs[0]?.timestamp, runs[3]?.timestamp, 4, 2.5]);
    expect(p95).toBeCloseTo(8.95, 10);
  });
  it('groups by environment, version, Python and CI, the largest group first', () => {
    const { by } = essentials(runs);
    expect(by.environment.map(({ value, runs, p50 }) => [value, runs, p50])).toEqual([
      ['dev', 3, 3],
      ['prod', 1, 2],
    ]);
    expect(by.lhp_version.map(({ value, runs }) => [value, runs])).toEqual([
      ['0.9.3', 3],
      ['0.9.4', 1],
    ]);
    expect(by.is_ci.map(({ value, runs }) => [value, runs])).toEqual([
      ['false', 3],
      ['true', 1],
    ]);
    expect(by.python_version.map(({ value, runs, last }) => [value, runs, last])).toEqual([
      ['3.12', 4, runs[3]?.timestamp],
    ]);
  });
  it('of no runs', () => {
    expect(essentials([])).toMatchObject({
      runs: 0,
      first: null,
      last: null,
      p50: null,
      p95: null,
    });
    expect(timeline([])).toEqual([]);
  });
});

it('selects by project, environment and time, the end excluded', () => {
  const other = 'c'.repeat(64);
  const runs = [
    runAt(10),
    runAt(20, { environment: 'prod' }),
    runAt(30, { project_id: other }),
    runAt(40),
  ];
  const times = (selection: Parameters<typeof select>[1]) =>
    select(runs, selection).map(({ timestamp }) => timestamp);
  expect(times({})).toEqual([10, 20, 30, 40]);
  expect(times({ project: PROJECT, environment: 'dev' })).toEqual([10, 40]);
  expect(times({ from: 20, to: 40 })).toEqual([20, 30]);
});

describe('timeline', () => {
  it('uses days of the local time zone, also when the clock is put forward', () => {
    process.env.TZ = 'Europe/Berlin';
    const at = (text: string) => runAt(Date.parse(text));
    // The night of 29 March 2026 has no 2:30; its day has 23 hours.
    const runs = [
      at('2026-03-28T22:59:59Z'),
      at('2026-03-28T23:00:00Z'),
      at('2026-03-29T21:59:59Z'),
      at('2026-03-31T10:00Z'),
    ];
    expect(
      timeline(runs).map(({ start, runs: count }) => [new Date(start).toISOString(), count]),
    ).toEqual([
      ['2026-03-27T23:00:00.000Z', 1],
      ['2026-03-28T23:00:00.000Z', 2],
      ['2026-03-29T22:00:00.000Z', 0],
      ['2026-03-30T22:00:00.000Z', 1],
    ]);
  });
  it('gives medians of durations and sizes; dry runs do not count for files', () => {
    const [bucket] = timeline([
      runAt(1_000_000_000_000, {
        generation_time_seconds: 1,
        flowgroups_count: 10,
        files_generated: 10,
      }),
      runAt(1_000_000_001_000, {
        generation_time_seconds: 3,
        flowgroups_count: null,
        files_generated: 12,
      }),
      runAt(1_000_000_002_000, {
        generation_time_seconds: 4,
        flowgroups_count: 14,
        files_generated: 0,
        dry_run: true,
      }),
    ]);
    expect(bucket).toMatchObject({ runs: 3, p50: 3 });
    expect(bucket?.sizes).toEqual({
      files_generated: 11,
      flowgroups_count: 12,
      pipelines_count: EVENT.pipelines_count,
      templates_count: EVENT.templates_count,
    });
  });
  it('puts every run into one bucket, without gaps and with at most so many buckets', () => {
    const moment = fc.integer({ min: 0, max: 9_999_999_999_999 });
    const near = fc.integer({ min: 1_700_000_000_000, max: 1_710_000_000_000 });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(near, moment), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 120 }),
        fc.constantFrom(
          'UTC',
          'Europe/Berlin',
          'America/Sao_Paulo',
          'Pacific/Auckland',
          'Asia/Kathmandu',
        ),
        (times, max, timeZone) => {
          process.env.TZ = timeZone;
          const runs = times.sort((a, b) => a - b).map((time) => runAt(time));
          const buckets = timeline(runs, max);
          expect(buckets.length).toBeLessThanOrEqual(max);
          expect(buckets.reduce((sum, bucket) => sum + bucket.runs, 0)).toBe(runs.length);
          for (const [index, { start, end, runs: count }] of buckets.entries()) {
            expect(count).toBe(times.filter((time) => time >= start && time < end).length);
            if (index > 0) expect(start).toBe(buckets[index - 1]?.end);
          }
        },
      ),
    );
  });
});

describe('fineTimeline', () => {
  const at = (...minutes: number[]) =>
    minutes.map((minute) => runAt(Date.UTC(2026, 0, 5, 9, 7) + minute * 60_000));
  const shown = (...minutes: number[]) =>
    fineTimeline(at(...minutes)).map(({ start, end, runs }) => [
      new Date(start).toISOString().slice(11, 16),
      (end - start) / 60_000,
      runs,
    ]);
  it('is empty without runs, and ten minutes for one run', () => {
    expect(fineTimeline([])).toEqual([]);
    expect(shown(0)).toEqual([['09:00', 10, 1]]);
  });
  it('has steps of ten minutes for some hours, without gaps', () =>
    expect(shown(0, 1, 3, 25)).toEqual([
      ['09:00', 10, 2],
      ['09:10', 10, 1],
      ['09:20', 10, 0],
      ['09:30', 10, 1],
    ]));
  it('has steps of an hour for some days', () => {
    const hours = shown(0, 7 * 60, 7 * 60 + 55);
    expect(hours).toHaveLength(9);
    expect([hours[0], hours[7], hours[8]]).toEqual([
      ['09:00', 60, 1],
      ['16:00', 60, 1],
      ['17:00', 60, 1],
    ]);
  });
  it('is the timeline of days for more', () => {
    const runs = at(0, 4 * 24 * 60);
    expect(fineTimeline(runs)).toEqual(timeline(runs));
  });
  it('has every run once, in any time zone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(4 * 24 * 60), { minLength: 1, maxLength: 30 }),
        fc.constantFrom('UTC', 'Asia/Kathmandu', 'America/New_York', 'Australia/Lord_Howe'),
        (minutes, zone) => {
          process.env.TZ = zone;
          const runs = at(...minutes.toSorted((a, b) => a - b));
          const buckets = fineTimeline(runs);
          expect(buckets.reduce((sum, bucket) => sum + bucket.runs, 0)).toBe(runs.length);
          for (const [index, { end }] of buckets.slice(0, -1).entries())
            expect(buckets[index + 1]?.start).toBe(end);
        },
      ),
    );
  });
});

describe('spread', () => {
  it.each([
    [
      [10, 50],
      [10, 50],
    ],
    [
      [10, 12],
      [10, 28],
    ],
    [
      [10, 12, 14, 60],
      [10, 28, 46, 64],
    ],
    [
      [98, 99],
      [82, 100],
    ],
    [
      [-5, 3],
      [0, 18],
    ],
    [[], []],
  ])('%j becomes %j', (places, apart) => expect(spread(places, 18, 0, 100)).toEqual(apart));
  it('keeps the gap and the order if there is room', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 12 }), (places) => {
        const sorted = places.toSorted((a, b) => a - b);
        const apart = spread(sorted, 18, 0, 300);
        for (const [at, place] of apart.entries()) {
          expect(place).toBeLessThanOrEqual(300);
          expect(place).toBeGreaterThanOrEqual(0);
          if (at > 0) expect(place - (apart[at - 1] ?? 0)).toBeGreaterThanOrEqual(18);
        }
      }),
    );
  });
});
