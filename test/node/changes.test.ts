// Changes of duration: real changes are reported, and noise is not.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generator, hourly, noise, runAt } from '../../scripts/harness/history.ts';
import type { GenerateEvent } from '../../src/contract/contract.ts';
import { changes } from '../../src/history/changes.ts';

type Events = Partial<GenerateEvent>[];
const many = (
  count: number,
  event: Partial<GenerateEvent>,
  seconds: (index: number) => number = () => 2,
): Events =>
  Array.from({ length: count }, (_, index) => ({
    ...event,
    generation_time_seconds: seconds(index),
  }));
const old = { lhp_version: '0.9.2' };
const fresh = { lhp_version: '0.9.3' };
const marked = (events: Events) =>
  changes(hourly(events)).map(({ changed, verdict, before, after }) => ({
    changed,
    verdict,
    before,
    after,
  }));
const VERSION = [{ what: 'lhp_version', from: '0.9.2', to: '0.9.3' }];

describe('reports', () => {
  it('a slower version', () => {
    expect(marked([...many(10, old), ...many(10, fresh, () => 3)])).toEqual([
      { changed: VERSION, verdict: 'slower', before: 2, after: 3 },
    ]);
  });
  it('a faster version, one without a clear difference, and one with too few runs', () => {
    const verdict = (count: number, seconds: number) =>
      marked([...many(10, old), ...many(count, fresh, () => seconds)]).map(
        (change) => change.verdict,
      );
    expect(verdict(10, 1)).toEqual(['faster']);
    expect(verdict(10, 2.3)).toEqual(['same']);
    expect(verdict(7, 4)).toEqual(['few']);
    expect(verdict(8, 4)).toEqual(['slower']);
  });
  it('only what changed at that time, not long before or after it', () => {
    const slow = () => 4;
    expect(
      marked([
        ...many(20, old),
        ...many(20, old, slow),
        ...many(20, fresh, slow),
        ...many(60, fresh),
      ]),
    ).toEqual([{ changed: VERSION, verdict: 'same', before: 4, after: 4 }]);
  });
  it('no difference below a tenth of a second, even if the ratio is large', () =>
    expect(marked([...many(20, old, () => 0.1), ...many(20, fresh, () => 0.19)])[0]?.verdict).toBe(
      'same',
    ));
  it('a project that grew by a fifth since the last change, also step by step', () => {
    const grown = Array.from({ length: 60 }, (_, index) => ({
      flowgroups_count: 20 + Math.floor(index / 10),
      generation_time_seconds: 1,
    }));
    expect(marked(grown).map(({ changed }) => changed)).toEqual([
      [{ what: 'flowgroups_count', from: 20, to: 24 }],
    ]);
    expect(
      marked([...many(10, { flowgroups_count: 100 }), ...many(10, { flowgroups_count: 119 })]),
    ).toEqual([]);
    expect(
      marked([
        ...many(10, { flowgroups_count: 100 }),
        ...many(10, { flowgroups_count: 120 }, () => 5),
      ]),
    ).toEqual([
      {
        changed: [{ what: 'flowgroups_count', from: 100, to: 120 }],
        verdict: 'slower',
        before: 2,
        after: 5,
      },
    ]);
  });
  it('one change if versions and size change at once', () => {
    const after = { ...fresh, python_version: '3.13', flowgroups_count: 99 };
    const [change] = marked([...many(9, old), ...many(9, after)]);
    expect(change?.changed.map(({ what }) => what)).toEqual([
      'lhp_version',
      'python_version',
      'flowgroups_count',
    ]);
  });
  it('a change that has lasted for three runs', () => {
    expect(marked([...many(10, old), ...many(2, fresh)])).toEqual([]);
    expect(marked([...many(10, old), ...many(3, fresh)])).toHaveLength(1);
    expect(marked([...many(10, old), ...many(1, fresh), ...many(10, old)])).toEqual([]);
    const alternating = Array.from({ length: 40 }, (_, index) => (index % 2 ? old : fresh));
    expect(marked(alternating)).toEqual([]);
  });
  it('no change from an unknown size; the first known size is the level', () => {
    expect(
      marked([...many(5, { flowgroups_count: null }), ...many(5, { flowgroups_count: 50 })]),
    ).toEqual([]);
    const later = many(5, { flowgroups_count: 60 });
    expect(
      marked([
        ...many(5, { flowgroups_count: null }),
        ...many(5, { flowgroups_count: 50 }),
        ...later,
      ]),
    ).toHaveLength(1);
  });
});

/** About two seconds, rounded to hundredths as in a recorded run. */
const time = (random: () => number, spread: number) =>
  Math.round(200 * noise(random, spread)) / 100;

describe('does not report noise', () => {
  const count = fc.integer({ min: 1, max: 40 });
  const verdicts = (events: Events) => marked(events).map(({ verdict }) => verdict);
  const bad = ['slower', 'faster'];

  it('durations within a fifth of each other are never slower or faster', () => {
    const close = fc.array(fc.double({ min: 2, max: 2.39, noNaN: true }), {
      minLength: 80,
      maxLength: 80,
    });
    fc.assert(
      fc.property(close, count, count, (seconds, before, after) => {
        const events = [...many(before, old), ...many(after, fresh)];
        const found = verdicts(
          events.map((event, index) => ({
            ...event,
            generation_time_seconds: seconds[index] ?? 2,
          })),
        );
        expect(found.filter((verdict) => bad.includes(verdict))).toEqual([]);
      }),
    );
  });

  it('outliers in a fifth of the runs change nothing', () => {
    const outlier = fc.double({ min: 0, max: 100_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(outlier, { minLength: 8, maxLength: 8 }), (outliers) => {
        const events = [...many(20, old), ...many(20, fresh)];
        for (const [index, seconds] of outliers.entries())
          (events[index * 5] ?? {}).generation_time_seconds = seconds;
        expect(verdicts(events)).toEqual(['same']);
      }),
    );
  });

  it('of 5,000 changes without an effect, at most 5 are called slower or faster', () => {
    const random = generator(1);
    const spreads = [0.05, 0.15, 0.3, 0.6, 1];
    let wrong = 0;
    for (let trial = 0; trial < 5_000; trial += 1) {
      const spread = spreads[trial % spreads.length] ?? 0;
      const runs = 8 + (trial % 13);
      const events = [
        ...many(runs, old, () => time(random, spread)),
        ...many(runs, fresh, () => time(random, spread)),
      ];
      wrong += verdicts(events).filter((verdict) => bad.includes(verdict)).length;
    }
    expect(wrong).toBeLessThanOrEqual(5);
  });

  it('but a slowdown by half is found, with the noise of a usual machine', () => {
    const random = generator(2);
    let found = 0;
    for (let trial = 0; trial < 1_000; trial += 1) {
      const events = [
        ...many(20, old, () => time(random, 0.15)),
        ...many(20, fresh, () => 1.5 * time(random, 0.15)),
      ];
      found += Number(verdicts(events)[0] === 'slower');
    }
    expect(found).toBeGreaterThanOrEqual(990);
  });
});

it('runs of other projects, environments, CI and dry runs have no influence on a series', () => {
  const mine = [...many(12, old), ...many(12, fresh, () => 3)];
  const other = fc.record({
    project_id: fc.constantFrom('c'.repeat(64), 'd'.repeat(64)),
    environment: fc.constantFrom('dev', 'prod'),
    lhp_version: fc.constantFrom('0.8.7', '0.9.2', '0.9.3'),
    flowgroups_count: fc.option(fc.integer({ min: 1, max: 500 })),
    is_ci: fc.boolean(),
    dry_run: fc.boolean(),
    generation_time_seconds: fc.double({ min: 0, max: 1_000, noNaN: true }),
  });
  const alone = changes(hourly(mine));
  expect(alone).toHaveLength(1);
  fc.assert(
    fc.property(fc.array(other, { minLength: 24, maxLength: 24 }), (others) => {
      const from = hourly(mine)[0]?.timestamp ?? 0;
      const between = others.map((event, index) => runAt(from + index * 3_600_000 + 1, event));
      const runs = [...hourly(mine), ...between].sort((a, b) => a.timestamp - b.timestamp);
      expect(
        changes(runs).filter(({ series }) => series.project_id === alone[0]?.series.project_id),
      ).toEqual(alone);
    }),
  );
  const elsewhere: Events = [{ environment: 'prod' }, { is_ci: true }, { dry_run: true }];
  for (const where of elsewhere)
    expect(marked([...many(20, old), ...many(20, { ...fresh, ...where })])).toEqual([]);
});
