// projects.ts: the dashboard "lhp: projects": how large projects are, and how they grow. Each
// project counts once, by its newest runs, however often it runs.
import type { Dialect } from './dialects.ts';
import {
  DRY,
  FILES,
  FLOWGROUPS,
  newestStep,
  PIPELINES,
  PROJECT,
  R,
  SHORT,
  STEP,
  short,
  TEMPLATED,
  TEMPLATES,
  where,
} from './queries.ts';
import { NO_DATA, newestMean, perProject, perProjectTo, projectsBySize, SIZES } from './shared.ts';
import {
  COUNT,
  type DashboardSpec,
  dashboardSpec,
  FEATURES,
  type Line,
  type PanelSpec,
  POINTS,
  SCALE,
  series,
  sharedStat,
  stat,
  table,
} from './spec.ts';

const EVERY = 'Every project';
const WEEK_SECONDS = 604_800;
const LARGEST = 6;
const ONCE =
  'Each project counts once, by the mean of its runs in its newest step: the last hour with runs ' +
  'for a day, the last day for a month and the last week for a year.';
const ALONE = 'With one project chosen, it is the size of that project.';

function totals(dialect: Dialect): Line {
  const all = (name: string) => `sum(${newestMean(dialect, name)})`;
  const flowgroups = { panel: EVERY, field: 'Flowgroups' };
  return {
    height: 4,
    panels: [
      sharedStat({
        ...{ title: 'Projects', question: SCALE, width: 4, ...COUNT, empty: '0' },
        what: 'Projects with at least one run of which the flowgroups are known.',
        shared: { ...flowgroups, calc: 'count' },
      }),
      sharedStat({
        ...{ title: 'Flowgroups, all projects', question: SCALE, width: 4, ...COUNT },
        what: `The flowgroups of all projects, added up. ${ONCE} ${ALONE}`,
        shared: { ...flowgroups, calc: 'sum' },
      }),
      sharedStat({
        ...{ title: 'Median project', question: SCALE, width: 4, ...COUNT },
        what: `Half of the projects have more flowgroups. ${ONCE} ${ALONE}`,
        shared: { ...flowgroups, calc: 'median' },
      }),
      sharedStat({
        ...{ title: 'Largest project', question: SCALE, width: 4, ...COUNT },
        what:
          'Flowgroups of the largest project: what lhp must be able to cope with. ' +
          `${ONCE} ${ALONE}`,
        shared: { ...flowgroups, calc: 'max' },
      }),
      stat({
        ...{ title: 'From templates', question: FEATURES, width: 4 },
        ...{ unit: 'percentunit', decimals: 0, points: POINTS },
        what: `Share of all flowgroups that use a template. ${ONCE}`,
        expr: `${all(TEMPLATED)} / ${all(FLOWGROUPS)}`,
      }),
      stat({
        ...{ title: 'Files written', question: SCALE, width: 4, ...COUNT },
        what: 'Python files that all runs of the time range wrote together.',
        expr: dialect.sum({ name: FILES, range: R }),
      }),
    ],
  };
}

function growth(dialect: Dialect): Line {
  const sizes = (range: string) => dialect.mean({ name: FLOWGROUPS, range, by: PROJECT });
  return {
    height: 8,
    panels: [
      table({
        ...{ title: 'Projects by size', question: SCALE, width: 6 },
        what: `The number of projects of each size, in flowgroups. ${ONCE}`,
        keys: [SIZES],
        columns: [{ title: 'Projects', expr: projectsBySize(dialect), ...COUNT, bar: true }],
        sort: { column: 'Flowgroups', desc: false },
      }),
      series({
        ...{ title: 'Flowgroups of all projects', question: SCALE, width: 8, ...COUNT },
        what:
          'At each time, of all projects that ran in the 7 days before; the first 7 days with ' +
          'data rise for this reason, and a project that has not run for 7 days is not in it. ' +
          'Multiply its growth by the time for 100 flowgroups to plan.',
        draw: 'lines',
        calcs: ['lastNotNull'],
        colors: { flowgroups: 'blue' },
        queries: [{ expr: `sum(${sizes('7d')})`, legend: 'flowgroups' }],
      }),
      series({
        ...{ title: 'The largest projects', question: SCALE, width: 10, ...COUNT },
        what:
          `The ${LARGEST} projects that are the largest by their newest step. Each point is the ` +
          'mean of the runs in a step. They are the same projects at every time.',
        draw: 'lines',
        calcs: ['lastNotNull'],
        queries: [
          {
            expr: short(
              `${sizes(STEP)} and on (${PROJECT}) ` +
                `topk(${LARGEST}, ${newestStep(sizes(STEP), ' @ end()')})`,
            ),
            legend: `{{${SHORT}}}`,
          },
        ],
      }),
    ],
  };
}

function growing({ mean }: Dialect): PanelSpec {
  const ofDay = mean({ name: FLOWGROUPS, range: '1d', by: PROJECT });
  return table({
    ...{ title: 'Growth', question: SCALE, width: 7, ...perProjectTo('performance') },
    what:
      'Flowgroups that a project gains or loses in a week, by a straight line through the daily ' +
      'means of the four weeks before the end of the time range. No value with a single day.',
    columns: [
      {
        ...{ title: 'Flowgroups a week', unit: 'none', decimals: 1 },
        expr: short(`${WEEK_SECONDS} * deriv((${ofDay})[28d:1d])`),
      },
    ],
    sort: { column: 'Flowgroups a week', desc: true },
  });
}

function every(dialect: Dialect): Line {
  const of = (name: string, more = '') => newestMean(dialect, name, more);
  return {
    height: 14,
    panels: [
      table({
        ...{ title: EVERY, question: SCALE, width: 17, ...perProjectTo('performance') },
        what:
          'The mean of the runs of each project in its newest step: the last hour with runs for ' +
          'a day, the last day for a month and the last week for a year. Files: of runs that are ' +
          'not dry runs. A click on a project opens its performance.',
        columns: [
          { title: 'Flowgroups', expr: of(FLOWGROUPS), ...COUNT, bar: true },
          { title: 'Using templates', expr: of(TEMPLATED), ...COUNT, width: 140 },
          { title: 'Files', expr: of(FILES, where(DRY, 'false')), ...COUNT, width: 100 },
        ].map(perProject),
        sort: { column: 'Flowgroups', desc: true },
      }),
      growing(dialect),
    ],
  };
}

/** In a closed row: each column of {@link every} makes that table slower for large fleets. */
function parts(dialect: Dialect): Line {
  return {
    height: 10,
    panels: [
      table({
        ...{ title: 'Pipelines and templates', question: SCALE, width: 17 },
        ...perProjectTo('performance'),
        what: `Of each project. ${ONCE}`,
        columns: [
          { title: 'Pipelines', expr: newestMean(dialect, PIPELINES), ...COUNT, bar: true },
          { title: 'Templates', expr: newestMean(dialect, TEMPLATES), ...COUNT, width: 140 },
        ].map(perProject),
        sort: { column: 'Pipelines', desc: true },
      }),
    ],
  };
}

export const projects = (dialect: Dialect): DashboardSpec =>
  dashboardSpec({
    uid: 'lhp-projects',
    title: 'lhp: projects',
    about: 'How large are projects, and how do they grow?',
    from: 'now-30d',
    sections: [
      { lines: [totals(dialect), growth(dialect)] },
      { title: 'Which projects are large, and which grow?', lines: [every(dialect)] },
      {
        title: 'How many pipelines and templates has each project?',
        collapsed: true,
        lines: [parts(dialect)],
      },
      NO_DATA,
    ],
  });
