// asks.ts: asks the queries of a panel as Grafana does, and gives what the panel shows as numbers
// with names. It is compared with the truth in panels.ts.
import { VERSION } from '../../deploy/generate/dashboards/queries.ts';
import {
  asksOverTime,
  type PanelSpec,
  type SeriesSpec,
  type StatSpec,
  type TableSpec,
} from '../../deploy/generate/dashboards/spec.ts';
import type { Asker } from '../../scripts/harness/asker.ts';
import { DAY } from '../../scripts/harness/runs.ts';
import { aligned } from '../../scripts/pictures/page/queries.ts';
import { asRegex } from '../../scripts/pictures/variables.ts';
import type { Situation } from './known-runs.ts';

/**
 * Name → number. The number of a table's cell is named by row and column, one of a series by its
 * legend and its time.
 */
export type Answer = Record<string, number>;

export const cell = (row: string, column: string) => `${row} | ${column}`;
export const point = (legend: string, seconds: number) => `${legend} @ ${seconds}`;

/** A query without Grafana's variables. */
export function filled(expr: string, { from, to, step, chosen }: Situation): string {
  const values: Record<string, string> = {
    __range: `${Math.round((to - from) / 1_000)}s`,
    __interval: `${step / 1_000}s`,
    __rate_interval: '10s',
    ...Object.fromEntries(
      (['environment', 'version', 'ci', 'project'] as const).map((name) => [
        name,
        chosen[name] ? asRegex(chosen[name]) : '.*',
      ]),
    ),
  };
  return expr.replace(/\$(\w+)/g, (whole, name: string) => values[name] ?? whole);
}

const labelled = (legend: string, metric: Record<string, string>) =>
  legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '');

/** What a panel shows in this situation; `panels` are those of its dashboard. */
export async function shown(
  stack: Asker,
  spec: PanelSpec,
  panels: readonly PanelSpec[],
  situation: Situation,
): Promise<Answer> {
  if (asksOverTime(spec)) return overTime(stack, spec as SeriesSpec, situation);
  if (spec.kind === 'table') return table(stack, spec, situation);
  if (spec.kind === 'stat' && spec.shared) return shared(stack, spec, panels, situation);
  const answer: Answer = {};
  for (const { expr, legend = spec.title } of spec.queries)
    for (const { metric, value } of await stack.query(
      filled(expr, situation),
      situation.to / 1_000,
    ))
      answer[labelled(legend, metric)] = Number(value?.[1]);
  return answer;
}

async function overTime(stack: Asker, spec: SeriesSpec, situation: Situation): Promise<Answer> {
  const step = situation.step / 1_000;
  const answer: Answer = {};
  for (const { expr, legend = spec.title } of spec.queries) {
    const over = { ...aligned(situation, step), step };
    // A chart has a gap where there is no number.
    for (const { metric, values } of await stack.series(filled(expr, situation), over))
      for (const [seconds, value] of values)
        if (Number.isFinite(Number(value)))
          answer[point(labelled(legend, metric), seconds)] = Number(value);
  }
  return answer;
}

/**
 * The days on which the annotation of releases marks a version.
 *
 * @param zone - How long after midnight UTC the days begin: Grafana takes those of the user's zone.
 */
export async function marks(
  stack: Asker,
  expr: string,
  { from, to }: Pick<Situation, 'from' | 'to'>,
  zone = 0,
): Promise<Answer> {
  const step = DAY / 1_000;
  const { start, end } = aligned({ from, to }, step);
  const days = { start: start + zone / 1_000, end: end + zone / 1_000, step };
  const answer: Answer = {};
  for (const { metric, values } of await stack.series(expr, days))
    for (const [seconds] of values) answer[point(metric[VERSION] ?? '', seconds)] = 0;
  return answer;
}

async function table(stack: Asker, spec: TableSpec, situation: Situation): Promise<Answer> {
  const answer: Answer = {};
  for (const { title, expr } of spec.columns)
    for (const { metric, value } of await stack.query(
      filled(expr, situation),
      situation.to / 1_000,
    )) {
      const row = spec.keys.map(({ label }) => metric[label] ?? '').join(' ');
      const name = cell(row, title);
      if (name in answer) throw new Error(`${spec.title} has two values of ${name}`);
      answer[name] = Number(value?.[1]);
    }
  return answer;
}

/** A text that a stat shows is a part of the number's name. */
export const says = (title: string, text: string) => `${title}: ${text}`;

const CALCS: Record<string, (numbers: number[]) => number> = {
  sum: (numbers) => numbers.reduce((sum, one) => sum + one, 0),
  count: (numbers) => numbers.length,
  max: (numbers) => Math.max(...numbers),
  median: (numbers) => {
    const sorted = [...numbers].sort((a, b) => a - b);
    const middle = (sorted.length - 1) / 2;
    const [low = 0, high = 0] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
    return (low + high) / 2;
  },
  lastNotNull: (numbers) => numbers.at(-1) as number,
};

/** A table has the rows in the order of the first column's answer. */
const firstColumn = (stack: Asker, { columns }: TableSpec, situation: Situation) =>
  stack.query(filled(columns[0]?.expr ?? '', situation), situation.to / 1_000);

/** A number made of what another panel shows. */
async function shared(
  stack: Asker,
  spec: StatSpec,
  panels: readonly PanelSpec[],
  situation: Situation,
): Promise<Answer> {
  const { panel, field, calc } = spec.shared as NonNullable<StatSpec['shared']>;
  const source = panels.find(({ title }) => title === panel);
  if (source === undefined) throw new Error(`${spec.title}: there is no panel ${panel}`);
  const key = source.kind === 'table' && source.keys.find(({ title }) => title === field);
  if (key) {
    const [first] = await firstColumn(stack, source, situation);
    return first === undefined ? {} : { [says(spec.title, first.metric[key.label] ?? '')]: 1 };
  }
  const all = await shown(stack, source, panels, situation);
  const numbers = Object.entries(all)
    .filter(([name]) => (source.kind === 'table' ? name.endsWith(cell('', field)) : name === field))
    .map(([, value]) => value)
    .filter(Number.isFinite);
  const apply = CALCS[calc];
  if (apply === undefined) throw new Error(`${spec.title}: ${calc} is not known here`);
  return numbers.length === 0 ? {} : { [spec.title]: apply(numbers) };
}
