// Tests that each run is counted exactly once, or counted as lost, whatever happens between the end
// of `lhp generate` and the deletion of its file. The real reporter, collector and Prometheus are
// used, with a network relay that fails, reporters killed at each of their steps, full disks, and
// clocks that jump. Prometheus's sums are compared with what was recorded.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {
  request as httpRequest,
  createServer as httpServer,
  type IncomingMessage,
} from 'node:http';
import { type AddressInfo, createServer, connect as tcp } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/harness/collector.ts';
import { collector, program, prometheus } from '../../scripts/harness/needs.ts';
import {
  type Answer,
  lhpOtel,
  type OtlpServer,
  startBlackHole,
  startOtlpServer,
} from '../../scripts/harness/otlp-server.ts';
import {
  cli,
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
  until,
} from '../../scripts/harness/sandbox.ts';
import {
  type Gateway,
  gatewayServer,
  type Prometheus,
  prometheusServer,
} from '../../scripts/harness/stack.ts';
import { JOB_VARIABLE, type Job } from '../../src/job/job.ts';
import { lacking } from '../support/lacking.ts';
import { extended } from '../support/tags.ts';

const ENDPOINT = 'LHP_OTEL_EXPORTER_OTLP_ENDPOINT';
const TIMEOUT = 'LHP_OTEL_EXPORTER_OTLP_TIMEOUT';
const GENERATE = ['run', '--', 'lhp', 'generate', '--env', 'dev'];
const REPORTER = join(projectRoot, 'dist', 'reporter.cjs');
const KILL_AT = join(projectRoot, 'test', 'fixtures', 'kill-at.cjs');
/** Number of reporters killed at a random moment. Set it to 1,000 for a longer test. */
const RANDOM_KILLS = Number(process.env.LHP_OTEL_TEST_KILLS ?? 60);
/** The first commit whose reporter writes runs into the spool. */
const OLDEST = 'c632dc6';
const MINUTE = 60_000;
/** Older than anything that a reporter may still be working on. */
const LONG_AGO = 20 * MINUTE;

const needs = [collector(), prometheus()] as const;

describe('exactly once, or counted as lost', () => {
  if (lacking(...needs)) return;
  let backend: Prometheus;
  let gateway: Gateway;
  let before: { runs: number; lost: number };
  let box: Sandbox;
  let project: string;
  /**
   * Every run that has ever had a file name, by its millisecond; true if it was also written. As
   * soon as it has a name, a run must be counted, or counted as lost.
   */
  const seen = new Map<string, boolean>();
  const open: { close(): unknown }[] = [];

  beforeAll(async () => {
    backend = await prometheusServer(needs[1].path);
    await backend.start();
    gateway = await gatewayServer(needs[0].path, `${backend.url}/api/v1/otlp`);
    await gateway.start();
  });
  afterAll(async () => {
    await gateway?.stop();
    await backend?.stop();
  });
  let users = 0;
  beforeEach(async () => {
    box = sandbox({ path: [join(projectRoot, 'test', 'fixtures', 'bin')], env: { DO: ':' } });
    project = join(box.dir, 'project');
    mkdirSync(project);
    users += 1;
    writeFileSync(join(project, 'lhp.yaml'), `name: faults ${users}\n`);
    before = await stored();
    seen.clear();
  });
  afterEach(async () => {
    for (const server of open.splice(0)) await server.close();
    await idle(box);
    box.dispose();
  });

  /** Looks ten minutes ahead, to include runs of clocks that are ahead. */
  const total = async (series: string) =>
    (await backend.value(`sum(sum_over_time(${series}[9d]))`, Date.now() / 1_000 + 600)) ?? 0;
  const stored = async () => ({
    runs: await total('lhp_generate_runs_total'),
    lost: await total('lhp_telemetry_lost_runs_total'),
  });
  /** What was counted since the test started. */
  const counted = async () => {
    const now = await stored();
    return { runs: now.runs - before.runs, lost: now.lost - before.lost };
  };
  const tell = (args: string[], env: Env) => lhpOtel(box, args, { cwd: project, env });
  const generate = async (env: Env) => {
    expect(await tell(GENERATE, env)).toEqual({ status: 0, stdout: '', stderr: '' });
    await idle(box);
  };
  const sent = () => list(box.historyDir).filter((name) => name.endsWith('.sent.json')).length;
  const list = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);
  /** Without faults: delivers what is waiting, and records one more run, which reports losses. */
  async function heal(): Promise<void> {
    const env = { [ENDPOINT]: gateway.url };
    await tell(['flush'], env);
    await generate(env);
    const flushed = await tell(['flush'], env);
    expect(flushed.stderr).toBe('');
    expect(list(box.spoolDir).filter((name) => name.endsWith('.json'))).toEqual([]);
  }

  // ── the network ──

  const answering = (answer: Answer) => async () => {
    const server: OtlpServer = await startOtlpServer({ script: [answer] });
    open.push(server);
    return server.endpoint;
  };
  /**
   * Relays to the real gateway and back until this many bytes went in this direction, then resets
   * the connection.
   */
  const relay = (cut: { up: number } | { down: number }) => async () => {
    const server = createServer((client) => {
      const upstream = tcp(gateway.port, '127.0.0.1');
      let [up, down] = [0, 0];
      const end = () => {
        client.resetAndDestroy();
        upstream.destroy();
      };
      for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
      client.on('data', (bytes) => {
        up += bytes.length;
        if ('up' in cut && up > cut.up) {
          upstream.write(bytes.subarray(0, bytes.length - (up - cut.up)));
          return end();
        }
        upstream.write(bytes);
      });
      upstream.on('data', (bytes) => {
        down += bytes.length;
        if ('down' in cut && down > cut.down) return end();
        client.write(bytes);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  const RUNS = 3;
  type Trouble = [name: string, endpoint: () => Promise<string>, lost: number];
  const troubles: Trouble[] = [
    ['413', answering({ status: 413 }), RUNS],
    ['a 200 that does not arrive', relay({ down: 0 }), 0],
  ];
  const moreTroubles: Trouble[] = [
    ['503', answering({ status: 503 }), 0],
    ['down', async () => `http://127.0.0.1:${await freePort()}`, 0],
    ['slow', answering({ delayMs: 1_500 }), 0],
    [
      'black-holed',
      async () => {
        const hole = await startBlackHole();
        open.push(hole);
        return hole.endpoint;
      },
      0,
    ],
    ['TLS to a server without TLS', async () => gateway.url.replace('http:', 'https:'), 0],
    ['an unknown name', async () => 'http://does-not-exist.invalid:4318', 0],
    ['401', answering({ status: 401 }), 0],
    ['404', answering({ status: 404 }), 0],
    ['400', answering({ status: 400 }), RUNS],
    ['429 with Retry-After', answering({ status: 429, headers: { 'retry-after': '1' } }), 0],
    ['500', answering({ status: 500 }), 0],
    ['a redirect', answering({ status: 307, headers: { location: 'http://127.0.0.1:9/' } }), 0],
    ['no answer', answering({ instead: 'silence' }), 0],
    ['an endless answer', answering({ instead: 'dribble' }), 0],
    ['a 200 of which only the beginning arrives', relay({ down: 20 }), 0],
    ['a connection reset in the middle of the body', relay({ up: 1_000 }), 0],
  ];
  const recovers = async (_: string, endpoint: () => Promise<string>, lost: number) => {
    const env = { [ENDPOINT]: await endpoint(), [TIMEOUT]: '400' };
    for (let run = 0; run < RUNS; run += 1) await generate(env);
    await heal();
    expect(await counted()).toEqual({ runs: RUNS + 1 - lost, lost });
  };
  it.each(troubles)('%s, for three runs; then all is well', recovers);
  it.each(moreTroubles)('%s, for three runs; then all is well', extended, recovers);

  // ── killed ──

  const job = (): Job => ({
    startedAt: Date.now() - LONG_AGO - 2_000,
    endedAt: Date.now() - LONG_AGO,
    durationSeconds: 2,
    root: project,
    known: { environment: 'dev', lhp_version: '0.9.3', python_version: '3.11' },
    deliver: true,
  });
  /** A reporter as start-reporter.ts starts it. Resolves when it has ended. */
  const startReporter = (more: Env) => {
    box.tell({ [ENDPOINT]: gateway.url, ...more });
    return spawn(process.execPath, ['--require', KILL_AT, REPORTER], {
      env: {
        ...(box.env as NodeJS.ProcessEnv),
        [ENDPOINT]: gateway.url,
        [JOB_VARIABLE]: JSON.stringify(job()),
        SHIFT_MS: String(-LONG_AGO),
        ...more,
      },
      stdio: 'ignore',
    });
  };
  const asleep = (pid = 0) => /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  async function report(more: Env, killAfterMs?: number): Promise<number | null> {
    const child = startReporter(more);
    const timer =
      killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    const [code] = (await once(child, 'exit')) as [number | null];
    clearTimeout(timer);
    return code;
  }
  function look(): void {
    for (const name of [...list(box.spoolDir), ...list(box.historyDir)]) {
      const at = name.slice(0, 13);
      if (!name.includes('.lost-')) seen.set(at, seen.get(at) === true || name.endsWith('.json'));
    }
  }
  async function expectAll(earlierLosses: number): Promise<void> {
    const env = { [ENDPOINT]: gateway.url };
    await tell(['flush'], env); // with the right clock, old attempts count as abandoned
    await generate(env);
    await tell(['flush'], env);
    const written = [...seen.values()].filter(Boolean).length;
    expect(await counted()).toEqual({
      runs: written + 1,
      lost: seen.size - written + earlierLosses,
    });
    expect(list(box.spoolDir)).toEqual([]);
  }
  /** Two runs that were given up before, so that the steps include counting losses. */
  function earlierLosses(): number {
    mkdirSync(box.historyDir, { recursive: true });
    for (const at of [1, 2])
      writeFileSync(
        join(box.historyDir, `${Date.now() - 3 * LONG_AGO + at}.lost-expired.json`),
        '{}',
      );
    return 2;
  }

  const killedAtSteps = async (apart: number) => {
    const losses = earlierLosses();
    const steps = join(box.dir, 'steps');
    let killed = 0;
    for (let at = 1; ; at += apart) {
      const code = await report({ KILL_AT: String(at), STEPS_FILE: steps });
      look();
      if (code === 0) break;
      expect(code).toBe(null);
      killed += 1;
      // A backlog takes more steps than the delivery of one run.
      if (at > 400) throw new Error('no end of steps');
    }
    expect(killed).toBeGreaterThan(25 / apart);
    expect(Number(readFileSync(steps, 'utf8'))).toBeLessThanOrEqual(killed * apart);
    await expectAll(losses);
  };
  it('kill -9 at every fifth step, one after the other', () => killedAtSteps(5));
  it('kill -9 at each step of a reporter with a backlog', extended, () => killedAtSteps(1));

  it('kill -9 at each step of a reporter with only its own run', extended, async () => {
    let killed = 0;
    for (let at = 1; ; at += 1) {
      const code = await report({ KILL_AT: String(at) });
      look();
      if (code === 0) break;
      killed += 1;
      // Deliver what is left, so that the next reporter has only its own run again. This clock is
      // behind, too, so that it does not abandon leftovers.
      await report({ KILL_AT: '0' });
      look();
    }
    expect(killed).toBeGreaterThan(20);
    await expectAll(0);
  });

  it(`kill -9 at ${RANDOM_KILLS} random moments, two at a time`, {
    ...extended,
    timeout: 600_000,
  }, async () => {
    const losses = earlierLosses();
    const started = Date.now();
    await report({});
    look();
    const usual = Date.now() - started; // the usual duration on this machine
    const one = async () => {
      await report({}, 20 + Math.random() * 2 * usual);
      look();
    };
    for (let i = 0; i < RANDOM_KILLS; i += 2) await Promise.all([one(), one()]);
    expect(seen.size).toBeGreaterThan(RANDOM_KILLS / 10);
    await expectAll(losses);
  });

  it('suspended at each step, and resumed when others have done its work', extended, async () => {
    const losses = earlierLosses();
    let slept = 0;
    for (let at = 1; ; at += 1) {
      const child = startReporter({ KILL_AT: String(at), KILL_WITH: 'SIGSTOP' });
      const exit = once(child, 'exit');
      await until(
        () => child.exitCode !== null || asleep(child.pid),
        'the reporter to stop or end',
      );
      look();
      if (child.exitCode !== null) break;
      slept += 1;
      const lock = join(box.stateDir, 'deliver.lock');
      if (existsSync(lock)) utimesSync(lock, new Date(0), new Date(0));
      expect(await report({ SHIFT_MS: '0' })).toBe(0);
      look();
      child.kill('SIGCONT');
      await exit;
      look();
      // Report the losses, so that the next reporter has no more steps than this one.
      await report({ SHIFT_MS: '0' });
      look();
    }
    expect(slept).toBeGreaterThan(20);
    await expectAll(losses);
  });

  it('suspended during its delivery until others have taken over', extended, async () => {
    const hanging = await startOtlpServer({ script: [{ instead: 'silence' }] });
    open.push(hanging);
    box.tell({ [ENDPOINT]: hanging.endpoint });
    const child = spawn(process.execPath, [REPORTER], {
      env: {
        ...(box.env as NodeJS.ProcessEnv),
        [ENDPOINT]: hanging.endpoint,
        [TIMEOUT]: '1500',
        [JOB_VARIABLE]: JSON.stringify({ ...job(), startedAt: Date.now() }),
      },
      stdio: 'ignore',
    });
    await until(() => hanging.requests.length === 1, 'the delivery to begin');
    child.kill('SIGSTOP');
    // Its lock is as old as after a night.
    const night = new Date(Date.now() - 8 * 60 * MINUTE);
    utimesSync(join(box.stateDir, 'deliver.lock'), night, night);
    await tell(GENERATE, { [ENDPOINT]: gateway.url });
    await until(() => sent() === 2, 'the run of both to be delivered');
    expect(await counted()).toEqual({ runs: 2, lost: 0 });
    child.kill('SIGCONT');
    await hanging.close();
    await once(child, 'exit');
    await heal();
    expect(await counted()).toEqual({ runs: 3, lost: 0 });
  });

  // ── the disk ──

  it('a full disk: the user sees nothing, a run with a name is counted as lost', async () => {
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', box.home], {
      encoding: 'utf8',
    });
    if (lackingHere('no tmpfs can be mounted', mounted)) return;
    open.push({ close: () => void spawnSync('umount', ['-l', box.home]) });
    const env = { [ENDPOINT]: gateway.url };
    await generate(env);
    // waits
    await generate({ [ENDPOINT]: `http://127.0.0.1:${await freePort()}`, [TIMEOUT]: '400' });
    const filler = join(box.home, 'filler');
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k'], { stdio: 'ignore' });
    for (let run = 0; run < RUNS; run += 1) await generate(env);
    await tell(['flush'], env);
    rmSync(filler);
    await heal();
    expect(await counted()).toEqual({ runs: 3, lost: RUNS });
  });

  function lackingHere(
    what: string,
    { status, stderr }: { status: number | null; stderr: string },
  ): boolean {
    if (status === 0) return false;
    if (process.env.CI === 'true') throw new Error(`${what}: ${stderr}`);
    console.warn(`not tested here, ${what}: ${stderr}`);
    return true;
  }

  it.each<[string, () => Env]>([
    ['a home folder in which nothing can be written', () => ({ HOME: '/proc' })],
    [
      'a file instead of the state folder',
      () => {
        const file = join(box.dir, 'file');
        writeFileSync(file, '');
        return { XDG_STATE_HOME: file };
      },
    ],
  ])('%s: the user sees nothing, nothing is recorded, and nothing is left', async (_, settings) => {
    await generate({ [ENDPOINT]: gateway.url, ...settings() });
    expect(await counted()).toEqual({ runs: 0, lost: 0 });
  });

  describe('as another user', () => {
    const setpriv = program('setpriv');
    const root = process.getuid?.() === 0;
    if (
      lacking(root ? setpriv : { path: '', lacks: 'only root can run a reporter as another user' })
    )
      return;
    const nobody = async (env: Env) => {
      const words = [
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        process.execPath,
        cli,
        ...GENERATE,
      ];
      const child = spawn(setpriv.path, words, {
        cwd: project,
        env: { ...box.env, ...env } as NodeJS.ProcessEnv,
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
      expect(await once(child, 'close')).toEqual([0, null]);
      expect(said).toBe('');
      await idle(box);
    };
    beforeEach(() => {
      for (const path of [box.dir, box.home]) chmodSync(path, 0o755);
    });

    it.each<[string, () => Env]>([
      ['no home folder', () => ({ HOME: undefined })],
      ['a home folder that does not exist', () => ({ HOME: '/nonexistent/home' })],
      ['a read-only home folder', () => ({})],
    ])('%s: the user sees nothing, and nothing is left', async (_, settings) => {
      const here = readdirSync(box.home);
      await nobody({ [ENDPOINT]: gateway.url, ...settings() });
      expect(readdirSync(box.home)).toEqual(here);
      expect(await counted()).toEqual({ runs: 0, lost: 0 });
    });

    it('a spool that belongs to another user: is neither used nor changed', async () => {
      const env = { [ENDPOINT]: gateway.url };
      await generate(env);
      for (const path of ['.local', join('.local', 'state')])
        chmodSync(join(box.home, path), 0o755);
      const names = () => [...list(box.spoolDir), ...list(box.historyDir)].sort();
      const then = names();
      await nobody(env);
      expect(names()).toEqual(then);
      await heal();
      expect(await counted()).toEqual({ runs: 2, lost: 0 });
    });
  });

  it('bad files in the spool: counted as lost if named like a run, else left alone', async () => {
    const env = { [ENDPOINT]: gateway.url };
    await generate({ [ENDPOINT]: `http://127.0.0.1:${await freePort()}`, [TIMEOUT]: '300' });
    const [good = ''] = list(box.spoolDir);
    const bytes = readFileSync(join(box.spoolDir, good));
    const at = (offset: number) => String(Number(good.slice(0, 13)) - offset);
    const put = (name: string, content: string | Buffer) =>
      writeFileSync(join(box.spoolDir, name), content);
    put(`${at(1)}.json`, '');
    put(`${at(2)}.json`, bytes.subarray(0, bytes.length / 2));
    put(`${at(3)}.json`, 'no JSON');
    put(`${at(4)}.json`, '{"resourceMetrics":[]}');
    put(`${at(5)}.json`, Buffer.alloc(1_000_000, 'x'));
    symlinkSync('/etc/passwd', join(box.spoolDir, `${at(6)}.json`));
    mkdirSync(join(box.spoolDir, `${at(7)}.json`));
    spawnSync('mkfifo', [join(box.spoolDir, `${at(8)}.json`)]);
    const foreign = ['README', '.hidden', '12.json', `${at(9)}.json.bak`];
    for (const name of foreign) put(name, bytes);
    await generate(env);
    await generate(env);
    expect(list(box.spoolDir).sort()).toEqual(foreign.sort());
    expect(await counted()).toEqual({ runs: 3, lost: 8 });
  });

  // ── clocks and versions ──

  it('a clock that jumps back and forward by hours: every run is counted', extended, async () => {
    for (const shift of [0, -3 * 60 * MINUTE, 4 * MINUTE, -24 * 60 * MINUTE, 0, 1])
      expect(await report({ SHIFT_MS: String(shift) })).toBe(0);
    expect(await counted()).toEqual({ runs: 6, lost: 0 });
  });

  it('a clock that stands still: every run has its own millisecond', extended, async () => {
    const still = join(box.dir, 'still.cjs');
    writeFileSync(still, `const now = ${Date.now() - LONG_AGO}; Date.now = () => now;`);
    const runs = Array.from({ length: 12 }, () =>
      report({ NODE_OPTIONS: `--require ${still}`, SHIFT_MS: '' }),
    );
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 12 }, () => 0));
    await heal();
    expect(await counted()).toEqual({ runs: 13, lost: 0 });
  });

  it('two versions with one spool: every run is counted, with its version', async () => {
    const other = join(box.dir, 'other');
    cpSync(join(projectRoot, 'dist'), other, { recursive: true });
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
      version: string;
    };
    for (const name of readdirSync(other).filter((file) => file.endsWith('.cjs'))) {
      const text = readFileSync(join(other, name), 'utf8');
      writeFileSync(join(other, name), text.replaceAll(version, '9.8.7'));
    }
    const env = { [ENDPOINT]: gateway.url };
    box.tell(env);
    const run = (which: string) =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [which, ...GENERATE], {
          cwd: project,
          env: { ...box.env, ...env } as NodeJS.ProcessEnv,
          stdio: 'ignore',
        });
        child.on('exit', resolve);
      });
    const both = [cli, join(other, 'cli.cjs')];
    await Promise.all(Array.from({ length: 12 }, (_, i) => run(both[i % 2] as string)));
    await idle(box);
    await heal();
    expect(await counted()).toEqual({ runs: 13, lost: 0 });
    const versions = list(box.historyDir).map(
      (name) =>
        /"name":"lhp-otel","version":"([^"]+)"/.exec(
          readFileSync(join(box.historyDir, name), 'utf8'),
        )?.[1],
    );
    expect(versions.filter((one) => one === '9.8.7')).toHaveLength(6);
    expect(versions.filter((one) => one === version)).toHaveLength(7);
  });

  it(
    'the oldest version that records, and this one, side by side: every run is counted',
    extended,
    async () => {
      const other = join(box.dir, 'oldest');
      mkdirSync(other);
      const bash = (script: string) =>
        spawnSync('bash', ['-ec', script], { cwd: projectRoot, encoding: 'utf8' });
      const source = bash(`set -o pipefail; git archive ${OLDEST} | tar -x -C '${other}'`);
      if (lackingHere('the history of this repository is not here', source)) return;
      symlinkSync(join(projectRoot, 'node_modules'), join(other, 'node_modules'));
      const built = bash(`cd '${other}' && '${process.execPath}' node_modules/tsdown/dist/run.mjs`);
      // On a busy machine the bundler prints a warning about its time.
      expect(built.status, built.stderr).toBe(0);
      const old = join(other, 'dist', 'cli.cjs');
      const down = { [ENDPOINT]: `http://127.0.0.1:${await freePort()}`, [TIMEOUT]: '400' };
      const run = async (program: string, env: Env) => {
        box.tell(env);
        const child = spawn(process.execPath, [program, ...GENERATE], {
          cwd: project,
          env: { ...box.env, ...env } as NodeJS.ProcessEnv,
          stdio: 'ignore',
        });
        expect(await once(child, 'exit')).toEqual([0, null]);
      };
      // Each finds what the other one left: waiting runs and losses.
      const losses = earlierLosses();
      for (const program of [old, cli, cli, old]) await run(program, down).then(() => idle(box));
      rmSync(join(box.stateDir, 'delivery.json'));
      await Promise.all(
        Array.from({ length: 8 }, (_, i) => run(i % 2 ? old : cli, { [ENDPOINT]: gateway.url })),
      );
      await idle(box);
      await heal();
      expect(await counted()).toEqual({ runs: 13, lost: losses });
    },
  );

  // ── many at once ──

  const atOnce = (RUNS_AT_ONCE: number) => async () => {
    // A client knows that it was answered only after its request is no longer counted here.
    const unanswered = new Set<IncomingMessage>();
    let most = 0;
    const counting = httpServer((incoming, answer) => {
      unanswered.add(incoming);
      most = Math.max(most, unanswered.size);
      const { url, method, headers } = incoming;
      const options = { port: gateway.port, path: url, method, headers };
      const forwarded = httpRequest(options, async (response) => {
        const body = await buffer(response);
        unanswered.delete(incoming);
        answer.writeHead(response.statusCode ?? 502, response.headers).end(body);
      });
      forwarded.on('error', () => answer.destroy());
      answer.on('close', () => unanswered.delete(incoming));
      incoming.pipe(forwarded);
    }).listen(0, '127.0.0.1');
    await once(counting, 'listening');
    open.push(counting);
    const env = {
      [ENDPOINT]: `http://127.0.0.1:${(counting.address() as AddressInfo).port}`,
      // On a busy machine a post that is given up would still be open here beside the next one.
      [TIMEOUT]: '60000',
    };
    const runs = Array.from({ length: RUNS_AT_ONCE }, () => tell(GENERATE, env));
    for (const told of await Promise.all(runs))
      expect(told).toEqual({ status: 0, stdout: '', stderr: '' });
    await idle(box, 200_000);
    expect(sent() + list(box.spoolDir).filter((name) => name.endsWith('.json')).length).toBe(
      RUNS_AT_ONCE,
    );
    // On a busy machine the last reporter may have ended before it delivered all runs.
    await heal();
    expect(await counted()).toEqual({ runs: RUNS_AT_ONCE + 1, lost: 0 });
    // The lock lets one process deliver at a time (src/deliver/lock.ts), and it posts one run after
    // another.
    expect(most).toBe(1);
  };
  const manyAtOnce = 'wrapped runs at once: each is counted once, with one request at a time';
  it(`12 ${manyAtOnce}`, atOnce(12));
  it(`500 ${manyAtOnce}`, extended, atOnce(500));
});
