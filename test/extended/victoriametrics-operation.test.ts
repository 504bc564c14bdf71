// @module-tag extended
// Tests what an operator of VictoriaMetrics has to know (docs/victoriametrics.md): a kill loses
// what was acknowledged last, a second VictoriaMetrics has it and can restore it, and vmalert loads
// the rules of deploy/docker-compose.victoriametrics.yml and fires.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/harness/collector.ts';
import { collector, victoriaMetrics, vmalert } from '../../scripts/harness/needs.ts';
import {
  deliver,
  HOUR,
  makeRuns,
  post,
  type Run,
  record,
  sumOf,
} from '../../scripts/harness/runs.ts';
import { until } from '../../scripts/harness/sandbox.ts';
import { server } from '../../scripts/harness/server.ts';
import {
  victoriaMetricsGateway,
  victoriaMetricsServer,
  victoriaMetricsStack,
  victoriaMetricsTruth,
  vmalertArguments,
} from '../../scripts/harness/victoriametrics.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { lacking } from '../support/lacking.ts';

const RUNS = sumOf('lhp_generate_runs_total');

describe('a VictoriaMetrics that is killed', () => {
  if (lacking(collector(), victoriaMetrics())) return;

  it('has what was on its disk, and loses what it acknowledged last', async () => {
    // Without anything else that it would write itself.
    const { backend, gateway, stop } = await victoriaMetricsStack({
      without: ['-selfScrapeInterval', '-promscrape.config'],
    });
    const runs = makeRuns(200, Date.now() - 60_000, 7);
    const [settled, last] = [runs.slice(0, 150), runs.slice(150)];
    const send = async (some: Run[]) =>
      expect([...(await deliver(await Promise.all(some.map(record)), () => gateway.url))]).toEqual([
        ['200', some.length],
      ]);
    const inMemory = async () => {
      const metrics = await (await fetch(`${backend.url}/metrics`)).text();
      const kept =
        /^vm_(?:pending_rows|parts)\{type="(?:storage|indexdb)(?:\/inmemory)?"\} (\d+)$/gm;
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
    // A sender that still has the runs can send everything again.
    await send(runs);
    for (const [question, answer] of victoriaMetricsTruth(runs))
      expect([question, await backend.value(question)]).toEqual([question, answer]);
    await stop();
  });

  it('with the switch second, is complete after a copy from the other one', async () => {
    const { backend, stop } = await victoriaMetricsStack();
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
    await fetch(`${backend.url}/api/v1/import/native`, {
      method: 'POST',
      body: await copied.arrayBuffer(),
    });
    for (const { value } of [backend, second])
      for (const [question, answer] of victoriaMetricsTruth(runs))
        expect([question, await value(question)]).toEqual([question, answer]);
    await second.stop();
    expect(await post(gateway.url, bodies[0] as Uint8Array)).toBe('503');
    await gateway.stop();
    await stop();
  });
});

describe('vmalert', () => {
  if (lacking(collector(), victoriaMetrics(), vmalert())) return;

  it('loads all rules, lists them for Grafana, and fires the right ones', async () => {
    const port = await freePort();
    const { backend, gateway, stop } = await victoriaMetricsStack({ alerts: port });
    const args = () => [...vmalertArguments(backend.url), `-httpListenAddr=127.0.0.1:${port}`];
    const live = server(vmalert().path, args, {}, port, `http://127.0.0.1:${port}/health`);
    await live.start();
    const answer = await fetch(`${backend.url}/api/v1/rules`);
    const { data } = (await answer.json()) as {
      data: { groups: { name: string; rules: unknown[] }[] };
    };
    const groups = Object.fromEntries(data.groups.map(({ name, rules }) => [name, rules.length]));
    expect(groups).toEqual({ 'lhp-gateway': 7, 'lhp-runs': 2, 'lhp-victoriametrics': 3 });
    await live.stop();

    const [run] = makeRuns(1, Date.now() - HOUR, 0) as [Run];
    const ahead = Date.now() + HOUR;
    const dropped = () =>
      backend.value('sum(otelcol_processor_filter_datapoints_filtered{filter="filter/time"})');
    await until(async () => {
      await post(gateway.url, await record({ ...run, at: ahead }));
      return ((await dropped()) ?? 0) > 0;
    }, 'the gateway to be looked at');
    await backend.kill();
    await backend.start();
    const killed = async () => ((await backend.value('vm_app_prev_shutdown_unclean')) ?? 0) === 1;
    await until(
      async () => (await killed()) && ((await dropped()) ?? 0) > 0,
      'it to scrape itself again',
    );
    // After the kill, which would lose it.
    const lost = new Map([['expired', 3]] as const);
    const sent = await recordRun(run.event, { timestamp: run.at, startedAt: run.at - 1_000, lost });
    expect(await post(gateway.url, sent)).toBe('200');
    await backend.flush();
    const now = Date.now();
    const at = (ms: number) => new Date(ms).toISOString();
    const flags = [
      '-replay.rulesDelay=0s',
      '-replay.disableProgressBar',
      '-httpListenAddr=127.0.0.1:0',
    ];
    const range = [`-replay.timeFrom=${at(now - 60_000)}`, `-replay.timeTo=${at(now)}`];
    const { status, stderr } = spawnSync(
      vmalert().path,
      [...vmalertArguments(backend.url), ...flags, ...range],
      {
        encoding: 'utf8',
      },
    );
    expect([status, stderr.match(/\terror\t.*/g)]).toEqual([0, null]);
    const fired = await backend.query('last_over_time(ALERTS{alertstate="firing"}[1h])');
    expect(fired.map(({ metric }) => metric.alertname).sort()).toEqual([
      'LhpOtelGatewayClockSkew',
      'LhpOtelLostRuns',
      'LhpOtelVictoriaMetricsKilled',
    ]);
    await stop();
  });
});
