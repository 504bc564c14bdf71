// latency.ts: npm run bench -- latency. What a person at the prompt waits for: a
// real `lhp generate` bare, with lhp's own telemetry, behind `lhp-otel run` and behind the shell
// hook, each with an endpoint that is up, slow, silent, refusing or unknown.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tellUser } from '../harness/told.ts';
import { ensureLhp } from '../setup/install.mjs';
import { SHELLS, timed } from './hook.ts';
import { listen, quantile, shuffled, table } from './measure.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 100);
const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.cjs');
/** A pause after each line: by then its reporter has ended, or waits for its endpoint. */
const SETTLED_MS = 200;
const SLOW_MS = 2_000;

interface Line {
  /** How lhp is started: bare, by the hook of a shell, by `run`, or with its own telemetry. */
  way: string;
  endpoint: string;
  shell: string;
  /** What is typed. */
  text: string;
}

export async function latency(folder: string): Promise<void> {
  const up = createHttpServer((request, response) =>
    request.resume().on('end', () => response.end('{}')),
  );
  const slow = createHttpServer(
    (request, response) =>
      void request.resume().on('end', () => setTimeout(() => response.end('{}'), SLOW_MS)),
  );
  const hole = createServer(() => {});
  const endpoints: Record<string, string> = {
    up: await listen(up),
    [`slow, ${SLOW_MS / 1_000} s`]: await listen(slow),
    'never answers': await listen(hole),
    refuses: 'http://127.0.0.1:9',
    'no such host': 'https://does-not-exist.invalid',
  };
  try {
    // Instead of lhp, a program that always takes the same time: all ways, many runs.
    const bin = join(folder, 'fixed-bin');
    const project = join(folder, 'fixed');
    for (const path of [bin, project]) mkdirSync(path);
    writeFileSync(join(project, 'lhp.yaml'), 'name: bench\n');
    writeFileSync(join(bin, 'lhp'), '#!/bin/sh\nsleep 0.05\n');
    chmodSync(join(bin, 'lhp'), 0o755);
    const shells = ['bash', 'zsh', 'fish'];
    const fixed = { name: 'fixed', bin, project, shells, real: false, runs: RUNS };
    await compareLines({ folder, endpoints, ...fixed });

    const lhp = await ensureLhp('0.9.3');
    const real = join(folder, 'real');
    mkdirSync(real);
    const PATH = [dirname(lhp), process.env.PATH].join(delimiter);
    const { status } = spawnSync(lhp, ['init', 'demo', '--sample', '--no-git'], {
      cwd: real,
      env: { PATH, HOME: real, LHP_TELEMETRY: 'off' },
      stdio: 'ignore',
    });
    if (status !== 0) throw new Error(`lhp init ended with ${status}`);
    const runs = Number(process.env.BENCH_REAL_RUNS ?? Math.min(RUNS, 20));
    await compareLines({
      folder,
      name: 'real',
      bin: dirname(lhp),
      project: real,
      endpoints,
      shells: ['bash'],
      real: true,
      runs,
    });
  } finally {
    for (const server of [up, slow, hole]) server.close();
    up.closeAllConnections();
    slow.closeAllConnections();
  }
}

interface Comparison {
  folder: string;
  name: string;
  /** The folder with lhp, for PATH. */
  bin: string;
  project: string;
  /** Their URLs, by the names in the table. */
  endpoints: Record<string, string>;
  shells: string[];
  /** Whether it is lhp itself, and not a program in its place. */
  real: boolean;
  runs: number;
}

async function compareLines(how: Comparison): Promise<void> {
  const { real, runs } = how;
  const lines = linesOf(how);
  const started = startShells(how);
  const times = new Map<Line, number[]>(lines.map((line) => [line, []]));
  for (let turn = -2; turn < runs; turn += 1) {
    for (const line of shuffled([...lines])) {
      const milliseconds = await timed(
        started.get(line.shell) as ChildProcess,
        `${line.text} >/dev/null 2>&1`,
      );
      if (turn >= 0) times.get(line)?.push(milliseconds);
      await sleep(SETTLED_MS);
    }
  }
  for (const child of started.values()) child.stdin?.end();
  const median = (line: Line) => quantile(times.get(line) ?? [], 0.5);
  const bare = (shell: string) =>
    median(lines.find((one) => one.way === 'bare' && one.shell === shell) as Line);
  table(
    `${real ? 'a real generate of lhp 0.9.3' : 'a generate of 0.05 s'}, ${runs} of each`,
    ['', 'endpoint', 'median ms', 'p95 ms', 'more than bare', 'ratio'],
    lines.map((line) => [
      line.way === 'bare' ? `bare, ${line.shell}` : line.way,
      line.endpoint,
      median(line).toFixed(1),
      quantile(times.get(line) ?? [], 0.95).toFixed(1),
      (median(line) - bare(line.shell)).toFixed(1),
      (median(line) / bare(line.shell)).toFixed(3),
    ]),
  );
}

/** What is typed: bare, and in each way with each endpoint. */
function linesOf({ folder, name, endpoints, shells, real }: Comparison): Line[] {
  const generate = `generate --env dev${real ? ' -pc config/pipeline_config.yaml' : ''}`;
  const lines: Line[] = shells.map((shell) => ({
    way: 'bare',
    endpoint: '-',
    shell,
    text: `command lhp ${generate}`,
  }));
  let homes = 0;
  for (const [endpoint, url] of Object.entries(endpoints)) {
    // Each line has a state folder of its own: what could not be delivered to one endpoint must
    // not be delivered to another.
    const state = () => {
      const XDG_STATE_HOME = join(folder, `state-${name}-${homes++}`);
      tellUser({ XDG_STATE_HOME, LHP_OTEL_EXPORTER_OTLP_ENDPOINT: url });
      return `XDG_STATE_HOME=${XDG_STATE_HOME}`;
    };
    const ours = `LHP_OTEL_EXPORTER_OTLP_ENDPOINT=${url}`;
    for (const shell of shells)
      lines.push({
        way: `hook, ${shell}`,
        endpoint,
        shell,
        text: `${state()} ${ours} lhp ${generate}`,
      });
    const run = `${process.execPath} ${cli} run -- lhp ${generate}`;
    lines.push({ way: 'run', endpoint, shell: 'bash', text: `${state()} ${ours} ${run}` });
    const own = `LHP_CONFIG_DIR=${join(folder, `own-${homes++}`)} LHP_TELEMETRY_ENDPOINT=${url}/`;
    // Empty: lhp's own telemetry is on, and this is no opt-out of ours.
    if (real)
      lines.push({
        way: 'lhp’s own telemetry',
        endpoint,
        shell: 'bash',
        text: `LHP_TELEMETRY= ${own} command lhp ${generate}`,
      });
  }
  return lines;
}

/** A shell of each kind, with its hook loaded. */
function startShells({ folder, name, bin, project, shells }: Comparison) {
  const started = new Map<string, ChildProcess>();
  for (const shell of shells) {
    const file = join(folder, `latency-${name}.${shell}`);
    writeFileSync(file, spawnSync(process.execPath, [cli, 'hook', shell]).stdout);
    const env = {
      PATH: [bin, process.env.PATH].join(delimiter),
      HOME: join(folder, `home-${name}`),
      LANG: 'C.UTF-8',
      HOOK: file,
      // lhp's own telemetry is off, except where a line switches it on. The first variable says
      // that this is no opt-out of ours.
      LHP_OTEL_UPSTREAM: 'off',
      LHP_TELEMETRY: 'off',
    };
    started.set(
      shell,
      spawn(shell, SHELLS[shell] ?? [], { cwd: project, env, stdio: ['pipe', 'pipe', 'ignore'] }),
    );
  }
  return started;
}
