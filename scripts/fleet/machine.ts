// machine.ts: simulates the runs of one machine of a fleet, in the order of their time. delivery.ts
// computes when they are delivered. Pure and seeded.
import { CI_SLOTS } from '../../src/contract/contract.ts';
import {
  BUNDLES,
  CI,
  DAY,
  HOUR,
  HOURS,
  MINUTE,
  PEOPLE,
  REINSTALLED_EVERY,
  RELEASES,
  TEAM,
  ZONES,
} from './assumptions.ts';
import { type Dice, dice } from './random.ts';

export interface Fleet {
  machines: number;
  seed: number;
  /** The beginning of a Monday in UTC, or what the model shall take for one. */
  from: number;
  days: number;
  /** The gateway is away: from, to. */
  outage?: readonly [number, number];
  /** Another share of CI containers that begin with nothing than {@link CI} says. */
  ephemeral?: number;
  /** Another number of slots than the client has, for all CI images. */
  slots?: number;
}

/** One run, as far as it makes a difference to the backend. Numbers stand for ids and words. */
export interface SimulatedRun {
  /** When it ended; no other run of the machine has this millisecond. */
  at: number;
  machine: number;
  /** Grows when the machine id is replaced. */
  generation: number;
  project: number;
  /** Number of the release of lhp. */
  version: number;
  /** An index: dev, test, prod. */
  environment: number;
  dryRun: boolean;
  bundle: boolean;
  /** Of a CI run only. */
  slot: number | undefined;
}

export interface Machine {
  isCi: boolean;
  runs: SimulatedRun[];
  /** Whether the machine itself is cut off at this time. */
  offline(at: number): boolean;
  dice: Dice;
}

export const isCiImage = (machine: number) => machine % TEAM === 0;

export function simulate(fleet: Fleet, machine: number): Machine {
  const d = dice(fleet.seed, machine);
  const isCi = isCiImage(machine);
  const offset = (ZONES[d.share(ZONES.map(({ share }) => share))]?.offset ?? 0) * HOUR;
  const versionAt = updates(fleet, isCi ? RELEASES.ciLag : RELEASES.laptopLag, d);
  const replaced = fleet.from + d.exponential(REINSTALLED_EVERY);
  const runs: SimulatedRun[] = [];
  const team = Math.floor(machine / TEAM);
  const add = (
    at: number,
    environment: number,
    more: { project: number; dryRun?: boolean; slot?: number },
  ) =>
    runs.push({
      at: Math.floor(at),
      machine,
      generation: at < replaced ? 0 : 1,
      version: versionAt(at),
      environment,
      dryRun: more.dryRun ?? false,
      project: team * 2 + more.project,
      bundle: (team * 2 + more.project) % 10 < BUNDLES * 10,
      slot: more.slot,
    });
  if (isCi) ciRuns(fleet, d, offset, add);
  else laptopRuns(fleet, d, offset, add);
  return {
    isCi,
    runs: apart(fleet, runs),
    offline: isCi ? () => false : offlineTimes(fleet, d, offset),
    dice: d,
  };
}

type Add = (
  at: number,
  environment: number,
  more: { project: number; dryRun?: boolean; slot?: number },
) => void;

/** Monday is 0. */
const weekday = (day: number) => day % 7;
const atWork = (d: Dice) => (d.share(HOURS.map((part) => part / 100)) + d.next()) * HOUR;

function laptopRuns(fleet: Fleet, d: Dice, offset: number, add: Add): void {
  const usual = Math.min(d.logNormal(PEOPLE.runs.median, PEOPLE.runs.sigma), PEOPLE.runs.most);
  const projects = d.chance(PEOPLE.secondProject) ? 2 : 1;
  const main = d.below(2);
  for (let day = 0; day < fleet.days; day += 1) {
    if (!d.chance(weekday(day) < 5 ? PEOPLE.working : PEOPLE.weekend)) continue;
    for (let left = d.poisson(usual); left > 0; left -= 1)
      add(fleet.from + day * DAY - offset + atWork(d), d.share(PEOPLE.environments), {
        project: (main + d.below(projects)) % 2,
        dryRun: d.chance(PEOPLE.dryRun),
      });
  }
}

function ciRuns(fleet: Fleet, d: Dice, offset: number, add: Add): void {
  const usual = Math.min(d.logNormal(CI.jobs.median, CI.jobs.sigma), CI.jobs.most);
  const ephemeral = d.chance(fleet.ephemeral ?? CI.ephemeral);
  const drawn = d.chance(CI.numbered) ? CI_SLOTS.numbered : CI_SLOTS.others;
  const slots = fleet.slots ?? drawn;
  const kept = d.below(slots);
  const job = (start: number, environment: number, project: number) => {
    const ended =
      start + Math.min(d.logNormal(CI.duration.median, CI.duration.sigma), CI.duration.most);
    add(ended, environment, { project, slot: ephemeral ? d.below(slots) : kept });
  };
  const matrix = (from: number) => {
    for (let i = 0; i < CI.matrix; i += 1) job(from + d.next() * CI.startWithin, i, 0);
  };
  const nightly = d.chance(CI.nightly);
  const minute = d.chance(CI.fullHour) ? 0 : d.below(360);
  for (let day = 0; day < fleet.days; day += 1) {
    const midnight = fleet.from + day * DAY;
    if (nightly) matrix(midnight + CI.nightlyHour * HOUR + minute * MINUTE);
    if (weekday(day) >= 5) continue;
    for (let left = d.poisson(usual); left > 0; left -= 1)
      job(midnight - offset + atWork(d), d.share(CI.environments), d.below(2));
  }
  for (const release of releases(fleet)) matrix(release + d.next() * CI.botWithin);
}

function releases({ from, days }: Fleet): number[] {
  const all: number[] = [];
  for (let at = from + RELEASES.first; at < from + days * DAY; at += RELEASES.every) all.push(at);
  return all;
}

/**
 * The machine's version over time: each release after a time of its own; whoever is late skips
 * some. 0 is what was there before.
 */
function updates(fleet: Fleet, lag: number, d: Dice): (at: number) => number {
  const from = releases(fleet).map((release) => release + d.exponential(lag));
  return (at) => from.findLastIndex((since) => at >= since) + 1;
}

function offlineTimes({ from }: Fleet, d: Dice, offset: number): (at: number) => boolean {
  const [weekends, evenings] = [d.chance(PEOPLE.offlineWeekends), d.chance(PEOPLE.offlineEvenings)];
  const [leaves, returns] = [(15 + 3 * d.next()) * HOUR, (8 + 2 * d.next()) * HOUR];
  return (at) => {
    // A week more, so that an hour before the first Monday is a Sunday.
    const local = at - from + offset + 7 * DAY;
    const day = weekday(Math.floor(local / DAY));
    const time = local % DAY;
    if (weekends && (day > 4 || (day === 4 && time >= leaves) || (day === 0 && time < returns)))
      return true;
    return evenings && (time >= leaves + 2 * HOUR || time < returns);
  };
}

/**
 * In order, and each with a millisecond of its own, as the spool gives it. Two containers of CI may
 * share one.
 */
export function apart({ from, days }: Fleet, all: SimulatedRun[]): SimulatedRun[] {
  const runs = all
    .filter(({ at }) => at >= from && at < from + days * DAY)
    .sort((a, b) => a.at - b.at);
  let last = 0;
  for (const run of runs) {
    if (run.slot === undefined) run.at = Math.max(run.at, last + 1);
    last = run.at;
  }
  return runs;
}
