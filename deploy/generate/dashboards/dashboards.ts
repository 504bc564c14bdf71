// dashboards.ts: turns the dashboards of this folder into Grafana's JSON with Grafana's own
// builders, once per dialect. files.ts writes the result; the compose files provision it.
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { DIALECTS, type Dialect } from './dialects.ts';
import { healthDashboard } from './health.ts';
import { performance } from './performance.ts';
import { projects } from './projects.ts';
import { series, VARIABLES } from './queries.ts';
import type { DashboardSpec, PanelSpec } from './spec.ts';
import { usage } from './usage.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable
const SOURCE = { type: 'prometheus', uid: '${datasource}' };
/** Smallest step. A run is a single point, so shorter steps would mostly be empty. */
const STEP = '1h';
const WIDTHS = { stat: 4, share: 8, table: 12, bars: 12, lines: 12 };
const HEIGHTS = { stat: 5, share: 8, table: 8, bars: 8, lines: 8 };

function panel(spec: PanelSpec, i: number) {
  const builder = {
    stat: () => new stat.PanelBuilder(),
    share: () => new bargauge.PanelBuilder().orientation(common.VizOrientation.Horizontal),
    table: () => new bargauge.PanelBuilder().orientation(common.VizOrientation.Horizontal),
    bars: () =>
      new timeseries.PanelBuilder()
        .drawStyle(common.GraphDrawStyle.Bars)
        .fillOpacity(80)
        .stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal)),
    lines: () => new timeseries.PanelBuilder().showPoints(common.VisibilityMode.Always),
  }[spec.kind]();
  const hourly = spec.queries.some(({ expr }) => expr.includes('$__interval'));
  builder
    .id(i + 1)
    .title(spec.title)
    .description(spec.question)
    .datasource(SOURCE)
    .unit(spec.unit ?? 'short')
    .span(spec.queries.length > 2 && spec.kind === 'stat' ? 8 : WIDTHS[spec.kind])
    .height(HEIGHTS[spec.kind]);
  if (hourly) builder.interval(STEP);
  spec.queries.forEach(({ expr, legend }, q) => {
    const query = new prometheus.DataqueryBuilder()
      .expr(expr)
      .refId(String.fromCharCode(65 + q))
      .legendFormat(legend ?? spec.title);
    builder.withTarget(
      spec.kind === 'bars' || spec.kind === 'lines' ? query.range() : query.instant(),
    );
  });
  return builder;
}

/** Its file's name, without the ending. */
const nameOf = ({ uid }: DashboardSpec) => uid.replace('lhp-', '');

function json(spec: DashboardSpec): string {
  const builder = new dashboard.DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(
      `Made from deploy/generate/dashboards/${nameOf(spec)}.ts by npm run generate. ` +
        'Do not edit the JSON.',
    )
    .tags(['lhp', 'opentelemetry'])
    .time({ from: 'now-30d', to: 'now' })
    .timezone('browser')
    .refresh('5m')
    .readonly()
    .withVariable(
      new dashboard.DatasourceVariableBuilder('datasource').type('prometheus').label('Data source'),
    );
  for (const [name, key] of Object.entries(VARIABLES))
    builder.withVariable(
      new dashboard.QueryVariableBuilder(name)
        .query(`label_values(${series('lhp.generate.runs')}, ${key})`)
        .datasource(SOURCE)
        .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.*')
        .current({ text: 'All', value: '$__all' }),
    );
  spec.panels.forEach((one, i) => {
    builder.withPanel(panel(one, i));
  });
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

/** The dashboards about runs; health.ts has the one about the telemetry itself. */
const runDashboards = (dialect: Dialect): readonly DashboardSpec[] => [
  usage,
  performance(dialect),
  projects(dialect),
];

export const dashboards = (dialect: Dialect): readonly DashboardSpec[] => [
  ...runDashboards(dialect),
  healthDashboard(dialect),
];

/** Path in the repository → text of the file. */
export const dashboardFiles = (): Record<string, string> =>
  Object.fromEntries(
    DIALECTS.flatMap((dialect) =>
      dashboards(dialect).map((spec) => [`${dialect.folder}/${nameOf(spec)}.json`, json(spec)]),
    ),
  );
