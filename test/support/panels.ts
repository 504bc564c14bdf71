// panels.ts: known runs, and the expected answer of each panel of the dashboards, computed from
// them.

import { digest, HOUR } from '../../scripts/harness/runs.ts';
import { exampleEvent, type GenerateEvent } from '../../src/contract/contract.ts';

export const HOURS = 6;
export const BUCKET = 2 ** (1 / 256); // schema 8
export const WIDE_BUCKET = 2 ** (1 / 16); // deploy/collector/victoriametrics.yaml

export const now = Date.now();
const pick = <T>(list: readonly T[], i: number) => list[i % list.length] as T;
/** With this many runs no quantile lies between two of them, where backends choose differently. */
const COUNT = 123;
/** Each project has its own size, and version 0.9.3 is slower. */
export const runs: { at: number; event: GenerateEvent }[] = Array.from(
  { length: COUNT },
  (_, i) => {
    const project = i % 4;
    const flowgroups = pick([10, 100, 500, 3_000], project) + (i % 3);
    const version = pick(['0.9.3', '0.9.2', '0.8.7'], i % 7);
    return {
      at: now - 60_000 - Math.floor((i / COUNT) * (HOURS - 1) * HOUR) - i,
      event: {
        ...exampleEvent(),
        project_id: digest(`p${project}`),
        machine_id: digest(`m${i % 8}`),
        is_ci: i % 5 === 0,
        flowgroups_count: flowgroups,
        templates_count: project + 1,
        flowgroups_using_templates: Math.floor(flowgroups / 2),
        pipelines_count: 2 * project + 1,
        files_generated: flowgroups + 1,
        environment: pick(['dev', 'test', 'prod'], i % 11),
        dry_run: i % 10 === 0,
        bundle_enabled: i % 2 === 0,
        lhp_version: version,
        python_version: pick(['3.11', '3.12'], i),
        generation_time_seconds: flowgroups / 100 + (version === '0.9.3' ? 4 : 1) + (i % 13) / 10,
      },
    };
  },
);
export const lost = new Map([
  ['expired', 3],
  ['rejected', 2],
] as const);

export type Answer = Record<string, number>;
type Group = (event: GenerateEvent) => string;

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
function grouped(key: Group, count: (events: GenerateEvent[]) => number): Answer {
  const groups = Map.groupBy(
    runs.map(({ event }) => event),
    key,
  );
  return Object.fromEntries([...groups].map(([name, events]) => [name, count(events)]));
}
const mean = (field: 'generation_time_seconds' | 'flowgroups_count') => (events: GenerateEvent[]) =>
  sum(events.map((event) => event[field] as number)) / events.length;
const quantile = (q: number, numbers: number[]) =>
  numbers.sort((a, b) => a - b)[Math.floor(q * numbers.length)] ?? 0;
const all = (field: keyof GenerateEvent) => runs.map(({ event }) => event[field] as number);
const three = (numbers: number[]): Answer => ({
  p50: quantile(0.5, [...numbers]),
  p95: quantile(0.95, [...numbers]),
  p99: quantile(0.99, [...numbers]),
});
const shareOf = (flag: Group): number =>
  runs.filter(({ event }) => flag(event) === 'true').length / runs.length;
const one = (title: string, value: number): Answer => ({ [title]: value });
const versions: Group = (event) => event.lhp_version;
const seconds = (event: GenerateEvent) => event.generation_time_seconds;
const sizes = ['below 50 flowgroups', '50 to 200', '200 to 1,000', '1,000 and more'];
const bySize = (q: number): Answer =>
  Object.fromEntries(
    sizes.map((size, p) => [
      size,
      quantile(
        q,
        runs
          .filter(({ event }) => event.project_id === digest(`p${p}`))
          .map(({ event }) => seconds(event)),
      ),
    ]),
  );

/** The gateway hashes ids, so panels by project are compared by their values only. */
export const BY_PROJECT = /^(Slowest|Largest) projects/;

export const ANSWERS: Record<string, Answer> = {
  Runs: one('Runs', COUNT),
  'Active projects': one('Active projects', 4),
  'Active machines': one('Active machines', 8),
  'Share of runs in CI': one(
    'Share of runs in CI',
    shareOf((event) => String(event.is_ci)),
  ),
  'Share of dry runs': one(
    'Share of dry runs',
    shareOf((event) => String(event.dry_run)),
  ),
  'Share of runs with a bundle': one(
    'Share of runs with a bundle',
    shareOf((event) => String(event.bundle_enabled)),
  ),
  'Runs over time': { runs: COUNT },
  'Active projects and machines over time': { projects: 4, machines: 8 },
  'Runs by lhp version': grouped(versions, (events) => events.length),
  'Runs by Python version': grouped(
    (event) => event.python_version,
    (events) => events.length,
  ),
  'Machines by lhp version': grouped(
    versions,
    (events) => new Set(events.map((event) => event.machine_id)).size,
  ),
  'Runs by environment': grouped(
    (event) => event.environment,
    (events) => events.length,
  ),
  'CI against local': grouped(
    (event) => `CI ${event.is_ci}`,
    (events) => events.length,
  ),
  Duration: three(all('generation_time_seconds')),
  'Duration over time': three(all('generation_time_seconds')),
  'Files a second': one(
    'Files a second',
    sum(all('files_generated')) / sum(all('generation_time_seconds')),
  ),
  'p95 by lhp version': grouped(versions, (events) => quantile(0.95, events.map(seconds))),
  'Mean duration of a version against all others': grouped(versions, (events) => {
    const others = runs
      .map(({ event }) => event)
      .filter((event) => event.lhp_version !== events[0]?.lhp_version);
    return mean('generation_time_seconds')(events) / mean('generation_time_seconds')(others);
  }),
  'p50 by size of the project': bySize(0.5),
  'p95 by size of the project': bySize(0.95),
  'Slowest projects: mean duration': grouped(
    (event) => event.project_id,
    mean('generation_time_seconds'),
  ),
  'Slowest projects: flowgroups a run': grouped(
    (event) => event.project_id,
    mean('flowgroups_count'),
  ),
  'Largest projects: flowgroups a run': grouped(
    (event) => event.project_id,
    mean('flowgroups_count'),
  ),
  Flowgroups: three(all('flowgroups_count')),
  'Flowgroups of a run over time': three(all('flowgroups_count')),
  'Flowgroups using templates': three(all('flowgroups_using_templates')),
  Templates: three(all('templates_count')),
  Pipelines: three(all('pipelines_count')),
  'Files written': three(all('files_generated')),
  'Share of flowgroups that use a template': one(
    'Share of flowgroups that use a template',
    sum(all('flowgroups_using_templates')) / sum(all('flowgroups_count')),
  ),
  'Projects by size': Object.fromEntries(sizes.map((size) => [size, 1])),
  'Lost runs by reason': { expired: 3, rejected: 2 },
};
