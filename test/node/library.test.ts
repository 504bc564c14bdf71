// The library in a host of its own: functions keep their arguments, `this`, results and errors; a
// success is recorded, in the host's OpenTelemetry or by the reporter; nothing is thrown, printed
// or waited for, whatever the host or the machine is like.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Env,
  idle,
  processesMentioning,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { INSTRUMENTS, POINT_ATTRIBUTES } from '../../src/contract/contract.ts';

let box: Sandbox;
beforeEach(() => {
  box = sandbox();
});
afterEach(() => box.dispose());

/** Runs a host program; it has `recordGenerate`, `instrumentGenerate` and `print`. */
function host(program: string, env: Env = {}) {
  const path = join(box.dir, 'host.mjs');
  const library = JSON.stringify(join(projectRoot, 'dist', 'index.js'));
  writeFileSync(
    path,
    `import { instrumentGenerate, recordGenerate } from ${library};\nconst print = (value) => console.log(JSON.stringify(value));\n${program}`,
  );
  const ran = spawnSync(process.execPath, [path], {
    cwd: box.dir,
    env: { ...box.env, ...env } as NodeJS.ProcessEnv,
    encoding: 'utf8',
  });
  return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}
const said = (value: unknown) => ({ status: 0, stdout: `${JSON.stringify(value)}\n`, stderr: '' });

describe('a function that is instrumented', () => {
  it.each([
    ['a result', 'print(instrumentGenerate((a, b) => [a, b])(1, "x"));', [1, 'x']],
    ['a promise of a result', 'print(await instrumentGenerate(async (a) => a + 1)(1));', 2],
    [
      'what is more than a promise',
      'const p = { then: (f) => f(1), pid: 5 }; print(instrumentGenerate(() => p)() === p);',
      true,
    ],
    [
      '`this`',
      'const o = { x: 7, run: instrumentGenerate(function () { return this.x; }) }; print(o.run());',
      7,
    ],
    [
      'a describe that throws',
      'print(instrumentGenerate(() => 1, { describe() { throw new Error("mine"); } })());',
      1,
    ],
    [
      'a describe that gives nothing',
      'print(instrumentGenerate(() => 1, { describe: () => undefined })());',
      1,
    ],
  ])('gives back %s, and is recorded', async (_, program, value) => {
    expect(host(program)).toEqual(said(value));
    expect(await box.recorded(1)).toHaveLength(1);
  });
  it.each([
    [
      'an error',
      'try { instrumentGenerate(() => { throw new RangeError("theirs"); })(); } catch (e) { print(String(e)); }',
    ],
    [
      'a rejection',
      'await instrumentGenerate(async () => { throw new RangeError("theirs"); })().catch((e) => print(String(e)));',
    ],
  ])('passes %s through, and is not recorded', async (_, program) => {
    expect(host(program)).toEqual(said('RangeError: theirs'));
    await idle(box);
    expect(box.runFiles()).toEqual([]);
  });
  it('a rejection that nobody handles ends the host as it would without us', () => {
    const run = (wrap: string) =>
      host(`const f = ${wrap}(async () => { throw new Error("theirs"); }); f();`);
    const plain = run('(f) => f');
    expect(plain.status).toBe(1);
    expect(run('instrumentGenerate').status).toBe(1);
  });
  it('is measured, and described by its result and arguments', async () => {
    host(`const f = instrumentGenerate(async (name) => { await new Promise((r) => setTimeout(r, 250)); return 3; }, {
      describe: (files, name) => ({ files_generated: files, project_name: name, environment: "PROD", lhp_version: "1.2.3" }) });
      await f("shop");`);
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

describe('what is recorded is the contract’s, whatever a host hands in', () => {
  it.each([
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
  it('counts that are not given are scanned in the project', async () => {
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
  ])('%s: nothing is recorded, also not on the host’s own provider', async (_, env) => {
    expect(
      host(
        'print([recordGenerate({}), recordGenerate({}, { meterProvider: { getMeter() { throw 1; } } })]);',
        env,
      ),
    ).toEqual(said([false, false]));
    await idle(box);
    expect(box.runFiles()).toEqual([]);
  });
  it('.lhp_do_not_track in the project', () => {
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
    ['a home that cannot be written', 'print(typeof recordGenerate({}));', { HOME: '/proc/1' }],
    [
      'a provider that throws',
      'print(recordGenerate({}, { meterProvider: { getMeter() { throw new Error("x"); } } }));',
      {},
    ],
    ['no facts at all', 'print(typeof recordGenerate(undefined));', {}],
    [
      'facts that refer to themselves',
      'const f = {}; f.files_generated = f; print(typeof recordGenerate(f));',
      {},
    ],
  ])('%s', async (_, program, env) => {
    expect(host(program, env)).toMatchObject({ status: 0, stderr: '' });
    await idle(box);
  });
  it('a state folder of somebody else', async () => {
    const state = join(box.dir, 'state');
    writeFileSync(state, '');
    chmodSync(state, 0o400);
    expect(host('print(recordGenerate({}));', { XDG_STATE_HOME: state })).toEqual(said(false));
    await idle(box);
  });
});

describe('values that are not recorded', () => {
  const DEBUG = { LHP_OTEL_LOG: 'debug' };
  it.each([
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
  ])('{ %s }: one line, when it is asked for', (fact, line) => {
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
  it('a value is never repeated', () => {
    const { stderr } = host(
      'recordGenerate({ environment: "CANARY CANARY", project_name: ["CANARY"] });',
      DEBUG,
    );
    expect(stderr.split('\n')).toHaveLength(3);
    expect(stderr).not.toContain('CANARY');
  });
  it('what fits needs no word', () => {
    const facts =
      '{ files_generated: 0, environment: "DEV", lhp_version: "other", project_name: "x", dry_run: false }';
    expect(host(`print(recordGenerate(${facts}));`, DEBUG)).toEqual(said(true));
  });
});

describe('calls of one process', () => {
  /** How many children the host has. */
  const COUNT = `import { readdirSync, readFileSync } from 'node:fs';
    const children = () => readdirSync('/proc').filter((pid) => { try {
      return readFileSync('/proc/' + pid + '/status', 'utf8').includes('PPid:\\t' + process.pid + '\\n');
    } catch { return false; } }).length;
    const calls = (count, facts = {}) => { for (let i = 0; i < count; i += 1) recordGenerate({ files_generated: i, ...facts }); };`;
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
  it('more than one reporter may be given go to more than one', async () => {
    const facts = '{ project_name: "x".repeat(2_000) }';
    const { stdout } = host(`${COUNT} calls(60, ${facts}); print(children());`);
    expect(Number(stdout)).toBeGreaterThan(2);
    expect(Number(stdout)).toBeLessThan(8);
    await box.recorded(60);
    await idle(box);
    expect(box.runFiles()).toHaveLength(60);
  });
  it('of other variables go to another reporter', async () => {
    const program = `${COUNT} calls(2); process.env.XDG_STATE_HOME = ${JSON.stringify(join(box.dir, 'other'))};
      calls(3); print(children());`;
    expect(host(program)).toEqual(said(2));
    await box.recorded(2);
    await idle(box);
    expect(box.runFiles()).toHaveLength(2);
    expect(readdirSync(join(box.dir, 'other', 'lhp-otel', 'history'))).toHaveLength(3);
  });
  it('after a pause, or when the reporter was killed, start another', async () => {
    const program = `${COUNT} import { setTimeout as sleep } from 'node:timers/promises';
      calls(1); while (children()) await sleep(20);
      calls(1); print(children());`;
    expect(host(program)).toEqual(said(1));
    await box.recorded(2);
  });
  it('do not hold the host, which ends before its reporter', () => {
    expect(host('print(recordGenerate({}));')).toEqual(said(true));
    expect(processesMentioning(box.dir)).not.toEqual([]);
  });
});

it.each([
  'duration',
  'files',
  'flowgroups',
  'flowgroups_using_templates',
  'templates',
  'pipelines',
])(
  'with a host’s own MeterProvider values of %s fall into buckets that tell them apart',
  (name) => {
    const sdk = JSON.stringify(
      join(projectRoot, 'node_modules', '@opentelemetry', 'sdk-metrics', 'dist', 'index.mjs'),
    );
    const ran = host(`
      import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from ${sdk};
      const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
      const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
      for (const [seconds, count] of [[0.9, 1], [1.5, 8], [2.3, 40], [4.1, 4000]]) {
        recordGenerate({ generation_time_seconds: seconds, files_generated: count, flowgroups_count: count,
          templates_count: count, flowgroups_using_templates: count, pipelines_count: count }, { meterProvider });
      }
      await meterProvider.forceFlush();
      const [{ metrics }] = exporter.getMetrics()[0].scopeMetrics;
      const { dataPoints: [point] } = metrics.find(({ descriptor }) => descriptor.name.endsWith('.${name}'));
      print(point.value.buckets.counts.filter((count) => count > 0));`);
    expect(ran).toEqual(said([1, 1, 1, 1]));
  },
);

it('a host’s own MeterProvider gets the contract’s instruments, units and point attributes, and no reporter starts', async () => {
  const sdk = JSON.stringify(
    join(projectRoot, 'node_modules', '@opentelemetry', 'sdk-metrics', 'dist', 'index.mjs'),
  );
  const ran = host(`
    import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from ${sdk};
    const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
    const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
    const all = { flowgroups_count: 3, templates_count: 1, flowgroups_using_templates: 2, pipelines_count: 1, files_generated: 3 };
    for (let i = 0; i < 2; i += 1) recordGenerate({ ...all, environment: 'dev', generation_time_seconds: 1.5, bundle_enabled: true }, { meterProvider });
    await meterProvider.forceFlush();
    const [{ scope, metrics }] = exporter.getMetrics()[0].scopeMetrics;
    print([scope.name, metrics.map(({ descriptor: d, dataPoints: [p] }) => [d.name, d.unit, d.description, p.attributes, p.value.sum ?? p.value])]);`);
  expect(ran.stderr).toBe('');
  const [scope, metrics] = JSON.parse(ran.stdout) as [
    string,
    [string, string, string, Record<string, unknown>, number][],
  ];
  expect(scope).toBe('lhp-otel');
  expect(metrics.map(([name, unit, description]) => [name, unit, description])).toEqual(
    INSTRUMENTS.map(({ name, unit, description }) => [name, unit, description]),
  );
  for (const [, , , attributes] of metrics)
    expect(Object.keys(attributes)).toEqual(POINT_ATTRIBUTES.map(({ key }) => key));
  expect(metrics.map(([, , , , value]) => value)).toEqual([2, 3, 6, 6, 4, 2, 2]);
  await idle(box);
  expect(box.runFiles()).toEqual([]);
});

it('the example runs and is recorded', async () => {
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
