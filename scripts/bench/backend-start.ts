// backend-start.ts: measures how often an empty Prometheus loses requests that it has acknowledged,
// when it is started on its own, and when it is started as docker-compose.yml does
// (deploy/prometheus/start.sh). The load provokes the loss (scripts/harness/backlog.ts). A
// Prometheus that is started on its own scrapes nothing here; in use, the first scrape comes within
// 15 s. BENCH_ROUNDS: rounds of each (30).
import { rmSync } from 'node:fs';
import { sendBacklog } from '../harness/backlog.ts';
import { prometheusServer } from '../harness/stack.ts';
import { ensurePrometheus } from '../setup/install.mjs';
import { table } from './measure.ts';

export async function backendStart(): Promise<void> {
  const rounds = Number(process.env.BENCH_ROUNDS ?? 30);
  const starts = [
    { name: 'plain', options: { past: true }, lossy: 0, lost: 0, requests: 0, readyMs: 0 },
    { name: 'start.sh', options: {}, lossy: 0, lost: 0, requests: 0, readyMs: 0 },
  ];
  for (let round = 0; round < rounds; round += 1)
    for (const start of starts) {
      const backend = await prometheusServer(await ensurePrometheus(), start.options);
      const begin = performance.now();
      await backend.start();
      start.readyMs += performance.now() - begin;
      const { acknowledged, stored } = await sendBacklog(backend.url);
      start.requests += acknowledged;
      start.lost += acknowledged - stored;
      start.lossy += Number(stored !== acknowledged);
      console.error(
        `round ${round + 1}, ${start.name}: ${acknowledged - stored} of ${acknowledged} lost`,
      );
      await backend.stop();
      rmSync(backend.folder, { recursive: true });
    }
  const rows = starts.map(({ name, lossy, lost, requests, readyMs }) => [
    name,
    `${lossy} of ${rounds}`,
    `${lost} of ${requests}`,
    `${(readyMs / rounds / 1_000).toFixed(1)} s`,
  ]);
  const head = ['start', 'rounds with a loss', 'requests lost', 'until ready, mean'];
  table('an empty Prometheus that a backlog waits for', head, rows);
}
