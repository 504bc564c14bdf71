// truth.ts: what a backend must answer when it has stored each run of a simulated fleet once.

import { flowgroupsOf, lhpVersion, machineOf, secondsOf } from '../../fleet/bodies.ts';
import type { SimulatedRun } from '../../fleet/machine.ts';
import type { Exactness } from '../../fleet/measured.ts';
import type { BackendName } from '../../fleet/options.ts';
import { POINT_SERIES } from '../../fleet/tally.ts';
import type { Asker } from '../../harness/asker.ts';

export interface Known {
  runs: readonly SimulatedRun[];
  /** Series of the runs and of their resources. */
  series: number;
  /** Days that the questions look back. */
  days: number;
}

const RUNS = 'lhp_generate_runs_total';

/** What makes a series of its own, in words: the labels of a run. */
const seriesOf = (run: SimulatedRun) =>
  [
    ...[machineOf(run), run.project, run.version, run.environment, run.dryRun, run.bundle],
    run.slot,
  ].join();

/** Questions with their answers, in the language of this backend. */
export function truth(
  { runs, series, days }: Known,
  backend: BackendName,
): [question: string, answer: number][] {
  const over = (name: string) => `sum(sum_over_time(${name}[${days}d]))`;
  const part = (name: string, of: 'count' | 'sum') =>
    backend === 'prometheus' ? `histogram_${of}(${over(name)})` : over(`${name}_${of}`);
  const distinct = (label: string) =>
    `count(count by (${label}) (count_over_time(${RUNS}[${days}d])))`;
  const values = (of: (run: SimulatedRun) => unknown) => new Set(runs.map(of)).size;
  const sum = (of: (run: SimulatedRun) => number) => runs.reduce((all, run) => all + of(run), 0);
  const allSeries =
    `${POINT_SERIES} * count(count_over_time(${RUNS}[${days}d])) + ` +
    `count(count_over_time(target_info[${days}d]))`;
  return [
    [over(RUNS), runs.length],
    [part('lhp_generate_duration_seconds', 'count'), runs.length],
    // Sums of seconds differ in the last bits by the order in which they were added.
    [`round(${part('lhp_generate_duration_seconds', 'sum')})`, Math.round(sum(secondsOf))],
    [part('lhp_project_flowgroups', 'sum'), sum(flowgroupsOf)],
    [distinct('lhp_machine_id'), values(machineOf)],
    [distinct('lhp_project_id'), values(({ project }) => project)],
    [
      `sum(sum_over_time(${RUNS}{lhp_ci="true"}[${days}d]))`,
      runs.filter(({ slot }) => slot !== undefined).length,
    ],
    [`count(count_over_time(${RUNS}[${days}d]))`, values(seriesOf)],
    // VictoriaMetrics has no target_info: all resource attributes are labels.
    ...(backend === 'prometheus' ? [[allSeries, series] as [string, number]] : []),
    ...Object.entries(Object.groupBy(runs, lhpVersion)).map(
      ([version, of = []]): [string, number] => [
        `sum(sum_over_time(${RUNS}{service_version="${version}"}[${days}d]))`,
        of.length,
      ],
    ),
  ];
}

/** Asks for all of it at a time, seconds since the epoch. */
export async function exactness(
  backend: Asker,
  questions: readonly [question: string, answer: number][],
  at: number,
): Promise<Exactness> {
  const result: Exactness = { right: 0, asked: questions.length, wrong: undefined };
  for (const [question, answer] of questions) {
    const given = await backend.value(question, at);
    if (given === answer) result.right += 1;
    else result.wrong ??= `${question} is ${given}, not ${answer}`;
  }
  return result;
}
