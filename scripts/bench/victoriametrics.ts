// victoriametrics.ts: npm run bench -- victoriametrics. The same runs, of a hundred machines whose
// times vary as real ones do, through the same gateway into Prometheus and into VictoriaMetrics:
// what they cost, and every panel; and what a kill takes away.

import { dashboards } from '../../deploy/generate/dashboards/dashboards.ts';
import { DIALECTS, type Dialect } from '../../deploy/generate/dashboards/dialects.ts';
import { EVENT, generator, noise } from '../harness/history.ts';
import { DAY, digest, post, type Run, record, sumOf } from '../harness/runs.ts';
import type { Server } from '../harness/server.ts';
import { gatewayServer, type Prometheus, prometheusServer } from '../harness/stack.ts';
import {
  type VictoriaMetrics,
  victoriaMetricsGateway,
  victoriaMetricsServer,
} from '../harness/victoriametrics.ts';
import { ensureCollector, ensurePrometheus, ensureVictoriaMetrics } from '../setup/install.mjs';
import { load, onDisk } from './load.ts';
import { cpu, peak, quantile, table } from './measure.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 10_000);
const MACHINES = RUNS / 100;
const KILLS = 8;
const COUNT = sumOf('lhp_generate_runs_total');

/**
 * Each machine has a project of its own size; a run takes as long as the project is large, more or
 * less.
 */
function fleet(now: number): Run[] {
  const random = generator(7);
  return Array.from({ length: RUNS }, (_, i) => {
    const machine = i % MACHINES;
    const flowgroups = 8 + ((machine * 37) % 400);
    const event = {
      ...EVENT,
      machine_id: digest(`machine ${machine}`),
      project_id: digest(`project ${machine}`),
      flowgroups_count: flowgroups,
      flowgroups_using_templates: Math.round(flowgroups * 0.7),
      files_generated: flowgroups,
      generation_time_seconds:
        Math.round((0.9 + flowgroups * 0.045) * noise(random, 0.14) * 100) / 100,
    };
    return { at: now - Math.floor(random() * 7 * DAY) - i, event };
  });
}

export async function victoriaMetrics(): Promise<void> {
  const now = Date.now();
  const bodies = await Promise.all(fleet(now).map(record));
  const rows: string[][] = [];
  const measured = async (backend: Prometheus, gateway: Server, dialect: Dialect) => {
    const figures = await load(bodies, gateway.url, [[gateway], [backend]], () =>
      backend.value(COUNT, now / 1_000),
    );
    const series = ((await seriesOf(backend)) / MACHINES).toFixed(0);
    const answered = (await asked(backend, dialect, now)).toFixed(0);
    const memory = peak(backend.pid()).toFixed(0);
    await gateway.stop();
    await backend.stop();
    const disk = (onDisk(backend.folder) / RUNS / 1_000).toFixed(2);
    rows.push([dialect.name, ...figures, series, memory, disk, answered]);
  };
  const [promql, metricsql] = DIALECTS as [Dialect, Dialect];

  const prometheus = await prometheusServer(await ensurePrometheus());
  await prometheus.start();
  const plain = await gatewayServer(await ensureCollector(), `${prometheus.url}/api/v1/otlp`);
  await plain.start();
  await measured(prometheus, plain, promql);

  const victoria = await victoriaMetricsServer(await ensureVictoriaMetrics());
  await victoria.start();
  const gateway = await victoriaMetricsGateway(await ensureCollector(), victoria.otlp);
  await gateway.start();
  await measured(victoria, gateway, metricsql);
  table(
    `${RUNS} runs of ${MACHINES} machines, spread over 7 days, all on this machine`,
    [
      ...[
        '',
        'runs/s',
        'exact',
        'gateway, CPU ms a run',
        'backend',
        'series a machine',
        'peak MiB',
      ],
      ...['kB a run on disk', 'every panel once, CPU ms'],
    ],
    rows,
  );
  await kills();
}

/** Series of runs. */
async function seriesOf({ value }: Prometheus): Promise<number> {
  return (await value('count(last_over_time({__name__=~"lhp_.*|target_info"}[9d]))')) ?? 0;
}

/** Processor time that all panels about runs take it, one after the other, over 9 days; in ms. */
async function asked({ pid, query }: Prometheus, dialect: Dialect, now: number): Promise<number> {
  const before = cpu(pid());
  for (const { panels } of dashboards(dialect).filter(({ uid }) => uid !== 'lhp-health'))
    for (const { queries } of panels)
      for (const { expr } of queries)
        await query(
          expr.replace(/\$__(range|interval)/g, '9d').replace(/\$\w+/g, '.*'),
          now / 1_000,
        );
  return (cpu(pid()) - before) * 1_000;
}

/**
 * A steady run after the other, a kill at some moment: how old was the oldest run that was
 * acknowledged and is gone?
 */
async function kills(): Promise<void> {
  const ages: Record<string, number[]> = {
    '1s, as the compose file has it': [],
    '5s, the default': [],
  };
  for (const [name, lost] of Object.entries(ages))
    for (let i = 0; i < KILLS; i += 1) {
      const backend = await victoriaMetricsServer(await ensureVictoriaMetrics(), {
        without: name.startsWith('5s') ? ['-inmemoryDataFlushInterval'] : [],
      });
      await backend.start();
      const gateway = await victoriaMetricsGateway(await ensureCollector(), backend.otlp);
      await gateway.start();
      lost.push(await oldestLost(backend, gateway.url, 15_000 + i * 700));
      await gateway.stop();
      await backend.stop();
    }
  table(
    `${KILLS} kills of VictoriaMetrics while runs come: age of the oldest run that was acknowledged and lost, s`,
    ['-inmemoryDataFlushInterval', 'median', 'largest'],
    Object.entries(ages).map(([name, seconds]) => [
      name,
      quantile(seconds, 0.5).toFixed(1),
      Math.max(...seconds).toFixed(1),
    ]),
  );
}

async function oldestLost(backend: VictoriaMetrics, url: string, ms: number): Promise<number> {
  const acknowledged: number[] = [];
  const started = Date.now();
  while (Date.now() - started < ms) {
    const at = Date.now();
    const run = {
      at,
      event: { ...EVENT, machine_id: digest(`machine ${acknowledged.length % 10}`) },
    };
    if ((await post(url, await record(run))) === '200') acknowledged.push(at);
  }
  const killed = Date.now();
  await backend.kill();
  await backend.start();
  await backend.flush();
  const exported = `${backend.url}/api/v1/export?match[]=lhp_generate_runs_total&start=${started / 1_000}`;
  const lines = (await (await fetch(exported)).text()).split('\n').filter(Boolean);
  const kept = new Set(
    lines.flatMap((line) => (JSON.parse(line) as { timestamps: number[] }).timestamps),
  );
  const oldest = acknowledged.find((at) => !kept.has(at));
  return oldest === undefined ? 0 : (killed - oldest) / 1_000;
}
