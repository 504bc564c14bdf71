// dashboards.ts: puts the panels of each dashboard on Grafana's grid, adds variables, links and
// annotations, and writes the JSON, once per dialect. files.ts writes the result; the compose files
// provision it.
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { DIALECTS, type Dialect } from './dialects.ts';
import { healthDashboard } from './health.ts';
import { type IdOf, panel, SOURCE } from './panels.ts';
import { performance } from './performance.ts';
import { projects } from './projects.ts';
import { PROJECT, RUNS, seen, series, VARIABLES, VERSION } from './queries.ts';
import type { DashboardSpec, Section } from './spec.ts';
import { usage } from './usage.ts';

const TAG = 'lhp';
const PAGE = 'https://github.com/lhp-otel/lhp-otel/blob/main/docs/metrics.md';
const LABELS: Record<keyof typeof VARIABLES, string> = {
  environment: 'Environment',
  version: 'lhp version',
  ci: 'CI',
  project: 'Project',
};
/** Shows the first eight digits of a project's id and selects by all of them. */
const SHORT_NAMES = '/^(?<value>(?<text>[0-9a-f]{8})[0-9a-f]{56})$/';

/** The dashboards about runs; health.ts has the one about the telemetry itself. */
export const runDashboards = (dialect: Dialect): readonly DashboardSpec[] => [
  usage(dialect),
  performance(dialect),
  projects(dialect),
];

export const dashboards = (dialect: Dialect): readonly DashboardSpec[] => [
  ...runDashboards(dialect),
  healthDashboard(dialect),
];

const isHealth = ({ uid }: DashboardSpec) => uid === 'lhp-health';
/** Its file's name, without the ending. */
const nameOf = ({ uid }: DashboardSpec) => uid.replace('lhp-', '');

function variable(name: keyof typeof VARIABLES) {
  const key = VARIABLES[name];
  const builder = new dashboard.QueryVariableBuilder(name)
    .label(LABELS[name])
    .query(`label_values(${series(RUNS)}, ${key})`)
    .datasource(SOURCE)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' })
    .sort(
      key === VERSION ? dashboard.VariableSort.NaturalDesc : dashboard.VariableSort.AlphabeticalAsc,
    );
  return key === PROJECT ? builder.regex(SHORT_NAMES) : builder;
}

/** The end of each day with a run, by version. */
const DAYS = `0 * ${seen(VERSION, '1d', `${VERSION}!="other"`)} + time()`;

/**
 * The days, by their beginning, on which a version ran for the first time, or again after a
 * quarter: of the 90 days up to the end of the next one, no earlier one has a run of it.
 */
export const RELEASES = `min_over_time((${DAYS})[90d:1d] offset -1d) > time()`;

const releases = () =>
  new dashboard.AnnotationQueryBuilder()
    .name('lhp releases')
    .datasource(SOURCE)
    .enable(true)
    .iconColor('purple')
    .step('1d')
    .expr(RELEASES)
    .titleFormat(`first run of lhp {{${VERSION}}}`);

const alerts = () =>
  new dashboard.AnnotationQueryBuilder()
    .name('Alerts')
    .datasource(SOURCE)
    .enable(true)
    .iconColor('red')
    .step('60s')
    .expr('ALERTS{alertstate="firing", alertname=~"Lhp.*"}')
    .titleFormat('{{alertname}}');

const links = () => [
  new dashboard.DashboardLinkBuilder('lhp dashboards')
    .type(dashboard.DashboardLinkType.Dashboards)
    .tags([TAG])
    .includeVars(true)
    .keepTime(true),
  new dashboard.DashboardLinkBuilder('What is collected')
    .type(dashboard.DashboardLinkType.Link)
    .icon('doc')
    .url(PAGE)
    .targetBlank(true),
];

/** Places the panels of each line side by side, and the lines one below the other. */
function placed(sections: readonly Section[]): (dashboard.Panel | dashboard.RowPanel)[] {
  const titles = sections
    .flatMap(({ lines }) => lines)
    .flatMap(({ panels }) => panels.map(({ title }) => title));
  const idOf: IdOf = (title) => {
    if (!titles.includes(title)) throw new Error(`the dashboard has no panel ${title}`);
    return titles.indexOf(title) + 1;
  };
  let y = 0;
  return sections.flatMap(({ title, collapsed = false, lines }, index) => {
    const row = new dashboard.RowBuilder(title ?? '')
      .id(titles.length + 1 + index)
      .collapsed(collapsed)
      .gridPos({ x: 0, y, w: 24, h: 1 })
      .build();
    if (title !== undefined) y += 1;
    const panels = lines.flatMap((line) => {
      let x = 0;
      const side = line.panels.map((one) => {
        const gridPos = { x, y, w: one.width, h: line.height };
        x += one.width;
        return { ...panel(one, idOf), id: idOf(one.title), gridPos };
      });
      y += line.height;
      return side;
    });
    if (title === undefined) return panels;
    if (!collapsed) return [row, ...panels];
    y = row.gridPos ? row.gridPos.y + 1 : y;
    return [{ ...row, panels }];
  });
}

function json(spec: DashboardSpec): string {
  const builder = new dashboard.DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(
      `${spec.about} Made from deploy/generate/dashboards/${nameOf(spec)}.ts by npm run ` +
        'generate. Do not edit the JSON.',
    )
    .tags([TAG, 'opentelemetry'])
    .time({ from: spec.from, to: 'now' })
    .timezone('browser')
    .refresh('5m')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .readonly()
    .links(links())
    .annotation(isHealth(spec) ? alerts() : releases())
    .withVariable(
      new dashboard.DatasourceVariableBuilder('datasource').type('prometheus').label('Data source'),
    );
  if (!isHealth(spec))
    for (const name of Object.keys(VARIABLES) as (keyof typeof VARIABLES)[])
      builder.withVariable(variable(name));
  return `${JSON.stringify({ ...builder.build(), panels: placed(spec.sections) }, null, 2)}\n`;
}

/** Path in the repository → text of the file. */
export const dashboardFiles = (): Record<string, string> =>
  Object.fromEntries(
    DIALECTS.flatMap((dialect) =>
      dashboards(dialect).map((spec) => [`${dialect.folder}/${nameOf(spec)}.json`, json(spec)]),
    ),
  );
