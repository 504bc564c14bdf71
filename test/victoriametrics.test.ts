// Proves what docs/victoriametrics.md says of VictoriaMetrics in place of Prometheus, with the flags and files of
// docker-compose.victoriametrics.yml: totals are exact through repetitions, restarts and absences; what is not exact is shown, too: a kill
// takes what it had acknowledged last, and of two different values of one millisecond the larger one stays.
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordRun } from '../src/record.ts';
import { freePort } from './support/collector.ts';
import { collector, lacking, victoriaMetrics, vmalert } from './support/needs.ts';
import { DAY, deliver, digest, HOUR, makeRuns, post, type Run, record, sumOf, truth } from './support/runs.ts';
import { until } from './support/sandbox.ts';
import { asker, type Gateway, server } from './support/stack.ts';
import {
  type VictoriaMetrics,
  type VictoriaMetricsOptions,
  victoriaMetricsGateway,
  victoriaMetricsServer,
  vmalertArguments,
} from './support/victoriametrics.ts';

const LOAD = 1_500;
/** Buckets (collector/victoriametrics.yaml). */
const PER_DOUBLING = 16;
const RUNS = sumOf('lhp_generate_runs_total');
const ASKED = {
  count: (series: string) => sumOf(`${series}_count`),
  sum: (series: string) => sumOf(`${series}_sum`),
};
const BUCKETS: typeof ASKED = { ...ASKED, count: (series) => sumOf(`${series}_bucket`) };

async function stack(options: VictoriaMetricsOptions = {}) {
  const scrape = await freePort();
  const backend = await victoriaMetricsServer(victoriaMetrics().path, { scrape, ...options });
  await backend.start();
  const gateway = await victoriaMetricsGateway(collector().path, backend.otlp, { LHP_OTEL_METRICS_PORT: `${scrape}` });
  await gateway.start();
  const stop = () => gateway.stop().then(backend.stop);
  return { backend, gateway, stop };
}

describe('VictoriaMetrics', () => {
  if (lacking(collector(), victoriaMetrics())) return;
  let backend: VictoriaMetrics;
  let gateway: Gateway;
  let stop: () => Promise<void>;
  const began = Date.now();
  const later = began / 1_000 + 60;
  const stored: Run[] = makeRuns(LOAD, began - 60_000, 7.9);
  let bodies: Uint8Array[];
  const [model] = stored as [Run];

  beforeAll(async () => {
    ({ backend, gateway, stop } = await stack());
    bodies = await Promise.all(stored.map(record));
  });
  afterAll(() => stop?.());

  async function expectTruth() {
    for (const asked of [ASKED, BUCKETS])
      for (const [question, answer] of truth(stored, asked))
        expect([question, await backend.value(question, later)]).toEqual([question, answer]);
  }

  it('runs up to eight days late, each sent twice, the backend restarted twice meanwhile: each counts once', async () => {
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
    expect(answers.size).toBeGreaterThan(1); // it was away while there were senders
    await expectTruth();
  });

  it('each duration is in its own bucket, also below one second, where the indexes are negative', async () => {
    const count = (indexes: number[]) =>
      Object.fromEntries([...Map.groupBy(indexes, (index) => index)].map(([index, all]) => [index, all.length]));
    const known = stored.map(({ event }) => Math.ceil(Math.log2(event.generation_time_seconds) * PER_DOUBLING) - 1);
    const buckets = await backend.query(sumOf('lhp_generate_duration_seconds_bucket', ' by (vmrange) '), later);
    const given = buckets.flatMap(({ metric, value }) => {
      const lower = Number(metric.vmrange?.split('...')[0]);
      return Array<number>(Number(value?.[1])).fill(Math.round(Math.log2(lower) * PER_DOUBLING));
    });
    expect(Math.min(...known)).toBeLessThan(0);
    expect(count(given)).toEqual(count(known));
  });

  it('everything again, in reverse: the same totals, and no other answer than 200', async () => {
    expect([...(await deliver([...bodies].reverse(), () => gateway.url))]).toEqual([['200', LOAD]]);
    await expectTruth();
  });

  it('away, or with a full disk: nothing is acknowledged, and later everything is stored', async () => {
    const more = makeRuns(100, began - 120_000, 3).map((run, i) => ({
      ...run,
      event: { ...run.event, machine_id: digest(`more ${i}`) },
    }));
    const sent = await Promise.all(more.map(record));
    const all = () => Promise.all(sent.map((body) => post(gateway.url, body)));
    await backend.stop();
    expect(new Set(await all())).toEqual(new Set(['503']));
    const full = await stack({ flags: ['-storage.minFreeDiskSpaceBytes=1000TiB'] });
    await until(() => post(full.gateway.url, sent[0] as Uint8Array).then((answer) => answer !== '200'), 'it to notice');
    expect(await post(full.gateway.url, sent[0] as Uint8Array)).toBe('503');
    await full.stop();
    await backend.start();
    expect(new Set(await all())).toEqual(new Set(['200']));
    stored.push(...more);
    await expectTruth();
  });

  it('runs of two machines in one millisecond count both, and so do those of one machine in the next ones', async () => {
    const runs = ['one', 'other'].flatMap((name) =>
      [0, 1, 2].map((ms) => ({ at: began - 5 * DAY + ms, event: { ...model.event, machine_id: digest(name) } })),
    );
    for (const run of runs) expect(await post(gateway.url, await record(run))).toBe('200');
    stored.push(...runs);
    await expectTruth();
  });

  it('a run is in the answer to a question that was asked before it came, at once and over time', async () => {
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
      // The bars end with the last full hour.
      expect(await ask()).toEqual([(before ?? 0) + i + 1, barsBefore + 1]);
    }
  });

  it('of two different values in one millisecond of a series, the run counts once, with the larger value', async () => {
    const own = { ...model.event, machine_id: digest('in conflict') };
    const at = began - 3 * DAY;
    const before = await backend.value(sumOf('lhp_generate_duration_seconds_sum'), later);
    const inBuckets = await backend.value(sumOf('lhp_generate_duration_seconds_bucket'), later);
    for (const seconds of [9, 4]) {
      const twin = { at, event: { ...own, generation_time_seconds: seconds } };
      expect(await post(gateway.url, await record(twin))).toBe('200');
    }
    expect(await backend.value(RUNS, later)).toBe(stored.length + 1);
    const rise = async (series: string, from = 0) => ((await backend.value(sumOf(series), later)) ?? 0) - from;
    expect(await rise('lhp_generate_duration_seconds_sum', before)).toBeCloseTo(9, 6);
    // Quantiles see both: they fell into different buckets.
    expect(await rise('lhp_generate_duration_seconds_bucket', inBuckets)).toBe(2);
  });

  it('logs no label of a run', () => {
    expect(backend.log()).not.toMatch(/[0-9a-f]{64}|lhp_/);
  });
});

describe('VictoriaMetrics of somebody else, which has its cache of answers', () => {
  if (lacking(collector(), victoriaMetrics())) return;

  it('gives late runs, and those of the last 30 s, to the data source that asks with nocache=1', async () => {
    const { backend, gateway, stop } = await stack({ without: ['-search.disableCache', '-search.latencyOffset'] });
    const { value } = asker(() => backend.url);
    const uncached = async () => {
      const query = new URLSearchParams({ query: RUNS, nocache: '1' });
      const answer = await fetch(`${backend.url}/api/v1/query?${query}`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return Number(data.result[0]?.value[1]);
    };
    const [run] = makeRuns(1, Date.now(), 0) as [Run];
    // A first one, which the cache then knows; a late one, and one of these last seconds.
    for (const [i, age] of [DAY, 2 * DAY, 5_000].entries()) {
      expect(await post(gateway.url, await record({ ...run, at: Date.now() - age }))).toBe('200');
      await backend.flush();
      expect([await value(RUNS), await uncached()]).toEqual([1, i + 1]);
    }
    await stop();
  });
});

describe('VictoriaMetrics, killed', () => {
  if (lacking(collector(), victoriaMetrics())) return;

  it('has what had come to its disk, and has lost what it had acknowledged last', async () => {
    // Without anything else that it would write.
    const { backend, gateway, stop } = await stack({ without: ['-selfScrapeInterval', '-promscrape.config'] });
    const runs = makeRuns(200, Date.now() - 60_000, 7);
    const [settled, last] = [runs.slice(0, 150), runs.slice(150)];
    const send = async (some: Run[]) =>
      expect([...(await deliver(await Promise.all(some.map(record)), () => gateway.url))]).toEqual([
        ['200', some.length],
      ]);
    const inMemory = async () => {
      const metrics = await (await fetch(`${backend.url}/metrics`)).text();
      const kept =
        /^vm_(?:pending_rows|parts)\{type="(?:storage|indexdb|storage\/inmemory|indexdb\/inmemory)"\} (\d+)$/gm;
      return [...metrics.matchAll(kept)].reduce((sum, [, count]) => sum + Number(count), 0);
    };
    await send(settled);
    await until(async () => (await inMemory()) === 0, 'everything to be on the disk');
    await send(last);
    await backend.kill();
    await backend.start();
    const kept = (await backend.value(RUNS)) ?? 0;
    expect(kept).toBeGreaterThanOrEqual(settled.length);
    expect(kept).toBeLessThan(runs.length);
    // Whoever still has them can send everything again.
    await send(runs);
    for (const [question, answer] of truth(runs, ASKED))
      expect([question, await backend.value(question)]).toEqual([question, answer]);
    await stop();
  });

  it('beside a second one, as the switch second has it, lacks nothing once the runs of that one are copied to it', async () => {
    const { backend, stop } = await stack();
    const second = await victoriaMetricsServer(victoriaMetrics().path);
    await second.start();
    const env = { LHP_OTEL_SECOND_BACKEND: second.otlp };
    const gateway = await victoriaMetricsGateway(collector().path, backend.otlp, env, ['second']);
    await gateway.start();
    const runs = makeRuns(300, Date.now() - 60_000, 7);
    const bodies = await Promise.all(runs.map(record));
    await deliver(bodies, () => gateway.url);
    await backend.kill();
    expect(await post(gateway.url, bodies[0] as Uint8Array)).toBe('503');
    await backend.start();
    expect(await backend.value(RUNS)).not.toBe(runs.length);
    const all = 'match[]={__name__=~"lhp_.*"}&start=-10d';
    await second.flush();
    const copied = await fetch(`${second.url}/api/v1/export/native?${all}`);
    await fetch(`${backend.url}/api/v1/import/native`, { method: 'POST', body: await copied.arrayBuffer() });
    for (const { value } of [backend, second])
      for (const asked of [ASKED, BUCKETS])
        for (const [question, answer] of truth(runs, asked))
          expect([question, await value(question)]).toEqual([question, answer]);
    await second.stop();
    expect(await post(gateway.url, bodies[0] as Uint8Array)).toBe('503');
    await gateway.stop();
    await stop();
  });
});

describe('vmalert', () => {
  if (lacking(collector(), victoriaMetrics(), vmalert())) return;

  it('takes all rules, VictoriaMetrics lists them for Grafana, and what should fire does', async () => {
    const port = await freePort();
    const { backend, gateway, stop } = await stack({ alerts: port });
    const args = () => [...vmalertArguments(backend.url), `-httpListenAddr=127.0.0.1:${port}`];
    const live = server(vmalert().path, args, {}, port, `http://127.0.0.1:${port}/health`);
    await live.start();
    const answer = await fetch(`${backend.url}/api/v1/rules`);
    const { data } = (await answer.json()) as { data: { groups: { name: string; rules: unknown[] }[] } };
    const groups = Object.fromEntries(data.groups.map(({ name, rules }) => [name, rules.length]));
    expect(groups).toEqual({ 'lhp-gateway': 7, 'lhp-runs': 2, 'lhp-victoriametrics': 3 });
    await live.stop();

    const [run] = makeRuns(1, Date.now() - HOUR, 0) as [Run];
    const ahead = Date.now() + HOUR;
    const dropped = () => backend.value('sum(otelcol_processor_filter_datapoints_filtered{filter="filter/time"})');
    await until(async () => {
      await post(gateway.url, await record({ ...run, at: ahead }));
      return ((await dropped()) ?? 0) > 0;
    }, 'the gateway to be looked at');
    await backend.kill();
    await backend.start();
    const killed = async () => ((await backend.value('vm_app_prev_shutdown_unclean')) ?? 0) === 1;
    await until(async () => (await killed()) && ((await dropped()) ?? 0) > 0, 'it to look at itself again');
    // After the kill, which would take it.
    const lost = new Map([['expired', 3]] as const);
    const sent = await recordRun(run.event, { timestamp: run.at, startedAt: run.at - 1_000, lost });
    expect(await post(gateway.url, sent)).toBe('200');
    await backend.flush();
    const now = Date.now();
    const at = (ms: number) => new Date(ms).toISOString();
    const flags = ['-replay.rulesDelay=0s', '-replay.disableProgressBar', '-httpListenAddr=127.0.0.1:0'];
    const range = [`-replay.timeFrom=${at(now - 60_000)}`, `-replay.timeTo=${at(now)}`];
    const { status, stderr } = spawnSync(vmalert().path, [...vmalertArguments(backend.url), ...flags, ...range], {
      encoding: 'utf8',
    });
    expect([status, stderr.match(/\terror\t.*/g)]).toEqual([0, null]);
    const fired = await backend.query('last_over_time(ALERTS{alertstate="firing"}[1h])');
    expect(fired.map(({ metric }) => metric.alertname).sort()).toEqual([
      'GatewayClockSkew',
      'LostRuns',
      'VictoriaMetricsKilled',
    ]);
    await stop();
  });
});
