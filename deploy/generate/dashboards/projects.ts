// projects.ts: the dashboard "lhp: projects": how large projects are.
import type { Dialect } from './dialects.ts';
import { I, orZero, PROJECT, R } from './queries.ts';
import {
  type DashboardSpec,
  FEATURES,
  FILES,
  FLOWGROUPS,
  type PanelSpec,
  PIPELINES,
  quantiles,
  SCALE,
  sizeOf,
  sizes,
  TEMPLATED,
  TEMPLATES,
} from './spec.ts';

export function projects(dialect: Dialect): DashboardSpec {
  const { sum } = dialect;
  const spread = (name: string, title: string): PanelSpec => ({
    title,
    question: `${SCALE} Counted per run, so a project that runs often has more weight.`,
    kind: 'stat',
    queries: quantiles(dialect, { name, range: R }),
  });
  return {
    uid: 'lhp-projects',
    title: 'lhp: projects',
    panels: [
      spread(FLOWGROUPS, 'Flowgroups'),
      spread(TEMPLATED, 'Flowgroups using templates'),
      spread(TEMPLATES, 'Templates'),
      spread(PIPELINES, 'Pipelines'),
      spread(FILES, 'Files written'),
      {
        title: 'Share of flowgroups that use a template',
        question: FEATURES,
        kind: 'stat',
        unit: 'percentunit',
        queries: [
          {
            expr: `${sum({ name: TEMPLATED, range: R })} / ${sum({ name: FLOWGROUPS, range: R })}`,
          },
        ],
      },
      {
        title: 'Projects by size',
        question: SCALE,
        kind: 'share',
        queries: sizes(dialect).map(([legend, condition]) => ({
          expr: orZero(`count(${condition})`),
          legend,
        })),
      },
      {
        title: 'Largest projects: flowgroups a run',
        question: SCALE,
        kind: 'table',
        queries: [{ expr: `topk(10, ${sizeOf(dialect)})`, legend: `{{${PROJECT}}}` }],
      },
      {
        title: 'Flowgroups of a run over time',
        question: SCALE,
        kind: 'lines',
        queries: quantiles(dialect, { name: FLOWGROUPS, range: I }),
      },
    ],
  };
}
