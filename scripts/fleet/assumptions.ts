// assumptions.ts: the assumptions of the load model about fleets, each number once, with its text
// for the guide. They are not measured: replace them with your own. The measured costs of a run and
// of a series come from scripts/bench/fleet/drive.ts.

import { CI_SLOTS } from '../../src/contract/contract.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/**
 * Days that the dashboards show when they are opened, and that docker-compose.yml lets Prometheus
 * keep.
 */
export const MONTH = 30;
export const RETENTION = 400;
/**
 * Of so many machine ids one is a CI image, whose containers share the id; the others are people's
 * laptops.
 */
export const TEAM = 10;

/** Where people are: hours before or after UTC, and how many of them. */
export const ZONES = [
  { offset: 1, share: 0.45 },
  { offset: -5, share: 0.35 },
  { offset: 8, share: 0.2 },
] as const;

/**
 * Of a day's runs, so many hundredths in each hour of local time: two humps, lunch between them,
 * little in the evening.
 */
export const HOURS = [
  0, 0, 0, 0, 0, 0, 0, 2, 7, 12, 13, 11, 6, 9, 12, 11, 9, 4, 1, 1, 1, 1, 0, 0,
] as const;

export const PEOPLE = {
  /**
   * Runs of a laptop on a day on which it is used at all: log-normal, few for most, many for some.
   */
  runs: { median: 5, sigma: 1.1, most: 300 },
  /** Whether it is used: on a working day, on a day of the weekend. */
  working: 0.8,
  weekend: 0.05,
  secondProject: 0.3,
  environments: [0.85, 0.1, 0.05],
  dryRun: 0.1,
  /**
   * Out of the gateway's reach (no VPN) from Friday afternoon to Monday morning, and each evening.
   */
  offlineWeekends: 0.5,
  offlineEvenings: 0.2,
} as const;

export const CI = {
  /** Jobs of a team's pushes on a working day: log-normal; one run each. */
  jobs: { median: 15, sigma: 0.8, most: 500 },
  environments: [0.5, 0.4, 0.1],
  /**
   * Teams with a nightly job, and those of them who let it start at the full hour in UTC, as
   * everybody does.
   */
  nightly: 0.6,
  fullHour: 0.5,
  nightlyHour: 2,
  /** Runs of a nightly job, and of the update's pull request: one an environment. */
  matrix: 3,
  /**
   * Runners are there within this time, and work as long (log-normal) before the run is recorded.
   */
  startWithin: MINUTE,
  duration: { median: 10_000, sigma: 0.6, most: 10 * MINUTE },
  /** A pull request that updates lhp comes to each team within this time after a release. */
  botWithin: 30 * MINUTE,
  /**
   * Containers that begin with nothing and draw a slot anew (docs/adr/0010-ci-slots.md); the others
   * keep one.
   */
  ephemeral: 0.8,
  /** Images whose jobs have a number, so that they draw one of fewer slots. */
  numbered: 0.6,
} as const;

/**
 * A release of lhp each three weeks, on a Tuesday; machines have it after a time of their own
 * (exponential).
 */
export const RELEASES = {
  every: 21 * DAY,
  first: DAY + 15 * HOUR,
  laptopLag: 10 * DAY,
  ciLag: 5 * DAY,
} as const;
/** A new machine id: another laptop, the system set up anew, another CI image. */
export const REINSTALLED_EVERY = 3 * 365 * DAY;
export const BUNDLES = 0.6;
/** Between two runs of one delivery on one connection: the way there and back, and storing. */
export const TURN_MS = 25;

const zones = () =>
  ZONES.map(
    ({ offset, share }) => `UTC${offset < 0 ? '−' : '+'}${Math.abs(offset)} ${share * 100} %`,
  ).join(', ');

/** For the guide: what is assumed, in words. Each is the text of one item of a Markdown list. */
export const ASSUMED: readonly string[] = [
  `of ${TEAM} machine ids one is a CI image (its containers share the id), the others are laptops`,
  `a laptop is used on ${PEOPLE.working * 100} % of working days and ${PEOPLE.weekend * 100} % of
  weekend days, with ${PEOPLE.runs.median} runs a day (median, log-normal, σ ${PEOPLE.runs.sigma},
  mean ${mean(PEOPLE.runs).toFixed(0)}), by a working day with a lunch break in three time zones
  (${zones()})`,
  `${PEOPLE.offlineWeekends * 100} % of laptops cannot reach the gateway from Friday afternoon to
  Monday morning, ${PEOPLE.offlineEvenings * 100} % in the evenings; what they have comes with the
  first run afterwards that the client's back-off (its own code) lets through`,
  `a CI image has ${CI.jobs.median} jobs of pushes a working day (median, σ ${CI.jobs.sigma});
  ${CI.nightly * 100} % have a nightly job of ${CI.matrix} runs, half of them at
  ${CI.nightlyHour}:00 UTC with runners there within a minute; ${CI.ephemeral * 100} % of images
  begin with an empty state folder in each job, so that it draws a slot anew: one of
  ${CI_SLOTS.numbered} where the CI system numbers its jobs (${CI.numbered * 100} % of images), one
  of ${CI_SLOTS.others} elsewhere`,
  `lhp is released every ${RELEASES.every / DAY} days, laptops update after
  ${RELEASES.laptopLag / DAY} days, CI after ${RELEASES.ciLag / DAY} (means of an exponential),
  and each team gets a pull request of ${CI.matrix} CI runs within ${CI.botWithin / MINUTE}
  minutes of a release; a machine id is replaced every ${REINSTALLED_EVERY / DAY / 365} years`,
];

function mean({ median, sigma }: { median: number; sigma: number }): number {
  return median * Math.exp(sigma ** 2 / 2);
}
