// panels.ts: the expected answer of each panel of the dashboards about runs, computed from the runs
// by truth.ts.
import { DAY } from '../../scripts/harness/runs.ts';
import type { GenerateEvent } from '../../src/contract/contract.ts';
import { point, says } from './asks.ts';
import type { KnownRun } from './known-runs.ts';
import {
  type Asked,
  byNewest,
  columns,
  DRAWN_ZERO,
  distinct,
  each,
  flowgroups,
  groups,
  growth,
  inCi,
  machine,
  mean,
  median,
  type Name,
  newest,
  newestRuns,
  project,
  quantile,
  seconds,
  short,
  single,
  steps,
  sum,
  type Truth,
  times,
  version,
  writing,
} from './truth.ts';

const python: Name = (event) => event.python_version;
const templated = (event: GenerateEvent) => event.flowgroups_using_templates as number;
const count = (runs: readonly KnownRun[]) => runs.length;
const machines = (runs: readonly KnownRun[]) => distinct(runs, machine);
const projects = (runs: readonly KnownRun[]) => distinct(runs, project);
const shareOf = (runs: readonly KnownRun[], is: (event: GenerateEvent) => boolean) =>
  runs.filter(({ event }) => is(event)).length / runs.length;

const FLAGS: Record<string, (event: GenerateEvent) => boolean> = {
  CI: (event) => event.is_ci,
  'dry run': (event) => event.dry_run,
  bundle: (event) => event.bundle_enabled,
};

const mostUsed =
  (title: string, name: Name) =>
  ({ runs }: Asked): Truth => {
    const all = Object.entries(byNewest(runs, name) as Record<string, number>);
    const most = Math.max(...all.map(([, machines]) => machines));
    const first = all.filter(([, machines]) => machines === most);
    // Of several with the same number of machines, any one can be shown.
    const expected = first.length === 1 ? 1 : ([0, 1] as const);
    return Object.fromEntries(first.map(([value]) => [says(title, value), expected]));
  };

const machinesOverTime = (name: Name) => (of: Asked) =>
  steps(of, (runs) => each(runs, name, machines));

const USAGE: Record<string, (of: Asked) => Truth> = {
  Runs: single('Runs', ({ runs }) => runs.length),
  'Active machines': single('Active machines', ({ runs }) => machines(runs)),
  'Active projects': single('Active projects', ({ runs }) => projects(runs)),
  'Most used lhp version': mostUsed('Most used lhp version', version),
  'Of these in CI': single('Of these in CI', ({ runs }) => inCi(runs, true).length),
  'Most used Python version': mostUsed('Most used Python version', python),
  'Runs over time': (of) =>
    steps(of, (runs) => ({ local: inCi(runs, false).length, CI: inCi(runs, true).length })),
  'Active over time': (of) => {
    const none = of.runs.length === 0 ? 0 : DRAWN_ZERO;
    return steps(of, (runs) => ({
      machines: machines(runs) || none,
      projects: projects(runs) || none,
    }));
  },
  'Machines by lhp version': machinesOverTime(version),
  'Machines by Python version': machinesOverTime(python),
  'lhp versions in use': ({ runs }) =>
    columns({
      Machines: byNewest(runs, version),
      Projects: each(runs, version, projects),
      Runs: each(runs, version, count),
    }),
  'Python versions in use': ({ runs }) => columns({ Machines: byNewest(runs, python) }),
  'Features in use': ({ runs }) => {
    if (runs.length === 0) return {};
    const all = { ...FLAGS, templates: (event: GenerateEvent) => templated(event) > 0 };
    const shares = (
      of: typeof FLAGS,
      share: (is: (event: GenerateEvent) => boolean) => number,
    ): Truth => Object.fromEntries(Object.entries(of).map(([name, is]) => [name, share(is)]));
    return columns({
      'Of projects': shares(
        all,
        (is) => projects(runs.filter(({ event }) => is(event))) / projects(runs),
      ),
      'Of runs': shares(all, (is) => shareOf(runs, is)),
    });
  },
  Environments: ({ runs }) => columns({ Runs: each(runs, (event) => event.environment, count) }),
  'Projects, the busiest first': (of) =>
    columns({
      Runs: each(of.runs, short, count),
      'In CI': each(of.runs, short, (runs) => inCi(runs, true).length),
      Machines: each(of.runs, short, machines),
      'Newest run': newest(of, short),
    }),
};

const ENOUGH_RUNS = 10;

const forHundred = (runs: readonly KnownRun[]) => {
  const all = writing(runs);
  return all.length === 0 ? undefined : (100 * sum(all, seconds)) / sum(all, flowgroups);
};

/** What a version is compared with: other versions of the same project, both in CI or both not. */
const SAME: Name = (event) => `${event.project_id} ${event.is_ci}`;

/** For each project (in CI and outside) with this version and others: how much longer it takes. */
function comparisons(runs: readonly KnownRun[], own: string): { id: string; factor: number }[] {
  return groups(writing(runs), SAME).flatMap(([, same]) => {
    const mine = same.filter(({ event }) => event.lhp_version === own);
    const others = same.filter(({ event }) => event.lhp_version !== own);
    if (Math.min(mine.length, others.length) < ENOUGH_RUNS) return [];
    const id = (mine[0] as KnownRun).event.project_id;
    return [{ id, factor: mean(mine, seconds) / mean(others, seconds) }];
  });
}

const compared = ({ runs }: Asked): Truth =>
  each(runs, version, (_, own) => {
    const factors = comparisons(runs, own).map(({ factor }) => factor);
    return factors.length === 0 ? undefined : median(factors);
  });

/** Each project has a size of its own, by its newest runs. */
const sizeOf = (of: Asked): Name => {
  const mine = new Map(
    groups(newestRuns(of), project).map(([id, own]) => [id, mean(own, flowgroups)]),
  );
  return (event) => {
    const size = mine.get(project(event)) as number;
    return String(Math.min(2, Math.max(-1, Math.floor(Math.log2(size / 50) / 2))));
  };
};

const PERFORMANCE: Record<string, (of: Asked) => Truth> = {
  'Median run': single('Median run', (of) => quantile(of.runs, 0.5, seconds, of)),
  '95 of 100 runs within': single('95 of 100 runs within', (of) =>
    quantile(of.runs, 0.95, seconds, of),
  ),
  'Time people waited': single('Time people waited', ({ runs }) => {
    const people = inCi(runs, false);
    return people.length === 0 ? undefined : sum(people, seconds);
  }),
  'Time CI took': single('Time CI took', ({ runs }) => {
    const ci = inCi(runs, true);
    return ci.length === 0 ? undefined : sum(ci, seconds);
  }),
  'Slowest project, p95': single('Slowest project, p95', (of) => {
    const slowest = Object.values(
      each(of.runs, short, (runs) => quantile(runs, 0.95, seconds, of)),
    );
    const [least, most] = [0, 1].map((end) =>
      Math.max(...slowest.map((range) => (range as [number, number])[end] as number)),
    );
    return [least as number, most as number];
  }),
  'Slowest lhp version': single('Slowest lhp version', (of) => {
    const factors = Object.values(compared(of)) as number[];
    return factors.length === 0 ? undefined : Math.max(...factors);
  }),
  'Duration over time': (of) =>
    steps(of, (runs) =>
      runs.length === 0
        ? {}
        : {
            p50: quantile(runs, 0.5, seconds, of),
            p95: quantile(runs, 0.95, seconds, of),
          },
    ),
  'Time for 100 flowgroups by lhp version': (of) =>
    steps(of, (runs) =>
      each(runs, version, (own) =>
        writing(own).length < ENOUGH_RUNS ? undefined : forHundred(own),
      ),
    ),
  'lhp versions, compared': (of) =>
    columns({
      'Projects compared': each(of.runs, version, (_, own) => {
        const ids = comparisons(of.runs, own).map(({ id }) => id);
        return ids.length === 0 ? undefined : new Set(ids).size;
      }),
      'Against other versions': compared(of),
    }),
  'By size of the project': (of) => {
    const sized = new Set(newestRuns(of).map(({ event }) => project(event)));
    const runs = of.runs.filter(({ event }) => sized.has(project(event)));
    return columns({
      'Mean run': each(runs, sizeOf(of), (own) => median(meansIn(own, seconds))),
    });
  },
  'Where the time goes': (of) =>
    columns({
      'People waited': each(inCi(of.runs, false), short, (runs) => sum(runs, seconds)),
      'CI took': each(inCi(of.runs, true), short, (runs) => sum(runs, seconds)),
      p95: each(of.runs, short, (runs) => quantile(runs, 0.95, seconds, of)),
      'For 100': each(of.runs, short, forHundred),
    }),
};

const meansIn = (runs: readonly KnownRun[], pick: (event: GenerateEvent) => number): number[] =>
  Object.values(each(runs, project, (own) => mean(own, pick))) as number[];
const sizes = (of: Asked) => meansIn(newestRuns(of), flowgroups);
const added = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
const meansOf = (of: Asked, pick: (event: GenerateEvent) => number): Truth =>
  each(newestRuns(of), short, (runs) => mean(runs, pick));

const PROJECTS: Record<string, (of: Asked) => Truth> = {
  Projects: single('Projects', (of) => projects(newestRuns(of))),
  'Flowgroups, all projects': single('Flowgroups, all projects', (of) => added(sizes(of))),
  'Median project': single('Median project', (of) => median(sizes(of))),
  'Largest project': single('Largest project', (of) => Math.max(...sizes(of))),
  'From templates': single(
    'From templates',
    (of) => added(meansIn(newestRuns(of), templated)) / added(sizes(of)),
  ),
  'Files written': single('Files written', ({ runs }) =>
    sum(runs, (event) => event.files_generated as number),
  ),
  'Projects by size': (of) => columns({ Projects: each(newestRuns(of), sizeOf(of), projects) }),
  'Flowgroups of all projects': (of) =>
    Object.fromEntries(
      times(of.situation).flatMap((time) => {
        const end = time * 1_000;
        const runs = of.all.filter(({ at }) => at > end - 7 * DAY && at <= end);
        return runs.length === 0
          ? []
          : [[point('flowgroups', time), added(meansIn(runs, flowgroups))]];
      }),
    ),
  'The largest projects': (of) => {
    const shown = new Set(newestRuns(of).map(({ event }) => project(event)));
    return steps(of, (runs) =>
      each(
        runs.filter(({ event }) => shown.has(project(event))),
        short,
        (own) => mean(own, flowgroups),
      ),
    );
  },
  Growth: (of) => columns({ 'Flowgroups a week': growth(of) }),
  'Every project': (of) =>
    columns({
      Flowgroups: meansOf(of, flowgroups),
      'Using templates': meansOf(of, templated),
      Files: each(newestRuns(of, writing), short, (runs) =>
        mean(runs, (event) => event.files_generated as number),
      ),
    }),
  'Pipelines and templates': (of) =>
    columns({
      Pipelines: meansOf(of, (event) => event.pipelines_count as number),
      Templates: meansOf(of, (event) => event.templates_count as number),
    }),
};

/** Dashboard and panel → what it must show. */
export const ANSWERS: Record<string, Record<string, (of: Asked) => Truth>> = {
  'lhp-usage': USAGE,
  'lhp-performance': PERFORMANCE,
  'lhp-projects': PROJECTS,
};
