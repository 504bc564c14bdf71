// reporter.ts: npm run bench -- reporter. Processor time and memory of the background process that
// records a run, for the sample project of lhp.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { delimiter, dirname, join } from 'node:path';
import { REPORTER_FLAGS } from '../../src/wrap/start-reporter.ts';
import { tellUser } from '../harness/told.ts';
import { ensureLhp } from '../setup/install.mjs';
import { listen, quantile, table } from './measure.ts';
import { measured, program, programBefore, RUNS, userIn } from './place.ts';

const ENDPOINT = 'LHP_OTEL_EXPORTER_OTLP_ENDPOINT';

export async function reporter(folder: string): Promise<void> {
  const project = join(folder, 'sample');
  const env = await generated(folder, project);
  const server = createServer((request, response) =>
    request.resume().on('end', () => response.end('{}')),
  );
  const endpoint = await listen(server);
  const rows = await measureAll(folder, jobOf(project), variantsOf(endpoint), env);
  server.close();
  server.closeAllConnections();
  table(
    'reporter, sample project of lhp 0.9.3 (budget 150 ms CPU, 100 MiB)',
    ['', 'CPU ms median', 'CPU ms p95', 'peak MiB'],
    rows.map(({ name, cpu, memory }) => [
      name,
      quantile(cpu, 0.5).toFixed(0),
      quantile(cpu, 0.95).toFixed(0),
      Math.max(...memory).toFixed(0),
    ]),
  );
}

/** Makes and generates the sample project; resolves with the environment of its user. */
async function generated(folder: string, project: string): Promise<NodeJS.ProcessEnv> {
  const lhp = await ensureLhp('0.9.3');
  mkdirSync(project);
  const env = {
    ...userIn(folder),
    PATH: [dirname(lhp), process.env.PATH].join(delimiter),
    LHP_TELEMETRY: 'off',
  };
  for (const args of [
    ['init', 'demo', '--sample', '--no-git'],
    ['generate', '--env', 'dev', '-pc', 'config/pipeline_config.yaml'],
  ]) {
    const { status } = spawnSync(lhp, args, { cwd: project, env, stdio: 'ignore' });
    if (status !== 0) throw new Error(`lhp ${args[0]} ended with ${status}`);
  }
  return env;
}

/** What the wrapper gives to the reporter, as JSON. */
function jobOf(project: string): string {
  const generate = {
    // `command`: as it was before 0.1.0 was released, for BENCH_AGAINST.
    program: { kind: 'lhp', file: 'lhp', launches: [], command: ['lhp'] },
    cwd: project,
    environment: 'dev',
    pipelineConfig: 'config/pipeline_config.yaml',
    dryRun: false,
    noBundle: false,
  };
  const endedAt = Date.now();
  return JSON.stringify({
    startedAt: endedAt - 1_000,
    endedAt,
    durationSeconds: 1,
    root: project,
    generate,
    bundle: false,
    watched: true,
    deliver: true,
  });
}

interface Variant {
  name: string;
  env: NodeJS.ProcessEnv;
  file: string;
}

function variantsOf(endpoint: string): Variant[] {
  const [file, before] = [program('reporter'), programBefore('reporter')];
  const compared = (name: string, env: NodeJS.ProcessEnv): Variant[] => [
    { name, env, file },
    ...(before ? [{ name: 'the same, before', env, file: before }] : []),
  ];
  return [
    ...compared('on this machine only', {}),
    ...compared('delivers to an endpoint', { [ENDPOINT]: endpoint }),
    // That server stands in for the proxy; for loopback none would be asked.
    {
      name: 'delivers through a proxy',
      env: { [ENDPOINT]: 'http://0.0.0.0:9', HTTP_PROXY: endpoint },
      file,
    },
  ];
}

async function measureAll(
  folder: string,
  job: string,
  variants: readonly Variant[],
  user: NodeJS.ProcessEnv,
) {
  const rows = variants.map(({ name }) => ({ name, cpu: [] as number[], memory: [] as number[] }));
  for (const { env } of variants) tellUser({ ...user, ...env });
  for (let i = 0; i < Math.min(RUNS, 30); i += 1) {
    for (const [index, { env, file }] of variants.entries()) {
      const { cpu, memory } = await measured(
        [process.execPath, ...REPORTER_FLAGS, file],
        { ...user, LHP_TELEMETRY: undefined, LHP_OTEL_JOB: job, ...env },
        folder,
      );
      rows[index]?.cpu.push(cpu);
      rows[index]?.memory.push(memory);
    }
  }
  return rows;
}
