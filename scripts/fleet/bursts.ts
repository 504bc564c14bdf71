// bursts.ts: simulates when CI jobs of one identity record their runs, and counts the runs that
// share a series and a millisecond with another, of which a backend keeps one. Pure and seeded;
// scripts/bench/ci.ts sends the same runs through the real servers.
import { digitsOfJob, millisecondsWith } from '../../src/collect/job-number.ts';
import { CI_SLOTS } from '../../src/contract/contract.ts';
import { CI } from './assumptions.ts';
import { type Dice, dice } from './random.ts';

const SEED = 19;
/** Builds and jobs of a CI system are numbered up to this. */
const MANY = 1_000_000_000;
const SECOND = 1_000;
/** How long a generate takes in CI, with the start of Python: log-normal, milliseconds. */
const GENERATE = { median: 3_000, sigma: 0.5, least: 500 } as const;

/** One job of a burst. */
interface Job {
  startedAt: number;
  recordedAt: number;
  /** The build and the number of the job, as GitLab gives them. */
  build: number;
  number: number;
}

export interface Burst {
  name: string;
  jobs: number;
  /** How often it is simulated. */
  times: number;
  /** Whether bursts of this kind are expected of a fleet, or only of a test. */
  realistic: boolean;
  /** When the generate of one of its jobs begins, milliseconds after the burst began. */
  begins(d: Dice): number;
  /** Whether all jobs belong to one build; otherwise each has its own. */
  together: boolean;
}

/** Runners are there within a minute, and prepare the job for a while (fleet/assumptions.ts). */
const afterTheRunner = (d: Dice) =>
  d.next() * CI.startWithin + d.logNormal(CI.duration.median, CI.duration.sigma);

const [oneBuild, ownBuilds] = [{ together: true }, { together: false }];
const realistic = { realistic: true, begins: afterTheRunner };
const within = (ms: number) => ({ realistic: false, begins: (d: Dice) => d.next() * ms });

export const BURSTS: readonly Burst[] = [
  { name: 'matrix of 20', jobs: 20, times: 40_000, ...oneBuild, ...realistic },
  { name: 'matrix of 100', jobs: 100, times: 8_000, ...oneBuild, ...realistic },
  { name: '5 nightly builds', jobs: 5, times: 80_000, ...ownBuilds, ...realistic },
  { name: '50 nightly builds', jobs: 50, times: 16_000, ...ownBuilds, ...realistic },
  { name: '20 in 2 s', jobs: 20, times: 10_000, ...oneBuild, ...within(2 * SECOND) },
  { name: '100 in 2 s', jobs: 100, times: 2_000, ...oneBuild, ...within(2 * SECOND) },
  { name: '1,000 in 10 s', jobs: 1_000, times: 200, ...oneBuild, ...within(10 * SECOND) },
];

export interface Design {
  name: string;
  slots: number;
  /** The millisecond that a job's run takes. */
  at(job: Job, d: Dice): number;
}

const recorded = ({ recordedAt }: Job) => recordedAt;
const anyOfTheRun = ({ startedAt, recordedAt }: Job, d: Dice) =>
  startedAt + d.below(recordedAt - startedAt + 1);
const ofItsNumber = ({ startedAt, recordedAt, build, number }: Job) => {
  const digits = digitsOfJob({ CI_JOB_ID: String(number), CI_PIPELINE_ID: String(build) }) ?? 0;
  return millisecondsWith(digits, startedAt, recordedAt).next().value ?? recordedAt;
};
const named = (slots: number) => (slots === 1 ? 'no slots' : `${slots} slots`);

export const BEFORE: Design = { name: named(256), slots: 256, at: recorded };
export const WITHOUT: Design = { name: named(1), slots: 1, at: recorded };
/** What the client does (src/bin/reporter.ts). */
export const NUMBERED: Design = {
  name: `${named(CI_SLOTS.numbered)}, digits of the job's number`,
  slots: CI_SLOTS.numbered,
  at: ofItsNumber,
};
export const NOT_NUMBERED: Design = {
  name: named(CI_SLOTS.others),
  slots: CI_SLOTS.others,
  at: recorded,
};

export const DESIGNS: readonly Design[] = [
  BEFORE,
  ...[16, 8, 4].map((slots) => ({ name: named(slots), slots, at: recorded })),
  WITHOUT,
  { name: `${named(8)}, any millisecond of the run`, slots: 8, at: anyOfTheRun },
  { name: `${named(1)}, digits of the job's number`, slots: 1, at: ofItsNumber },
  NUMBERED,
  NOT_NUMBERED,
];

export interface Placed {
  slot: number;
  at: number;
  startedAt: number;
}

/**
 * The runs of a burst, as this design places them; the same jobs for each design.
 *
 * @param from - When the burst begins, milliseconds since the epoch.
 * @param time - The number of the burst among those of its kind.
 */
export function runsOf(burst: Burst, design: Design, from: number, time: number): Placed[] {
  const d = dice(SEED * 1_000 + BURSTS.indexOf(burst), time);
  const jobs = jobsOf(burst, from, d);
  return jobs.map((job) => ({
    slot: d.below(design.slots),
    at: design.at(job, d),
    startedAt: job.startedAt,
  }));
}

function jobsOf(burst: Burst, from: number, d: Dice): Job[] {
  const [build, first] = [d.below(MANY), d.below(MANY)];
  return Array.from({ length: burst.jobs }, (_, i) => {
    const startedAt = from + Math.floor(burst.begins(d));
    const took = Math.max(GENERATE.least, d.logNormal(GENERATE.median, GENERATE.sigma));
    const job = { startedAt, recordedAt: startedAt + Math.floor(took) };
    if (burst.together) return { ...job, build, number: first + i };
    return { ...job, build: d.below(MANY), number: d.below(MANY) };
  });
}

/** How many of the runs a backend counts. */
export const distinct = (runs: readonly Placed[]): number =>
  new Set(runs.map(({ slot, at }) => at * BEFORE.slots + slot)).size;

/** The share of runs that a backend would not count. */
export function lostShare(burst: Burst, design: Design): number {
  let lost = 0;
  for (let time = 0; time < burst.times; time += 1)
    lost += burst.jobs - distinct(runsOf(burst, design, 0, time));
  return lost / (burst.times * burst.jobs);
}
