// delivery.ts: computes when each run of a machine reaches the gateway, by the rules of
// src/deliver/deliver.ts: only a run starts a delivery, which sends all waiting runs, oldest first,
// on one connection; after failures, the back-off is the client's own. Pure and seeded.
import { backOff } from '../../src/deliver/backoff.ts';
import { TURN_MS } from './assumptions.ts';
import { type Fleet, type Machine, type SimulatedRun, simulate } from './machine.ts';

export interface Arrival {
  at: number;
  run: SimulatedRun;
  /** The first of a delivery: opens a connection. */
  opens: boolean;
}

export interface Delivered {
  machine: Machine;
  arrivals: Arrival[];
  /** Still in the spool at the end. */
  waiting: SimulatedRun[];
  /** Of CI jobs that ended while the gateway was away. */
  lost: SimulatedRun[];
}

export function delivered(machine: Machine, outage?: Fleet['outage']): Delivered {
  const { runs, isCi, offline, dice } = machine;
  const away = (at: number) => outage !== undefined && at >= outage[0] && at < outage[1];
  const arrivals: Arrival[] = [];
  const lost: SimulatedRun[] = [];
  let waiting: SimulatedRun[] = [];
  let [failures, retryAt] = [0, 0];
  for (const run of runs) {
    const unreachable = away(run.at) || offline(run.at);
    if (isCi && unreachable) {
      lost.push(run);
      continue;
    }
    waiting.push(run);
    if (run.at < retryAt) continue;
    if (unreachable) {
      failures += 1;
      retryAt = run.at + backOff(failures, dice.next);
      continue;
    }
    for (const [turn, one] of waiting.entries())
      arrivals.push({ at: run.at + turn * TURN_MS, run: one, opens: turn === 0 });
    [waiting, failures] = [[], 0];
  }
  return { machine, arrivals, waiting, lost };
}

/** Each machine of the fleet in turn: a million of them do not fit into memory at once. */
export function* fleetOf(fleet: Fleet): Generator<Delivered> {
  for (let i = 0; i < fleet.machines; i += 1) yield delivered(simulate(fleet, i), fleet.outage);
}

/** All arrivals of these machines, in the order of their time. */
export const inOrder = (machines: readonly Pick<Delivered, 'arrivals'>[]): Arrival[] =>
  machines.flatMap(({ arrivals }) => arrivals).sort((a, b) => a.at - b.at);
