// The reporter as a process: what it is told of a run, what it records of a project that has
// changed since, and that it ends even if it hangs.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lhp, type Need, program } from '../../scripts/harness/needs.ts';
import {
  cli,
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
  until,
} from '../../scripts/harness/sandbox.ts';
import { projectId } from '../../src/collect/identify.ts';
import { clockOffset, JOB_VARIABLE, type StartedJob } from '../../src/job/job.ts';
import { REPORTER_SECONDS } from '../../src/wrap/start-reporter.ts';
import { lacking } from '../support/lacking.ts';
import { layOut } from '../support/oracle.ts';
import { sampled } from '../support/tags.ts';

const dist = (name: string) => join(projectRoot, 'dist', name);

let box: Sandbox;
let project: string;
beforeEach(() => {
  box = sandbox({ path: [join(projectRoot, 'test', 'fixtures', 'bin')], env: { DO: ':' } });
  project = join(box.dir, 'project');
  mkdirSync(join(project, 'pipelines'), { recursive: true });
  writeFileSync(join(project, 'lhp.yaml'), 'name: shop\n');
  writeFileSync(join(project, 'databricks.yml'), '');
  writeFileSync(join(project, 'pipelines', 'a.yaml'), 'pipeline: p\nflowgroup: a\nactions: []\n');
});
afterEach(async () => {
  await idle(box);
  box.dispose();
});

const UNKNOWN = { flowgroups_count: null, pipelines_count: null, files_generated: null };

/** The job of a run that begins now and has ended when this resolves. */
async function job(more: Partial<StartedJob> = {}): Promise<StartedJob> {
  const startedAt = Date.now();
  await until(() => Date.now() > startedAt + 100, 'the run to end');
  const generate = {
    program: { kind: 'lhp', file: 'lhp', launches: [] },
    cwd: project,
    environment: 'dev',
  };
  return {
    startedAt,
    endedAt: Date.now(),
    durationSeconds: 0.1,
    root: project,
    generate: {
      ...generate,
      pipelineConfig: undefined,
      output: undefined,
      dryRun: false,
      noBundle: false,
    } as never,
    deliver: true,
    bundle: true,
    lhpYamlIsOpen: true,
    clockOffset: clockOffset({ now: Date.now }),
    watched: true,
    ...more,
  };
}

/**
 * Starts a reporter as start-reporter.ts does. `change` runs after lhp.yaml was opened, and before.
 */
function start(
  given: StartedJob,
  { change = () => {}, env = {}, flags = [] }: Options = {},
): ChildProcess {
  const lhpYaml = openSync(join(project, 'lhp.yaml'), constants.O_RDONLY | constants.O_NONBLOCK);
  change();
  const child = spawn(process.execPath, [...flags, dist('reporter.cjs')], {
    cwd: '/',
    env: { ...box.env, [JOB_VARIABLE]: JSON.stringify(given), ...env } as NodeJS.ProcessEnv,
    stdio: [lhpYaml, 'ignore', 'ignore'],
  });
  closeSync(lhpYaml);
  return child;
}

interface Options {
  change?: () => void;
  env?: Env;
  flags?: string[];
}

async function report(
  given: StartedJob,
  options?: Options,
): Promise<Record<string, unknown> | undefined> {
  expect(await once(start(given, options), 'exit')).toEqual([0, null]);
  return box.events().at(-1);
}

describe('a project that has changed since the run', () => {
  it('it has not changed: everything is known', async () => {
    expect(await report(await job())).toMatchObject({
      ...{ project_id: projectId('shop'), bundle_enabled: true, generation_time_seconds: 0.1 },
      ...{ flowgroups_count: 1, pipelines_count: 1, files_generated: 0 },
    });
  });

  it.each<[string, () => void]>([
    ['it was moved', () => renameSync(project, join(box.dir, 'moved'))],
    ['it was deleted', () => rmSync(project, { recursive: true })],
    [
      'lhp.yaml was replaced, and the bundle is gone',
      () => {
        writeFileSync(join(project, 'new'), 'name: renamed\n');
        renameSync(join(project, 'new'), join(project, 'lhp.yaml'));
        rmSync(join(project, 'databricks.yml'));
      },
    ],
  ])('%s: name and bundle are those of the run, the counts are not known', async (_, change) => {
    expect(await report(await job(), { change })).toMatchObject({
      ...UNKNOWN,
      ...{ project_id: projectId('shop'), bundle_enabled: true, generation_time_seconds: 0.1 },
    });
  });

  it('lhp.yaml was changed in place: not even its name is known', async () => {
    const change = () => appendFileSync(join(project, 'lhp.yaml'), 'name: renamed\n');
    expect(await report(await job(), { change })).toMatchObject({
      ...UNKNOWN,
      project_id: projectId(undefined),
    });
  });

  it.each<[string, (given: StartedJob) => Partial<StartedJob>]>([
    ['since the run', ({ clockOffset: offset }) => ({ clockOffset: offset + 3_600_000 })],
    ['during the run', ({ endedAt }) => ({ startedAt: endedAt + 3_600_000 })],
  ])('the clock was set back by an hour %s: change times are not used', async (_, change) => {
    const given = await job();
    expect(await report({ ...given, ...change(given) })).toMatchObject(UNKNOWN);
  });
});

describe('what is read before the prompt is back', () => {
  // However fast the reporter is, name and bundle are those of the run.
  const THEN =
    'rm databricks.yml; echo "name: renamed" > new.yaml; mv new.yaml lhp.yaml; mv pipelines gone';
  const EVENT = { project_id: projectId('shop'), bundle_enabled: true };

  it('by the wrapper', async () => {
    const words = ['"$0"', '"$1"', 'run -- lhp generate --env dev'].join(' ');
    const shell = spawnSync('/bin/sh', ['-c', `${words} && { ${THEN}; }`, process.execPath, cli], {
      cwd: project,
      env: box.env as NodeJS.ProcessEnv,
      encoding: 'utf8',
    });
    expect(shell).toMatchObject({ status: 0, stderr: '' });
    expect((await box.recorded(1))[0]).toMatchObject(EVENT);
  });

  it.each([
    ['bundle', true],
    ['nobundle', false],
  ])('by the shell hook, which passes `%s`', async (word, bundle) => {
    const { startedAt, endedAt } = await job();
    const times = [startedAt, endedAt].map((time) => String(time / 1_000));
    const words = [...times, 'none', word, 'lhp', 'generate', '--env', 'dev'];
    const lhpYaml = openSync(join(project, 'lhp.yaml'), 'r');
    spawnSync('/bin/sh', ['-c', bundle ? THEN : ':'], { cwd: project });
    const { status } = spawnSync(process.execPath, [dist('hook-entry.cjs'), ...words], {
      cwd: project,
      env: box.env as NodeJS.ProcessEnv,
      stdio: [lhpYaml, 'ignore', 'ignore'],
    });
    closeSync(lhpYaml);
    expect(status).toBe(0);
    expect((await box.recorded(1))[0]).toMatchObject({ ...EVENT, bundle_enabled: bundle });
  });
});

describe('a reporter that could hang', () => {
  const FIFOS = [
    'lhp.yaml',
    'databricks.yml',
    'pipelines/b.yaml',
    '.lhp/logs/lhp.log',
    'generated/dev',
  ];
  sampled(it, 6).each(FIFOS)('does not wait for a FIFO in place of %s', async (path) => {
    rmSync(join(project, path), { force: true });
    mkdirSync(dirname(join(project, path)), { recursive: true });
    expect(spawnSync('mkfifo', [join(project, path)]).status).toBe(0);
    const run = box.run(['run', '--', 'lhp', 'generate', '--env', 'dev'], { cwd: project });
    expect(run).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await box.recorded(1)).toHaveLength(1);
  });

  it('does not wait for a FIFO in place of pyvenv.cfg', async () => {
    const bin = join(box.dir, 'venv', 'bin');
    mkdirSync(bin, { recursive: true });
    symlinkSync('/bin/sh', join(bin, 'python'));
    writeFileSync(join(bin, 'lhp'), `#!${join(bin, 'python')}\n:\n`, { mode: 0o755 });
    expect(spawnSync('mkfifo', [join(box.dir, 'venv', 'pyvenv.cfg')]).status).toBe(0);
    const words = ['run', '--', join(bin, 'lhp'), 'generate', '--env', 'dev'];
    expect(box.run(words, { cwd: project })).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await box.recorded(1)).toHaveLength(1);
  });

  it('is killed by a second thread if its main thread is blocked', async () => {
    const flags = ['--require', join(projectRoot, 'test', 'fixtures', 'hang.cjs')];
    const asked = join(box.dir, 'asked');
    const child = start(await job({ watched: false }), {
      flags,
      env: { WATCH_MS: '300', ASKED: asked },
    });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    expect(readFileSync(asked, 'utf8')).toBe(String(REPORTER_SECONDS * 1_000));
  });

  const timeout = program('timeout');
  if (lacking(timeout)) return;
  it('is started by timeout(1) where that exists, and knows it', () => {
    const shown = join(box.dir, 'shown');
    // Notes what the wrapper starts.
    writeFileSync(
      join(box.dir, 'spawn.cjs'),
      `const child = require('node:child_process');
       const { spawn } = child;
       child.spawn = (file, words, options) => {
         const job = options.env?.${JOB_VARIABLE};
         if (job) require('node:fs').writeFileSync(
           ${JSON.stringify(shown)},
           JSON.stringify([file, ...words, JSON.parse(job).watched]),
         );
         return spawn(file, words, options);
       };`,
    );
    const flags = ['--require', join(box.dir, 'spawn.cjs')];
    spawnSync(process.execPath, [...flags, cli, 'run', '--', 'lhp', 'generate', '--env', 'dev'], {
      cwd: project,
      env: box.env as NodeJS.ProcessEnv,
    });
    const words = JSON.parse(readFileSync(shown, 'utf8'));
    expect(words.slice(0, 5)).toEqual([
      timeout.path,
      '-s',
      'KILL',
      String(REPORTER_SECONDS),
      process.execPath,
    ]);
    expect(words.at(-1)).toBe(true);
  });

  it('is killed by timeout(1)', async () => {
    const flags = [
      '-s',
      'KILL',
      '1',
      process.execPath,
      '--require',
      join(projectRoot, 'test', 'fixtures', 'hang.cjs'),
    ];
    const child = spawn(timeout.path, [...flags, dist('reporter.cjs')], {
      env: {
        ...box.env,
        [JOB_VARIABLE]: JSON.stringify(await job({ lhpYamlIsOpen: false })),
      } as NodeJS.ProcessEnv,
      stdio: 'ignore',
    });
    const [status, signal] = await once(child, 'exit');
    expect(status === 137 || signal === 'SIGKILL').toBe(true);
    expect(box.runFiles()).toEqual([]);
  });
});

describe('the real lhp', () => {
  const [new093, old087] = [lhp('0.9.3'), lhp('0.8.7')];
  if (lacking(new093, old087)) return;
  const FLOWGROUP = (pipeline: string, name: string) =>
    `pipeline: ${pipeline}\nflowgroup: ${name}\nactions:\n` +
    `- {name: load, type: load, source: {type: sql, sql: SELECT 1}, target: v_${name}}\n` +
    `- {name: write, type: write, source: v_${name}, ` +
    `write_target: {type: materialized_view, WHERE, table: ${name}}}\n`;
  const real = (need: Need, where: string) => {
    const own = sandbox({ path: [dirname(need.path)] });
    const tree = Object.fromEntries(
      ['one', 'two', 'two', 'two'].map((pipeline, index) => [
        `pipelines/${index}.yaml`,
        FLOWGROUP(pipeline, `f${index}`).replace('WHERE', where),
      ]),
    );
    return { own, root: layOut(own, ['base', 'older'], tree) };
  };

  sampled(it, 4).each(['mv generated out', 'rm -rf generated'])(
    'lhp-otel run -- lhp generate; %s',
    async (next) => {
      const { own, root } = real(new093, 'catalog: main, schema: sales');
      const command = `"$0" "$1" run -- lhp generate --env dev; ${next}`;
      const shell = spawnSync('/bin/sh', ['-c', command, process.execPath, cli], {
        cwd: root,
        env: own.env as NodeJS.ProcessEnv,
        encoding: 'utf8',
      });
      expect(shell.status).toBe(0);
      const [event] = await own.recorded(1);
      expect([4, null]).toContain(event?.files_generated);
      expect([4, null]).toContain(event?.flowgroups_count);
      await idle(own);
      own.dispose();
    },
  );

  it('0.8.7 in a time zone that only Python knows; a preview has no files or seconds', async () => {
    const { own, root } = real(old087, 'database: main.sales');
    const env = { TZ: 'CET-1CEST,M3.5.0,M10.5.0/3' };
    for (const [index, args] of [['-p', 'one'], []].entries()) {
      const run = own.run(['run', '--', 'lhp', 'generate', '--env', 'dev', ...args], {
        cwd: root,
        env,
      });
      expect(run.status, run.stdout).toBe(0);
      await own.recorded(index + 1);
    }
    expect(own.events()).toMatchObject([{ files_generated: 1 }, { files_generated: 4 }]);
    for (const args of [[], ['--dry-run']]) {
      const words = ['show', '--preview', '--', 'lhp', 'generate', '--env', 'dev', ...args];
      const preview = JSON.parse(own.run(words, { cwd: root, env }).stdout);
      expect(preview).toMatchObject({
        flowgroups_count: 4,
        files_generated: null,
        generation_time_seconds: null,
      });
    }
    await idle(own);
    own.dispose();
  });
});
