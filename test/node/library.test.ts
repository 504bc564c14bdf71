// The library, called by a small host program: a wrapped function keeps its arguments, `this`,
// result and errors; a success is recorded, by the reporter or on the host's MeterProvider; and the
// library never throws, prints or waits.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startOtlpServer } from '../../scripts/harness/otlp-server.ts';
import {
  type Env,
  idle,
  processesMentioning,
  projectRoot,
  type Sandbox,
  sandbox,
  until,
} from '../../scripts/harness/sandbox.ts';
import { INSTRUMENTS, POINT_ATTRIBUTES } from '../../src/contract/contract.ts';
import { sampled } from '../support/tags.ts';

let box: Sandbox;
beforeEach(() => {
  box = sandbox();
});
afterEach(() => box.dispose());

/** Runs a host program that can call `recordGenerate`, `instrumentGenerate` and `print`. */
function host(program: string, env: Env = {}) {
  const path = join(box.dir, 'host.mjs');
  const library = JSON.stringify(join(projectRoot, 'dist', 'index.js'));
  writeFileSync(
    path,
    `import { instrumentGenerate, recordGenerate } from ${library};
    const print = (value) => console.log(JSON.stringify(value));
    ${program}`,
  );
  const ran = spawnSync(process.execPath, [path], {
    cwd: box.dir,
    env: { ...box.env, ...env } as NodeJS.ProcessEnv,
    encoding: 'utf8',
  });
  return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}
const said = (value: unknown) => ({ status: 0, stdout: `${JSON.stringify(value)}\n`, stderr: '' });

describe('a wrapped function', () => {
  sampled(it, 6).each([
    ['a result', 'print(instrumentGenerate((a, b) => [a, b])(1, "x"));', [1, 'x']],
    ['a promise of a result', 'print(await instrumentGenerate(async (a) => a + 1)(1));', 2],
    [
      'a thenable with properties of its own',
      'const p = { then: (f) => f(1), pid: 5 }; print(instrumentGenerate(() => p)() === p);',
      true,
    ],
    [
      '`this`',
      'const o = { x: 7, run: instrumentGenerate(function () { return this.x; }) };' +
        'print(o.run());',
      7,
    ],
    [
      'a result whose describe throws',
      'print(instrumentGenerate(() => 1, { describe() { throw new Error("mine"); } })());',
      1,
    ],
    [
      'a result whose describe returns nothing',
      'print(instrumentGenerate(() => 1, { describe: () => undefined })());',
      1,
    ],
  ])('returns %s and is recorded', async (_, program, value) => {
    expect(host(program)).toEqual(said(value));
    expect(await box.recorded(1)).toHaveLength(1);
  });
  it.each([
    [
      'an error',
      'try { instrumentGenerate(() => { throw new RangeError("theirs"); })(); }' +
        'catch (e) { print(String(e)); }',
    ],
    [
      'a rejection',
      'await instrumentGenerate(async () => { throw new RangeError("theirs"); })()' +
        '.catch((e) => print(String(e)));',
    ],
  ])('passes %s through and is not recorded', async (_, program) => {
    expect(host(program)).toEqual(said('RangeError: theirs'));
    await idle(box);
    expect(box.runFiles()).toEqual([]);
  });
  it('an unhandled rejection ends the host, as without the library', () => {
    const run = (wrap: string) =>
      host(`const f = ${wrap}(async () => { throw new Error("theirs"); }); f();`);
    const plain = run('(f) => f');
    expect(plain.status).toBe(1);
    expect(run('instrumentGenerate').status).toBe(1);
  });
  it('is measured, and described from its result and arguments', async () => {
    host(`const generate = async (name) => {
        await new Promise((r) => setTimeout(r, 250));
        return 3;
      };
      const describe = (files, name) => ({
        files_generated: files, project_name: name, environment: "PROD", lhp_version: "1.2.3",
      });
      await instrumentGenerate(generate, { describe })("shop");`);
    const [event] = await box.recorded(1);
    const project_id = createHash('sha256').update('shop').digest('hex');
    expect(event).toMatchObject({
      files_generated: 3,
      project_id,
      environment: 'prod',
      lhp_version: '1.2.3',
      flowgroups_count: null,
    });
    expect(event?.generation_time_seconds).toBeGreaterThanOrEqual(0.25);
  });
});

describe('whatever a host passes, only values of the contract are recorded', () => {
  sampled(it, 4).each([
    [
      '{ lhp_version: 1.5, python_version: 3.12, environment: 5 }',
      { lhp_version: 'other', python_version: 'other', environment: 'other' },
    ],
    [
      '{ files_generated: -1, flowgroups_count: 2.5, pipelines_count: "7" }',
      { files_generated: null, flowgroups_count: null, pipelines_count: null },
    ],
    ['{ generation_time_seconds: 1e300 }', { generation_time_seconds: 604_800 }],
    [
      '{ generation_time_seconds: "x", dry_run: "yes" }',
      { generation_time_seconds: 0, dry_run: false },
    ],
    ['{ secret: "CANARY", machine_id: "CANARY", project_id: "CANARY", project_name: 5 }', {}],
  ])('%s', async (facts, expected) => {
    expect(host(`print(recordGenerate(${facts}));`)).toEqual(said(true));
    const [event] = await box.recorded(1);
    expect(event).toMatchObject(expected);
    expect(JSON.stringify(event)).not.toContain('CANARY');
    expect(event?.project_id).toMatch(/^[0-9a-f]{64}$/);
  });
  it('counts that are not given are scanned in projectRoot', async () => {
    const files = { 'lhp.yaml': 'name: p\n', 'pipelines.yaml': '' };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(box.dir, name), text);
    host(`recordGenerate({ files_generated: 4 }, { projectRoot: ${JSON.stringify(box.dir)} });`);
    const [event] = await box.recorded(1);
    expect(event).toMatchObject({
      flowgroups_count: 0,
      files_generated: 4,
      project_id: createHash('sha256').update('p').digest('hex'),
    });
  });
});

describe('consent', () => {
  it.each<[string, Env]>([
    ['DO_NOT_TRACK', { DO_NOT_TRACK: '1' }],
    ['OTEL_SDK_DISABLED', { OTEL_SDK_DISABLED: 'true' }],
  ])('%s: nothing is recorded, not on the MeterProvider of the host either', async (_, env) => {
    expect(
      host(
        'const meterProvider = { getMeter() { throw 1; } };' +
          'print([recordGenerate({}), recordGenerate({}, { meterProvider })]);',
        env,
      ),
    ).toEqual(said([false, false]));
    await idle(box);
    expect(box.runFiles()).toEqual([]);
  });
  it('.lhp_do_not_track in projectRoot: nothing is recorded', () => {
    writeFileSync(join(box.dir, '.lhp_do_not_track'), '');
    expect(host(`print(recordGenerate({}, { projectRoot: ${JSON.stringify(box.dir)} }));`)).toEqual(
      said(false),
    );
  });
});

describe('it never throws and never prints', () => {
  it.each<[string, string, Env]>([
    [
      'no home',
      'print(typeof recordGenerate({}));',
      { HOME: undefined, XDG_STATE_HOME: '/dev/null' },
    ],
    ['a home that is not writable', 'print(typeof recordGenerate({}));', { HOME: '/proc/1' }],
    [
      'a provider that throws',
      'print(recordGenerate({}, { meterProvider: { getMeter() { throw new Error("x"); } } }));',
      {},
    ],
    ['no facts', 'print(typeof recordGenerate(undefined));', {}],
    [
      'facts that refer to themselves',
      'const f = {}; f.files_generated = f; print(typeof recordGenerate(f));',
      {},
    ],
  ])('%s', async (_, program, env) => {
    expect(host(program, env)).toMatchObject({ status: 0, stderr: '' });
    await idle(box);
  });
  it('a state folder that cannot be used', async () => {
    const state = join(box.dir, 'state');
    writeFileSync(state, '');
    chmodSync(state, 0o400);
    expect(host('print(recordGenerate({}));', { XDG_STATE_HOME: state })).toEqual(said(false));
    await idle(box);
  });
});

describe('values that are not recorded as they were given', () => {
  const DEBUG = { LHP_OTEL_LOG: 'debug' };
  sampled(it, 6).each([
    [
      'files_generated: -5',
      'files_generated must be a whole number from 0 to 1000000: not recorded',
    ],
    [
      'flowgroups_count: 2.5',
      'flowgroups_count must be a whole number from 0 to 1000000: not recorded',
    ],
    [
      'templates_count: null',
      'templates_count must be a whole number from 0 to 1000000: not recorded',
    ],
    [
      'environment: "my env"',
      'environment must be letters, digits, _ and -, at most 32: recorded as "other"',
    ],
    ['lhp_version: "main"', 'lhp_version must be a version number like 1.2.3: recorded as "other"'],
    ['python_version: 3.12', 'python_version must be like 3.12: recorded as "other"'],
    ['dry_run: "yes"', 'dry_run must be true or false: recorded as false'],
    [
      'generation_time_seconds: -1',
      'generation_time_seconds must be seconds from 0 to a week: recorded as',
    ],
    ['project_name: 5', 'project_name must be text: recorded as unknown_project'],
    ['file_generated: 5', 'file_generated is no field: not recorded'],
  ])('{ %s }: one line with LHP_OTEL_LOG=debug', (fact, line) => {
    const program = (options: string) =>
      `print(recordGenerate({ ${fact}, pipelines_count: 1 }${options}));`;
    expect(host(program(''))).toEqual(said(true));
    const provider =
      ', { meterProvider: { getMeter: () => ({ createCounter: add, createHistogram: add }) } }';
    const meter = 'const add = () => ({ add() {}, record() {} });';
    for (const told of [host(program(''), DEBUG), host(`${meter}${program(provider)}`, DEBUG)]) {
      expect(told).toMatchObject({ status: 0, stdout: 'true\n' });
      expect(told.stderr).toMatch(/^lhp-otel: .*\n$/);
      expect(told.stderr).toContain(`lhp-otel: ${line}`);
    }
  });
  it('the value itself is never printed', () => {
    const { stderr } = host(
      'recordGenerate({ environment: "CANARY CANARY", project_name: ["CANARY"] });',
      DEBUG,
    );
    expect(stderr.split('\n')).toHaveLength(3);
    expect(stderr).not.toContain('CANARY');
  });
  it('values that fit print nothing', () => {
    const facts =
      '{ files_generated: 0, environment: "DEV", lhp_version: "other", ' +
      'project_name: "x", dry_run: false }';
    expect(host(`print(recordGenerate(${facts}));`, DEBUG)).toEqual(said(true));
  });
});

describe('calls in one process', () => {
  /** `children()` is the number of child processes of the host. */
  const COUNT = `import { readdirSync, readFileSync } from 'node:fs';
    const children = () => readdirSync('/proc').filter((pid) => { try {
      const status = readFileSync('/proc/' + pid + '/status', 'utf8');
      return status.includes('PPid:\\t' + process.pid + '\\n');
    } catch { return false; } }).length;
    const calls = (count, facts = {}) => {
      for (let i = 0; i < count; i += 1) recordGenerate({ files_generated: i, ...facts });
    };`;
  it('share a reporter, and each is recorded', async () => {
    expect(host(`${COUNT} calls(20); print(children());`)).toEqual(said(1));
    const files = (await box.recorded(20)).map((event) => event.files_generated);
    expect(files.toSorted((a, b) => Number(a) - Number(b))).toEqual([...Array(20).keys()]);
    await idle(box);
    expect(box.runFiles()).toHaveLength(20);
  });
  it.each([
    ['ends at once', 'process.exit(0);'],
    ['is killed', 'process.kill(process.pid, "SIGKILL");'],
    ['fails', 'setTimeout(() => { throw new Error("theirs"); });'],
  ])('are recorded when the host %s', async (_, end) => {
    host(`${COUNT} calls(20); ${end}`);
    await box.recorded(20);
    await idle(box);
    expect(box.runFiles()).toHaveLength(20);
  });
  it('start another reporter when the pipe to the first one is full', async () => {
    const facts = '{ project_name: "x".repeat(2_000) }';
    const { stdout } = host(`${COUNT} calls(60, ${facts}); print(children());`);
    expect(Number(stdout)).toBeGreaterThan(2);
    expect(Number(stdout)).toBeLessThan(8);
    await box.recorded(60);
    await idle(box);
    expect(box.runFiles()).toHaveLength(60);
  });
  it('start another reporter when environment variables have changed', async () => {
    const other = JSON.stringify(join(box.dir, 'other'));
    const program = `${COUNT} calls(2);
      process.env.XDG_STATE_HOME = ${other};
      calls(3); print(children());`;
    expect(host(program)).toEqual(said(2));
    await box.recorded(2);
    await idle(box);
    expect(box.runFiles()).toHaveLength(2);
    expect(readdirSync(join(box.dir, 'other', 'lhp-otel', 'history'))).toHaveLength(3);
  });
  it('start another reporter after a pause', async () => {
    const program = `${COUNT} import { setTimeout as sleep } from 'node:timers/promises';
      calls(1); while (children()) await sleep(20);
      calls(1); print(children());`;
    expect(host(program)).toEqual(said(1));
    await box.recorded(2);
  });
  it('do not keep the host running: it ends before its reporter', async () => {
    // The reporter waits for an answer that does not come.
    const server = await startOtlpServer({ script: [{ instead: 'silence' }] });
    const env = {
      LHP_OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoint,
      LHP_OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
    };
    box.tell(env);
    expect(host('print(recordGenerate({}));', env)).toEqual(said(true));
    await until(() => server.requests.length === 1, 'the reporter to deliver');
    expect(processesMentioning(box.dir)).not.toEqual([]);
    await server.close();
    await idle(box);
  });
});

describe('with a MeterProvider of the host', () => {
  const sdk = JSON.stringify(
    join(projectRoot, 'node_modules', '@opentelemetry', 'sdk-metrics', 'dist', 'index.mjs'),
  );
  /**
   * Runs `program` with a `meterProvider`; afterwards `scope` and `metrics` are what it exports.
   */
  const exported = (program: string, print: string) =>
    host(`
      import { AggregationTemporality, InMemoryMetricExporter, MeterProvider,
        PeriodicExportingMetricReader } from ${sdk};
      const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
      const reader = new PeriodicExportingMetricReader({ exporter });
      const meterProvider = new MeterProvider({ readers: [reader] });
      ${program}
      await meterProvider.forceFlush();
      const [{ scope, metrics }] = exporter.getMetrics()[0].scopeMetrics;
      print(${print});`);
  const COUNTS = INSTRUMENTS.filter(({ value }) => value === 'count').map(({ page }) => page);
  const counts = (value: (index: number) => unknown) =>
    COUNTS.map((key, index) => `${key}: ${value(index)}`).join(', ');

  it('typical values of each histogram fall into different buckets', () => {
    const ran = exported(
      `for (const [seconds, count] of [[0.9, 1], [1.5, 8], [2.3, 40], [4.1, 4000]])
        recordGenerate(
          { generation_time_seconds: seconds, ${counts(() => 'count')} }, { meterProvider });`,
      `Object.fromEntries(metrics.flatMap(({ descriptor, dataPoints: [{ value }] }) => {
        const filled = value.buckets?.counts.filter((count) => count > 0);
        return filled ? [[descriptor.name, filled]] : [];
      }))`,
    );
    const histograms = INSTRUMENTS.filter(({ kind }) => kind === 'histogram');
    expect(ran).toEqual(
      said(Object.fromEntries(histograms.map(({ name }) => [name, [1, 1, 1, 1]]))),
    );
  });

  it('it gets the instruments and point attributes, and no reporter starts', async () => {
    const ran = exported(
      `for (let i = 0; i < 2; i += 1)
        recordGenerate({
          ${counts((index) => index + 1)},
          environment: 'dev', generation_time_seconds: 1.5, bundle_enabled: true,
        }, { meterProvider });`,
      `[scope.name, metrics.map(({ descriptor: d, dataPoints: [p] }) =>
        [d.name, d.unit, d.description, p.attributes, p.value.sum ?? p.value])]`,
    );
    expect(ran.stderr).toBe('');
    const attributes = {
      'deployment.environment.name': 'dev',
      'lhp.dry_run': false,
      'lhp.bundle.enabled': true,
    };
    expect(Object.keys(attributes)).toEqual(POINT_ATTRIBUTES.map(({ key }) => key));
    // Two runs, each with another number for each count.
    const sum = (page: (typeof COUNTS)[number]) => 2 * (COUNTS.indexOf(page) + 1);
    const sums = { event: 2, generation_time_seconds: 3 } as Record<string, number>;
    expect(JSON.parse(ran.stdout)).toEqual([
      'lhp-otel',
      INSTRUMENTS.map(({ name, unit, description, page }) => [
        name,
        unit,
        description,
        attributes,
        sums[page] ?? sum(page),
      ]),
    ]);
    await idle(box);
    expect(box.runFiles()).toEqual([]);
  });
});

it('docs/examples/generate.ts runs and is recorded', async () => {
  const ran = spawnSync(
    process.execPath,
    [join(projectRoot, 'docs', 'examples', 'generate.ts'), join(box.dir, 'out')],
    {
      cwd: box.dir,
      env: box.env as NodeJS.ProcessEnv,
      encoding: 'utf8',
    },
  );
  expect(ran).toMatchObject({ status: 0, stdout: '3 files written\n', stderr: '' });
  expect(await box.recorded(1)).toMatchObject([
    { files_generated: 3, environment: 'dev', lhp_version: '1.0.0', python_version: 'other' },
  ]);
});
