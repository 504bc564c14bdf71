// soak.ts: npm run bench -- soak. Runs real reporters, one process a run, with one spool, the real
// gateway and the real Prometheus, for an hour (BENCH_SECONDS) or 100,000 runs (BENCH_RUNS),
// whichever is shorter. Compares the counts at the end, and shows whether anything grows: files,
// bytes, descriptors, and the processor time and memory of a reporter. Then one process delivers
// the largest backlog.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { JOB_VARIABLE } from '../../src/job/job.ts';
import { REPORTER_FLAGS } from '../../src/wrap/start-reporter.ts';
import type { Server } from '../harness/server.ts';
import { gatewayServer, prometheusServer } from '../harness/stack.ts';
import { tellUser } from '../harness/told.ts';
import { ensureCollector, ensurePrometheus } from '../setup/install.mjs';
import { CROWD, type Crowd, tell } from './crowd.ts';
import { table } from './measure.ts';
import { program } from './place.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 3_600);
const RUNS = Number(process.env.BENCH_RUNS ?? 100_000);
const LINES = 10;

export async function soak(folder: string): Promise<void> {
  const backend = await prometheusServer(await ensurePrometheus());
  await backend.start();
  const gateway = await gatewayServer(await ensureCollector(), `${backend.url}/api/v1/otlp`);
  await gateway.start();
  const stored = async () =>
    (await backend.value(
      'sum(sum_over_time(lhp_generate_runs_total[9d]))',
      Date.now() / 1_000 + 60,
    )) ?? 0;
  const user = userOf(folder, gateway.url, stored);
  const rows = await soakRows(user, [gateway, backend]);
  table(
    `soak: one process a run, two at a time, one spool (until ${RUNS} runs or ${SECONDS} s)`,
    [
      ...['runs', 's', 'runs/s', 'CPU ms each', 'peak MiB', 'descriptors'],
      ...['spool', 'history', 'other files', 'MiB on disk'],
      ...['gateway fds', 'MiB', 'Prometheus fds', 'MiB', 'exact'],
    ],
    rows,
  );
  await backlog(user);
  await gateway.stop();
  await backend.stop();
}

/** A user with a job for the reporter, which it records again and again. */
function userOf(folder: string, endpoint: string, stored: Soak['stored']): Soak {
  const home = join(folder, 'soak');
  mkdirSync(home);
  const known = {
    project_name: 'soak',
    environment: 'dev',
    lhp_version: '0.9.3',
    python_version: '3.11',
  };
  const job = { startedAt: Date.now(), durationSeconds: 2, known, deliver: true };
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    LANG: 'C.UTF-8',
    LHP_OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    [JOB_VARIABLE]: JSON.stringify(job),
  };
  tellUser(env);
  const reporter = [process.execPath, ...REPORTER_FLAGS, program('reporter')];
  return { home, state: join(home, '.local', 'state', 'lhp-otel'), env, stored, reporter };
}

/** Runs the reporter again and again; a row for each of LINES parts of that. */
async function soakRows(user: Soak, servers: readonly Server[]): Promise<string[][]> {
  const { home, state, env, stored, reporter } = user;
  const started = Date.now();
  const seconds = () => (Date.now() - started) / 1_000;
  const rows: string[][] = [];
  let runs = 0;
  /** As many reporters one after the other; two such queues are at work at any time. */
  const queue = (count: number) => crowd(user, String(count), 'one after the other', reporter);
  while (runs < RUNS && seconds() < SECONDS) {
    const from = { runs, seconds: seconds() };
    let cpu = 0;
    while (
      runs < Math.min(RUNS, from.runs + RUNS / LINES) &&
      seconds() < Math.min(SECONDS, from.seconds + SECONDS / LINES)
    ) {
      const each = Math.max(1, Math.min(50, Math.floor((RUNS - runs) / 2)));
      for (const { failed, commands } of await Promise.all([queue(each), queue(each)])) {
        if (failed > 0) throw new Error(`${failed} reporters failed`);
        cpu += commands;
      }
      runs += 2 * each;
    }
    // On a busy machine posts can time out, and runs wait for the back-off.
    await tell([program('cli'), 'flush'], env, home);
    const { peak, open } = await alone(user);
    runs += 1;
    rows.push([
      String(runs),
      seconds().toFixed(0),
      ((runs - 1 - from.runs) / (seconds() - from.seconds)).toFixed(1),
      ((cpu * 1_000) / (runs - 1 - from.runs)).toFixed(0),
      peak.toFixed(0),
      open,
      ...files(state),
      ...servers.flatMap((one) => [String(descriptors(one.pid())), resident(one.pid())]),
      (await stored()) === runs ? 'yes' : `NO: ${await stored()}`,
    ]);
  }
  return rows;
}

/** One reporter: its peak memory, MiB, and its descriptors when it has done its work. */
async function alone(user: Soak): Promise<{ peak: number; open: string }> {
  const [probe, open] = [join(user.home, 'probe.cjs'), join(user.home, 'fds')];
  writeFileSync(
    probe,
    `process.on('exit', () => {
      const fs = require('node:fs');
      fs.writeFileSync(${JSON.stringify(open)}, String(fs.readdirSync('/proc/self/fd').length));
    });`,
  );
  const watched = user.reporter.toSpliced(1, 0, '--require', probe);
  const { commandsPeak } = await crowd(user, '1', 'at once', watched);
  return { peak: commandsPeak, open: readFileSync(open, 'utf8') };
}

async function crowd(
  { env, home }: Soak,
  count: string,
  way: 'at once' | 'one after the other',
  command: readonly string[],
): Promise<Crowd> {
  const said = await tell(['-c', CROWD, count, way, ...command], env, home, 'python3');
  return JSON.parse(said) as Crowd;
}

interface Soak {
  home: string;
  state: string;
  env: Record<string, string | undefined>;
  stored: () => Promise<number>;
  reporter: readonly string[];
}

/** One process that delivers many: its memory must not grow with their number. */
async function backlog(user: Soak): Promise<void> {
  const { state, stored, reporter } = user;
  const rows: string[][] = [];
  const [name = ''] = readdirSync(join(state, 'history')).filter((file) =>
    file.endsWith('.sent.json'),
  );
  const bytes = readFileSync(join(state, 'history', name), 'utf8');
  // The spool holds 5,000, the reporter's own run among them.
  for (const [who, count] of [
    ['reporter', 100],
    ['reporter', 1_000],
    ['reporter', 4_999],
    ['flush', 5_000],
  ] as const) {
    rmSync(join(state, 'history'), { recursive: true });
    const first = Date.now() - 3_600_000 * (rows.length + 2);
    // The gateway drops what began after it ended.
    const began = bytes.replace(
      /"startTimeUnixNano":"\d+"/g,
      `"startTimeUnixNano":"${first - 1}000000"`,
    );
    for (let i = 0; i < count; i += 1)
      writeFileSync(
        join(state, 'spool', `${first + i}.json`),
        began.replaceAll(name.slice(0, 13), String(first + i)),
      );
    const before = await stored();
    const command = who === 'flush' ? [process.execPath, program('cli'), 'flush'] : reporter;
    const { failed, commands, commandsPeak, all } = await crowd(user, '1', 'at once', command);
    const due = before + count + (who === 'flush' ? 0 : 1);
    rows.push([
      who,
      String(count),
      all.toFixed(1),
      commands.toFixed(1),
      commandsPeak.toFixed(0),
      failed === 0 && (await stored()) === due ? 'yes' : `NO: ${(await stored()) - before}`,
    ]);
  }
  table('one sender with a backlog', ['', 'runs', 's', 'CPU s', 'peak MiB', 'exact'], rows);
}

/** Files in the spool and in the history, all others, and the size of all. */
function files(state: string): string[] {
  const all = readdirSync(state, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(state, name), { throwIfNoEntry: false })?.isFile(),
  );
  const under = (folder: string) => all.filter((name) => name.startsWith(`${folder}/`)).length;
  const size = all.reduce(
    (sum, name) => sum + (statSync(join(state, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  const [spool, history] = [under('spool'), under('history')];
  return [
    ...[spool, history, all.length - spool - history].map(String),
    (size / 1024 / 1024).toFixed(1),
  ];
}

const descriptors = (pid: number) =>
  existsSync(`/proc/${pid}/fd`) ? readdirSync(`/proc/${pid}/fd`).length : 0;
const resident = (pid: number) =>
  (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024).toFixed(
    0,
  );
