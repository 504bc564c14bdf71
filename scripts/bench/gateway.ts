// gateway.ts: npm run bench -- gateway. The real collector in front of the real Prometheus, as
// docker-compose.yml starts them, with a sender on the same machine: runs a second with exact
// totals, processor time and disk a run, series a machine.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { recordRun } from '../../src/otlp/encode.ts';
import { gatewayServer, prometheusServer } from '../harness/stack.ts';
import { ensureCollector, ensurePrometheus } from '../setup/install.mjs';
import { cpu, peak, size } from './measure.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const SENDERS = 64;
const DAY = 86_400_000;

/**
 * The i-th of so many requests, spread over 7 days: one real one, with machine, project and time
 * put in. Making 50,000 by the SDK would be the sender's time.
 */
export async function requests(
  machines: number,
  runs: number,
  now: number,
): Promise<(i: number) => string> {
  const marker = { machine: digest('a'), project: digest('b'), at: 1_700_000_000_000 };
  const template = new TextDecoder().decode(
    await recordRun(
      {
        event: 'lhp_generate',
        project_id: marker.project,
        machine_id: marker.machine,
        is_ci: false,
        flowgroups_count: 120,
        templates_count: 6,
        flowgroups_using_templates: 80,
        pipelines_count: 9,
        files_generated: 120,
        environment: 'dev',
        dry_run: false,
        bundle_enabled: true,
        lhp_version: '0.9.3',
        python_version: '3.11',
        generation_time_seconds: 7.25,
      },
      { timestamp: marker.at, startedAt: marker.at },
    ),
  );
  return (i: number) =>
    template
      .replace(marker.machine, digest(`machine ${i % machines}`))
      .replace(marker.project, digest(`project ${i % Math.max(2, machines / 10)}`))
      .replaceAll(String(marker.at), String(now - Math.floor((i / runs) * 7 * DAY) - i));
}

export async function gateway(): Promise<void> {
  const [collector, prometheus] = [await ensureCollector(), await ensurePrometheus()];
  const largest = Number(process.env.BENCH_MACHINES ?? 10_000);
  console.log(
    `\ngateway and backend, ${SENDERS} connections, runs spread over 7 days, 5 a machine and at least 2,000`,
  );
  console.log(
    'machines    runs  runs/s  exact  gateway ms/run  backend ms/run  series/machine  kB/run on disk  peak MiB gateway, backend',
  );
  for (const machines of [10, 100, 1_000, 10_000].filter((count) => count <= largest)) {
    const runs = Math.max(2_000, machines * 5);
    const backend = await prometheusServer(prometheus);
    await backend.start();
    const server = await gatewayServer(collector, `${backend.url}/api/v1/otlp`);
    await server.start();
    const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
    const now = Date.now();
    const body = await requests(machines, runs, now);
    const post = async (text: string) => {
      const out = request(`${server.url}/v1/metrics`, {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      });
      out.end(text);
      const [answer] = await once(out, 'response');
      answer.resume();
      await once(answer, 'end');
      if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}`);
    };
    const before = [cpu(server.pid()), cpu(backend.pid())] as const;
    const started = performance.now();
    let next = 0;
    await Promise.all(
      Array.from({ length: SENDERS }, async () => {
        while (next < runs) await post(body(next++));
      }),
    );
    const seconds = (performance.now() - started) / 1_000;
    const used = [cpu(server.pid()) - before[0], cpu(backend.pid()) - before[1]] as const;
    const stored = await backend.value(
      'sum(sum_over_time(lhp_generate_runs_total[9d]))',
      now / 1_000 + 1,
    );
    const head = await (await fetch(`${backend.url}/api/v1/status/tsdb`)).json();
    const series = (head as { data: { headStats: { numSeries: number } } }).data.headStats
      .numSeries;
    const cells: [string, number][] = [
      [String(machines), 8],
      [String(runs), 7],
      [(runs / seconds).toFixed(0), 7],
      [stored === runs ? 'yes' : `no: ${stored}`, 6],
      [((used[0] * 1_000) / runs).toFixed(2), 15],
      [((used[1] * 1_000) / runs).toFixed(2), 15],
      [(series / machines).toFixed(1), 15],
      [(size(backend.folder) / runs / 1_000).toFixed(2), 15],
      [`${peak(server.pid()).toFixed(0)}, ${peak(backend.pid()).toFixed(0)}`, 26],
    ];
    console.log(cells.map(([text, width]) => text.padStart(width)).join(' '));
    agent.destroy();
    await server.stop();
    await backend.stop();
  }
}
