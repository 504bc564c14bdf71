// @module-tag extended
// Tests that a benchmark which stores the runs of many days in a backend directly measures the same
// data as clients would have sent: the real backend holds the same series with the same samples
// when a few runs of each kind went through the real gateway one by one, and when they were stored
// as `npm run bench -- fleet` stores them.
import { afterAll, describe, expect, it } from 'vitest';
import { emptyBackend, gatewayOf } from '../../scripts/bench/fleet/backends.ts';
import { bodies } from '../../scripts/bench/fleet/bodies.ts';
import { distinctRuns, fill } from '../../scripts/bench/fleet/fill.ts';
import { forwardedBy } from '../../scripts/bench/fleet/forwarded.ts';
import type { BackendName } from '../../scripts/bench/fleet/options.ts';
import { DAY, HOUR } from '../../scripts/fleet/assumptions.ts';
import { fleetOf } from '../../scripts/fleet/delivery.ts';
import { collector, prometheus, victoriaMetrics } from '../../scripts/harness/needs.ts';
import { post } from '../../scripts/harness/runs.ts';
import type { Prometheus } from '../../scripts/harness/stack.ts';
import { lacking } from '../support/lacking.ts';

const DAYS = 3;
const FLEET = { machines: 12, days: DAYS, seed: 3, from: Date.now() - HOUR - DAYS * DAY };
const runs = distinctRuns(
  [...fleetOf(FLEET)].flatMap(({ arrivals }) => arrivals.map(({ run }) => run)),
);
const opened: { stop(): Promise<void> }[] = [];
afterAll(() => Promise.all(opened.map((one) => one.stop())));

/** Every sample of the runs, with its labels and its time, in an order of its own. */
async function samplesOf({ url }: Prometheus, flush: () => Promise<void>): Promise<string[]> {
  await flush();
  const query = `{__name__=~"lhp_.+|target_info"}[${DAYS + 1}d]`;
  const body = new URLSearchParams({ query, time: String(Date.now() / 1_000) });
  const answer = await fetch(`${url}/api/v1/query`, { method: 'POST', body });
  const { data } = (await answer.json()) as {
    data: { result: { metric: object; values?: unknown[]; histograms?: unknown[] }[] };
  };
  return data.result
    .flatMap(({ metric, values = [], histograms = [] }) =>
      [...values, ...histograms].map((sample) => JSON.stringify([metric, sample])),
    )
    .sort();
}

async function started(name: BackendName) {
  const { server, otlp } = await emptyBackend(name);
  opened.push(server);
  const flush = 'flush' in server ? (server.flush as () => Promise<void>) : async () => {};
  return { server, otlp, samples: () => samplesOf(server, flush) };
}

const NEEDS = { prometheus: prometheus(), victoriametrics: victoriaMetrics() };

describe.each(['prometheus', 'victoriametrics'] as const)('a fleet stored in %s', (name) => {
  if (lacking(collector(), NEEDS[name])) return;

  it('is what the gateway would have stored of the same runs', async () => {
    expect(new Set(runs.map(({ slot }) => slot === undefined)).size).toBe(2);
    const [oneByOne, stored] = [await started(name), await started(name)];
    const gateway = await gatewayOf(name, oneByOne.otlp);
    opened.push(gateway);
    const body = bodies();
    for (const run of runs) expect(await post(gateway.url, await body(run))).toBe('200');

    const filling = await forwardedBy((backend) => gatewayOf(name, backend));
    opened.push(filling);
    await fill(stored.otlp, runs, filling.forwarded);

    const samples = await oneByOne.samples();
    expect(samples.length).toBeGreaterThanOrEqual(8 * runs.length);
    expect(await stored.samples()).toEqual(samples);
  });
});
