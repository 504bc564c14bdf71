// Tests each opt-out layer (src/consent/layers.ts) on a traced generate: it opens no connection,
// starts no process, writes no file and loads no OpenTelemetry; with a variable it reads no file
// either. The first case traces the same command without an opt-out, to show that the trace sees
// all of these. Also: which values count as set, which layer is named, and that a run recorded
// before an opt-out is not sent after it.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lhp, type Need, program } from '../../scripts/harness/needs.ts';
import { type Told, toldBy } from '../../scripts/harness/otlp-server.ts';
import {
  cli,
  type Env,
  idle,
  leaveAll,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import {
  LAYER_ROWS,
  LAYERS,
  type Layer as LayerName,
  type Variable,
} from '../../src/consent/layers.ts';
import { mountNamespaces, overEtc } from '../support/etc.ts';
import { lacking } from '../support/lacking.ts';
import { reportMeanwhile } from '../support/report.ts';
import { sampled } from '../support/tags.ts';
import { type Touch, traced } from '../support/trace.ts';

const programs = join(projectRoot, 'test', 'fixtures', 'bin');
const GENERATE = ['run', '--', 'lhp', 'generate', '--env', 'dev'];

interface Place {
  box: Sandbox;
  /** The folder with lhp.yaml, outside HOME. */
  project: string;
}

const places: Place[] = [];

function place(): Place {
  const box = sandbox({ path: [programs] });
  const project = join(box.dir, 'project');
  mkdirSync(join(project, 'pipelines', 'deep'), { recursive: true });
  writeFileSync(join(project, 'lhp.yaml'), 'name: opt-out\n');
  places.push({ box, project });
  return { box, project };
}

// A process that is still running is an error. It is ended in any case.
afterAll(async () => expect(await leaveAll(places.map(({ box }) => box))).toEqual([]));

/** How the run that a layer switches off is started. */
interface Circumstances {
  env?: Env;
  cwd?: string;
  /** The words before the command. */
  within?: string[];
}

/** Runs `lhp-otel <args>` without blocking other tests, as box.run would. */
async function ask(
  { box, project }: Place,
  args: string[],
  { env = {}, cwd = project, within = [] }: Circumstances = {},
): Promise<Told> {
  box.tell(env);
  const [file = '', ...rest] = [...within, process.execPath, cli, ...args];
  const child = spawn(file, rest, {
    cwd,
    env: { ...box.env, ...env } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return toldBy(child);
}

/** The same for a command that must succeed. */
async function tell(where: Place, args: string[], circumstances?: Circumstances): Promise<string> {
  const { status, stdout, stderr } = await ask(where, args, circumstances);
  if (status !== 0) throw new Error(`lhp-otel ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

interface Status {
  consent: { enabled: boolean; layer?: string };
  mode: 'off' | 'local' | 'send';
}

const statusOf = async (where: Place, circumstances?: Circumstances) =>
  JSON.parse(await tell(where, ['status', '--json'], circumstances)) as Status;

/** A collector that accepts everything and counts connections; port 0 is any free port. */
async function collector(port = 0) {
  const seen = { connections: 0, requests: 0 };
  const server = createServer((request, response) => {
    seen.requests += 1;
    request
      .resume()
      .on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  });
  server.on('connection', () => {
    seen.connections += 1;
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  const close = () => new Promise((done) => server.close(done).closeAllConnections());
  return { port: (server.address() as AddressInfo).port, seen, close };
}

/** The timeout shortens the retries where nothing listens. */
const sendingTo = (port: number, timeout = '900'): Env => ({
  LHP_OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  LHP_OTEL_EXPORTER_OTLP_TIMEOUT: timeout,
});

interface Layer {
  title: string;
  /** As `status` names it. */
  name: LayerName;
  /** Decided by the environment alone. */
  environment?: true;
  needs?: Need[];
  apply(where: Place): Circumstances | Promise<Circumstances>;
}

const variable = (name: Variable, value: string): Layer => ({
  title: `${name}=${value}`,
  name,
  environment: true,
  apply: () => ({ env: { [name]: value } }),
});

const marked = ({ project }: Place) => writeFileSync(join(project, '.lhp_do_not_track'), '');

/** The real lhp's own switch, in the folder that these variables name. */
const lhpTelemetryOff = (title: string, variables: (where: Place) => Env): Layer => ({
  title: `lhp telemetry off in ${title}`,
  name: 'lhp telemetry off',
  needs: [lhp('0.9.3')],
  apply: (where) => {
    const env = variables(where);
    const all = { ...where.box.env, ...env } as NodeJS.ProcessEnv;
    const ran = spawnSync(lhp('0.9.3').path, ['telemetry', 'off'], {
      cwd: where.box.dir,
      env: all,
      encoding: 'utf8',
    });
    if (ran.status !== 0) throw new Error(`lhp telemetry off: ${ran.stderr}`);
    return { env };
  },
});

const everyLayer: Layer[] = [
  ...LAYER_ROWS.flatMap((row) =>
    row.source === 'environment' ? [variable(row.name, row.example)] : [],
  ),
  variable('LHP_TELEMETRY', '0'),
  variable('LHP_TELEMETRY', 'false'),
  {
    title: '.lhp_do_not_track in the project',
    name: '.lhp_do_not_track',
    apply: (where) => {
      marked(where);
      return {};
    },
  },
  {
    title: '.lhp_do_not_track, from a folder below',
    name: '.lhp_do_not_track',
    apply: (where) => {
      marked(where);
      return { cwd: join(where.project, 'pipelines', 'deep') };
    },
  },
  ...(
    [
      ['a link to nothing', (path: string) => symlinkSync('nowhere', path)],
      ['a link to itself', (path: string) => symlinkSync('.lhp_do_not_track', path)],
      ['a folder', (path: string) => mkdirSync(path)],
      ['a FIFO', (path: string) => spawnSync('mkfifo', [path])],
      ['a file that nobody may read', (path: string) => writeFileSync(path, '', { mode: 0 })],
    ] as const
  ).map(
    ([what, make]): Layer => ({
      title: `.lhp_do_not_track as ${what}`,
      name: '.lhp_do_not_track',
      apply: ({ project }) => {
        make(join(project, '.lhp_do_not_track'));
        return {};
      },
    }),
  ),
  {
    title: 'lhp-otel off',
    name: 'lhp-otel off',
    apply: async (where) => {
      await tell(where, ['off']);
      return {};
    },
  },
  {
    title: "enabled: false in the user's config.json",
    name: 'user configuration',
    apply: ({ box }) => {
      const folder = join(box.home, '.config', 'lhp-otel');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'config.json'), '{"enabled": false}');
      return {};
    },
  },
  lhpTelemetryOff('$LHP_CONFIG_DIR', () => ({})),
  lhpTelemetryOff('~/.config', () => ({ LHP_CONFIG_DIR: undefined })),
  lhpTelemetryOff('$XDG_CONFIG_HOME', ({ box }) => ({
    LHP_CONFIG_DIR: undefined,
    XDG_CONFIG_HOME: join(box.dir, 'xdg'),
  })),
  {
    title: "the operator's configuration",
    name: 'operator configuration',
    needs: [mountNamespaces()],
    apply: ({ box }) => {
      const folder = join(box.dir, 'operator');
      mkdirSync(join(folder, 'lhp-otel'), { recursive: true });
      writeFileSync(join(folder, 'lhp-otel', 'config.json'), '{"enabled": false}');
      return { within: overEtc(folder) };
    },
  },
];
it('each layer of the table is among the cases', () =>
  expect(LAYERS.filter((name) => !everyLayer.some((layer) => layer.name === name))).toEqual([]));

const layers = everyLayer
  .filter(({ needs = [] }) => !lacking(...needs))
  .map((layer) => [layer.title, layer] as const);

/** Every file below a folder with its size and time of change. */
const snapshot = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mtimeMs } = lstatSync(join(folder, name));
      return `${name} ${size} ${mtimeMs}`;
    });

describe('a generate under strace', () => {
  const strace = program('strace');
  if (lacking(strace)) return;

  async function tracedGenerate(
    where: Place,
    port: number,
    { env = {}, cwd = where.project, within = [] }: Circumstances,
  ) {
    const all = {
      ...where.box.env,
      ...sendingTo(port),
      ...env,
      DO: 'echo generated',
    } as NodeJS.ProcessEnv;
    const trace = await traced([process.execPath, cli, ...GENERATE], {
      strace: strace.path,
      cwd,
      env: all,
      within,
    });
    expect(trace).toMatchObject({ status: 0, stdout: 'generated\n', stderr: '' });
    const started = trace.processes.flatMap(({ programs }) => programs);
    const inet = trace.processes.flatMap(({ inet }) => inet);
    const written = trace.processes
      .flatMap(({ files }) => files)
      .filter(({ writes, ok }) => writes && ok);
    const ours = (trace.processes[0]?.files ?? []).filter(
      ({ program }) => program === process.execPath,
    );
    return {
      processes: trace.processes,
      started,
      inet,
      written: written.map(({ path }) => path),
      ours,
    };
  }

  /** What was read of the package itself and of its dependencies. */
  const code = (files: Touch[]) => {
    const read = files.filter(
      ({ path, ok }) => ok && path.startsWith(join(projectRoot, 'dist')) && existsSync(path),
    );
    return [...new Set(read.map(({ path }) => path))].filter((path) => statSync(path).isFile());
  };
  const loadsOpenTelemetry = (files: Touch[]) =>
    files.some(({ path }) => path.includes('@opentelemetry')) ||
    code(files).some((path) =>
      /MeterProvider|ExponentialHistogram/.test(readFileSync(path, 'utf8')),
    );

  it.concurrent('without an opt-out: a reporter, a connection, a file', async () => {
    const where = place();
    const server = await collector();
    where.box.tell(sendingTo(server.port));
    const trace = await tracedGenerate(where, server.port, {});
    await server.close();
    expect(server.seen.requests).toBeGreaterThan(0);
    expect(trace.inet.join('\n')).toContain(`sin_port=htons(${server.port})`);
    expect(trace.started.length).toBeGreaterThan(2);
    expect(trace.written.filter((path) => path.startsWith(where.box.stateDir))).not.toEqual([]);
    expect(trace.processes.some(({ files }) => loadsOpenTelemetry(files))).toBe(true);
    expect(loadsOpenTelemetry(trace.ours)).toBe(false);
  });

  sampled(it.concurrent, 24).each(layers)(
    '%s: no connection, no process, no file',
    async (_, layer) => {
      const where = place();
      const circumstances = await layer.apply(where);
      const before = snapshot(where.box.dir);
      const server = await collector();
      const trace = await tracedGenerate(where, server.port, circumstances);
      await server.close();
      expect(server.seen.connections).toBe(0);
      expect(trace.inet).toEqual([]);
      // The wrapper and the command. The wrapper starts the command or becomes it; env(1) becomes
      // the command.
      expect(trace.started.filter((path) => path !== '/usr/bin/env')).toEqual([
        process.execPath,
        join(programs, 'lhp'),
      ]);
      expect(trace.processes.length).toBeLessThanOrEqual(2);
      expect(trace.written).toEqual([]);
      expect(snapshot(where.box.dir)).toEqual(before);
      expect(loadsOpenTelemetry(trace.ours)).toBe(false);
      if (layer.environment) expect(lookedAt(trace.ours)).toEqual([]);
    },
  );

  /** The files that a Node that does nothing looks at. */
  const ofNode = traced([process.execPath, '-e', '0'], { strace: strace.path, cwd: '/', env: {} });

  it('with a variable, no file is looked at that Node itself does not look at', async () => {
    const { box, project } = place();
    const own = new Set((await ofNode).processes.flatMap(({ files }) => files.map(settled)));
    const { ours } = await tracedGenerate({ box, project }, 9, { env: { DO_NOT_TRACK: '1' } });
    // glibc counts the processors when two threads want memory at once: seen in 2 of 8 starts of
    // `node -e 0`.
    const known = ['/usr/bin/env', '/sys/devices/system/cpu/online'];
    const more = ours.map(settled).filter((path) => !own.has(path) && !known.includes(path));
    expect(more.filter((path) => !ofThePackage(path))).toEqual([]);
  });
});

const settled = ({ path }: Touch) => path.replace(/^\/proc\/\d+\//, '/proc/self/');
/**
 * Our program, the folders above it, and their package.json, from which Node gets the module kind.
 */
const ofThePackage = (path: string) =>
  path.startsWith(dirname(cli)) || cli.startsWith(`${path.replace(/\/package\.json$/, '')}/`);
/** The paths where our files, or the user's consent, could be. */
const lookedAt = (files: Touch[]) =>
  files
    .map(({ path }) => path)
    .filter((path) => /\/lhp-otel-test-|^\/etc\/lhp-otel|\.lhp_do_not_track/.test(path));

describe('status names the layer that decided', () => {
  sampled(it.concurrent, 32).each(layers)('%s', async (_, layer) => {
    const where = place();
    const { env, ...rest } = await layer.apply(where);
    expect(await statusOf(where, { ...rest, env: { ...sendingTo(9), ...env } })).toMatchObject({
      consent: { enabled: false, layer: layer.name },
      mode: 'off',
    });
  });

  it.concurrent('without an opt-out: local without an endpoint, send with one', async () => {
    const where = place();
    expect(await statusOf(where)).toMatchObject({ consent: { enabled: true }, mode: 'local' });
    expect(await statusOf(where, { env: sendingTo(9) })).toMatchObject({
      consent: { enabled: true },
      mode: 'send',
    });
  });

  it.concurrent('the first of them, in the order of the table', async () => {
    const takeBack: Partial<Record<LayerName, (where: Place) => unknown>> = {
      '.lhp_do_not_track': ({ project }) => rmSync(join(project, '.lhp_do_not_track')),
      'lhp-otel off': (where) => ask(where, ['on']),
      'user configuration': ({ box }) =>
        rmSync(join(box.home, '.config', 'lhp-otel', 'config.json')),
      'lhp telemetry off': ({ box }) => rmSync(join(box.dir, 'lhp-config'), { recursive: true }),
      'operator configuration': ({ box }) =>
        rmSync(join(box.dir, 'operator', 'lhp-otel'), { recursive: true }),
    };
    const where = place();
    const names = [...new Set(layers.map(([, { name }]) => name))];
    let all: Circumstances = {};
    for (const name of names) {
      const { env, ...rest } =
        (await layers.find(([, layer]) => layer.name === name)?.[1].apply(where)) ?? {};
      all = { ...all, ...rest, env: { ...all.env, ...env } };
    }
    const named: (string | undefined)[] = [];
    for (const name of names) {
      named.push((await statusOf(where, all)).consent.layer);
      if (takeBack[name]) await takeBack[name](where);
      else all = { ...all, env: { ...all.env, [name]: undefined } };
    }
    expect(named).toEqual(names);
    expect((await statusOf(where, all)).consent).toMatchObject({ enabled: true });
  });

  it.concurrent.each<[string, string[][], Env, string]>([
    ['lhp-otel on over DO_NOT_TRACK', [['on']], { DO_NOT_TRACK: '1' }, 'DO_NOT_TRACK'],
    ['LHP_TELEMETRY=on over lhp-otel off', [['off']], { LHP_TELEMETRY: 'on' }, 'lhp-otel off'],
    ['DO_NOT_TRACK=0 over lhp-otel off', [['off']], { DO_NOT_TRACK: '0' }, 'lhp-otel off'],
    [
      'DO_NOT_TRACK=0 over LHP_DISABLE_ANALYTICS',
      [],
      { DO_NOT_TRACK: '0', LHP_DISABLE_ANALYTICS: '1' },
      'LHP_DISABLE_ANALYTICS',
    ],
  ])('no layer can switch on: %s', async (_, commands, env, layer) => {
    const where = place();
    for (const args of commands) await ask(where, args, { env });
    expect((await statusOf(where, { env })).consent).toMatchObject({ enabled: false, layer });
  });
});

describe('what counts as set', () => {
  const unset = ['', '0', 'false', 'no', 'off', 'FALSE', 'No', ' 0 ', '  '];
  const set = ['1', 'true', 'TRUE', 'yes', 'on', '2', 'anything', ' 1 '];
  const table = ['LHP_DISABLE_ANALYTICS', 'DO_NOT_TRACK'].flatMap((name) => [
    ...unset.map((value) => [name, value, true] as const),
    ...set.map((value) => [name, value, false] as const),
  ]);
  sampled(it.concurrent, 24).each<readonly [string, string, boolean]>([
    ...table,
    ['PYTEST_CURRENT_TEST', '', true],
    ['LHP_TELEMETRY', '', true],
    ['LHP_TELEMETRY', 'on', true],
    ['LHP_TELEMETRY', '1', true],
    ['LHP_TELEMETRY', 'OFF', false],
    ['LHP_TELEMETRY', ' off ', false],
    ['OTEL_SDK_DISABLED', '', true],
    ['OTEL_SDK_DISABLED', 'false', true],
    ['OTEL_SDK_DISABLED', 'TRUE', false],
  ])('%s=%j: recorded is %s', async (name, value, recorded) => {
    const where = place();
    await tell(where, GENERATE, { env: { [name]: value, DO: ':' } });
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(recorded ? 1 : 0);
  });
});

describe('a run that was recorded before the opt-out is not delivered', () => {
  /** One run that waits, because the collector was down. */
  async function waiting() {
    const where = place();
    const gone = await collector();
    await gone.close();
    const env: Env = { ...sendingTo(gone.port), DO: ':' };
    await tell(where, GENERATE, { env });
    await idle(where.box);
    expect(readdirSync(where.box.spoolDir)).not.toEqual([]);
    // From here on a collector listens, and answers as soon as the machine lets it.
    return { where, env: { ...env, ...sendingTo(gone.port, '60000') }, port: gone.port };
  }

  it.concurrent('without an opt-out the next run delivers both', async () => {
    const { where, env, port } = await waiting();
    const server = await collector(port);
    await tell(where, GENERATE, { env });
    await idle(where.box);
    await server.close();
    expect(server.seen.requests).toBe(2);
  });

  sampled(it.concurrent, 24).each(layers)(
    '%s: neither the next run nor flush sends it',
    async (_, layer) => {
      const { where, env, port } = await waiting();
      const { env: more, ...rest } = await layer.apply(where);
      const server = await collector(port);
      await tell(where, GENERATE, { ...rest, env: { ...env, ...more } });
      await ask(where, ['flush'], { ...rest, env: { ...env, ...more } });
      await idle(where.box);
      await server.close();
      expect(server.seen.connections).toBe(0);
    },
  );

  it.concurrent('lhp-otel off keeps local and sent runs; purge deletes them', async () => {
    const { where, env, port } = await waiting();
    await tell(where, GENERATE, { env: { DO: ':' } });
    await idle(where.box);
    const outcomes = async () =>
      ((await statusOf(where, { env })) as unknown as { runs: object }).runs;
    expect(await outcomes()).toEqual({ waiting: 1, sent: 0, local: 1, lost: 0 });
    expect(await tell(where, ['off'], { env })).toBe(
      'telemetry is off; 1 run that was to be sent is deleted\n',
    );
    expect(await outcomes()).toEqual({ waiting: 0, sent: 0, local: 1, lost: 0 });
    expect(where.box.events()).toHaveLength(1);
    await tell(where, ['on'], { env });
    const server = await collector(port);
    await tell(where, GENERATE, { env });
    await idle(where.box);
    await server.close();
    expect(server.seen.requests).toBe(1);
    expect(await tell(where, ['off'], { env })).toBe(
      'telemetry is off; 0 runs that were to be sent are deleted\n',
    );
    expect(await outcomes()).toEqual({ waiting: 0, sent: 1, local: 1, lost: 0 });
    await tell(where, ['purge', '--yes'], { env });
    expect(await outcomes()).toEqual({ waiting: 0, sent: 0, local: 0, lost: 0 });
  });

  it.concurrent('lhp-otel off deletes it; after on the next run is delivered', async () => {
    const { where, env, port } = await waiting();
    await tell(where, ['off'], { env });
    expect(where.box.runFiles()).toEqual([]);
    await tell(where, ['on'], { env });
    expect(await statusOf(where, { env })).toMatchObject({
      consent: { enabled: true },
      mode: 'send',
    });
    const server = await collector(port);
    await tell(where, GENERATE, { env });
    await idle(where.box);
    await server.close();
    expect(server.seen.requests).toBe(1);
  });

  const offCommand = `"${process.execPath}" "${cli}" off >/dev/null`;
  const withdrawals = [
    ['.lhp_do_not_track', 'touch "$PROJECT/.lhp_do_not_track"'],
    ['lhp-otel off', offCommand],
    [
      'lhp telemetry off',
      'mkdir -p "$LHP_CONFIG_DIR"; echo "{\\"enabled\\": false}" >"$LHP_CONFIG_DIR/telemetry.json"',
    ],
  ] as const;

  it.concurrent.each(withdrawals)(
    '%s while the command runs: nothing is recorded or sent',
    async (_, withdraw) => {
      const where = place();
      const server = await collector();
      await tell(where, GENERATE, {
        env: { ...sendingTo(server.port), PROJECT: where.project, DO: withdraw },
      });
      await idle(where.box);
      await server.close();
      expect(server.seen.connections).toBe(0);
      expect(where.box.runFiles()).toEqual([]);
    },
  );

  it.each(withdrawals)(
    '%s while the reporter works: nothing is sent or left',
    async (_, withdraw) => {
      const where = place();
      const server = await collector();
      const env = { ...where.box.env, ...sendingTo(server.port), PROJECT: where.project };
      const begins = () => spawnSync('sh', ['-c', withdraw], { env: env as NodeJS.ProcessEnv });
      await reportMeanwhile(where.project, env, begins);
      await server.close();
      expect(server.seen.connections).toBe(0);
      expect(where.box.runFiles()).toEqual([]);
    },
  );
});

describe('a host of the library', () => {
  const library = join(projectRoot, 'dist', 'index.js');
  const host = (
    options: string,
  ) => `const { recordGenerate } = await import(${JSON.stringify(library)});
    console.log(recordGenerate({ environment: 'dev' }, ${options}));`;
  sampled(it.concurrent, 4).each<[string, string, string, string]>([
    ['beside lhp.yaml', '.', '.', '{}'],
    ['above the working folder', '.', 'pipelines/deep', '{}'],
    ['in the working folder, which is no project', 'pipelines', 'pipelines', '{}'],
    ['in the project that it names', '.', '/', '{ projectRoot: process.env.PROJECT }'],
    [
      'above the folder that it names',
      '.',
      '/',
      "{ projectRoot: process.env.PROJECT + '/pipelines' }",
    ],
  ])('.lhp_do_not_track %s counts', async (_, marker, cwd, options) => {
    const where = place();
    const ask = async () => {
      const env = { ...where.box.env, PROJECT: where.project } as NodeJS.ProcessEnv;
      const child = spawn(process.execPath, ['--input-type=module', '-e', host(options)], {
        cwd: join(where.project, cwd === '/' ? '..' : cwd),
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [text] = await Promise.all([
        child.stdout.setEncoding('utf8').toArray(),
        once(child, 'close'),
      ]);
      await idle(where.box);
      return text.join('');
    };
    expect(await ask()).toBe('true\n');
    symlinkSync('nowhere', join(where.project, marker, '.lhp_do_not_track'));
    expect(await ask()).toBe('false\n');
    expect(where.box.runFiles()).toHaveLength(1);
  });
});

describe('LHP_OTEL_UPSTREAM=off silences lhp, not lhp-otel', () => {
  const show = 'printenv LHP_TELEMETRY; :';
  it.concurrent.each<[string, Env, string, number]>([
    ['without it', {}, '', 1],
    ['with it', { LHP_OTEL_UPSTREAM: 'off' }, 'off\n', 1],
    [
      'LHP_TELEMETRY=off is then no opt-out',
      { LHP_OTEL_UPSTREAM: 'off', LHP_TELEMETRY: 'off' },
      'off\n',
      1,
    ],
    [
      'LHP_TELEMETRY is not passed on',
      { LHP_OTEL_UPSTREAM: 'off', LHP_TELEMETRY: 'on' },
      'off\n',
      1,
    ],
    ['another opt-out still applies', { LHP_OTEL_UPSTREAM: 'off', DO_NOT_TRACK: '1' }, 'off\n', 0],
  ])('%s', async (_, env, seen, recorded) => {
    const where = place();
    expect(await tell(where, GENERATE, { env: { ...env, DO: show } })).toBe(seen);
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(recorded);
  });
});
