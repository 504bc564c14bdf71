// shared.ts: the parts that several dashboards have: columns and rows of tables, sizes of projects,
// and the text for a dashboard without data.
import type { Dialect } from './dialects.ts';
import { PROJECT_LINKS } from './links.ts';
import { FLOWGROUPS, newestStep, PROJECT, SHORT, STEP, short } from './queries.ts';
import type { Column, Key, Section, TableSpec } from './spec.ts';

/** One row for each project, named by the first eight digits of its id. */
export const perProjectTo = (
  dashboard: keyof typeof PROJECT_LINKS,
): Pick<TableSpec, 'keys' | 'hidden'> => ({
  keys: [{ label: SHORT, title: 'Project', width: 110, links: PROJECT_LINKS[dashboard] }],
  hidden: [PROJECT],
});

export const perProject = (column: Column): Column => ({ ...column, expr: short(column.expr) });

/** The mean of each project's runs in its newest step: a day of a month, a week of a year. */
export const newestMean = ({ mean }: Dialect, name: string, more = '') =>
  newestStep(mean({ name, range: STEP, by: PROJECT, more }));
const sizeOf = (dialect: Dialect) => newestMean(dialect, FLOWGROUPS);

/** Each size is four times the one before, from 50 flowgroups on. */
export const SIZES: Key = {
  label: 'size',
  title: 'Flowgroups',
  width: 130,
  texts: { '-1': 'below 50', '0': '50 to 199', '1': '200 to 799', '2': '800 and more' },
};
/** The class of a project's size, so that the size is asked only once. */
const sizeClass = (dialect: Dialect) => `clamp(floor(log2(${sizeOf(dialect)} / 50) / 2), -1, 2)`;
/** 1 for each project, with its size as a label. */
export const sizedProjects = (dialect: Dialect) =>
  `count_values by (${PROJECT}) ("size", ${sizeClass(dialect)})`;
/** The number of projects of each size. */
export const projectsBySize = (dialect: Dialect) => `count_values("size", ${sizeClass(dialect)})`;

const HELP = [
  'Each number is about the time range at the top right and the variables at the top left.',
  '',
  '- **No run anywhere?** Choose *Last 90 days*, and *All* in each variable.',
  '- **Still none?** Open the dashboard *lhp: telemetry health*. If it shows a gateway and no run,',
  '  no client has sent one: `lhp-otel doctor` on a client says why.',
  '- **Only one project?** A link from a table selects it in the variable *Project*.',
  '',
  'What is recorded, and what is not, is in',
  '[docs/metrics.md](https://github.com/lhp-otel/lhp-otel/blob/main/docs/metrics.md).',
].join('\n');

/** Closed, so that it takes one line while there is data. */
export const NO_DATA: Section = {
  title: 'No data, or not what you expect?',
  collapsed: true,
  lines: [
    { height: 7, panels: [{ kind: 'text', title: 'What to look at', width: 24, content: HELP }] },
  ],
};
