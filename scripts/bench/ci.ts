// ci.ts: npm run bench -- ci. Shows how many runs are counted when 1,000 CI containers record
// within 10 s. They share a machine id, and each has its own state folder. The reporter's own code
// records the runs; they are delivered through the real collector to the real Prometheus.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { report } from '../../src/bin/reporter.ts';
import { clockOffset } from '../../src/job/job.ts';
import type { Host } from '../../src/system/host.ts';
import { gatewayServer, prometheusServer } from '../harness/stack.ts';
import { ensureCollector, ensurePrometheus } from '../setup/install.mjs';

const CONTAINERS = 1_000;
const WINDOW_MS = 10_000;
const TIMES = 5;

export async function ci(): Promise<void> {
  const backend = await prometheusServer(await ensurePrometheus());
  await backend.start();
  const gateway = await gatewayServer(await ensureCollector(), `${backend.url}/api/v1/otlp`);
  await gateway.start();
  console.log(
    `\n${CONTAINERS} CI containers within ${WINDOW_MS / 1_000} s, one machine id, ${TIMES} times`,
  );
  let before = 0;
  for (let time = 1; time <= TIMES; time += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-bench-'));
    // A project of its own each time, so that the times do not meet.
    writeFileSync(join(folder, 'lhp.yaml'), `name: storm ${time}\n`);
    const started = Date.now();
    const runs = Array.from({ length: CONTAINERS }, async (_, i) => {
      await sleep(Math.random() * WINDOW_MS);
      const home = join(folder, String(i));
      mkdirSync(home);
      const host: Host = {
        env: {
          CI: 'true',
          HOME: home,
          PATH: '/usr/bin',
          LHP_OTEL_EXPORTER_OTLP_ENDPOINT: gateway.url,
        },
        platform: process.platform,
        home,
        cwd: folder,
        systemConfigDir: join(folder, 'none'),
        now: Date.now,
      };
      const known = { environment: 'prod', lhp_version: '0.9.3', python_version: '3.11' };
      const times = { startedAt: Date.now() - 2_000, endedAt: Date.now(), durationSeconds: 2 };
      const facts = {
        bundle: false,
        lhpYamlIsOpen: false,
        clockOffset: clockOffset({ now: Date.now }),
        watched: true,
      };
      const job = { ...times, ...facts, root: folder, known, deliver: true };
      await report(job, host);
    });
    await Promise.all(runs);
    const seconds = (Date.now() - started) / 1_000;
    const counted = (await backend.value('sum(sum_over_time(lhp_generate_runs_total[1h]))')) ?? 0;
    const now = counted - before;
    before = counted;
    const percent = ((100 * now) / CONTAINERS).toFixed(1);
    console.log(
      `  recorded and delivered in ${seconds.toFixed(1)} s: ${now} counted, ${percent} %`,
    );
    rmSync(folder, { recursive: true });
  }
  const series = await backend.value('count(count_over_time(lhp_generate_runs_total[1h]))');
  const each = ((series ?? 0) / TIMES).toFixed(0);
  console.log(`  series of lhp_generate_runs_total: ${series}, ${each} for an identity`);
  await gateway.stop();
  await backend.stop();
}
