// The reporter reads the project after the prompt is back, and the next command may change it by
// then. For each change, at each step of the reading, a recorded fact is that of the run, or it is
// unknown.
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../scripts/harness/sandbox.ts';
import { describeRun } from '../../src/collect/collect.ts';
import { projectId } from '../../src/collect/identify.ts';
import type { RunTimes } from '../../src/scan/change-times.ts';
import { listOutput } from '../../src/scan/generated-files.ts';
import { type Scan, scanProject } from '../../src/scan/scan.ts';
import { Snapshot } from '../../src/scan/snapshot.ts';
import { systemHost } from '../../src/system/host.ts';
import { resolvePaths } from '../../src/system/paths.ts';
import { startJob } from '../../src/wrap/start-reporter.ts';
import { atStep, withChangeTimes } from '../support/steps.ts';
import { extended } from '../support/tags.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

type Tree = Record<string, string>;

function write(root: string, files: Tree): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const flowgroup = (pipeline: string, name: string, more = '') =>
  `pipeline: ${pipeline}\nflowgroup: ${name}\nactions: []\n${more}`;

/**
 * What lhp reads: four flowgroups, one of them from a blueprint, two with a template, in three
 * pipelines.
 */
const INPUT: Tree = {
  'lhp.yaml': 'name: shop\ninclude: ["*.yaml"]\n',
  'databricks.yml': '',
  'pipelines/a.yaml': flowgroup('bronze', 'a', 'use_template: one\n'),
  'pipelines/deeper/b.yaml': flowgroup('bronze', 'b'),
  'pipelines/deeper/c.yaml': flowgroup('silver', 'c', 'use_template: two\n'),
  'pipelines/site.yaml': 'use_blueprint: site\nparameters: {site: berlin}\n',
  'blueprints/site.yaml':
    'name: site\nparameters: [{name: site}]\nflowgroups: [{pipeline: "%{site}", flowgroup: d}]\n',
};
/** What it writes: three files that count. */
const OUTPUT: Tree = {
  'generated/dev/bronze/a.py': '',
  'generated/dev/bronze/b.py': '',
  'generated/dev/silver/c.py': '',
  'generated/dev/silver/helper.py': '',
};
const TRUTH = {
  flowgroups: 4,
  templates: 2,
  flowgroupsUsingTemplates: 2,
  pipelines: 3,
  files: 3,
  projectName: 'shop',
};

/** lhp 0.8.7 writes its log before its last file. */
const log = (total: number) =>
  [
    'lhp.core.orchestrator - INFO - ' +
      'Initialized ActionOrchestrator with service-based architecture: /x',
    'lhp.core.orchestrator - INFO - Starting batch pipeline generation: 2 pipeline(s) for env: dev',
    'lhp.cli.commands.generate_command - INFO - ' +
      `Generation complete: ${total} file(s) generated, 9 total output file(s)`,
  ]
    .map((line) => `2026-11-28 16:48:07,112 - ${line}\n`)
    .join('');
const LOG = '.lhp/logs/lhp.log';

/** Projects as runs leave them, all of one moment. */
async function runs(count: number, output: Tree = OUTPUT): Promise<Runs> {
  const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-facts-'));
  folders.push(folder);
  const roots = Array.from({ length: count }, (_, index) => join(folder, String(index), 'project'));
  for (const root of roots) {
    write(root, INPUT);
    // Another project beside it, as old: its times are no help.
    write(join(dirname(root), 'other'), {
      'lhp.yaml': 'name: other\n',
      'pipelines/x.yaml': flowgroup('iron', 'x'),
      'generated/dev/iron/x.py': '',
      [LOG]: log(99),
    });
  }
  const startedAt = Date.now();
  // Longer than the program takes to start.
  await until(() => Date.now() > startedAt + 100, 'the run to write');
  for (const root of roots) write(root, output);
  const wrote = Date.now();
  await until(() => Date.now() > wrote + 20, 'the run to end');
  const endedAt = Date.now();
  await until(() => Date.now() > endedAt + 10, 'the next command to begin');
  return { roots, run: { startedAt, endedAt } };
}

interface Runs {
  roots: string[];
  run: RunTimes;
}

/** More than a scan of this project has. */
const STEPS = 110;

interface Given {
  run: RunTimes;
  lhpVersion?: string;
  /** A descriptor; otherwise lhp.yaml is found by its path. */
  lhpYaml?: number;
}

function scan(root: string, { run, lhpVersion = '0.9.3', lhpYaml }: Given): Scan {
  const options = {
    lhpVersion,
    pyyamlVersion: undefined,
    pipelineConfig: undefined,
    dryRun: false,
  };
  const written = listOutput(new Snapshot(root, { run, lhpYaml }), undefined, 'dev');
  return scanProject(new Snapshot(root, { run, lhpYaml }), options, written);
}

const git = (root: string, ...args: string[]) =>
  expect(spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' }).stderr).toBe('');

type Change = (root: string) => void;
const beside = (root: string, name: string) => join(dirname(root), name);

/** What a next command does, and which facts it leaves alone at every step. */
const CHANGES: [name: string, change: Change, untouched: (keyof typeof TRUTH)[]][] = [
  ['the project is moved', (root) => renameSync(root, beside(root, 'moved')), ['projectName']],
  ['the project is deleted', (root) => rmSync(root, { recursive: true }), ['projectName']],
  [
    'another project takes its place',
    (root) => {
      renameSync(root, beside(root, 'moved'));
      renameSync(beside(root, 'other'), root);
    },
    ['projectName'],
  ],
  [
    'the output is moved',
    (root) => renameSync(join(root, 'generated'), join(root, 'out')),
    ['projectName'],
  ],
  [
    'the output of the environment is deleted',
    (root) => rmSync(join(root, 'generated', 'dev'), { recursive: true }),
    ['projectName', 'flowgroups', 'templates', 'flowgroupsUsingTemplates', 'pipelines'],
  ],
  [
    'it is generated again, with other files',
    (root) => {
      rmSync(join(root, 'generated', 'dev'), { recursive: true });
      write(root, { 'generated/dev/bronze/a.py': '' });
    },
    ['projectName', 'flowgroups', 'templates', 'flowgroupsUsingTemplates', 'pipelines'],
  ],
  [
    'an older output takes its place',
    (root) => {
      rmSync(join(root, 'generated'), { recursive: true });
      renameSync(beside(root, 'other/generated'), join(root, 'generated'));
    },
    ['projectName'],
  ],
  [
    'files are edited in place, deleted and added',
    (root) => {
      writeFileSync(join(root, 'pipelines/a.yaml'), flowgroup('bronze', 'a'));
      rmSync(join(root, 'pipelines/deeper/b.yaml'));
      write(root, {
        'pipelines/deeper/e.yaml': flowgroup('gold', 'e'),
        'pipelines/f/g.yaml': flowgroup('f', 'g'),
      });
    },
    ['projectName'],
  ],
  [
    'a folder of flowgroups and the blueprints are gone',
    (root) => {
      rmSync(join(root, 'pipelines/deeper'), { recursive: true });
      rmSync(join(root, 'blueprints'), { recursive: true });
    },
    ['projectName'],
  ],
  [
    'another folder of flowgroups takes the place',
    (root) => {
      rmSync(join(root, 'pipelines'), { recursive: true });
      renameSync(beside(root, 'other/pipelines'), join(root, 'pipelines'));
    },
    ['projectName'],
  ],
  [
    'lhp.yaml is written anew, with another name and no patterns',
    (root) => {
      writeFileSync(join(root, 'new.yaml'), 'name: renamed\n');
      renameSync(join(root, 'new.yaml'), join(root, 'lhp.yaml'));
    },
    ['projectName'],
  ],
  [
    'lhp.yaml is changed in place, with an old time',
    (root) => {
      writeFileSync(join(root, 'lhp.yaml'), 'name: renamed\ninclude: ["a.yaml"]\n');
      utimesSync(join(root, 'lhp.yaml'), 1, 1);
    },
    [],
  ],
];

/**
 * The scan with the change before its n-th step, for each n from 1 on (or each `every`-th) of
 * projects that are alike.
 */
function atEachStep({ roots, run }: Runs, change: Change, every = 1, lhpVersion = '0.9.3') {
  return roots.map((root, index) => {
    const at = 1 + index * every;
    const lhpYaml = openSync(join(root, 'lhp.yaml'), 'r');
    const given = { run, lhpVersion, lhpYaml };
    const { steps, result } = atStep(
      at,
      () => change(root),
      () => scan(root, given),
    );
    closeSync(lhpYaml);
    return { at, steps, found: result };
  });
}

type Truth = Partial<typeof TRUTH>;
const known = (value: unknown) => value !== null && value !== undefined;

function expectTrueOrUnknown(seen: ReturnType<typeof atEachStep>, truth: Truth): void {
  const facts = Object.entries(truth) as [keyof Truth, unknown][];
  const wrong = seen.flatMap(({ at, found }) =>
    facts.flatMap(([fact, value]) =>
      known(found[fact]) && found[fact] !== value ? [{ at, fact, value: found[fact] }] : [],
    ),
  );
  expect(wrong).toEqual([]);
  // It is a change: read after it, something is not known. And the last one came when all was read.
  expect(facts.every(([fact]) => known(seen[0]?.found[fact]))).toBe(false);
  expect(seen.at(-1)?.found).toMatchObject(truth);
}

describe('the project changes while it is read', () => {
  const changedAt =
    (every: number) =>
    async (_: string, change: Change, untouched: readonly (keyof typeof TRUTH)[]) => {
      const seen = atEachStep(await runs(Math.floor(STEPS / every) + 1), change, every);
      expectTrueOrUnknown(seen, TRUTH);
      // The facts that it has nothing to do with are there, also where the change came before the
      // first step.
      for (const { found } of seen)
        for (const fact of untouched) expect(found[fact]).toBe(TRUTH[fact]);
    };
  it.each(CHANGES)('%s: at every sixth step each fact is true or not known', changedAt(6));
  it.each(CHANGES)('%s: at every step each fact is true or not known', extended, changedAt(1));

  it('it is another branch: at every fifth step', extended, async () => {
    const seen = atEachStep(
      await branches(Math.ceil(STEPS / 5)),
      (root) => git(root, 'checkout', '-q', 'other'),
      5,
    );
    expectTrueOrUnknown(seen, TRUTH);
    for (const { found } of seen) expect(found.projectName).toBe('shop');
  });

  it('not at all: every fact is there, and there are not more steps than were tried', async () => {
    const { roots, run } = await runs(1);
    const [root = ''] = roots;
    expect(scan(root, { run })).toMatchObject({ ...TRUTH, uncertain: undefined });
    const [seen] = atEachStep({ roots, run }, () => {});
    expect(seen?.found).toMatchObject(TRUTH);
    expect(seen?.steps).toBeLessThan(STEPS);
  });
});

describe('lhp before 0.9, whose log says how many files it wrote', () => {
  const truth = { ...TRUTH, files: 5 };
  const earlier = { [LOG]: log(2) + log(5) };
  const changes: [string, Change][] = [
    ['another run appends its own', (root) => appendFileSync(join(root, LOG), log(7))],
    ['it is written anew', (root) => writeFileSync(join(root, LOG), log(7))],
    [
      'an older one takes its place',
      (root) => renameSync(beside(root, `other/${LOG}`), join(root, LOG)),
    ],
    ['it is deleted', (root) => rmSync(join(root, LOG))],
  ];
  const changedAt = (every: number) => async (_: string, change: Change) => {
    const projects = await runs(Math.floor(STEPS / every) + 1, { ...OUTPUT, ...earlier });
    const seen = atEachStep(projects, change, every, '0.8.7');
    expectTrueOrUnknown(seen, { files: truth.files });
    for (const { found } of seen) expect(found).toMatchObject({ ...truth, files: found.files });
  };
  const claim = 'step the number is true or not known';
  it.each(changes)(`%s: at every tenth ${claim}`, changedAt(10));
  it.each(changes)(`%s: at every second ${claim}`, extended, changedAt(2));

  it('is not asked where it was not written in this run', async () => {
    const { roots, run } = await runs(1);
    const [root = ''] = roots;
    cpSync(beside(root, `other/${LOG}`), join(root, LOG), { recursive: true });
    const now = Date.now();
    await until(() => Date.now() > now + 120, 'the next run to begin');
    const next = { startedAt: now + 100, endedAt: now + 120 };
    expect(scan(root, { run: next, lhpVersion: '0.8.7' })).toMatchObject({
      flowgroups: 4,
      files: null,
    });
    expect(scan(root, { run, lhpVersion: '0.8.7' }).files).toBe(null);
  });

  it('is not believed where lhp.yaml is a link to itself now; the run is recorded', async () => {
    const { roots, run } = await runs(1, { ...OUTPUT, [LOG]: log(5) });
    const [root = ''] = roots;
    const path = join(root, 'lhp.yaml');
    const lhpYaml = openSync(path, 'r');
    rmSync(path);
    symlinkSync('lhp.yaml', path);
    const found = scan(root, { run, lhpVersion: '0.8.7', lhpYaml });
    closeSync(lhpYaml);
    expect(found).toMatchObject({ files: null, uncertain: expect.any(String) });
  });

  it.each([
    ['no start of a program in it', 'x', null],
    ['a program behind it that generates nothing, as lhp validate', log(3) + older(), null],
    [
      '0.6.4: a line for each file, which counts when its pipeline is complete',
      older(['a', 'b'], ['c'], 'd'),
      3,
    ],
    ['0.6.4: nothing was written', older([], []), 0],
  ])('%s', async (_, text, files) => {
    const { roots, run } = await runs(1, { [LOG]: text });
    expect(scan(roots[0] ?? '', { run, lhpVersion: '0.6.4' }).files).toBe(files);
  });
});

/**
 * The log of lhp 0.6.4: pipelines with their files; a text stands for a file of a pipeline that
 * failed.
 */
function older(...pipelines: (string[] | string)[]): string {
  const begin = ['Initialized ActionOrchestrator with service-based architecture: /x'];
  const lines = pipelines.flatMap((files) => [
    'Starting pipeline generation by field: p for env: dev',
    ...[files].flat().map((file) => `Generated: /x/${file}.py`),
    ...(typeof files === 'string' ? [] : ['Pipeline generation complete: p']),
  ]);
  const line = (text: string) =>
    `2026-11-28 16:48:06,159 - lhp.core.orchestrator - INFO - ${text}\n`;
  return [...begin, ...lines].map(line).join('');
}

describe('clocks', () => {
  const TICK_NS = 10_000_000n;
  it('the kernel’s is behind by a tick: a change right after the end is seen', async () => {
    const { roots, run } = await runs(1);
    const [root = ''] = roots;
    rmSync(join(root, 'generated', 'dev', 'silver'), { recursive: true });
    const changed = Number(
      statSync(join(root, 'generated', 'dev'), { bigint: true }).ctimeNs / 1_000_000n,
    );
    // One millisecond before the change; its stamp is that of the tick before.
    const ended = { ...run, endedAt: changed - 1 };
    const behind = (ns: bigint) => (Number(ns / 1_000_000n) === changed ? ns - TICK_NS : ns);
    expect(withChangeTimes(behind, () => scan(root, { run: ended }))).toMatchObject({
      flowgroups: 4,
      files: null,
    });
  });

  it('a file system with whole seconds: changes in the two seconds after the run', async () => {
    const { roots, run } = await runs(1);
    const [root = ''] = roots;
    const whole = (ns: bigint) => ns - (ns % 1_000_000_000n);
    const { ctimeMs } = statSync(join(root, 'lhp.yaml'));
    const soon = { ...run, startedAt: Math.ceil(ctimeMs) };
    const late = { startedAt: run.startedAt + 3_000, endedAt: run.endedAt + 3_000 };
    expect(withChangeTimes(whole, () => scan(root, { run: soon }))).toMatchObject({
      flowgroups: null,
      files: null,
    });
    expect(withChangeTimes(whole, () => scan(root, { run: late })).flowgroups).toBe(4);
  });

  it('lhp was started right after the last change', async () => {
    const { roots } = await runs(1);
    const [root = ''] = roots;
    writeFileSync(join(root, 'pipelines/a.yaml'), flowgroup('bronze', 'a'));
    const startedAt = Date.now();
    expect(scan(root, { run: { startedAt, endedAt: startedAt + 2_000 } })).toMatchObject({
      flowgroups: 4,
      templates: 1,
    });
  });
});

describe('a reporter that is suspended after it has read the wall clock', () => {
  it.each([1, 2, 3])('at reading %d: everything is known', async (at) => {
    const { roots, run } = await runs(1);
    const [root = ''] = roots;
    const home = folders.at(-1) ?? '';
    const host = { ...systemHost(), env: {}, home };
    const given = { durationSeconds: 0.1, root, deliver: true, known: { lhp_version: '0.9.3' } };
    const job = startJob({ ...run, ...given }, host);
    let reading = 0;
    const now = () => {
      const time = Date.now();
      reading += 1;
      if (reading === at) suspend(200);
      return time;
    };
    const logged: string[] = [];
    const paths = resolvePaths(host);
    const event = await describeRun(job, { ...host, now }, paths, (text) => logged.push(text));
    expect(logged).toEqual([]);
    expect(event).toMatchObject({ project_id: projectId('shop'), flowgroups_count: 4 });
    expect(reading).toBeGreaterThanOrEqual(at);
  });
  const suspend = (milliseconds: number) =>
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
});

describe('links', () => {
  it.each<[string, Change]>([
    ['pipelines/ points elsewhere', (root) => relink(root, 'pipelines', '../other/pipelines')],
    [
      'a file of it points elsewhere',
      (root) => relink(root, 'pipelines/b.yaml', '../../other/pipelines/x.yaml'),
    ],
    [
      'what a link points to has changed',
      (root) => writeFileSync(join(root, 'shared/b.yaml'), flowgroup('p', 'b')),
    ],
  ])('%s: not known', async (_, change) => {
    const { roots, run } = await runs(0);
    const root = join(folders.at(-1) ?? '', 'linked');
    write(root, {
      'lhp.yaml': 'name: linked\n',
      'folder/a.yaml': flowgroup('p', 'a'),
      'shared/b.yaml': flowgroup('q', 'b'),
    });
    write(beside(root, 'other'), { 'pipelines/x.yaml': flowgroup('iron', 'x') });
    symlinkSync('folder', join(root, 'pipelines'));
    symlinkSync('../shared/b.yaml', join(root, 'folder', 'b.yaml'));
    const startedAt = Date.now();
    const given = { run: { startedAt, endedAt: startedAt + 100 } };
    expect(roots).toEqual([]);
    expect(run.startedAt).toBeLessThanOrEqual(startedAt);
    expect(scan(root, given)).toMatchObject({ flowgroups: 2, pipelines: 2 });
    await until(() => Date.now() > startedAt + 100, 'the run to end');
    change(root);
    expect(scan(root, given)).toMatchObject({ flowgroups: null, pipelines: null });
  });
});

function relink(root: string, path: string, target: string): void {
  rmSync(join(root, path));
  symlinkSync(target, join(root, path));
}

/** The same project under git, with another branch that has other flowgroups and other output. */
async function branches(count: number): Promise<Runs> {
  await runs(0);
  const folder = folders.at(-1) ?? '';
  const template = join(folder, 'template');
  write(template, INPUT);
  git(template, 'init', '-q', '-b', 'main');
  const commit = (text: string) =>
    git(
      template,
      '-c',
      'user.name=t',
      '-c',
      'user.email=t@example.com',
      'commit',
      '-q',
      '-m',
      text,
    );
  git(template, 'add', '-A');
  commit('one');
  git(template, 'checkout', '-q', '-b', 'other');
  rmSync(join(template, 'pipelines/deeper'), { recursive: true });
  write(template, {
    'pipelines/a.yaml': flowgroup('bronze', 'a'),
    'generated/dev/bronze/a.py': '',
  });
  git(template, 'add', '-A', '-f');
  commit('two');
  git(template, 'checkout', '-q', 'main');
  const roots = Array.from({ length: count }, (_, index) => join(folder, String(index), 'project'));
  for (const root of roots) cpSync(template, root, { recursive: true });
  const startedAt = Date.now();
  await until(() => Date.now() > startedAt + 100, 'the run to write');
  // The other branch has one of these: git would refuse to overwrite it.
  for (const root of roots) write(root, { ...OUTPUT, '.git/info/exclude': 'generated\n' });
  const wrote = Date.now();
  await until(() => Date.now() > wrote + 20, 'the run to end');
  return { roots, run: { startedAt, endedAt: Date.now() } };
}
