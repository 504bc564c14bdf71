// performance.ts: the dashboard "lhp: performance": how long runs take, by version and by size of
// the project.
import type { Dialect, Histograms } from './dialects.ts';
import { I, PROJECT, R, VERSION } from './queries.ts';
import {
  type DashboardSpec,
  DURATION,
  FILES,
  type PanelSpec,
  type Query,
  quantiles,
  SCALE,
  SPEED,
  sizeOf,
  sizes,
} from './spec.ts';

const seconds: Histograms = { name: DURATION, range: R };
const byVersion: Histograms = { ...seconds, by: VERSION };
const byProject: Histograms = { ...seconds, by: PROJECT };

const overall = (dialect: Dialect): PanelSpec[] => [
  {
    title: 'Duration',
    question: SPEED,
    kind: 'stat',
    unit: 's',
    queries: quantiles(dialect, seconds),
  },
  {
    title: 'Files a second',
    question: SPEED,
    kind: 'stat',
    queries: [{ expr: `${dialect.sum({ name: FILES, range: R })} / ${dialect.sum(seconds)}` }],
  },
  {
    title: 'Duration over time',
    question: SPEED,
    kind: 'lines',
    unit: 's',
    queries: quantiles(dialect, { name: DURATION, range: I }),
  },
];

function perVersion({ quantile, sum, count, mean }: Dialect): PanelSpec[] {
  const others = (what: Dialect['sum']) => `(scalar(${what(seconds)}) - ${what(byVersion)})`;
  return [
    {
      title: 'p95 by lhp version',
      question: SPEED,
      kind: 'table',
      unit: 's',
      queries: [{ expr: quantile(0.95, byVersion), legend: `{{${VERSION}}}` }],
    },
    {
      title: 'Mean duration of a version against all others',
      question:
        `${SPEED} A value above 1 is slower than the other versions. Compare projects of the ` +
        'same size before you call it a regression.',
      kind: 'table',
      queries: [
        {
          expr: `${mean(byVersion)} / (${others(sum)} / ${others(count)})`,
          legend: `{{${VERSION}}}`,
        },
      ],
    },
  ];
}

function perSize(dialect: Dialect): PanelSpec[] {
  const bySize = (q: number): Query[] =>
    sizes(dialect).map(([legend, condition]) => ({
      expr: dialect.quantile(q, byProject, condition),
      legend,
    }));
  const slowest = `topk(10, ${dialect.mean(byProject)})`;
  return [
    {
      title: 'p50 by size of the project',
      question: SPEED,
      kind: 'table',
      unit: 's',
      queries: bySize(0.5),
    },
    {
      title: 'p95 by size of the project',
      question: SPEED,
      kind: 'table',
      unit: 's',
      queries: bySize(0.95),
    },
    {
      title: 'Slowest projects: mean duration',
      question: SPEED,
      kind: 'table',
      unit: 's',
      queries: [{ expr: slowest, legend: `{{${PROJECT}}}` }],
    },
    {
      title: 'Slowest projects: flowgroups a run',
      question: SCALE,
      kind: 'table',
      queries: [
        { expr: `${sizeOf(dialect)} and on (${PROJECT}) ${slowest}`, legend: `{{${PROJECT}}}` },
      ],
    },
  ];
}

export const performance = (dialect: Dialect): DashboardSpec => ({
  uid: 'lhp-performance',
  title: 'lhp: performance',
  panels: [...overall(dialect), ...perVersion(dialect), ...perSize(dialect)],
});
