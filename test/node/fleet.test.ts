// Proves the arithmetic of the load model (scripts/fleet): no run is lost or invented on its way, a
// laptop's backlog comes with the first run that the client's own back-off lets through, a seed
// repeats, and rates and series are those that can be counted by hand.
import { describe, expect, it } from 'vitest';
import { type Arrivals, arrivalsOf } from '../../scripts/fleet/arrivals.ts';
import {
  CI,
  DAY,
  HOUR,
  MINUTE,
  PEOPLE,
  RELEASES,
  TEAM,
  TURN_MS,
} from '../../scripts/fleet/assumptions.ts';
import {
  BURSTS,
  lostShare,
  NOT_NUMBERED,
  NUMBERED,
  runsOf,
  WITHOUT,
} from '../../scripts/fleet/bursts.ts';
import { delivered, fleetOf, inOrder } from '../../scripts/fleet/delivery.ts';
import { apart, type Fleet, isCiImage, type SimulatedRun } from '../../scripts/fleet/machine.ts';
import { dice } from '../../scripts/fleet/random.ts';
import { CLUSTER, needsOf, type Units } from '../../scripts/fleet/sizing.ts';
import {
  busiest,
  mean,
  POINT_SERIES,
  RESOURCE_SERIES,
  scaled,
  tally,
} from '../../scripts/fleet/tally.ts';
import { extended } from '../support/tags.ts';

const SECOND = 1_000;
const FLEET: Fleet = { machines: 200, seed: 1, from: 1_700_000_000_000, days: 8 };
const SATURDAY = FLEET.from + 5 * DAY;
const MONDAY = FLEET.from + 7 * DAY;
const schedule = (fleet: Fleet) => inOrder([...fleetOf(fleet)]);
const key = ({ machine, at, slot }: SimulatedRun) => `${machine} ${at} ${slot}`;

/** A run of one laptop at this time. */
const run = (at: number, more: Partial<SimulatedRun> = {}): SimulatedRun => ({
  ...{
    at,
    machine: 1,
    generation: 0,
    project: 0,
    version: 0,
    environment: 0,
    dryRun: false,
    bundle: true,
  },
  slot: undefined,
  ...more,
});
const laptop = (times: number[], offline: (at: number) => boolean = () => false) => ({
  ...{ isCi: false, runs: times.map((at) => run(at)), offline, dice: dice(1, 1) },
});

describe('a fleet', () => {
  const all = [...fleetOf(FLEET)];

  it('delivers each run once, or still has it', () => {
    for (const { machine, arrivals, waiting, lost } of all) {
      const settled = [...arrivals.map((one) => one.run), ...waiting, ...lost].map(key);
      expect(settled.toSorted()).toEqual(machine.runs.map(key).toSorted());
      expect(lost).toEqual([]);
      for (const { at, run: one } of arrivals) expect(at).toBeGreaterThanOrEqual(one.at);
    }
    expect(all.flatMap(({ waiting }) => waiting).length).toBeGreaterThan(0);
  });

  it('gives each run of a laptop a millisecond of its own, and leaves those of containers', () => {
    const three = [run(5), run(5), run(5), run(9, { slot: 1 }), run(9, { slot: 2 })];
    expect(apart({ ...FLEET, from: 0 }, three).map(({ at }) => at)).toEqual([5, 6, 7, 9, 9]);
  });

  it('is the same for the same seed, another for another, and grows by whole machines', () => {
    const arrivals = schedule(FLEET);
    expect(schedule({ ...FLEET })).toEqual(arrivals);
    expect(schedule({ ...FLEET, seed: 2 })).not.toEqual(arrivals);
    const small = schedule({ ...FLEET, machines: 50 });
    expect(arrivals.filter((one) => one.run.machine < 50)).toEqual(small);
  });

  it('rests at night, at lunch and on weekends', () => {
    const people = all
      .filter(({ machine }) => !machine.isCi)
      .flatMap(({ machine }) => machine.runs);
    const on = (day: number) =>
      people.filter(({ at }) => Math.floor((at - FLEET.from) / DAY) === day).length;
    expect(on(6)).toBeLessThan(on(2) / 5);
    expect(Math.min(on(0), on(1), on(2), on(3))).toBeGreaterThan(on(5) * 5);
  });

  it('keeps what laptops record out of reach until they come back on Monday', () => {
    const weekend = schedule(FLEET).filter(
      ({ run: one }) => !isCiImage(one.machine) && one.at >= SATURDAY && one.at < MONDAY,
    );
    const late = weekend.filter(({ at }) => at >= MONDAY);
    expect(late.length / weekend.length).toBeGreaterThan(PEOPLE.offlineWeekends / 2);
    expect(late.length).toBeLessThan(weekend.length);
  });

  it('sends everything that waited for an outage to end, but for jobs that had ended', () => {
    const outage = [FLEET.from + 4 * DAY, MONDAY] as const;
    const after = [...fleetOf({ ...FLEET, outage })];
    for (const { arrivals, lost, machine } of after) {
      for (const { at } of arrivals) expect(at >= outage[0] && at < outage[1]).toBe(false);
      expect(lost.length > 0).toBe(machine.isCi);
    }
    const rate = (machines: typeof all) =>
      busiest(tally(FLEET, machines).minutes, 7 * DAY, 8 * DAY);
    expect(rate(after)).toBeGreaterThan(2 * rate(all));
  });

  it('has bursts of CI at the full hour of the night and after a release', () => {
    const { minutes } = tally(
      FLEET,
      all.filter(({ machine }) => machine.isCi),
    );
    const night = busiest(minutes, CI.nightlyHour * HOUR, (CI.nightlyHour + 1) * HOUR);
    expect(night).toBeGreaterThan(20 * mean(minutes, 0, DAY));
    const release = RELEASES.first;
    expect(mean(minutes, release, release + CI.botWithin)).toBeGreaterThan(
      3 * mean(minutes, release + DAY, release + DAY + CI.botWithin),
    );
  });
});

describe('a laptop', () => {
  it('takes what waits along, on one connection, when the back-off is over', () => {
    // Three failures, so the fourth run, in reach again, is within 30 s ± 20 % of the third, and
    // the fifth is not.
    const { arrivals, waiting } = delivered(
      laptop(
        [0, 10 * SECOND, 20 * SECOND, 30 * SECOND, 90 * SECOND, 200 * SECOND],
        (at) => at < 25 * SECOND,
      ),
    );
    expect(
      arrivals.map(({ at, run: one, opens }) => [one.at / SECOND, at - 90 * SECOND, opens]),
    ).toEqual([
      [0, 0, true],
      [10, TURN_MS, false],
      [20, 2 * TURN_MS, false],
      [30, 3 * TURN_MS, false],
      [90, 4 * TURN_MS, false],
      [200, 110 * SECOND, true],
    ]);
    expect(waiting).toEqual([]);
  });

  it('keeps what nobody fetched', () => {
    const { arrivals, waiting } = delivered(laptop([1, 2]), [0, DAY]);
    expect([arrivals, waiting.map(({ at }) => at)]).toEqual([[], [1, 2]]);
  });
});

describe('a tally, counted by hand', () => {
  const runs = [
    run(0),
    run(30 * MINUTE),
    run(HOUR, { version: 1 }),
    run(5 * HOUR, { version: 1, environment: 1 }),
    run(30 * HOUR, { version: 1, environment: 1 }),
  ];
  const machine = { ...laptop([]), runs };
  const counted = tally({ from: 0, days: 2 }, [delivered(machine)], {
    windows: [1, 3, 48],
    block: 1,
  });

  it('has the rates', () => {
    expect(counted).toMatchObject({ runs: 5, lost: 0, waiting: 0, ciRuns: 0 });
    expect(mean(counted.minutes, 0, DAY)).toBeCloseTo(4 / 86_400);
    expect(busiest(counted.minutes, 0, HOUR)).toBe(1 / 60);
    expect(counted.connections).toEqual(counted.minutes);
  });

  it('has the series: of two versions, and of three kinds of points', () => {
    const all = 2 * RESOURCE_SERIES + 3 * POINT_SERIES;
    expect(counted.series).toBe(all);
    // The second day has one of each again.
    expect(counted.inBlocks).toBe(all + RESOURCE_SERIES + POINT_SERIES);
    const one = RESOURCE_SERIES + POINT_SERIES;
    // Within three hours both versions, and none of them is left at 5:00.
    expect([...counted.active]).toEqual([
      [1, one],
      [3, 2 * one],
      [48, all],
    ]);
  });

  it('counts the slots of a CI image as series of their own', () => {
    const jobs = [0, 1, 1].map((slot, i) => run(i * MINUTE, { machine: 0, slot }));
    const image = { ...laptop([]), isCi: true, runs: jobs };
    const { ciSeries, series, ciRuns } = tally({ from: 0, days: 1 }, [delivered(image)]);
    expect([series, ciSeries, ciRuns]).toEqual([2 * POINT_SERIES + RESOURCE_SERIES, series, 3]);
  });

  it('is ten times as large for ten times the fleet', () => {
    const ten = scaled(counted, 10);
    expect([ten.runs, ten.series, ten.active.get(48)]).toEqual([
      50,
      10 * counted.series,
      10 * counted.series,
    ]);
    expect(mean(ten.minutes, 0, DAY)).toBeCloseTo(40 / 86_400);
  });
});

it('of the machines of a fleet one in a team is a CI image', () => {
  expect(Array.from({ length: 3 * TEAM }, (_, i) => i).filter(isCiImage)).toHaveLength(3);
});

describe('CI jobs of one identity that start together', () => {
  const realistic = BURSTS.filter((burst) => burst.realistic);

  it.each(
    realistic.flatMap((burst) => [NUMBERED, NOT_NUMBERED].map((design) => ({ burst, design }))),
  )(
    '$burst.name, $design.name: less than one run in 10,000 is lost',
    extended,
    ({ burst, design }) => expect(lostShare(burst, design)).toBeLessThan(1 / 10_000),
  );

  it('without slots more would be lost, so the bursts are close enough to tell', () => {
    const lost = realistic.map((burst) => lostShare({ ...burst, times: 200 }, WITHOUT));
    expect(Math.max(...lost)).toBeGreaterThan(5 / 10_000);
  });

  it('the same seed gives the same runs, which last until they are recorded', () => {
    for (const burst of BURSTS) {
      const runs = runsOf(burst, NUMBERED, 1_000_000, 3);
      expect(runsOf(burst, NUMBERED, 1_000_000, 3)).toEqual(runs);
      expect(runs.filter(({ at, startedAt }) => at < startedAt)).toEqual([]);
      expect(new Set(runs.map(({ slot }) => slot)).size).toBeLessThanOrEqual(NUMBERED.slots);
    }
  });
});

describe('what a fleet needs, by hand', () => {
  const arrivals: Arrivals = {
    ...arrivalsOf(10, 1),
    ...{ weekday: 1, monday: 2, night: 10, release: 3, outage: 4, connections: 5 },
    ...{
      activeSeries: 1_000,
      nodeSeries: 4_000,
      monthSeries: 2_000,
      keptSeries: 500,
      allSeries: 10_000,
      allRuns: 4_000,
      inBlocks: 500,
    },
  };
  const units: Units = {
    ...{
      gatewayCpu: 0.001,
      backendCpu: 0.002,
      tlsCpu: 0.004,
      backendFixedMiB: 900,
      gatewayMiB: 124,
    },
    ...{ seriesBytes: 2 ** 20, askedBytes: 2 ** 19, chunkBytes: 1e6, indexBytes: 2e6 },
    prometheus: { month: 0.001, allDays: 0.01 },
    victoriametrics: {
      ...{ month: 0.0001, allDays: 0.001, runCpu: 0.0005, runBytes: 5e5 },
      ...{ fixedMiB: 900, seriesBytes: 2 ** 18 },
    },
    ...{ wireOut: 5_000, wireBack: 1_000 },
  };

  it('is the busiest minute, the series in memory and asked for, and all that is kept', () => {
    expect(needsOf({ ...arrivals, runsAMonth: 1e6 }, units)).toEqual({
      cores: 10 * 0.003 + 5 * 0.004,
      memoryGiB: 1 + 1_000 / 1_024 + 2_000 / 2_048,
      diskGB: 4 + 1,
      megabits: 0.4,
      monthGB: 6,
      panel: {
        prometheus: { month: 2, allDays: 100 },
        victoriametrics: { month: 0.2, allDays: 10 },
      },
      victoriametrics: {
        cores: 10 * 0.0015 + 5 * 0.004,
        memoryGiB: 1 + 2_000 / 4_096,
        diskGB: 2,
      },
      node: {
        cores: (0.03 * CLUSTER.cpu + 0.02) / 3,
        memoryGiB: 1 + 4_000 / 1_024 + 2_000 / 2_048,
        diskGB: (100 * CLUSTER.nodeBytes) / 1e9,
        bucketGB: (4_000 * CLUSTER.bucketBytes) / 1e9,
      },
      setup: 'Prometheus',
    });
  });

  const panels = (month: number, other = 0) => ({
    prometheus: { month, allDays: 0 },
    victoriametrics: { ...units.victoriametrics, month: other },
  });
  it.each([
    ['Cortex, three nodes', { allRuns: 600_000 }, {}],
    ['VictoriaMetrics', { monthSeries: 10 }, panels(2, 1)],
    ['VictoriaMetrics', { activeSeries: 20_000, nodeSeries: 20_000 }, {}],
    ['VictoriaMetrics cluster, 3 nodes', { monthSeries: 10 }, panels(3, 2.5)],
    ['VictoriaMetrics cluster, 38 nodes', { night: 100_000 }, {}],
    // Nodes keep series longer than one machine does: that alone is no reason against one.
    ['Prometheus', { nodeSeries: 50_000 }, {}],
  ] as const)('%s, for %j', (setup, more, cost) => {
    expect(needsOf({ ...arrivals, ...more }, { ...units, ...cost }).setup).toBe(setup);
  });
});
