// cluster-cost.ts: npm run bench -- cluster-cost. The same runs through a single machine's gateway
// and Prometheus, and through the cluster with one, two and three gateways: runs a second, and what
// a run costs each part in processor time, and on disk.
import { join } from 'node:path';
import { clusterServers } from '../harness/cluster.ts';
import { program } from '../harness/needs.ts';
import { sumOf } from '../harness/runs.ts';
import type { Server } from '../harness/server.ts';
import { gatewayServer, prometheusServer } from '../harness/stack.ts';
import { ensureCollector, ensureCortex, ensurePrometheus } from '../setup/install.mjs';
import { requests } from './gateway.ts';
import { load, onDisk } from './load.ts';
import { peak, table } from './measure.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 5_000);
const MACHINES = RUNS / 5;
const COUNT = sumOf('lhp_generate_runs_total');

export async function clusterCost(): Promise<void> {
  const collector = { path: await ensureCollector() };
  const programs = { nginx: program('nginx'), collector, cortex: { path: await ensureCortex() } };
  const now = Date.now();
  const body = await requests(MACHINES, RUNS, now);
  const bodies = Array.from({ length: RUNS }, (_, i) => new TextEncoder().encode(body(i)));
  const rows: string[][] = [];

  const perRun = (bytes: number) => (bytes / RUNS / 1_000).toFixed(2);
  const peaks = (servers: Server[]) =>
    Math.max(...servers.map((one) => peak(one.pid()))).toFixed(0);
  const at = now / 1_000 + 60;

  const backend = await prometheusServer(await ensurePrometheus());
  await backend.start();
  const gateway = await gatewayServer(collector.path, `${backend.url}/api/v1/otlp`);
  await gateway.start();
  const figures = await load(bodies, gateway.url, [[gateway], [backend]], () =>
    backend.value(COUNT, at),
  );
  figures.splice(2, 0, '-');
  rows.push(['one machine', ...figures, perRun(onDisk(backend.folder)), '-', peaks([backend])]);
  await gateway.stop();
  await backend.stop();

  for (const gateways of [1, 2, 3]) {
    const stack = await clusterServers(programs, { gateways });
    await stack.start();
    const row = await load(
      bodies,
      stack.nginx.url,
      [[stack.nginx], stack.gateways, stack.nodes],
      async () => stack.nodes[0]?.value(COUNT, at),
    );
    const disks = stack.nodes.map((_, i) => onDisk(join(stack.folder, `cortex-${i + 1}`)));
    const peakOfNodes = peaks(stack.nodes);
    for (const node of stack.nodes) await node.flush();
    const bucket = onDisk(join(stack.folder, 'blocks'));
    rows.push([
      `cluster, ${gateways}`,
      ...row,
      perRun(disks.reduce((a, b) => a + b, 0)),
      perRun(bucket),
      peakOfNodes,
    ]);
    await stack.stop();
  }
  table(
    `${RUNS} runs of ${MACHINES} machines, spread over 7 days, all on this machine`,
    [
      ...['gateways', 'runs/s', 'exact', 'nginx, CPU ms a run', 'gateways', 'backend'],
      ...['kB a run on all disks', 'in the bucket, not compacted', 'peak MiB of a node'],
    ],
    rows,
  );
}
