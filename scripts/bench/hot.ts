// hot.ts: npm run bench -- hot. What `lhp-otel run` adds to a command: to one that is no generate,
// and to a generate with each kind of endpoint, before the command starts and after it has ended.
// The smallest wrapper that can be written for Node is measured in the same run.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tellUser } from '../harness/told.ts';
import { listen, quantile, shuffled, table } from './measure.ts';
import { program, programBefore, RUNS, userIn } from './place.ts';

const GENERATE = ['./lhp', 'generate', '--env', 'dev'];
const WRAPPED = ['run', '--', ...GENERATE];
const SLOW_MS = 2_000;
/** By then the reporter of a generate has ended, or waits for its endpoint. */
const REST_MS = 250;
const BARE = 'bare';
const SMALLEST = 'smallest Node wrapper';

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
    { name: SMALLEST, command: smallest(['true']) },
    { name: 'lhp-otel run -- true', command: [node, program('cli'), 'run', '--', 'true'] },
    ...(before ? [{ name: 'the same, before', command: [node, before, 'run', '--', 'true'] }] : []),
  ]);
}

/** It forwards no signal, records nothing, and ends with 0. */
const smallest = ([file, ...args]: string[]): string[] => [
  process.execPath,
  '-e',
  `child_process.spawnSync(${JSON.stringify(file)}, ${JSON.stringify(args)}, { stdio: 'inherit' })`,
];

async function generate(folder: string): Promise<void> {
  const project = join(folder, 'fake');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: bench\n');
  // As long as a short real generate, with nothing in it that varies. It prints a line when it
  // starts and one when it ends.
  writeFileSync(join(project, 'lhp'), '#!/bin/sh\necho\nsleep 0.3\necho\n');
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
      { name: BARE, command: GENERATE, cwd: project },
      { name: SMALLEST, command: smallest(GENERATE), cwd: project },
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

/** Milliseconds; of a command that prints nothing only the first. */
interface Times {
  total: number;
  /** Until the command has started, and from its end on. */
  before: number;
  after: number;
}

async function compare(
  folder: string,
  title: string,
  base: string,
  runs: number,
  variants: Variant[],
): Promise<void> {
  const generates = variants.some(({ name }) => name === BARE);
  const times = new Map<string, Times[]>(variants.map(({ name }) => [name, []]));
  for (let i = -2; i < runs; i += 1) {
    // In another order each time: what a reporter still does when the next run begins must not
    // slow down the same variant each time.
    for (const [index, variant] of shuffled([...variants.entries()])) {
      // Each with a state of its own: a back-off or backlog of one must not help or hurt another.
      const env = { ...userIn(folder), HOME: join(folder, `home-${index}`), ...variant.env };
      tellUser(env);
      const measured = await run(variant, env, variant.cwd ?? folder);
      if (i >= 0) times.get(variant.name)?.push(measured);
      if (generates) await sleep(REST_MS);
    }
  }
  const at = (name: string, part: keyof Times, q = 0.5) =>
    quantile(
      (times.get(name) ?? []).map((each) => each[part]),
      q,
    );
  const added = (name: string, part: keyof Times) => at(name, part) - at(BARE, part);
  table(
    title,
    [
      ...['', 'median ms', 'p95 ms', `ratio to ${base}`],
      ...(generates ? ['adds', 'before its start', 'after its end', `adds, to ${SMALLEST}`] : []),
    ],
    variants.map(({ name }) => [
      name,
      at(name, 'total').toFixed(1),
      at(name, 'total', 0.95).toFixed(1),
      (at(name, 'total') / at(base, 'total')).toFixed(2),
      ...(generates
        ? [
            ...(['total', 'before', 'after'] as const).map((part) => added(name, part).toFixed(1)),
            (added(name, 'total') / added(SMALLEST, 'total')).toFixed(2),
          ]
        : []),
    ]),
  );
}

function run(
  { name, command: [file = '', ...args] }: Variant,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<Times> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const lines: number[] = [];
    const child = spawn(file, args, { env, cwd, stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.on('data', () => lines.push(performance.now()));
    child.on('error', reject);
    child.on('exit', (status) => {
      const ended = performance.now();
      const [first = Number.NaN] = lines;
      if (status !== 0) return reject(new Error(`${name} ended with ${status}`));
      resolve({
        total: ended - began,
        before: first - began,
        after: ended - (lines.at(-1) ?? Number.NaN),
      });
    });
  });
}
