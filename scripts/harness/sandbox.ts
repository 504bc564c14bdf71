// sandbox.ts: a user of their own for each test. HOME, the XDG folders and lhp's configuration are
// temporary; nothing of the machine's own state, opt-outs or CI variables reaches a test, and lhp's
// own telemetry can reach nobody.
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newestRuns } from '../../src/history/show.ts';
import type { Paths } from '../../src/system/paths.ts';
import { tellUser } from './told.ts';

export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** The built program, as a user's PATH would have it. */
export const cli = join(projectRoot, 'dist', 'cli.cjs');

/** In the name of each sandbox's folder, which is in the environment of all its processes. */
const PREFIX = 'lhp-otel-test-';

export type Env = Record<string, string | undefined>;

export interface Sandbox {
  /** The temporary folder that holds everything, removed by `dispose`. */
  dir: string;
  home: string;
  stateDir: string;
  spoolDir: string;
  historyDir: string;
  env: Env;
  /** Runs `lhp-otel <args>`; `env` adds to the sandbox's variables (undefined removes one). */
  run(args: string[], options?: RunOptions): SpawnSyncReturns<string>;
  start(args: string[], options?: RunOptions & { stdio?: 'pipe' | 'ignore' }): ChildProcess;
  /**
   * Notes that the notice of the endpoint in these variables was shown, as on a terminal: else
   * nothing is delivered outside CI. `run`, `start` and `lhpOtel` do it first, unless the sandbox
   * is one of a user who was not told.
   */
  tell(env?: Env): void;
  /** The recorded runs in the telemetry page's shape, newest last (`lhp-otel show`). */
  events(): Record<string, unknown>[];
  /**
   * Waits until `count` runs are recorded (in the spool or the history), then gives the newest,
   * read in this process, because starting `lhp-otel show` takes as long as a short test.
   */
  recorded(count: number, timeoutMs?: number): Promise<Record<string, unknown>[]>;
  /** The names of all recorded run files. */
  runFiles(): string[];
  dispose(): void;
}

export interface RunOptions {
  cwd?: string;
  env?: Env;
  input?: string;
}

/**
 * `path` puts folders in front of PATH, e.g. the bin folder of a venv with lhp. With `told: false`
 * the user has not seen the notice of any endpoint.
 */
export function sandbox(options: { path?: string[]; env?: Env; told?: boolean } = {}): Sandbox {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), PREFIX)));
  const home = join(dir, 'home');
  mkdirSync(home);
  const env: Env = {
    PATH: [...(options.path ?? []), process.env.PATH].join(delimiter),
    HOME: home,
    LANG: 'C.UTF-8',
    TERM: 'xterm',
    // The real lhp keeps its own event here and, with port 9, sends it nowhere (the oracle of the
    // equality tests).
    LHP_CONFIG_DIR: join(dir, 'lhp-config'),
    LHP_TELEMETRY_ENDPOINT: 'http://127.0.0.1:9/',
    ...options.env,
  };
  const stateDir = join(home, '.local', 'state', 'lhp-otel');
  const spoolDir = join(stateDir, 'spool');
  const historyDir = join(stateDir, 'history');
  const merged = (extra?: Env): NodeJS.ProcessEnv => {
    if (options.told !== false) tellUser({ ...env, ...extra });
    return { ...env, ...extra } as NodeJS.ProcessEnv;
  };
  const folders = [spoolDir, historyDir];

  const box: Sandbox = {
    dir,
    home,
    stateDir,
    spoolDir,
    historyDir,
    env,
    tell: (extra) => tellUser({ ...env, ...extra }),
    run: (args, o = {}) =>
      spawnSync(process.execPath, [cli, ...args], {
        cwd: o.cwd ?? dir,
        env: merged(o.env),
        input: o.input ?? '',
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      }),
    start: (args, o = {}) =>
      spawn(process.execPath, [cli, ...args], {
        cwd: o.cwd ?? dir,
        env: merged(o.env),
        stdio: o.stdio ?? 'pipe',
      }),
    events: () => {
      const shown = box.run(['show', '--last', '100000']);
      if (shown.status !== 0) throw new Error(`lhp-otel show failed: ${shown.stderr}`);
      return shown.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    runFiles: () => folders.flatMap(runFilesIn),
    recorded: async (count, timeoutMs = 30_000) => {
      await until(() => written(folders).size >= count, `${count} recorded runs`, timeoutMs);
      return newestRuns({ spool: spoolDir, history: historyDir } as Paths, count + 100).map(
        ({ event }) => ({ ...event }),
      );
    },
    dispose: () => rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
  };
  return box;
}

const runFilesIn = (folder: string) =>
  existsSync(folder) ? readdirSync(folder).filter((name) => /^\d+\..*json$/.test(name)) : [];

/**
 * The milliseconds of runs that are written: a name is taken before its run is written, and a run
 * moves from one folder to the other.
 */
const written = (folders: readonly string[]) =>
  new Set(
    folders.flatMap((folder) =>
      runFilesIn(folder)
        .filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size)
        .map((name) => name.split('.')[0]),
    ),
  );

/** Polls until the condition holds; fails with what was waited for. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await sleep(20);
  }
}

/**
 * What is known of the processes of this machine: the environment of those of a sandbox, and an
 * empty text for all others. All tests that wait in this process share it, because reading every
 * environment takes milliseconds, and many tests of a file wait at the same time.
 */
let environments = new Map<number, string>();
let lookedAt = Number.NEGATIVE_INFINITY;
/** After a pause the kernel may have given the number of a process to another one. */
const FORGOTTEN_AFTER_MS = 1_000;

/** The environment of a process, or undefined if it is not known yet. */
function environmentOf(pid: number): string | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    if (environment !== '') return environment.includes(PREFIX) ? environment : '';
    // It has ended and waits for its parent, or is just becoming a program.
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')) ? '' : undefined;
  } catch {
    return undefined; // it has ended, or is another user's
  }
}

function look(): void {
  if (performance.now() - lookedAt > FORGOTTEN_AFTER_MS) environments = new Map();
  lookedAt = performance.now();
  const current = new Map<number, string>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    // A process of a sandbox is looked at again: it may have ended.
    const environment = environments.get(pid) === '' ? '' : environmentOf(pid);
    if (environment !== undefined) current.set(pid, environment);
  }
  environments = current;
}

const mentioning = (text: string) =>
  [...environments].filter(([, environment]) => environment.includes(text)).map(([pid]) => pid);

/** The processes that have this folder of a sandbox in their environment. */
export function processesMentioning(text: string): number[] {
  look();
  return mentioning(text);
}

/** Waits for the last process of the sandbox. */
export function idle(box: Sandbox, timeoutMs?: number): Promise<void> {
  let last = performance.now();
  let quiet = 0; // twice in a row: between two looks one process may start another and end
  return until(
    () => {
      if (lookedAt <= last) look();
      last = lookedAt;
      quiet = mentioning(box.dir).length === 0 ? quiet + 1 : 0;
      return quiet === 2;
    },
    'the last reporter to end',
    timeoutMs,
  );
}

/**
 * Waits for the processes of the sandboxes, kills those that do not end, and removes the sandboxes.
 * Returns what did not end.
 */
export async function leaveAll(boxes: readonly Sandbox[]): Promise<string[]> {
  const stayed: string[] = [];
  for (const box of boxes) {
    await idle(box).catch((error: Error) => stayed.push(error.message));
    for (const pid of processesMentioning(box.dir)) process.kill(pid, 'SIGKILL');
    box.dispose();
  }
  return stayed;
}
