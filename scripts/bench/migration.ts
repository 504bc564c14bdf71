// migration.ts: npm run bench -- migration. The history of a single Prometheus, moved into the
// cluster by deploy/cluster/import-blocks.sh as docs/cluster.md says, while the cluster takes new
// runs and compacts; some runs are in both. Every node is asked all the time.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, clusterServers, TENANT } from '../harness/cluster.ts';
import { program } from '../harness/needs.ts';
import { DAY, deliver, makeRuns, record, sumOf, truth } from '../harness/runs.ts';
import { gatewayServer, prometheusServer } from '../harness/stack.ts';
import { ensureCollector, ensureCortex, ensurePrometheus } from '../setup/install.mjs';
import { table } from './measure.ts';

const OLD = 2_000;
const BOTH = 200;
const NEW = 500;
const WATCHED_MS = 60_000;
const COUNT = sumOf('lhp_generate_runs_total');
const importer = join(import.meta.dirname, '..', '..', 'deploy', 'cluster', 'import-blocks.sh');

export async function migration(): Promise<void> {
  const collector = { path: await ensureCollector() };
  const now = Date.now();
  const at = now / 1_000 + 60;
  const old = makeRuns(OLD, now - 2 * DAY, 5.5);
  // Other milliseconds than those of the old ones.
  const fresh = makeRuns(NEW, now - 1, 1.9);

  const bodies = await Promise.all(old.map(record));
  const { single, snapshot } = await snapshotOf(bodies, collector.path);

  // Often, so that imported blocks and the cluster's own are compacted together while we look.
  const stack = await clusterServers(
    { nginx: program('nginx'), collector, cortex: { path: await ensureCortex() } },
    {
      flags: ['-compactor.compaction-interval=5s', '-blocks-storage.bucket-store.sync-interval=5s'],
    },
  );
  await stack.start();
  await deliver(
    [...(await Promise.all(fresh.map(record))), ...bodies.slice(0, BOTH)],
    () => stack.nginx.url,
  );
  for (const node of stack.nodes) await node.flush();
  const bucket = join(stack.folder, 'blocks');
  const done = spawnSync('sh', [importer, snapshot, bucket, TENANT], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(done.stderr);

  const seen = await watch(stack, old.length + fresh.length, at);
  let [right, asked] = [0, 0];
  for (const node of stack.nodes)
    for (const [question, answer] of truth([...old, ...fresh])) {
      asked += 1;
      right += Number((await node.value(question, at)) === answer);
    }
  const failures = await Promise.all(
    stack.nodes.map((node) => counted(node.url, 'cortex_compactor_runs_failed_total')),
  );
  const compacted = await Promise.all(
    stack.nodes.map((node) => counted(node.url, 'cortex_compactor_group_compactions_total')),
  );
  table(
    `${OLD} runs of a single Prometheus, ${NEW} of the cluster, ${BOTH} in both`,
    [
      'imported',
      'blocks in the bucket',
      'answers, within a minute',
      'then equal to the truth',
      'compactions',
      'failed',
    ],
    [
      [
        done.stdout.trim(),
        String(readdirSync(join(bucket, TENANT)).length),
        [...seen].map(([what, count]) => `${count} × ${what}`).join(', '),
        `${right} of ${asked}`,
        String(sum(compacted)),
        String(sum(failures)),
      ],
    ],
  );
  await stack.stop();
  await single.stop();
}

/** A single Prometheus with these runs, and a snapshot of its database. */
async function snapshotOf(bodies: readonly Uint8Array[], collector: string) {
  const flags = ['--web.enable-admin-api'];
  const single = await prometheusServer(await ensurePrometheus(), { flags });
  await single.start();
  const gateway = await gatewayServer(collector, `${single.url}/api/v1/otlp`);
  await gateway.start();
  await deliver(bodies, () => gateway.url);
  await gateway.stop();
  const taken = await fetch(`${single.url}/api/v1/admin/tsdb/snapshot`, { method: 'POST' });
  const { data } = (await taken.json()) as { data: { name: string } };
  return { single, snapshot: join(single.folder, 'prometheus', 'snapshots', data.name) };
}

/** How often the nodes answered with all runs, and with what else, within a minute. */
async function watch(stack: Cluster, all: number, at: number): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for (const end = Date.now() + WATCHED_MS; Date.now() < end; )
    for (const node of stack.nodes) {
      const value = await node.value(COUNT, at).catch(() => undefined);
      const what = value === all ? 'everything' : value === undefined ? 'no answer' : 'a part';
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
  return seen;
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

/** The sum of one of a node's own counters. */
async function counted(url: string, name: string): Promise<number> {
  const lines = (await (await fetch(`${url}/metrics`)).text())
    .split('\n')
    .filter((line) => line.startsWith(name));
  return sum(lines.map((line) => Number(line.slice(line.lastIndexOf(' ')))));
}
