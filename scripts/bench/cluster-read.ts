// cluster-read.ts: npm run bench -- cluster-read. Do three nodes of Cortex answer a panel faster
// than one? The runs of a fleet are stored in the cluster, and all panels about runs are asked of
// its first node: as deploy/cluster/cortex.yaml has it, with queries that are split by days and by
// series over the queriers of all nodes, and the same with the Thanos engine. All nodes are on this
// machine, so their processor time is what counts: it says how the work is spread.
import { join } from 'node:path';
import { DIALECTS } from '../../deploy/generate/dashboards/dialects.ts';
import { HOUR, MONTH } from '../fleet/assumptions.ts';
import { fill } from '../fleet/fill.ts';
import { forwardedBy } from '../fleet/forwarded.ts';
import type { PanelTime } from '../fleet/measured.ts';
import { panelsIn, type View } from '../fleet/panels.ts';
import { clusterServers, type Node, TENANT } from '../harness/cluster.ts';
import { program } from '../harness/needs.ts';
import { sumOf } from '../harness/runs.ts';
import { projectRoot } from '../harness/sandbox.ts';
import { ensureCollector, ensureCortex } from '../setup/install.mjs';
import { timePanels } from './fleet/ask.ts';
import { filledBackend, gatewayOf } from './fleet/backends.ts';
import { engineView, simulated } from './fleet/engine.ts';
import { cpu, table } from './measure.ts';

const MACHINES = Number(process.env.BENCH_MACHINES ?? 1_000);
const HEADERS = { 'X-Scope-OrgID': TENANT };
/** The queriers of all nodes take parts of queries from one queue, which the first node has. */
/** Without the ruler: it writes samples of now, and the runs of 30 days ago would be too old. */
const PARTS = 'distributor,ingester,querier,query-frontend,store-gateway,compactor';
const SPREAD = [
  `-target=${PARTS},query-scheduler`,
  '-frontend.scheduler-address=cortex-1:9095',
  '-querier.scheduler-address=cortex-1:9095',
  // Where the queriers send their results: all nodes are on this machine.
  '-frontend.instance-addr=127.0.0.1',
  '-querier.split-queries-by-interval=24h',
  '-frontend.query-vertical-shard-size=3',
];
const VARIANTS: Record<string, string[]> = {
  'as cortex.yaml has it': [`-target=${PARTS}`],
  'spread over the nodes': SPREAD,
  'spread, Thanos engine': [...SPREAD, '-querier.thanos-engine=true'],
};

export async function clusterRead(): Promise<void> {
  const fleet = simulated({ machines: MACHINES, days: MONTH, seed: 1 }, Date.now() - HOUR);
  const view = engineView(fleet);
  const dialect = DIALECTS.find(({ name }) => name === 'prometheus');
  const panels = panelsIn(join(projectRoot, dialect?.folder ?? '')).filter(
    ({ dashboard }) => !dashboard.includes('health'),
  );
  const rows: string[][] = [];
  const one = await filledBackend('prometheus', fleet.runs);
  const times = await timePanels(asked(one.server.url, [one.server.pid()]), panels, view, 1);
  rows.push(['Prometheus', ...totals(times), '-', '-', '-']);
  await one.server.stop();
  console.error(rows.at(-1)?.join(', '));

  const programs = {
    nginx: program('nginx'),
    collector: { path: await ensureCollector() },
    cortex: { path: await ensureCortex() },
  };
  const flags = [`-target=${PARTS}`];
  const cluster = await clusterServers(programs, { gateways: 1, flags });
  await cluster.start();
  const { forwarded, stop } = await forwardedBy((backend) => gatewayOf('prometheus', backend));
  await fill(`${cluster.nodes[0]?.url}/api/v1/otlp`, fleet.runs, forwarded, HEADERS);
  await stop();
  for (const node of cluster.nodes) await node.flush();
  for (const [name, more] of Object.entries(VARIANTS)) {
    // Everything is in blocks. A node whose queue the others use may not end when it is asked to.
    for (const node of cluster.nodes) await node.kill();
    flags.splice(0, flags.length, ...more);
    await Promise.all(cluster.nodes.map((node) => node.start()));
    rows.push([name, ...(await measured(cluster.nodes, panels, view))]);
    console.error(rows.at(-1)?.join(', '));
  }
  for (const node of cluster.nodes) await node.kill();
  await cluster.stop();
  table(
    `all panels about ${MONTH} days of ${MACHINES} machines, one after the other`,
    ['', 'seconds', 'CPU seconds', 'slowest panel, s', 'node 1, CPU s', 'node 2', 'node 3'],
    rows,
  );
}

const asked = (url: string, pids: number[]) => ({ url, pids, headers: HEADERS });

async function measured(
  nodes: readonly Node[],
  panels: Parameters<typeof timePanels>[1],
  view: View,
) {
  const pids = nodes.map((node) => node.pid());
  // A node that has just started may not know the others yet.
  const first = nodes[0] as Node;
  while (
    (await first.value(sumOf('lhp_generate_runs_total')).catch(() => undefined)) === undefined
  );
  const before = pids.map(cpu);
  const times = await timePanels(asked(`${first.url}/prometheus`, pids), panels, view, 1);
  const used = pids.map((pid, i) => (cpu(pid) - (before[i] as number)).toFixed(1));
  return [...totals(times), ...used];
}

const totals = (times: readonly PanelTime[]): string[] => {
  const sum = (of: (one: PanelTime) => number) => times.reduce((all, one) => all + of(one), 0);
  const slowest = Math.max(...times.map(({ ms }) => ms));
  return [sum(({ ms }) => ms), sum(({ cpuMs }) => cpuMs), slowest].map((ms) =>
    (ms / 1_000).toFixed(1),
  );
};
