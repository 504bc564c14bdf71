// storm.ts: npm run bench -- storm. Runs 200 real generates of lhp 0.9.3, many at once, with an
// endpoint that answers 503. Both lhp's own telemetry and lhp-otel record them, each into one
// folder. Shows how many runs each of them has afterwards.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tellUser } from '../harness/told.ts';
import { ensureLhp } from '../setup/install.mjs';
import { listen } from './measure.ts';

const GENERATES = Number(process.env.BENCH_RUNS ?? 200);
/**
 * As many as fit into 24 GiB of memory, with projects of their own: two generates in one would
 * disturb each other.
 */
const AT_ONCE = Number(process.env.BENCH_AT_ONCE ?? 50);
const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.cjs');

export async function storm(folder: string): Promise<void> {
  const lhp = await ensureLhp('0.9.3');
  const server = createServer((request, response) =>
    request.resume().on('end', () => response.writeHead(503).end('{}')),
  );
  const url = await listen(server);
  const home = join(folder, 'storm');
  const own = join(home, 'lhp');
  mkdirSync(own, { recursive: true });
  const env = {
    PATH: [dirname(lhp), process.env.PATH].join(delimiter),
    HOME: home,
    LANG: 'C.UTF-8',
    LHP_CONFIG_DIR: own,
    LHP_TELEMETRY_ENDPOINT: `${url}/`,
    LHP_OTEL_EXPORTER_OTLP_ENDPOINT: url,
  };
  tellUser(env);
  const project = (i: number) => join(home, `project-${i}`);
  mkdirSync(project(0));
  const quiet = {
    cwd: project(0),
    env: { ...env, LHP_TELEMETRY: 'off' },
    stdio: 'ignore' as const,
  };
  if (spawnSync(lhp, ['init', 'demo', '--sample', '--no-git'], quiet).status !== 0)
    throw new Error('lhp init failed');
  for (let i = 1; i < AT_ONCE; i += 1) cpSync(project(0), project(i), { recursive: true });

  let next = 0;
  let succeeded = 0;
  const user = async (i: number) => {
    while (next < GENERATES) {
      next += 1;
      const child = spawn(
        process.execPath,
        [cli, 'run', '--', 'lhp', 'generate', '--env', 'dev', '-pc', 'config/pipeline_config.yaml'],
        { cwd: project(i), env, stdio: 'ignore' },
      );
      if ((await new Promise((resolve) => child.on('exit', resolve))) === 0) succeeded += 1;
    }
  };
  const started = Date.now();
  await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => user(i)));
  const seconds = ((Date.now() - started) / 1_000).toFixed(0);

  const state = join(home, '.local', 'state', 'lhp-otel');
  const files = (name: string) =>
    existsSync(join(state, name)) ? readdirSync(join(state, name)) : [];
  const ours = () =>
    [...files('spool'), ...files('history')].filter((file) => /^\d+\..*json$/.test(file)).length;
  const deadline = Date.now() + 120_000; // reporters that are still at work
  while (ours() < succeeded && Date.now() < deadline) await sleep(200);
  const telemetry = join(own, 'telemetry');
  const theirs = readdirSync(telemetry)
    .filter((file) => /^spool.*\.jsonl$/.test(file))
    .flatMap((file) => readFileSync(join(telemetry, file), 'utf8').split('\n'))
    .filter((line) => line.includes('"')).length;
  const crowd = `${AT_ONCE} at once, in ${seconds} s; the endpoint answered 503`;
  console.log(`\n${succeeded} of ${GENERATES} generates succeeded, ${crowd}`);
  console.log(`  lhp 0.9.3's own spool has ${theirs} events: ${succeeded - theirs} lost`);
  console.log(`  lhp-otel's has ${ours()} runs: ${succeeded - ours()} lost`);
  server.close();
  server.closeAllConnections();
}
