// arrivals.ts: computes the figures of a fleet of any size: its series, and its runs a second at
// the times that matter. The figures of a large fleet are those of a smaller one, multiplied.
// sizing.ts computes what they cost a server. Pure.
import { CI, DAY, HOUR, MONTH, RELEASES, RETENTION } from './assumptions.ts';
import { fleetOf } from './delivery.ts';
import type { Fleet } from './machine.ts';
import { busiest, mean, type Options, scaled, type Tally, tally } from './tally.ts';

/** Machines that are simulated at most; a larger fleet is so many times as much. */
const WEEK_OF = 100_000;
const YEAR_OF = 1_000;
/**
 * Prometheus makes blocks of two hours and keeps the last three in memory; in the end a block has
 * these days (tsdb's ranges).
 */
const HEAD_HOURS = 3;
const BLOCK_DAYS = 20.25;

/**
 * A node of Cortex keeps a series for a day and a half in memory (deploy/cluster/cortex.yaml:
 * block_ranges_period).
 */
const NODE_HOURS = 36;

export interface Arrivals {
  machines: number;
  /** On a Wednesday. */
  runsADay: number;
  ciShare: number;
  /** Runs a second: over the week, and in the busiest minute of … */
  mean: number;
  weekday: number;
  monday: number;
  night: number;
  release: number;
  outage: number;
  /** Connections a second at most. */
  connections: number;
  runsAMonth: number;
  activeSeries: number;
  nodeSeries: number;
  monthSeries: number;
  allSeries: number;
  ciSeriesShare: number;
  /** Series in 30 days if CI runners kept their state folder. */
  keptSeries: number;
  allRuns: number;
  inBlocks: number;
}

/**
 * The model's part: Monday to the Monday after, and once with the gateway away from Friday evening
 * to Monday morning.
 */
export function arrivalsOf(machines: number, seed: number): Arrivals {
  const week = { most: WEEK_OF, days: 8 };
  const outage = [4 * DAY + 18 * HOUR, 7 * DAY + 8 * HOUR] as const;
  const of = ({ most, ...more }: Simulated, options?: Options) =>
    tallied({ machines: Math.min(machines, most), seed, from: 0, ...more }, machines, options);
  const { minutes, connections, runs, ciRuns, active } = of(week, {
    windows: [HEAD_HOURS, NODE_HOURS],
  });
  const after = of({ ...week, outage });
  const all = of({ most: YEAR_OF, days: RETENTION }, { block: BLOCK_DAYS });
  const nightEnd = (CI.nightlyHour + 1) * HOUR;
  const day = (one: number) => busiest(minutes, one * DAY + nightEnd, (one + 1) * DAY);
  return {
    ...{ machines, ciShare: ciRuns / runs, weekday: day(2), monday: day(7) },
    night: busiest(minutes, 2 * DAY + CI.nightlyHour * HOUR, 2 * DAY + nightEnd),
    release: busiest(minutes, RELEASES.first, RELEASES.first + HOUR),
    outage: busiest(after.minutes, outage[1], outage[1] + HOUR),
    runsADay: mean(minutes, 2 * DAY, 3 * DAY) * (DAY / 1_000),
    mean: mean(minutes, 0, 7 * DAY),
    connections: Math.max(busiest(connections, 0, 8 * DAY), busiest(after.connections, 0, 8 * DAY)),
    runsAMonth: (all.runs * MONTH) / RETENTION,
    activeSeries: active.get(HEAD_HOURS) ?? 0,
    nodeSeries: active.get(NODE_HOURS) ?? 0,
    monthSeries: of({ most: YEAR_OF, days: MONTH }).series,
    keptSeries: of({ most: YEAR_OF, days: MONTH, ephemeral: 0 }).series,
    ...{
      allSeries: all.series,
      ciSeriesShare: all.ciSeries / all.series,
      allRuns: all.runs,
      inBlocks: all.inBlocks,
    },
  };
}

interface Simulated extends Omit<Fleet, 'machines' | 'seed' | 'from'> {
  /** Machines. */
  most: number;
}

const tallies = new Map<string, Tally>();

/** A tally of this fleet for so many machines; larger fleets share one. */
function tallied(fleet: Fleet, machines: number, options: Options = {}): Tally {
  const key = JSON.stringify([fleet, options]);
  const one = tallies.get(key) ?? tally(fleet, fleetOf(fleet), options);
  tallies.set(key, one);
  return scaled(one, machines / fleet.machines);
}
