// @module-tag extended
// Tests what docs/victoriametrics.md says about VictoriaMetrics instead of Prometheus, with the
// flags and files of deploy/docker-compose.victoriametrics.yml: totals stay exact through
// repetitions, restarts and downtime, and an answer contains every run that arrived before the
// query. victoriametrics-operation.test.ts tests what a kill loses, and the alerts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asker } from '../../scripts/harness/asker.ts';
import { collector, victoriaMetrics } from '../../scripts/harness/needs.ts';
import {
  DAY,
  deliver,
  digest,
  HOUR,
  makeRuns,
  post,
  type Run,
  record,
  sumOf,
} from '../../scripts/harness/runs.ts';
import { until } from '../../scripts/harness/sandbox.ts';
import { temporary } from '../../scripts/harness/server.ts';
import type { Gateway } from '../../scripts/harness/stack.ts';
import {
  type VictoriaMetrics,
  victoriaMetricsGateway,
  victoriaMetricsStack,
  victoriaMetricsTruth,
} from '../../scripts/harness/victoriametrics.ts';
import { lacking } from '../support/lacking.ts';

const RUNS = sumOf('lhp_generate_runs_total');
const LOAD = 1_500;
/** Width of a bucket as a factor (deploy/collector/victoriametrics.yaml). */
const PER_DOUBLING = 16;

describe('VictoriaMetrics', () => {
  if (lacking(collector(), victoriaMetrics())) return;
  let backend: VictoriaMetrics;
  let gateway: Gateway;
  let stop: () => Promise<void>;
  const began = Date.now();
  // After every run of this file, also those that are recorded while it runs. On a busy machine the
  // tests take more than a minute.
  const later = began / 1_000 + 600;
  const stored: Run[] = makeRuns(LOAD, began - 60_000, 7.9);
  let bodies: Uint8Array[];
  const [model] = stored as [Run];

  beforeAll(async () => {
    ({ backend, gateway, stop } = await victoriaMetricsStack());
    bodies = await Promise.all(stored.map(record));
  });
  afterAll(() => stop?.());

  async function expectTruth() {
    for (const [question, answer] of victoriaMetricsTruth(stored))
      expect([question, await backend.value(question, later)]).toEqual([question, answer]);
  }

  it('counts each run once: eight days late, sent twice, backend restarted', async () => {
    let restarts = Promise.resolve();
    const twice = bodies.flatMap((body) => [body, body]);
    const answers = await deliver(twice, () => gateway.url, {
      onSent: (sent) => {
        if (sent !== LOAD / 2 && sent !== LOAD) return;
        restarts = restarts.then(() => backend.stop()).then(() => backend.start());
      },
    });
    await restarts;
    expect(answers.get('400')).toBeUndefined();
    expect(answers.size).toBeGreaterThan(1); // it was down while runs were sent
    await expectTruth();
  });

  it('puts each duration into its bucket, even with a negative index', async () => {
    const count = (indexes: number[]) =>
      Object.fromEntries(
        [...Map.groupBy(indexes, (index) => index)].map(([index, all]) => [index, all.length]),
      );
    const known = stored.map(
      ({ event }) => Math.ceil(Math.log2(event.generation_time_seconds) * PER_DOUBLING) - 1,
    );
    const buckets = await backend.query(
      sumOf('lhp_generate_duration_seconds_bucket', ' by (vmrange) '),
      later,
    );
    const given = buckets.flatMap(({ metric, value }) => {
      const lower = Number(metric.vmrange?.split('...')[0]);
      return Array<number>(Number(value?.[1])).fill(Math.round(Math.log2(lower) * PER_DOUBLING));
    });
    expect(Math.min(...known)).toBeLessThan(0);
    expect(count(given)).toEqual(count(known));
  });

  it('everything sent again in reverse: the same totals, and every answer is 200', async () => {
    expect([...(await deliver([...bodies].reverse(), () => gateway.url))]).toEqual([['200', LOAD]]);
    await expectTruth();
  });

  it('down or with a full disk: acknowledges nothing, and later stores everything', async () => {
    const more = makeRuns(100, began - 120_000, 3).map((run, i) => ({
      ...run,
      event: { ...run.event, machine_id: digest(`more ${i}`) },
    }));
    const sent = await Promise.all(more.map(record));
    const all = () => Promise.all(sent.map((body) => post(gateway.url, body)));
    await backend.stop();
    expect(new Set(await all())).toEqual(new Set(['503']));
    const full = await victoriaMetricsStack({ flags: ['-storage.minFreeDiskSpaceBytes=1000TiB'] });
    await until(
      () => post(full.gateway.url, sent[0] as Uint8Array).then((answer) => answer !== '200'),
      'it to notice',
    );
    expect(await post(full.gateway.url, sent[0] as Uint8Array)).toBe('503');
    await full.stop();
    await backend.start();
    expect(new Set(await all())).toEqual(new Set(['200']));
    stored.push(...more);
    await expectTruth();
  });

  it('counts runs of two machines in one millisecond, and of one in successive ones', async () => {
    const runs = ['one', 'other'].flatMap((name) =>
      [0, 1, 2].map((ms) => ({
        at: began - 5 * DAY + ms,
        event: { ...model.event, machine_id: digest(name) },
      })),
    );
    for (const run of runs) expect(await post(gateway.url, await record(run))).toBe('200');
    stored.push(...runs);
    await expectTruth();
  });

  it('answers a repeated query with a run that arrived late', async () => {
    const ask = async () => {
      const end = Math.floor(began / HOUR) * 3_600;
      const hours = { start: end - 200 * 3_600, end, step: 3_600 };
      const bars = await backend.range('sum(sum_over_time(lhp_generate_runs_total[1h]))', hours);
      return [await backend.value(RUNS), bars.reduce((sum, bar) => sum + bar, 0)] as const;
    };
    const [before, barsBefore] = await ask();
    for (const [i, at] of [began - 2 * DAY, Date.now() - 5_000].entries()) {
      const run = { at, event: { ...model.event, machine_id: digest('asked before') } };
      expect(await post(gateway.url, await record(run))).toBe('200');
      stored.push(run);
      // The range ends with the last full hour.
      expect(await ask()).toEqual([(before ?? 0) + i + 1, barsBefore + 1]);
    }
  });

  it('counts one run with the larger value of two in one millisecond', async () => {
    const own = { ...model.event, machine_id: digest('in conflict') };
    const at = began - 3 * DAY;
    const before = await backend.value(sumOf('lhp_generate_duration_seconds_sum'), later);
    const inBuckets = await backend.value(sumOf('lhp_generate_duration_seconds_bucket'), later);
    for (const seconds of [9, 4]) {
      const twin = { at, event: { ...own, generation_time_seconds: seconds } };
      expect(await post(gateway.url, await record(twin))).toBe('200');
    }
    expect(await backend.value(RUNS, later)).toBe(stored.length + 1);
    const rise = async (series: string, from = 0) =>
      ((await backend.value(sumOf(series), later)) ?? 0) - from;
    expect(await rise('lhp_generate_duration_seconds_sum', before)).toBeCloseTo(9, 6);
    // Quantiles contain both, because they fell into different buckets.
    expect(await rise('lhp_generate_duration_seconds_bucket', inBuckets)).toBe(2);
  });

  it('puts runs that arrive through ci-queue into the same buckets', async () => {
    const secrets = temporary();
    writeFileSync(join(secrets, 'tokens'), 'a-token\n');
    const queued = await victoriaMetricsGateway(
      collector().path,
      backend.otlp,
      { LHP_OTEL_SECRETS: secrets },
      ['tokens', 'ci-queue'],
    );
    await queued.start();
    const bucket = sumOf(
      'lhp_generate_duration_seconds_bucket{lhp_ci="true", vmrange="2.973e-01...3.105e-01"}',
    );
    const before = (await backend.value(bucket)) ?? 0;
    const event = {
      ...model.event,
      machine_id: digest('queued'),
      is_ci: true,
      generation_time_seconds: 0.3,
    };
    const headers = { authorization: 'Bearer a-token' };
    expect(await post(queued.url, await record({ at: began - DAY, event }), headers)).toBe('200');
    await until(async () => (await backend.value(bucket)) === before + 1, 'the queue to deliver');
    await queued.stop();
  });

  it('logs no label of a run', () => {
    expect(backend.log()).not.toMatch(/[0-9a-f]{64}|lhp_/);
  });
});

describe('a VictoriaMetrics of the operator’s, with its cache of answers', () => {
  if (lacking(collector(), victoriaMetrics())) return;

  it('shows late runs, and those of the last 30 s, to a data source with nocache=1', async () => {
    const { backend, gateway, stop } = await victoriaMetricsStack({
      without: ['-search.disableCache', '-search.latencyOffset'],
    });
    const { value } = asker(() => backend.url);
    const uncached = async () => {
      const query = new URLSearchParams({ query: RUNS, nocache: '1' });
      const answer = await fetch(`${backend.url}/api/v1/query?${query}`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return Number(data.result[0]?.value[1]);
    };
    const [run] = makeRuns(1, Date.now(), 0) as [Run];
    // One run that the cache then contains, a late one, and one of the last seconds.
    for (const [i, age] of [DAY, 2 * DAY, 5_000].entries()) {
      expect(await post(gateway.url, await record({ ...run, at: Date.now() - age }))).toBe('200');
      await backend.flush();
      expect([await value(RUNS), await uncached()]).toEqual([1, i + 1]);
    }
    await stop();
  });
});
