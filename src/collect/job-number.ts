// job-number.ts: chooses the millisecond of a CI run by the number of its job. Containers of one
// image share a machine id and have no common spool, so nothing else keeps two of them from taking
// the same millisecond, and a backend would store one run instead of two. Many CI systems number
// the jobs of a build. A run of such a job takes a millisecond whose last three digits are made
// from the number, so up to 1,000 jobs of a build never meet (docs/adr/0010-ci-slots.md).
import { createHash } from 'node:crypto';
import type { Env } from '../system/host.ts';

/** So many milliseconds have different last digits. A generate in CI takes longer than that. */
const SECOND = 1_000;

interface JobNumber {
  /** The variable with the number. */
  variable: string;
  /** How the number stands in it, if it is not the whole value. */
  pattern?: RegExp;
  /** For a number that only parallel jobs have: the variable that says how many there are. */
  total?: string;
  /**
   * Variables that are the same for all jobs of a build; without them the number does not count.
   * Their digest is added to it, so that two builds differ, and the digits do not tell the number.
   */
  build: readonly string[];
}

/**
 * Only numbers that differ between all jobs of a build: jobs with the same number would meet more
 * often than by chance. So Jenkins has no row, because the parallel stages of a build share its
 * `BUILD_NUMBER`, and for GitHub only the names of hosted runners count.
 */
const JOB_NUMBERS: readonly JobNumber[] = [
  { variable: 'RUNNER_NAME', pattern: /^GitHub Actions (\d{1,18})$/, build: ['GITHUB_RUN_ID'] },
  { variable: 'CI_JOB_ID', build: ['CI_PIPELINE_ID'] }, // GitLab
  { variable: 'TRAVIS_JOB_ID', build: ['TRAVIS_BUILD_ID'] },
  { variable: 'AGENT_ID', build: ['BUILD_BUILDID'] }, // Azure Pipelines: an agent runs one job
  { variable: 'CIRCLE_NODE_INDEX', total: 'CIRCLE_NODE_TOTAL', build: ['CIRCLE_BUILD_NUM'] },
  {
    variable: 'BUILDKITE_PARALLEL_JOB',
    total: 'BUILDKITE_PARALLEL_JOB_COUNT',
    build: ['BUILDKITE_BUILD_ID', 'BUILDKITE_STEP_ID'],
  },
  {
    variable: 'BITBUCKET_PARALLEL_STEP',
    total: 'BITBUCKET_PARALLEL_STEP_COUNT',
    build: ['BITBUCKET_REPO_UUID', 'BITBUCKET_BUILD_NUMBER'],
  },
];

/**
 * The last three digits of the milliseconds for a run of this job, from 0 to 999; `undefined` if
 * the CI system gives it no number.
 */
export function digitsOfJob(env: Env): number | undefined {
  for (const { variable, pattern = /^(\d{1,18})$/, total, build } of JOB_NUMBERS) {
    const number = pattern.exec(env[variable] ?? '')?.[1];
    const common = build.flatMap((name) => env[name] || []);
    const isOneOfSeveral = total === undefined || Number(env[total]) > 1;
    if (number !== undefined && common.length === build.length && isOneOfSeveral)
      return (Number(number.slice(-3)) + digitsOf(common)) % SECOND;
  }
  return undefined;
}

function digitsOf(build: readonly string[]): number {
  return createHash('sha256').update(JSON.stringify(build)).digest().readUInt32BE() % SECOND;
}

/**
 * The milliseconds with these last digits from `now` back to the start of the run, so each of them
 * is a time of the run. None if the run was too short, or the clock was set back.
 *
 * @param startedAt - Start of the run, milliseconds since the epoch.
 * @param now - Milliseconds since the epoch.
 */
export function* millisecondsWith(
  digits: number,
  startedAt: number,
  now: number,
): Generator<number, undefined> {
  for (let at = now - ((now - digits) % SECOND); at >= startedAt; at -= SECOND) yield at;
}
