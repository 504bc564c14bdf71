// soak.ts: npm run bench -- soak. BENCH_RUNS runs (100,000) through one spool into the real collector and Prometheus, for an hour at
// most: the reporter's own code in one process, so that what grows can be seen, and every 100th run a real wrapped command.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureCollector, ensurePrometheus } from '../scripts/setup.mjs';
import type { Deps } from '../src/deps.ts';
import { flush } from '../src/flush.ts';
import { report } from '../src/reporter.ts';
import { gatewayServer, prometheusServer } from '../test/support/stack.ts';
import { table } from './measure.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 100_000);
const HOUR_MS = 3_600_000;
const WRAPPED_EVERY = 100;
const ROWS = 10;
const cli = join(import.meta.dirname, '..', 'dist', 'cli.cjs');

export async function soak(folder: string): Promise<void> {
  const backend = await prometheusServer(ensurePrometheus());
  await backend.start();
  const gateway = await gatewayServer(ensureCollector(), `${backend.url}/api/v1/otlp`);
  await gateway.start();
  const project = join(folder, 'soak');
  const home = join(folder, 'home-soak');
  for (const path of [project, home]) mkdirSync(path, { recursive: true });
  writeFileSync(join(project, 'lhp.yaml'), 'name: soak\n');
  writeFileSync(join(project, 'lhp'), '#!/bin/sh\n:\n');
  chmodSync(join(project, 'lhp'), 0o755);
  const env = { PATH: process.env.PATH, HOME: home, LHP_OTEL_EXPORTER_OTLP_ENDPOINT: gateway.url };
  const deps: Deps = { env, platform: process.platform, home, cwd: project, systemConfigDir: join(folder, 'none') };
  const known = { environment: 'dev', lhp_version: '0.9.3', python_version: '3.11' };

  const state = join(home, '.local', 'state', 'lhp-otel');
  const rss = (pid: number | string) =>
    (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024).toFixed(0);
  const descriptors = (pid: number | string) => String(readdirSync(`/proc/${pid}/fd`).length);
  const files = (name: string) => String(readdirSync(join(state, name)).length);
  const rows: string[][] = [];
  const started = Date.now();
  let done = 0;
  const row = () =>
    rows.push([
      done.toLocaleString('en-US'),
      ((Date.now() - started) / 1_000).toFixed(0),
      rss('self'),
      descriptors('self'),
      rss(gateway.pid()),
      descriptors(gateway.pid()),
      rss(backend.pid()),
      files('spool'),
      files('history'),
    ]);
  while (done < RUNS && Date.now() - started < HOUR_MS) {
    done += 1;
    if (done % WRAPPED_EVERY === 0) {
      const child = spawn(process.execPath, [cli, 'run', '--', './lhp', 'generate', '--env', 'dev'], {
        cwd: project,
        env,
        stdio: 'ignore',
      });
      await new Promise((resolve) => child.on('exit', resolve));
    } else {
      await report({ startedAt: Date.now(), durationSeconds: 0, root: project, known, deliver: true }, deps);
    }
    if (done === 1_000 || done % Math.ceil(RUNS / ROWS) === 0) row();
  }
  // The last wrapped run's own process may still be at work.
  const stored = async () => (await backend.value('sum(sum_over_time(lhp_generate_runs_total[3h]))')) ?? 0;
  const deadline = Date.now() + 60_000;
  while ((await stored()) < done && Date.now() < deadline) {
    await flush(deps);
    await sleep(200);
  }
  table(
    `${done.toLocaleString('en-US')} runs, one in ${WRAPPED_EVERY} by a wrapped command; counted by Prometheus: ${(await stored()).toLocaleString('en-US')}`,
    ['runs', 's', 'our MiB', 'our fds', 'gateway MiB', 'gateway fds', 'backend MiB', 'spool files', 'history files'],
    rows,
  );
  await gateway.stop();
  await backend.stop();
}
