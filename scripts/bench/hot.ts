// hot.ts: npm run bench -- hot. What `lhp-otel run` adds to a command: to one that is no generate,
// and to a generate with each kind of endpoint.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { tellUser } from '../harness/told.ts';
import { listen, quantile, shuffled, table } from './measure.ts';
import { program, programBefore, RUNS, userIn } from './place.ts';

const GENERATE = ['./lhp', 'generate', '--env', 'dev'];
const WRAPPED = ['run', '--', ...GENERATE];
const SLOW_MS = 2_000;

interface Variant {
  name: string;
  command: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

export async function hot(folder: string): Promise<void> {
  await otherCommand(folder);
  await generate(folder);
}

async function otherCommand(folder: string): Promise<void> {
  const node = process.execPath;
  const before = programBefore('cli');
  await compare(folder, `a command that is no generate, ${RUNS} runs each`, 'node -e 0', RUNS, [
    { name: 'node -e 0', command: [node, '-e', '0'] },
    { name: 'true', command: ['true'] },
    { name: 'lhp-otel run -- true', command: [node, program('cli'), 'run', '--', 'true'] },
    ...(before ? [{ name: 'the same, before', command: [node, before, 'run', '--', 'true'] }] : []),
  ]);
}

async function generate(folder: string): Promise<void> {
  const project = join(folder, 'fake');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: bench\n');
  // As long as a short real generate, with nothing in it that varies.
  writeFileSync(join(project, 'lhp'), '#!/bin/sh\nsleep 0.3\n');
  chmodSync(join(project, 'lhp'), 0o755);
  const answering = (ms: number) =>
    createHttpServer(
      (request, response) =>
        void request.resume().on('end', () => setTimeout(() => response.end('{}'), ms)),
    );
  const [up, slow, hole] = [answering(0), answering(SLOW_MS), createServer(() => {})];
  const [a, b, c] = [await listen(up), await listen(slow), await listen(hole)];
  const wrapped = (name: string, endpoint?: string, cli = program('cli')): Variant => ({
    name: `wrapped, ${name}`,
    command: [process.execPath, cli, ...WRAPPED],
    cwd: project,
    env: endpoint === undefined ? {} : { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
  });
  const local = wrapped('on this machine only');
  const before = programBefore('cli');
  const runs = Math.min(RUNS, 60);
  try {
    await compare(folder, `a generate of 0.3 s, ${runs} runs each`, local.name, runs, [
      { name: 'bare', command: GENERATE, cwd: project },
      local,
      ...(before ? [wrapped('the same, before', undefined, before)] : []),
      wrapped('endpoint up', a),
      wrapped(`endpoint slow (${SLOW_MS / 1_000} s)`, b),
      wrapped('endpoint never answers', c),
      wrapped('endpoint refuses', 'http://127.0.0.1:9'),
      wrapped('no such host', 'http://does-not-exist.invalid'),
    ]);
  } finally {
    for (const server of [up, slow, hole]) server.close();
    for (const server of [up, slow]) server.closeAllConnections();
  }
}

async function compare(
  folder: string,
  title: string,
  base: string,
  runs: number,
  variants: Variant[],
): Promise<void> {
  const times = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  for (let i = -2; i < runs; i += 1) {
    // In another order each time: the reporter of one run is still at work when the next one
    // begins.
    for (const [index, variant] of shuffled([...variants.entries()])) {
      // Each with a state of its own: a back-off or backlog of one must not help or hurt another.
      const env = { ...userIn(folder), HOME: join(folder, `home-${index}`), ...variant.env };
      tellUser(env);
      const started = process.hrtime.bigint();
      const status = await run(variant.command, env, variant.cwd ?? folder);
      if (status !== 0) throw new Error(`${variant.name} ended with ${status}`);
      if (i >= 0) times.get(variant.name)?.push(Number(process.hrtime.bigint() - started) / 1e6);
    }
  }
  const median = (name: string) => quantile(times.get(name) ?? [], 0.5);
  table(
    title,
    ['', 'median ms', 'p95 ms', `ratio to ${base}`],
    variants.map(({ name }) => [
      name,
      median(name).toFixed(1),
      quantile(times.get(name) ?? [], 0.95).toFixed(1),
      (median(name) / median(base)).toFixed(2),
    ]),
  );
}

function run(
  [file = '', ...args]: string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, cwd, stdio: 'ignore' });
    child.on('error', reject);
    child.on('exit', resolve);
  });
}
