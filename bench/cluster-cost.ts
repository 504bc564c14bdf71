// cluster-cost.ts: npm run bench -- cluster-cost. The same runs through a single machine's gateway and Prometheus, and through the cluster
// with one, two and three gateways: runs a second, and what a run costs each part in processor time, and on disk.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureCollector, ensureCortex, ensurePrometheus } from '../scripts/setup.mjs';
import { clusterServers } from '../test/support/cluster.ts';
import { program } from '../test/support/needs.ts';
import { deliver, sumOf } from '../test/support/runs.ts';
import { gatewayServer, prometheusServer, type Server } from '../test/support/stack.ts';
import { told } from './cluster.ts';
import { requests } from './gateway.ts';
import { cpu, peak, size, table } from './measure.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 5_000);
const MACHINES = RUNS / 5;
const SENDERS = 64;
const COUNT = sumOf('lhp_generate_runs_total');

export async function clusterCost(): Promise<void> {
  const collector = { path: ensureCollector() };
  const programs = { nginx: program('nginx'), collector, cortex: { path: ensureCortex() } };
  const now = Date.now();
  const body = await requests(MACHINES, RUNS, now);
  const bodies = Array.from({ length: RUNS }, (_, i) => new TextEncoder().encode(body(i)));
  const rows: string[][] = [];

  /** Sends all, and gives a row; parts are the processes whose time is counted. */
  const measured = async (name: string, url: string, parts: Server[][], count: () => Promise<number | undefined>) => {
    const used = () =>
      parts.map((servers) => servers.flatMap((one) => family(one.pid())).reduce((sum, pid) => sum + cpu(pid), 0));
    const before = used();
    const started = performance.now();
    const answers = await deliver(bodies, () => url, { senders: SENDERS });
    const seconds = (performance.now() - started) / 1_000;
    const costs = used().map((after, i) => (((after - (before[i] ?? 0)) * 1_000) / RUNS).toFixed(2));
    const stored = await count();
    const exact = stored === RUNS && answers.size === 1 ? 'yes' : `NO: ${stored}, ${told(answers)}`;
    return [name, (RUNS / seconds).toFixed(0), exact, ...costs];
  };
  const perRun = (bytes: number) => (bytes / RUNS / 1_000).toFixed(2);
  const peaks = (servers: Server[]) => Math.max(...servers.map((one) => peak(one.pid()))).toFixed(0);
  const at = now / 1_000 + 60;

  const backend = await prometheusServer(ensurePrometheus());
  await backend.start();
  const gateway = await gatewayServer(collector.path, `${backend.url}/api/v1/otlp`);
  await gateway.start();
  const [name = '', ...figures] = await measured('one machine', gateway.url, [[gateway], [backend]], () =>
    backend.value(COUNT, at),
  );
  figures.splice(2, 0, '-');
  rows.push([name, ...figures, perRun(stored(backend.folder)), '-', peaks([backend])]);
  await gateway.stop();
  await backend.stop();

  for (const gateways of [1, 2, 3]) {
    const stack = await clusterServers(programs, { gateways });
    await stack.start();
    const row = await measured(
      `cluster, ${gateways}`,
      stack.nginx.url,
      [[stack.nginx], stack.gateways, stack.nodes],
      async () => stack.nodes[0]?.value(COUNT, at),
    );
    const disks = stack.nodes.map((_, i) => stored(join(stack.folder, `cortex-${i + 1}`)));
    const peakOfNodes = peaks(stack.nodes);
    for (const node of stack.nodes) await node.flush();
    const bucket = stored(join(stack.folder, 'blocks'));
    rows.push([...row, perRun(disks.reduce((a, b) => a + b, 0)), perRun(bucket), peakOfNodes]);
    await stack.stop();
  }
  table(
    `${RUNS} runs of ${MACHINES} machines by ${SENDERS} connections, spread over 7 days, all on this machine`,
    [
      ...['gateways', 'runs/s', 'exact', 'nginx, CPU ms a run', 'gateways', 'backend'],
      ...['kB a run on all disks', 'in the bucket, not compacted', 'peak MiB of a node'],
    ],
    rows,
  );
}

/** A process and its children (nginx's workers). */
const family = (pid: number): number[] => [
  pid,
  ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
];

/** Bytes below a folder, without the files that are made large beforehand for chunks to come. */
function stored(folder: string): number {
  const of = (name: string) => (name === 'chunks_head' ? 0 : stored(join(folder, name)));
  return statSync(folder).isDirectory() ? readdirSync(folder).reduce((sum, name) => sum + of(name), 0) : size(folder);
}
