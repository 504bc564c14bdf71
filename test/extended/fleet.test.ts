// @module-tag extended
// Tests that a benchmark which stores the runs of many days in a backend directly measures the same
// data as clients would have sent: the real backend holds the same series with the same samples
// when a few runs of each kind went through the real gateway one by one, and when they were stored
// as `npm run bench -- fleet` stores them.
import { afterAll, describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../scripts/fleet/assumptions.ts';
import { bodies } from '../../scripts/fleet/bodies.ts';
import { fleetOf } from '../../scripts/fleet/delivery.ts';
import { distinctRuns, fill } from '../../scripts/fleet/fill.ts';
import { forwardedBy } from '../../scripts/fleet/forwarded.ts';
import type { BackendName } from '../../scripts/fleet/options.ts';
import { collector, prometheus, victoriaMetrics } from '../../scripts/harness/needs.ts';
import { post } from '../../scripts/harness/runs.ts';
import { gatewayServer, type Prometheus, prometheusServer } from '../../scripts/harness/stack.ts';
import {
  victoriaMetricsGateway,
  victoriaMetricsServer,
} from '../../scripts/harness/victoriametrics.ts';
import { lacking } from '../support/lacking.ts';

const DAYS = 3;
const FLEET = { machines: 12, days: DAYS, seed: 3, from: Date.now() - HOUR - DAYS * DAY };
const runs = distinctRuns(
  [...fleetOf(FLEET)].flatMap(({ arrivals }) => arrivals.map(({ run }) => run)),
);
const opened: { stop(): Promise<void> }[] = [];
afterAll(() => Promise.all(opened.map((one) => one.stop())));

/** Every sample of the runs, with its labels and its time, in an order of its own. */
async function samplesOf({ url }: Prometheus, flush = async () => {}): Promise<string[]> {
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
  if (name === 'victoriametrics') {
    const server = await victoriaMetricsServer(victoriaMetrics().path);
    await server.start();
    opened.push(server);
    return { otlp: server.otlp, samples: () => samplesOf(server, server.flush) };
  }
  const server = await prometheusServer(prometheus().path, { past: true });
  await server.start();
  opened.push(server);
  return { otlp: `${server.url}/api/v1/otlp`, samples: () => samplesOf(server) };
}

async function gatewayOf(name: BackendName, backend: string) {
  const start = name === 'prometheus' ? gatewayServer : victoriaMetricsGateway;
  const gateway = await start(collector().path, backend);
  await gateway.start();
  opened.push(gateway);
  return gateway;
}

const NEEDS = { prometheus: prometheus(), victoriametrics: victoriaMetrics() };

describe.each(['prometheus', 'victoriametrics'] as const)('a fleet stored in %s', (name) => {
  if (lacking(collector(), NEEDS[name])) return;

  it('is what the gateway would have stored of the same runs', async () => {
    expect(new Set(runs.map(({ slot }) => slot === undefined)).size).toBe(2);
    const [oneByOne, stored] = [await started(name), await started(name)];
    const gateway = await gatewayOf(name, oneByOne.otlp);
    const body = bodies();
    for (const run of runs) expect(await post(gateway.url, await body(run))).toBe('200');

    const filling = await forwardedBy((backend) => gatewayOf(name, backend));
    await fill(stored.otlp, runs, filling.forwarded);
    await filling.stop();

    const samples = await oneByOne.samples();
    expect(samples.length).toBeGreaterThanOrEqual(8 * runs.length);
    expect(await stored.samples()).toEqual(samples);
  });
});
