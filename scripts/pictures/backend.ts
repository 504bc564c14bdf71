// backend.ts: a real Prometheus with the operator's flags, filled by the recorder with what the
// pictures of the dashboards shall show.

import type { LossReason } from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { prometheus } from '../harness/needs.ts';
import { post } from '../harness/runs.ts';
import { type Prometheus, prometheusServer } from '../harness/stack.ts';
import type { Situation } from './options.ts';
import { gauges } from './otlp.ts';
import { ownMetrics, type Sample } from './own-metrics.ts';
import { type PictureRun, pictureRuns, RELEASES } from './runs.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** The present of all pictures: a Tuesday afternoon, so that they are the same every time. */
export const NOW = Date.UTC(2026, 10, 24, 16, 20);
/** How long the gateway has been down, in the picture of that. */
const DOWN_MS = 40 * MINUTE_MS;
/** The dashboard about telemetry health shows 24 hours; alerts look back for one more. */
const OWN_HOURS = 26;
/** Losses: days before the end, and how many runs, by reason. */
const LOST: readonly { daysAgo: number; counts: readonly (readonly [LossReason, number])[] }[] = [
  { daysAgo: 19, counts: [['rejected', 2]] },
  {
    daysAgo: 5,
    counts: [
      ['expired', 2],
      ['spool_full', 1],
    ],
  },
];

/**
 * There are runs before the time range of a picture, too: else its first step would be incomplete,
 * and a sum over the last seven days would begin with nothing.
 */
const DAYS_BEFORE = 8;
const PERIODS: Record<Situation, { days: number; count: number; releases: typeof RELEASES }> = {
  month: { days: 30 + DAYS_BEFORE, count: 5_228, releases: RELEASES },
  down: { days: 30 + DAYS_BEFORE, count: 5_228, releases: RELEASES },
  year: { days: 400 + DAYS_BEFORE, count: 6_356, releases: RELEASES.slice(-1) },
  empty: { days: 0, count: 0, releases: RELEASES },
};

/** A Prometheus that has been started and filled; the caller stops it. */
export async function filledPrometheus(situation: Situation): Promise<Prometheus> {
  // Without samples of the present, which would make those of the past too old to be accepted.
  const backend = await prometheusServer(prometheus().path, { past: true });
  await backend.start();
  try {
    const stopped = situation === 'down' ? NOW - DOWN_MS : undefined;
    const runs = pictureRuns({ end: NOW, ...PERIODS[situation] }).filter(
      ({ at }) => at < (stopped ?? NOW),
    );
    const otlp = `${backend.url}/api/v1/otlp`;
    const lost = await sendRuns(otlp, runs);
    const times = runs.map(({ at }) => at);
    await sendScrapes(otlp, [
      ...ownMetrics({ runs: times, end: NOW, hours: OWN_HOURS, stopped, lost }),
    ]);
    return backend;
  } catch (error) {
    await backend.stop();
    throw error;
  }
}

/** In ascending order of time. Resolves with the time of the newest loss that clients report. */
async function sendRuns(url: string, runs: readonly PictureRun[]): Promise<number | undefined> {
  const losses = LOST.flatMap(({ daysAgo, counts }) => {
    const run = runs.find(({ at }) => at > NOW - daysAgo * DAY_MS);
    return run ? [[run, new Map(counts)] as const] : [];
  });
  const reported = new Map(losses);
  for (const run of runs) {
    const { at, event, slot } = run;
    const startedAt = at - event.generation_time_seconds * 1_000;
    const lost = reported.get(run);
    const options = { timestamp: at, startedAt, slot, ...(lost ? { lost } : {}) };
    await accepted(post(url, await recordRun(event, options)));
  }
  return losses.at(-1)?.[0].at;
}

/** How many scrapes are in one request. */
const BATCH = 60;

async function sendScrapes(url: string, scrapes: readonly [number, Sample[]][]): Promise<void> {
  for (let at = 0; at < scrapes.length; at += BATCH)
    await accepted(post(url, gauges(scrapes.slice(at, at + BATCH))));
}

async function accepted(status: Promise<string>): Promise<void> {
  const answer = await status;
  if (answer !== '200') throw new Error(`Prometheus answered ${answer}`);
}
