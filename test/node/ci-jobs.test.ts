// What keeps the runs of CI containers apart that share a machine id and no spool: the number of
// the job in the last digits of the run's millisecond, and a slot (docs/adr/0010-ci-slots.md).
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { report } from '../../src/bin/reporter.ts';
import { digitsOfJob, millisecondsWith } from '../../src/collect/job-number.ts';
import { CI_SLOTS, slotName } from '../../src/contract/contract.ts';
import { clockOffset } from '../../src/job/job.ts';
import type { Env, Host } from '../../src/system/host.ts';

const BUILD = { CI_PIPELINE_ID: '123456' };
const gitLab = (job: number): Env => ({ ...BUILD, CI_JOB_ID: String(job) });

/** Of each system: the variables of the job with this number, and of the build. */
const NUMBERED: [string, (job: number) => Env, Env][] = [
  ['GitHub', (job) => ({ RUNNER_NAME: `GitHub Actions ${job}` }), { GITHUB_RUN_ID: '5' }],
  ['GitLab', (job) => ({ CI_JOB_ID: String(job) }), { CI_PIPELINE_ID: '5' }],
  ['Travis', (job) => ({ TRAVIS_JOB_ID: String(job) }), { TRAVIS_BUILD_ID: '5' }],
  ['Azure Pipelines', (job) => ({ AGENT_ID: String(job) }), { BUILD_BUILDID: '5' }],
  [
    'CircleCI',
    (job) => ({ CIRCLE_NODE_INDEX: String(job), CIRCLE_NODE_TOTAL: '1000' }),
    { CIRCLE_BUILD_NUM: '5' },
  ],
  [
    'Buildkite',
    (job) => ({ BUILDKITE_PARALLEL_JOB: String(job), BUILDKITE_PARALLEL_JOB_COUNT: '1000' }),
    { BUILDKITE_BUILD_ID: '5', BUILDKITE_STEP_ID: '01' },
  ],
  [
    'Bitbucket',
    (job) => ({ BITBUCKET_PARALLEL_STEP: String(job), BITBUCKET_PARALLEL_STEP_COUNT: '1000' }),
    { BITBUCKET_BUILD_NUMBER: '5', BITBUCKET_REPO_UUID: '{01}' },
  ],
];

describe('the digits of a job', () => {
  it.each(NUMBERED)('%s: 1,000 jobs of a build have 1,000 different ones', (_, job, build) => {
    const all = Array.from({ length: 1_000 }, (_, i) => digitsOfJob({ ...build, ...job(700 + i) }));
    expect(new Set(all).size).toBe(1_000);
    expect(all.every((digits) => digits !== undefined && digits >= 0 && digits < 1_000)).toBe(true);
  });

  it.each(NUMBERED)('%s: another build has others', (_, job, build) => {
    const [[variable] = ['']] = Object.entries(build);
    const digits = (id: number) => digitsOfJob({ ...build, ...job(3), [variable]: String(id) });
    // Digests: 20 of 1,000 are fewer than 15 different ones practically never.
    expect(new Set(Array.from({ length: 20 }, (_, id) => digits(id))).size).toBeGreaterThan(15);
  });

  it.each<[string, Env]>([
    ['no CI system', {}],
    ['a self-hosted runner of GitHub', { RUNNER_NAME: 'runners-x7k2p-0', GITHUB_RUN_ID: '5' }],
    ['Jenkins, whose parallel stages share the number', { BUILD_NUMBER: '7', BUILD_ID: '7' }],
    ['a number without a build', { AGENT_ID: '7' }],
    ['a job of CircleCI without siblings', { CIRCLE_NODE_INDEX: '0', CIRCLE_BUILD_NUM: '5' }],
    [
      'the same, with their number',
      { CIRCLE_NODE_INDEX: '0', CIRCLE_NODE_TOTAL: '1', CIRCLE_BUILD_NUM: '5' },
    ],
    ['a number that is not one', { CI_JOB_ID: '12; rm', CI_PIPELINE_ID: '5' }],
    ['a number that is too long', { CI_JOB_ID: '9'.repeat(19), CI_PIPELINE_ID: '5' }],
    ['an empty number', { CI_JOB_ID: '', CI_PIPELINE_ID: '5' }],
  ])('%s: none', (_, env) => expect(digitsOfJob(env)).toBeUndefined());

  it('do not tell the number', () => {
    const told = Array.from({ length: 50 }, (_, i) => {
      const env = { CI_JOB_ID: '4242', CI_PIPELINE_ID: String(i) };
      return digitsOfJob(env) === 242;
    });
    expect(told.filter(Boolean).length).toBeLessThan(3);
  });
});

describe('the milliseconds with these digits', () => {
  const NOW = 1_790_000_005_123;
  it('go back from now to the start of the run', () =>
    expect([...millisecondsWith(200, NOW - 3_000, NOW)]).toEqual([
      1_790_000_004_200, 1_790_000_003_200, 1_790_000_002_200,
    ]));
  it('may be now and the start themselves', () =>
    expect([...millisecondsWith(123, NOW - 1_000, NOW)]).toEqual([NOW, NOW - 1_000]));
  it('are none in a run that was too short', () =>
    expect([...millisecondsWith(200, NOW - 900, NOW)]).toEqual([]));
  it('are none where the clock was set back during the run', () =>
    expect([...millisecondsWith(100, NOW + 5_000, NOW)]).toEqual([]));
});

describe('runs of containers that end in the same millisecond', () => {
  const NOW = Date.now();

  /** Records a run in each container; returns slot and millisecond of each. */
  async function burst(envs: readonly Env[], { shared = false, seconds = 5 } = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-jobs-'));
    try {
      writeFileSync(join(folder, 'lhp.yaml'), 'name: burst\n');
      const homes = envs.map((_, i) => join(folder, shared ? 'home' : `home-${i}`));
      for (const [i, env] of envs.entries()) {
        const home = homes[i] as string;
        mkdirSync(home, { recursive: true, mode: 0o700 });
        await record({ CI: 'true', HOME: home, ...env }, home, folder, seconds);
      }
      return [...new Set(homes)].flatMap(recordedIn);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  async function record(env: Env, home: string, cwd: string, seconds: number) {
    const host: Host = {
      ...{ env: { PATH: '/usr/bin', ...env }, platform: process.platform, home, cwd },
      ...{ systemConfigDir: join(cwd, 'none'), now: () => NOW },
    };
    await report(
      {
        ...{ startedAt: NOW - seconds * 1_000, endedAt: NOW, durationSeconds: seconds },
        ...{ root: cwd, known: { environment: 'prod' }, deliver: false, bundle: false },
        ...{ lhpYamlIsOpen: false, clockOffset: clockOffset(host), watched: true },
      },
      host,
    );
  }

  function recordedIn(home: string) {
    const history = join(home, '.local', 'state', 'lhp-otel', 'history');
    return readdirSync(history).map((name) => {
      const text = readFileSync(join(history, name), 'utf8');
      const slot = /"lhp\.ci\.slot","value":\{"stringValue":"(\w+)"/.exec(text)?.[1];
      return { at: Number.parseInt(name, 10), slot };
    });
  }

  const times = (runs: { at: number }[]) => runs.map(({ at }) => at).sort();

  it('have milliseconds of their own if their jobs are numbered', async () => {
    const envs = Array.from({ length: 12 }, (_, i) => gitLab(70_995 + i));
    const runs = await burst(envs);
    expect(new Set(times(runs)).size).toBe(12);
    expect(runs.map(({ at }) => at % 1_000).sort()).toEqual(envs.map(digitsOfJob).sort());
    for (const { at } of runs) expect([at <= NOW, at > NOW - 1_000]).toEqual([true, true]);
    const slots = Array.from({ length: CI_SLOTS.numbered }, (_, slot) => slotName(slot));
    for (const { slot } of runs) expect(slots).toContain(slot);
  });

  it('have a slot each otherwise, and the time at which they are recorded', async () => {
    const runs = await burst(Array.from({ length: 12 }, () => ({})));
    expect(times(runs)).toEqual(Array(12).fill(NOW));
    const slots = Array.from({ length: CI_SLOTS.others }, (_, slot) => slotName(slot));
    for (const { slot } of runs) expect(slots).toContain(slot);
    // All twelve have the same slot with a probability of 10^-11.
    expect(new Set(runs.map(({ slot }) => slot)).size).toBeGreaterThan(1);
  });

  it('of one job and one state folder: in other seconds of the run, then after it', async () => {
    const env = gitLab(7);
    const last = millisecondsWith(digitsOfJob(env) ?? 0, NOW - 2_000, NOW);
    const runs = await burst([env, env, env, env], { shared: true, seconds: 2 });
    expect(times(runs)).toEqual([...last, NOW, NOW + 1].slice(0, 4).sort());
  });

  it('outside CI are not moved', async () =>
    expect(await burst([{ ...gitLab(7), CI: '' }])).toEqual([{ at: NOW, slot: undefined }]));
});
