// main.ts: npm run bench [-- part]. Figures as ratios against the bare command in the same run: the
// variants take turns, so that whatever else the machine does hits all of them. Nothing is
// asserted; nothing leaves the machine.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REPORTER_FLAGS } from '../../src/wrap/start-reporter.ts';
import { tellUser } from '../harness/told.ts';
import { ensureLhp } from '../setup.mjs';
import { backendStart } from './backend-start.ts';
import { ci } from './ci.ts';
import { cluster } from './cluster.ts';
import { clusterCost } from './cluster-cost.ts';
import { faults } from './faults.ts';
import { fleet } from './fleet.ts';
import { gateway } from './gateway.ts';
import { hook } from './hook.ts';
import { arrival, latency } from './latency.ts';
import { libraryCalls } from './library.ts';
import { listen, quantile, shuffled, table } from './measure.ts';
import { migration } from './migration.ts';
import { soak } from './soak.ts';
import { stacks } from './stacks.ts';
import { storm } from './storm.ts';
import { victoriaMetrics } from './victoriametrics.ts';
import { view } from './view.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 60);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cli = join(root, 'dist', 'cli.cjs');
/**
 * Another checkout that was built, e.g. of the commit before a change: `hot` and `reporter` compare
 * with it.
 */
const against = process.env.BENCH_AGAINST;
const cliBefore = against === undefined ? undefined : join(against, 'dist', 'cli.cjs');
const WRAPPED = ['run', '--', './lhp', 'generate', '--env', 'dev'];
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lhp-otel-bench-')));
const baseEnv = {
  PATH: process.env.PATH,
  HOME: join(folder, 'home'),
  LANG: 'C.UTF-8',
  LHP_OTEL_UPSTREAM: 'off',
};

/**
 * Runs a command and gives its user and system time and its peak memory, as the kernel counts them.
 */
const MEASURE = `
import json, os, sys
pid = os.spawnvpe(os.P_NOWAIT, sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(json.dumps([(usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024, status]))`;

const only = process.argv[2];
const parts: Record<string, () => Promise<void>> = {
  hot,
  hook: () => hook(folder),
  library: () => libraryCalls(folder),
  latency: () => latency(folder),
  arrival: () => arrival(folder),
  storm: () => storm(folder),
  soak: () => soak(folder),
  reporter,
  scan,
  gateway,
  'backend-start': backendStart,
  ci,
  faults: () => faults(folder),
  view: () => view(folder),
  cluster,
  'cluster-cost': clusterCost,
  migration,
  victoriametrics: victoriaMetrics,
  stacks,
  fleet,
};
/** These take from minutes to an hour, and are run by their name. */
const LONG = new Set([
  'latency',
  'backend-start',
  'storm',
  'faults',
  'soak',
  'view',
  'cluster',
  'cluster-cost',
  'migration',
  'victoriametrics',
  'stacks',
  'fleet',
]);
if (only && !parts[only])
  throw new Error(`no part called ${only}; parts are ${Object.keys(parts).join(', ')}`);

console.log(
  `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}, npm run bench${only ? ` -- ${only}` : ''}`,
);
try {
  for (const [name, part] of Object.entries(parts))
    if (only ? only === name : !LONG.has(name)) await part();
} finally {
  // The last reporters may still be writing.
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
}

// ── the wrapper
// ──────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Variant {
  name: string;
  command: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

async function hot(): Promise<void> {
  const node = process.execPath;
  await compare(`a command that is no generate, ${RUNS} runs each`, 'node -e 0', [
    { name: 'node -e 0', command: [node, '-e', '0'] },
    { name: 'true', command: ['true'] },
    { name: 'lhp-otel run -- true', command: [node, cli, 'run', '--', 'true'] },
    ...(cliBefore
      ? [{ name: 'the same, before', command: [node, cliBefore, 'run', '--', 'true'] }]
      : []),
  ]);

  const project = join(folder, 'fake');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: bench\n');
  // As long as a short real generate, with nothing in it that varies.
  writeFileSync(join(project, 'lhp'), '#!/bin/sh\nsleep 0.3\n');
  chmodSync(join(project, 'lhp'), 0o755);
  const up = createHttpServer((request, response) =>
    request.resume().on('end', () => response.end('{}')),
  );
  const slow = createHttpServer(
    (request, response) =>
      void request.resume().on('end', () => setTimeout(() => response.end('{}'), 2_000)),
  );
  const hole = createServer(() => {});
  const wrapped = (name: string, endpoint?: string): Variant => ({
    name: `wrapped, ${name}`,
    command: [node, cli, ...WRAPPED],
    cwd: project,
    env: endpoint === undefined ? {} : { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
  });
  const servers = [up, slow, hole];
  const [a, b, c] = (await Promise.all(servers.map(listen))) as [string, string, string];
  const runs = Math.min(RUNS, 60);
  try {
    await compare(
      `a generate of 0.3 s, ${runs} runs each`,
      'wrapped, on this machine only',
      [
        { name: 'bare', command: ['./lhp', 'generate', '--env', 'dev'], cwd: project },
        wrapped('on this machine only'),
        ...(cliBefore
          ? [{ ...wrapped('the same, before'), command: [node, cliBefore, ...WRAPPED] }]
          : []),
        wrapped('endpoint up', a),
        wrapped('endpoint slow (2 s)', b),
        wrapped('endpoint never answers', c),
        wrapped('endpoint refuses', 'http://127.0.0.1:9'),
        wrapped('no such host', 'http://does-not-exist.invalid'),
      ],
      runs,
    );
  } finally {
    for (const server of servers) server.close();
    up.closeAllConnections();
    slow.closeAllConnections();
  }
}

async function compare(
  title: string,
  base: string,
  variants: Variant[],
  runs = RUNS,
): Promise<void> {
  const times = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  for (let i = -2; i < runs; i += 1) {
    // In another order each time: the reporter of one run is still at work when the next one
    // begins.
    for (const [index, variant] of shuffled([...variants.entries()])) {
      // Each with a state of its own: a back-off or backlog of one must not help or hurt another.
      const env = { ...baseEnv, HOME: join(folder, `home-${index}`), ...variant.env };
      tellUser(env);
      const started = process.hrtime.bigint();
      const { status } = await run(variant.command, env, variant.cwd ?? folder);
      if (status !== 0) throw new Error(`${variant.name} ended with ${status}`);
      if (i >= 0) times.get(variant.name)?.push(Number(process.hrtime.bigint() - started) / 1e6);
    }
  }
  const reference = quantile(times.get(base) ?? [], 0.5);
  table(
    title,
    ['', 'median ms', 'p95 ms', `ratio to ${base}`],
    variants.map(({ name }) => {
      const list = times.get(name) ?? [];
      return [
        name,
        quantile(list, 0.5).toFixed(1),
        quantile(list, 0.95).toFixed(1),
        (quantile(list, 0.5) / reference).toFixed(2),
      ];
    }),
  );
}

function run(
  [file = '', ...args]: string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<{ status: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, cwd, stdio: 'ignore' });
    child.on('error', reject);
    child.on('exit', (status) => resolve({ status }));
  });
}

// ── the reporter
// ─────────────────────────────────────────────────────────────────────────────────────────────────────────

async function reporter(): Promise<void> {
  const lhp = ensureLhp('0.9.3');
  const project = join(folder, 'sample');
  mkdirSync(project);
  const env = {
    ...baseEnv,
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
  const server = createHttpServer((request, response) =>
    request.resume().on('end', () => response.end('{}')),
  );
  const endpoint = await listen(server);
  const generate = {
    // `command`: as it was before 0.1.0 was released, for BENCH_AGAINST.
    program: { kind: 'lhp', file: 'lhp', launches: [], command: ['lhp'] },
    cwd: project,
    environment: 'dev',
    pipelineConfig: 'config/pipeline_config.yaml',
    dryRun: false,
    noBundle: false,
  };
  const times = { startedAt: Date.now() - 1_000, endedAt: Date.now(), durationSeconds: 1 };
  const job = JSON.stringify({
    ...times,
    root: project,
    generate,
    bundle: false,
    watched: true,
    deliver: true,
  });
  const program = join(root, 'dist', 'reporter.cjs');
  const delivering = { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
  const before = against === undefined ? undefined : join(against, 'dist', 'reporter.cjs');
  const variants: [string, NodeJS.ProcessEnv, string][] = [
    ['on this machine only', {}, program],
    ...(before ? [['the same, before', {}, before] as [string, NodeJS.ProcessEnv, string]] : []),
    ['delivers to an endpoint', delivering, program],
    ...(before
      ? [['the same, before', delivering, before] as [string, NodeJS.ProcessEnv, string]]
      : []),
    // That server stands in for the proxy; for loopback none would be asked.
    [
      'delivers through a proxy',
      { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: 'http://0.0.0.0:9', HTTP_PROXY: endpoint },
      program,
    ],
  ];
  const rows = variants.map(([name]) => ({ name, cpu: [] as number[], memory: [] as number[] }));
  // The server answers in this process, so the measuring must not block it.
  for (const [, extra] of variants) tellUser({ ...env, ...extra });
  for (let i = 0; i < Math.min(RUNS, 30); i += 1) {
    for (const [index, [, extra, file]] of variants.entries()) {
      const { cpu, memory } = await measured([process.execPath, ...REPORTER_FLAGS, file], {
        ...env,
        LHP_TELEMETRY: undefined,
        LHP_OTEL_UPSTREAM: 'off',
        LHP_OTEL_JOB: job,
        ...extra,
      });
      rows[index]?.cpu.push(cpu);
      rows[index]?.memory.push(memory);
    }
  }
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

function measured(
  command: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ cpu: number; memory: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', ['-c', MEASURE, ...command], {
      env,
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('exit', () => {
      const [cpu, memory, status] = JSON.parse(text.trim() || '[0,0,1]') as [
        number,
        number,
        number,
      ];
      if (status === 0) resolve({ cpu, memory });
      else reject(new Error(`${command.join(' ')} ended with ${status}`));
    });
  });
}

// ── the scan
// ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** About 1.5 kB, as in lhp's own sample: a load, two transforms, a write. */
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: lhp's own substitutions
function flowgroupFile(index: number): string {
  const action = (name: string, more: string) =>
    `  - name: ${name}_${index}\n    type: ${more}\n    description: "Entity ${index} of the benchmark, with a sentence of text that makes the file as long as real ones are"\n`;
  return `# Flowgroup ${index}\npipeline: pipeline_${index % 40}\nflowgroup: flowgroup_${index}\n${index % 3 === 0 ? `use_template: template_${index % 12}\ntemplate_parameters:\n  entity: entity_${index}\n` : ''}operational_metadata: ["_processing_timestamp", "_source_file_path"]\nactions:\n${action('load', 'load\n    source:\n      type: cloudfiles\n      path: "/Volumes/main/landing/${env}/entity/*.json"\n      format: json\n      options:\n        cloudFiles.maxFilesPerTrigger: 50\n        cloudFiles.inferColumnTypes: "True"\n    target: v_raw')}${action('clean', 'transform\n    transform_type: sql\n    source: v_raw\n    target: v_clean\n    sql: |\n      SELECT id, name, CAST(amount AS DECIMAL(18, 2)) AS amount\n      FROM stream(v_raw)\n      WHERE id IS NOT NULL')}${action('check', 'transform\n    transform_type: data_quality\n    source: v_clean\n    target: v_checked\n    expectations_file: expectations/default.yaml')}${action('write', 'write\n    source: v_checked\n    write_target:\n      type: streaming_table\n      catalog: "${catalog}"\n      schema: "${bronze}"\n      table: entity')}`;
}

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: lhp's own substitutions

async function scan(): Promise<void> {
  const rows: string[][] = [];
  for (const count of [0, 500, 1_000, 2_000, 4_000]) {
    const project = join(folder, `scan-${count}`);
    let bytes = 0;
    for (let i = 0; i < count; i += 1) {
      const path = join(project, 'pipelines', `p${i % 40}`);
      mkdirSync(path, { recursive: true });
      const text = flowgroupFile(i);
      bytes += text.length;
      writeFileSync(join(path, `f${i}.yaml`), text);
    }
    mkdirSync(project, { recursive: true });
    writeFileSync(join(project, 'lhp.yaml'), 'name: bench\n');
    const program = `
import { scanProject } from '${join(root, 'src', 'scan', 'scan.ts')}';
import { Snapshot } from '${join(root, 'src', 'scan', 'snapshot.ts')}';
const started = performance.now();
const options = { lhpVersion: '0.9.3', pyyamlVersion: undefined, pipelineConfig: undefined, dryRun: false };
const run = { startedAt: Date.now(), endedAt: Date.now() };
const { flowgroups } = scanProject(new Snapshot('${project}', { run }), options, undefined);
if (flowgroups !== ${count}) throw new Error('counted ' + flowgroups);
console.error(JSON.stringify(performance.now() - started));`;
    const times: number[] = [];
    let memory = 0;
    for (let i = 0; i < 7; i += 1) {
      const file = join(folder, 'scan.ts');
      writeFileSync(file, program);
      const { stdout, stderr } = spawnSync(
        'python3',
        ['-c', MEASURE, process.execPath, ...REPORTER_FLAGS, file],
        {
          encoding: 'utf8',
          env: process.env,
        },
      );
      times.push(Number(stderr.trim().split('\n').at(-1)));
      memory = Math.max(memory, (JSON.parse(stdout) as number[])[1] ?? 0);
    }
    if (count > 0)
      rows.push([
        String(count),
        (bytes / count).toFixed(0),
        quantile(times, 0.5).toFixed(0),
        Math.max(...times).toFixed(0),
        memory.toFixed(0),
      ]);
    else
      rows.push([
        '0 (Node alone)',
        '',
        quantile(times, 0.5).toFixed(0),
        Math.max(...times).toFixed(0),
        memory.toFixed(0),
      ]);
  }
  table(
    'scan, 7 runs each in a process of their own (budget 1 s, 200 MiB for 4,000)',
    ['flowgroups', 'bytes each', 'median ms', 'worst ms', 'peak MiB'],
    rows,
  );
}

// ── printing
// ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
