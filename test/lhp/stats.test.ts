// `lhp-otel stats` on a history with one run of the real lhp and many from the recorder: its
// numbers equal those computed here from `show`, its lines fit every width, and only a terminal
// gets colors.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT, hourly, PROJECT } from '../../scripts/harness/history.ts';
import { lhp, program } from '../../scripts/harness/needs.ts';
import { cli, type Env, type Sandbox, sandbox } from '../../scripts/harness/sandbox.ts';
import type { GenerateEvent } from '../../src/contract/contract.ts';
import { statsText } from '../../src/history/stats-text.ts';
import { exportRun } from '../../src/otlp/encode.ts';
import type { Run } from '../../src/spool/run.ts';
import { type Recorder, store } from '../../src/spool/store.ts';
import type { Paths } from '../../src/system/paths.ts';
import { lacking } from '../support/lacking.ts';
import { openTerminal } from '../support/pty.ts';
import { sampled } from '../support/tags.ts';

const DAY = 24 * 3_600_000;
const real = lhp('0.9.3');
const TZ = 'America/New_York';
const box = sandbox({
  env: { TZ, LHP_OTEL_UPSTREAM: 'off' },
  ...(real.lacks ? {} : { path: [dirname(real.path)] }),
});
afterAll(() => box.dispose());

/** Not random: the same history each time. */
function* volume(): Generator<[daysAgo: number, event: Partial<GenerateEvent>]> {
  for (let daysAgo = 100; daysAgo > 0; daysAgo -= 1) {
    if (daysAgo % 7 < 2) continue;
    for (let run = 0; run < 1 + (daysAgo % 4); run += 1) {
      const upgraded = daysAgo <= 30;
      yield [
        daysAgo,
        {
          lhp_version: upgraded ? '0.9.2' : '0.8.7',
          environment: run === 2 ? 'prod' : 'dev',
          is_ci: run === 2,
          python_version: daysAgo % 2 ? '3.12' : '3.11',
          flowgroups_count: daysAgo % 11 === 0 ? null : 20 + (daysAgo % 3),
          generation_time_seconds:
            Math.round((1.5 + (upgraded ? 1 : 0) + ((daysAgo * 37 + run * 11) % 50) / 100) * 100) /
            100,
        },
      ];
    }
  }
}

async function fill(
  { stateDir, spoolDir, historyDir }: Sandbox,
  list: Iterable<[number, Partial<GenerateEvent>]>,
) {
  const paths = {
    state: stateDir,
    spool: spoolDir,
    history: historyDir,
    attempts: join(stateDir, 'attempts'),
  } as Paths;
  for (const [daysAgo, event] of list) {
    const record: Recorder = (timestamp, _, write) =>
      exportRun({ ...EVENT, ...event }, { timestamp, startedAt: timestamp - 2_000 }, write);
    await store(paths, 'local', record, Date.now() - daysAgo * DAY);
  }
}

interface Truth {
  at: number;
  event: GenerateEvent;
}
/** Each run as `show` prints it, and its time from the name of the file. */
let truth: Truth[] = [];

beforeAll(async () => {
  await fill(box, volume());
  if (!real.lacks) {
    const project = join(box.dir, 'project');
    mkdirSync(project);
    spawnSync(real.path, ['init', 'demo', '--sample', '--no-git'], {
      cwd: project,
      env: { ...box.env, LHP_TELEMETRY: 'off' } as NodeJS.ProcessEnv,
    });
    const before = box.runFiles().length;
    const words = [
      'run',
      '--',
      'lhp',
      'generate',
      '--env',
      'dev',
      '-pc',
      'config/pipeline_config.yaml',
    ];
    expect(box.run(words, { cwd: project }).status).toBe(0);
    await box.recorded(before + 1);
  }
  const times = readdirSync(box.historyDir)
    .map((name) => Number(name.split('.')[0]))
    .sort((a, b) => a - b);
  const events = box.events() as unknown as GenerateEvent[];
  truth = times.map((at, index) => ({ at, event: events[index] as GenerateEvent }));
});

/** Computed independently of the code under test. */
function quantile(values: number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  const rank = q * (sorted.length - 1);
  const [low, share] = [Math.floor(rank), rank - Math.floor(rank)];
  const value =
    (sorted[low] ?? Number.NaN) * (1 - share) +
    (sorted[Math.min(low + 1, sorted.length - 1)] ?? Number.NaN) * share;
  return Math.round(value * 1000) / 1000;
}
const secondsOf = (runs: Truth[]) => runs.map(({ event }) => event.generation_time_seconds);
const dates = new Intl.DateTimeFormat('sv-SE', { timeZone: TZ });
const dayOf = (at: number | string) => dates.format(new Date(at));

interface Group {
  value: string;
  runs: number;
  p50: number;
  p95: number;
}
const json = (args: string[] = []) => {
  const ran = box.run(['stats', '--json', ...args]);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  return JSON.parse(ran.stdout) as {
    runs: number;
    p50: number | null;
    p95: number | null;
    first: string | null;
    last: string | null;
    by: Record<string, Group[]>;
    days: (Group & { start: string; end: string; sizes: Record<string, number | null> })[];
    changes: {
      timestamp: string;
      verdict: string;
      changed: { what: string; from: unknown; to: unknown }[];
    }[];
  };
};

it('contains the run of the real lhp', () => {
  if (!real.lacks)
    expect(truth.at(-1)?.event).toMatchObject({
      lhp_version: '0.9.3',
      flowgroups_count: 8,
      files_generated: 8,
    });
});

it('show prints every byte to a slow reader, and no error to one that stops reading', () => {
  const bytes = readdirSync(box.historyDir)
    .sort()
    .map((name) => `${readFileSync(join(box.historyDir, name), 'utf8')}\n`)
    .join('');
  const all = `"$0" "$1" show --last 100000 --format otlp`;
  const piped = (to: string) =>
    spawnSync('bash', ['-c', `${all} | ${to}; exit \${PIPESTATUS[0]}`, process.execPath, cli], {
      env: box.env as NodeJS.ProcessEnv,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
  const same = piped('cat | cat').stdout === bytes;
  expect(bytes.length).toBeGreaterThan(500_000);
  expect(same).toBe(true);
  expect(piped('head -c 1')).toMatchObject({ status: 0, stdout: '{', stderr: '' });
});

describe('--json', () => {
  it('equals the numbers of the history', () => {
    const stats = json();
    expect(stats.runs).toBe(truth.length);
    expect(truth.length).toBeGreaterThan(150);
    expect([stats.p50, stats.p95]).toEqual([
      quantile(secondsOf(truth), 0.5),
      quantile(secondsOf(truth), 0.95),
    ]);
    expect([stats.first, stats.last].map((time) => Date.parse(time ?? ''))).toEqual([
      truth[0]?.at,
      truth.at(-1)?.at,
    ]);
  });
  it.each([
    'environment',
    'lhp_version',
    'python_version',
    'is_ci',
    'dry_run',
    'project_id',
  ] as const)('by %s', (key) => {
    const values = new Set(truth.map(({ event }) => String(event[key])));
    const groups = json().by[key] ?? [];
    expect(new Set(groups.map(({ value }) => value))).toEqual(values);
    for (const { value, runs, p50, p95 } of groups) {
      const members = truth.filter(({ event }) => String(event[key]) === value);
      expect({ value, runs, p50, p95 }).toEqual({
        value,
        runs: members.length,
        p50: quantile(secondsOf(members), 0.5),
        p95: quantile(secondsOf(members), 0.95),
      });
    }
  });
  it('by day of the local time zone', () => {
    const { days } = json();
    expect(days.map(({ start }) => dayOf(start))).toEqual([
      ...new Set(truth.map(({ at }) => dayOf(at))),
    ]);
    for (const { start, runs, p50, sizes } of days) {
      const members = truth.filter(({ at }) => dayOf(at) === dayOf(start));
      const counted = members.flatMap(({ event }) => event.flowgroups_count ?? []);
      expect({ runs, p50, flowgroups: sizes.flowgroups_count }).toEqual({
        runs: members.length,
        p50: quantile(secondsOf(members), 0.5),
        flowgroups: counted.length > 0 ? quantile(counted, 0.5) : null,
      });
    }
  });
  it('reports the slower version as slower', () => {
    expect(json().changes).toContainEqual(
      expect.objectContaining({
        verdict: 'slower',
        changed: expect.arrayContaining([{ what: 'lhp_version', from: '0.8.7', to: '0.9.2' }]),
      }),
    );
  });
  it('--since accepts a time span and a date', () => {
    const recent = truth.filter(({ at }) => at >= Date.now() - 10 * DAY);
    expect(json(['--since', '10d']).runs).toBe(recent.length);
    const date = dayOf(Date.now() - 20 * DAY);
    expect(json(['--since', date]).runs).toBe(truth.filter(({ at }) => dayOf(at) >= date).length);
    const hours = (count: number) =>
      truth.filter(({ at }) => at >= Date.now() - count * 3_600_000).length;
    expect(json(['--since', '36h']).runs).toBe(hours(36));
    expect(json(['--since', '2w']).runs).toBe(hours(24 * 14));
    expect(box.run(['stats', '--since', '1h'])).toMatchObject({ status: 0 });
  });
  it.each(['10', '2026-02-30', '2026-13-01', 'tomorrow', ''])(
    '--since %j is a usage error',
    (when) => {
      const ran = box.run(['stats', '--since', when]);
      expect(ran).toMatchObject({ status: 2, stdout: '' });
      expect(ran.stderr).toContain('30d');
    },
  );
});

const piped = (env: Env = {}, args: string[] = []) =>
  box.run(['stats', ...args], { env: { LC_ALL: 'C.UTF-8', ...env } }).stdout;

describe('on a terminal', () => {
  if (lacking(program('python3'))) return;
  const shown = async (columns: number, env: Env = {}) => {
    const terminal = openTerminal([process.execPath, cli, 'stats'], {
      cwd: box.dir,
      env: { ...box.env, LC_ALL: 'C.UTF-8', ...env } as NodeJS.ProcessEnv,
      size: [24, columns],
    });
    expect(await terminal.ended()).toBe(0);
    return Buffer.from(terminal.shown(), 'latin1').toString('utf8');
  };
  sampled(it, 6).each([40, 80, 200])(
    'of %i columns every line fits, and wider charts use more room',
    async (columns) => {
      const text = await shown(columns);
      expect(text).toContain('\x1b[1m');
      const lines = stripVTControlCharacters(text).split('\r\n');
      expect(lines.filter((line) => line.length > columns)).toEqual([]);
      const marks =
        /[▁-█ ]+[▁-█]/.exec(lines.find((line) => line.startsWith('runs')) ?? '')?.[0].trim()
          .length ?? 0;
      expect(marks).toBeGreaterThan({ 40: 4, 80: 30, 200: 49 }[columns] ?? 0);
      for (const word of ['dev', 'prod', '0.8.7', 'slower']) expect(text).toContain(word);
    },
  );
  it('respects NO_COLOR', async () =>
    expect(await shown(80, { NO_COLOR: '1' })).not.toContain('\x1b'));
  it('prints the same text without colors to a pipe', async () =>
    expect(piped()).toBe(stripVTControlCharacters(await shown(80)).replaceAll('\r\n', '\n')));
});

describe('in a pipe', () => {
  it('respects FORCE_COLOR', () => {
    expect(piped()).not.toContain('\x1b');
    expect(piped({ FORCE_COLOR: '1' })).toContain('\x1b[31mslower');
  });
  it.each([{ LC_ALL: 'C' }, { LC_ALL: undefined, LANG: 'POSIX' }])(
    'prints ASCII and the same numbers in a locale without UTF-8: %j',
    (env) => {
      const text = piped(env);
      expect(text).toMatch(/^[\n\x20-\x7e]+$/);
      expect(text.split('\n').filter((line) => !/one bar|lowest/.test(line))).toEqual(
        piped()
          .replace(/[▁-█]+( *[▁-█]+)* {2}/g, '')
          .split('\n')
          .filter((line) => !/one bar|lowest/.test(line)),
      );
    },
  );
  it('prints the numbers of the JSON', () => {
    const stats = json();
    const text = piped();
    expect(text).toContain(
      `${stats.runs} runs, ${dayOf(stats.first ?? '')} to ${dayOf(stats.last ?? '')}\n`,
    );
    expect(text).toContain(
      `median ${stats.p50?.toFixed(2)} s, 95th percentile ${stats.p95?.toFixed(2)} s\n`,
    );
    for (const { value, runs, p50, p95 } of stats.by.lhp_version ?? [])
      expect(text).toMatch(
        new RegExp(`^${value} +${runs} +${p50.toFixed(2)} s +${p95.toFixed(2)} s$`, 'm'),
      );
    const flowgroups = stats.days.flatMap(({ sizes }) => sizes.flowgroups_count ?? []);
    expect(text).toMatch(
      new RegExp(`^flowgroups .*  ${Math.min(...flowgroups)} to ${Math.max(...flowgroups)}$`, 'm'),
    );
  });
});

describe('the lines of changes', () => {
  const series: Partial<GenerateEvent>[] = [
    {},
    { is_ci: true },
    { dry_run: true },
    { project_id: 'c'.repeat(64) },
    { project_id: 'd'.repeat(64), is_ci: true },
  ];
  const runs = series
    .flatMap((kind) =>
      hourly([
        ...Array(10).fill({ ...kind }),
        ...Array(10).fill({ ...kind, lhp_version: '0.9.4' }),
      ]),
    )
    .sort((a, b) => a.timestamp - b.timestamp);
  const linesOf = (columns: number, of: readonly Run[] = runs) =>
    statsText(of, { columns, unicode: true }, { id: 'c'.repeat(64), folder: 'lakehouse' }).map(
      (line) =>
        (typeof line === 'string' ? [line] : line)
          .map((part) => (typeof part === 'string' ? part : part.text))
          .join(''),
    );
  it('name project, CI and dry runs, so that each series has another name', () => {
    const said = linesOf(200).filter((line) => line.includes(' s in '));
    expect(said.map((line) => / s in (.*?), lhp/.exec(line)?.[1]).sort()).toEqual([
      'dev in CI of project aaaaaaaa',
      'dev in CI of project dddddddd',
      'dev not in CI of lakehouse',
      'dev not in CI of project aaaaaaaa',
      'dev not in CI, dry runs of project aaaaaaaa',
    ]);
  });
  it('name only what distinguishes the series', () => {
    const own = linesOf(
      200,
      runs.filter(({ event }) => !event.is_ci && !event.dry_run && event.project_id === PROJECT),
    );
    expect(own.filter((line) => line.includes(' s in '))).toEqual([
      expect.stringMatching(/ s in dev, lhp/),
    ]);
  });
  sampled(it, 6).each([40, 80, 120])('fit %i columns', (columns) =>
    expect(linesOf(columns).filter((line) => line.length > columns)).toEqual([]),
  );
});

it('says what to do if the history is empty', () => {
  const empty = sandbox();
  const ran = empty.run(['stats']);
  expect(ran).toMatchObject({ status: 0, stdout: '' });
  expect(ran.stderr).toContain('lhp-otel run -- lhp generate');
  expect(JSON.parse(empty.run(['stats', '--json']).stdout)).toMatchObject({
    runs: 0,
    p50: null,
    first: null,
    days: [],
  });
  empty.dispose();
});

it('prints untrusted words as text, cut to the width', () => {
  const hostile = `\x1b]0;title\x07\u202e${'x'.repeat(500)}\r\nsecond line`;
  const words = {
    environment: hostile,
    lhp_version: hostile,
    python_version: hostile,
    project_id: hostile,
  };
  const runs = hourly([
    ...Array(10).fill({}),
    ...Array(10).fill(words),
    ...Array(10).fill({ ...words, lhp_version: '1' }),
  ]);
  const lines = statsText(runs, { columns: 80, unicode: false }).map((line) =>
    (typeof line === 'string' ? [line] : line)
      .map((part) => (typeof part === 'string' ? part : part.text))
      .join(''),
  );
  const text = lines.join('\n');
  expect(text).toMatch(/^[\n\x20-\x7e]+$/);
  expect(text).toContain('?]0;title??xxxx');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});
