// faults.ts: npm run bench -- faults. Reporters killed at each of their system calls and at random,
// and 500 generates at once and in a loop, by the real reporter through the real gateway into the
// real Prometheus: what was recorded, what was counted, what was counted as lost, and what a storm
// costs in processor time, memory and connections.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, connect as tcp } from 'node:net';
import { delimiter, join } from 'node:path';
import { JOB_VARIABLE, type Job } from '../../src/job/job.ts';
import { REPORTER_FLAGS } from '../../src/wrap/start-reporter.ts';
import { gatewayServer, prometheusServer } from '../harness/stack.ts';
import { tellUser } from '../harness/told.ts';
import { ensureCollector, ensurePrometheus } from '../setup/install.mjs';
import { table } from './measure.ts';

const KILLS = Number(process.env.BENCH_KILLS ?? 1_000);
const RUNS = Number(process.env.BENCH_RUNS ?? 500);
const root = join(import.meta.dirname, '..', '..');
const cli = join(root, 'dist', 'cli.cjs');
const REPORTER = [...REPORTER_FLAGS, join(root, 'dist', 'reporter.cjs')];
const ENDPOINT = 'LHP_OTEL_EXPORTER_OTLP_ENDPOINT';
/**
 * Reporters that are killed live so long ago that what they leave is abandoned at once for a clock
 * that is right.
 */
const LONG_AGO = 20 * 60_000;
const BEHIND = ['--require', join(root, 'test', 'fixtures', 'kill-at.cjs'), ...REPORTER];
/** What leaves or reads something outside of the process. */
const CALLS = '%file,%network,read,write,writev,pwrite64,fsync,close,fchmod,getdents64,ftruncate';

/**
 * Starts a command COUNT times, at once or one after the other, becomes the parent of every process
 * that is left behind, and waits for all: the kernel's figures of the commands and of what they
 * left (the reporters).
 */
export const CROWD = `
import ctypes, json, os, sys, threading, time
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
count, at_once, command = int(sys.argv[1]), sys.argv[2] == 'at once', sys.argv[3:]
available = lambda: int(next(line for line in open('/proc/meminfo') if line.startswith('MemAvailable')).split()[1])
start, before, commands, failed = time.time(), available(), set(), 0
low, cpu, peak, ended = before, {True: 0.0, False: 0.0}, {True: 0, False: 0}, 0
def watch():
    global low
    while True:
        low = min(low, available())
        time.sleep(0.2)
threading.Thread(target=watch, daemon=True).start()
def reap():
    global failed, ended
    pid, status, usage = os.wait4(-1, 0)
    own = pid in commands
    cpu[own] += usage.ru_utime + usage.ru_stime
    peak[own] = max(peak[own], usage.ru_maxrss)
    failed += own and status != 0
    if own: ended = time.time() - start
    return pid
for i in range(count):
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=null)
    commands.add(pid)
    while not at_once and reap() != pid: pass
try:
    while True: reap()
except ChildProcessError: pass
print(json.dumps({'failed': failed, 'commands': cpu[True], 'reporters': cpu[False], 'peak': peak[False] / 1024,
    'commandsPeak': peak[True] / 1024, 'ended': ended, 'all': time.time() - start, 'memory': (before - low) / 1024}))`;

/** Seconds and MiB. */
export interface Crowd {
  failed: number;
  commands: number;
  reporters: number;
  peak: number;
  commandsPeak: number;
  ended: number;
  all: number;
  memory: number;
}

export async function faults(folder: string): Promise<void> {
  const backend = await prometheusServer(await ensurePrometheus());
  await backend.start();
  const gateway = await gatewayServer(await ensureCollector(), `${backend.url}/api/v1/otlp`);
  await gateway.start();
  const relay = await countingRelay(gateway.port);
  const total = async (series: string) =>
    (await backend.value(`sum(sum_over_time(${series}[9d]))`, Date.now() / 1_000 + 600)) ?? 0;
  const stored = async () => ({
    runs: await total('lhp_generate_runs_total'),
    lost: await total('lhp_telemetry_lost_runs_total'),
  });

  const user = (name: string) => {
    const home = join(folder, name);
    const state = join(home, '.local', 'state', 'lhp-otel');
    const project = join(home, 'project');
    mkdirSync(project, { recursive: true });
    writeFileSync(join(project, 'lhp.yaml'), `name: ${name}\n`); // series of its own
    const path = [join(root, 'test', 'fixtures', 'bin'), process.env.PATH].join(delimiter);
    const env = { PATH: path, HOME: home, LANG: 'C.UTF-8', DO: ':', [ENDPOINT]: relay.endpoint };
    tellUser(env);
    const list = (kind: string) =>
      existsSync(join(state, kind)) ? readdirSync(join(state, kind)) : [];
    const flush = () => tell([cli, 'flush'], env, project);
    return {
      home,
      state,
      project,
      env,
      list,
      flush,
      names: () => [...list('spool'), ...list('history')],
    };
  };

  const rows: string[][] = [];
  for (const [name, kill] of [
    ['at each system call, with what the one before has left', walk(false)],
    ['at each system call, with nothing else to do', walk(true)],
    ['at random, two at a time', atRandom],
  ] as const) {
    const place = user(`killed-${rows.length}`);
    const before = await stored();
    /** True for a run that was written, false for one that only had its name. */
    const seen = new Map<string, boolean>();
    const look = () => {
      for (const file of place.names())
        if (!file.includes('.lost-'))
          seen.set(file.slice(0, 13), seen.get(file.slice(0, 13)) || file.endsWith('.json'));
    };
    const job = (): Job => ({
      startedAt: Date.now() - LONG_AGO - 2_000,
      endedAt: Date.now() - LONG_AGO,
      durationSeconds: 2 + seen.size / 100,
      root: place.project,
      known: { environment: 'dev', lhp_version: '0.9.3', python_version: '3.11' },
      deliver: true,
    });
    const report = async (words: string[], killAfterMs?: number) => {
      const env = {
        ...place.env,
        SHIFT_MS: String(-LONG_AGO),
        [JOB_VARIABLE]: JSON.stringify(job()),
      };
      const [program = '', ...args] = words;
      const child = spawn(program, args, { env, stdio: 'ignore', cwd: '/' });
      const timer =
        killAfterMs === undefined
          ? undefined
          : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      const [, signal] = await once(child, 'exit');
      clearTimeout(timer);
      look();
      return signal === 'SIGKILL';
    };
    const killed = await kill(
      report,
      place,
      Math.max(0, KILLS - rows.reduce((sum, row) => sum + Number(row[1]), 0)),
    );
    await place.flush(); // its clock is right, so what the dead have left is given up
    await report([process.execPath, ...REPORTER]); // counts it
    await place.flush();
    look();
    const after = await stored();
    const [runs, lost] = [after.runs - before.runs, after.lost - before.lost];
    const written = [...seen.values()].filter(Boolean).length;
    const exact =
      runs === written && lost === seen.size - written && place.list('spool').length === 0;
    rows.push([
      name,
      ...[killed, written, runs, seen.size - written, lost].map(String),
      exact ? 'yes' : 'NO',
    ]);
  }
  table(
    'reporters killed (SIGKILL)',
    ['', 'killed', 'written', 'counted', 'only named', 'counted as lost', 'exact'],
    rows,
  );

  const storms: string[][] = [];
  for (const way of ['at once', 'one after the other']) {
    const place = user(`storm-${storms.length}`);
    const before = await stored();
    relay.reset();
    const command = [process.execPath, cli, 'run', '--', 'lhp', 'generate', '--env', 'dev'];
    const said = await tell(
      ['-c', CROWD, String(RUNS), way, ...command],
      place.env,
      place.project,
      'python3',
    );
    const crowd = JSON.parse(said) as Crowd;
    const most = relay.most();
    const waiting = place.list('spool').length;
    await place.flush();
    const after = await stored();
    const [runs, lost] = [after.runs - before.runs, after.lost - before.lost];
    storms.push([
      `${RUNS} ${way}`,
      runs === RUNS && lost === 0 && crowd.failed === 0
        ? 'yes'
        : `NO: ${runs}, ${lost} lost, ${crowd.failed} failed`,
      ...[crowd.ended, crowd.all, crowd.commands, crowd.reporters].map((seconds) =>
        seconds.toFixed(1),
      ),
      ((crowd.reporters * 1_000) / RUNS).toFixed(0),
      crowd.peak.toFixed(0),
      crowd.memory.toFixed(0),
      String(most),
      String(waiting),
    ]);
  }
  table(
    'storms of wrapped generates by a stand-in for lhp, one spool',
    [
      ...[
        '',
        'exact',
        'commands ended, s',
        'all ended, s',
        'CPU s commands',
        'CPU s reporters',
        'CPU ms a reporter',
      ],
      ...['peak MiB of one', 'MiB of all', 'most connections', 'left for the next'],
    ],
    storms,
  );
  relay.close();
  await gateway.stop();
  await backend.stop();
}

type Report = (words: string[], killAfterMs?: number) => Promise<boolean>;
interface Place {
  home: string;
  env: Record<string, string | undefined>;
}

/**
 * From the first call that concerns us to the last one, call by call, until a reporter ends
 * unharmed; `alone`: each finds an empty spool.
 */
function walk(alone: boolean) {
  return async (report: Report, { home }: Place) => {
    const strace = (...more: string[]) => ['strace', '-qq', ...more, process.execPath, ...BEHIND];
    const trace = join(home, 'trace');
    await report(strace('-o', trace, '-e', `trace=${CALLS}`));
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .map((line) => ({
        name: /^\w+(?=\()/.exec(line)?.[0],
        begins: line.includes('lhp-otel/consent.json'),
      }));
    const first = calls.findIndex(({ begins }) => begins);
    if (first < 0) throw new Error('the trace of the reporter does not show where it begins');
    let killed = 0;
    // strace counts each kind of call for itself.
    for (const kind of new Set(calls.slice(first).flatMap(({ name }) => name ?? []))) {
      let nth = calls.slice(0, first).filter(({ name }) => name === kind).length + 1;
      const dies = () =>
        report(
          strace(
            '-o',
            '/dev/null',
            '-e',
            `trace=${kind}`,
            '-e',
            `inject=${kind}:signal=SIGKILL:when=${nth}`,
          ),
        );
      for (; await dies(); nth += 1) {
        killed += 1;
        // A backlog that only grows would have no end of calls.
        if (alone || killed % 8 === 0) await report([process.execPath, ...BEHIND]);
      }
    }
    return killed;
  };
}

async function atRandom(report: Report, _: Place, count: number): Promise<number> {
  let killed = 0;
  const one = async () => {
    killed += Number(await report([process.execPath, ...BEHIND], 20 + Math.random() * 90));
  };
  while (killed < count) await Promise.all([one(), one()]);
  return killed;
}

/** Runs a program to its end, while this process goes on serving; gives what it printed. */
export async function tell(
  words: string[],
  env: Record<string, string | undefined>,
  cwd: string,
  program = process.execPath,
): Promise<string> {
  const child = spawn(program, words, {
    env: env as NodeJS.ProcessEnv,
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await once(child, 'close');
  return said;
}

/** To this port of 127.0.0.1; counts how many connections there are at one time. */
async function countingRelay(port: number) {
  let [now, most] = [0, 0];
  const server = createServer((client) => {
    now += 1;
    most = Math.max(most, now);
    const upstream = tcp(port, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    client.on('close', () => {
      now -= 1;
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    most: () => most,
    reset: () => {
      most = now;
    },
    close: () => server.close(),
  };
}
