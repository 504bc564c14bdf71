// tally.ts: counts the load of a fleet's arrivals: runs and connections a second, for each minute
// and at most, and series, active and in total. `scale` multiplies the tally of a smaller fleet for
// a larger one, because machines are independent of each other.
import { MINUTE } from './assumptions.ts';
import type { Delivered } from './delivery.ts';
import type { Fleet, SimulatedRun } from './machine.ts';

/**
 * Series of a resource (target_info) and of a point's labels (the seven metrics of a run):
 * docs/metrics.md.
 */
export const RESOURCE_SERIES = 1;
export const POINT_SERIES = 7;

export interface Tally {
  runs: number;
  lost: number;
  waiting: number;
  /** Of the runs that arrived. */
  ciRuns: number;
  /** Arrivals by the minute from the fleet's beginning, and connections. */
  minutes: Float64Array;
  connections: Float64Array;
  /** Series with an arrival in the hours before, at most at any hour: window in hours → series. */
  active: Map<number, number>;
  series: number;
  /** Of them, those of CI images. */
  ciSeries: number;
  /** Series of each block of so many days, added up. */
  inBlocks: number;
}

export interface Options {
  /** Windows to count active series in, hours. */
  windows?: readonly number[];
  /** Days of a block of the backend. */
  block?: number;
}

// What makes a series of its own, as one number each: of a resource, and of a point.
const resourceKey = (run: SimulatedRun) =>
  (run.generation * 256 + run.version) * 2 + (run.project % 2);
const pointKey = (run: SimulatedRun) =>
  ((resourceKey(run) * 3 + run.environment) * 2 + Number(run.dryRun)) * 257 + (run.slot ?? 256);

export function tally(
  fleet: Pick<Fleet, 'from' | 'days'>,
  machines: Iterable<Delivered>,
  { windows = [], block = fleet.days }: Options = {},
): Tally {
  const hours = fleet.days * 24;
  const changes = windows.map((window) => [window, new Float64Array(hours + window + 1)] as const);
  const minutes = new Float64Array(fleet.days * 24 * 60 + 60);
  const result: Tally = {
    ...{ runs: 0, lost: 0, waiting: 0, ciRuns: 0, series: 0, ciSeries: 0, inBlocks: 0 },
    ...{ minutes, connections: minutes.slice(), active: new Map() },
  };
  for (const { machine, arrivals, waiting, lost } of machines) {
    result.runs += arrivals.length;
    result.lost += lost.length;
    result.waiting += waiting.length;
    if (machine.isCi) result.ciRuns += arrivals.length;
    const resources = new Map<number, number[]>();
    const points = new Map<number, number[]>();
    for (const { at, opens, run } of arrivals) {
      const minute = Math.floor((at - fleet.from) / MINUTE);
      minutes[minute] = (minutes[minute] ?? 0) + 1;
      if (opens) result.connections[minute] = (result.connections[minute] ?? 0) + 1;
      note(resources, resourceKey(run), Math.floor(minute / 60));
      note(points, pointKey(run), Math.floor(minute / 60));
    }
    for (const [map, weight] of [
      [resources, RESOURCE_SERIES],
      [points, POINT_SERIES],
    ] as const) {
      result.series += map.size * weight;
      if (machine.isCi) result.ciSeries += map.size * weight;
      for (const seen of map.values()) {
        result.inBlocks +=
          new Set(seen.map((hour) => Math.floor(hour / (block * 24)))).size * weight;
        for (const [window, change] of changes) mark(change, seen, window, weight);
      }
    }
  }
  for (const [window, change] of changes) result.active.set(window, highestSum(change));
  return result;
}

/** The same for so many times as many machines. */
export function scaled(one: Tally, by: number): Tally {
  const numbers = Object.entries(one).map(([key, value]) => [
    key,
    typeof value === 'number'
      ? value * by
      : value instanceof Float64Array
        ? value.map((x) => x * by)
        : value,
  ]);
  const active = new Map([...one.active].map(([window, series]) => [window, series * by]));
  return { ...(Object.fromEntries(numbers) as Tally), active };
}

const between = (byMinute: Float64Array, from: number, to: number) =>
  byMinute.subarray(from / MINUTE, to / MINUTE);

/** The rate a second of the busiest minute between two times, milliseconds from the beginning. */
export const busiest = (byMinute: Float64Array, from: number, to: number): number =>
  between(byMinute, from, to).reduce((a, b) => Math.max(a, b), 0) / 60;

export const mean = (byMinute: Float64Array, from: number, to: number): number =>
  between(byMinute, from, to).reduce((a, b) => a + b, 0) / ((to - from) / 1_000);

function note(map: Map<number, number[]>, key: number, hour: number): void {
  const seen = map.get(key);
  if (seen === undefined) map.set(key, [hour]);
  else if (seen.at(-1) !== hour) seen.push(hour);
}

/** Adds a series that was seen in these hours, and stays for a window after each of them. */
function mark(change: Float64Array, seen: readonly number[], window: number, weight: number): void {
  for (const [i, hour] of seen.entries()) {
    const next = seen[i + 1] ?? Number.POSITIVE_INFINITY;
    change[hour] = (change[hour] ?? 0) + weight;
    const end = Math.min(hour + window, next);
    change[end] = (change[end] ?? 0) - weight;
  }
}

function highestSum(change: Float64Array): number {
  let [sum, highest] = [0, 0];
  for (const one of change) {
    sum += one;
    highest = Math.max(highest, sum);
  }
  return highest;
}
