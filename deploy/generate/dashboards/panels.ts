// panels.ts: turns a panel's description (spec.ts) into Grafana's, with Grafana's own builders.
// What Grafana would fill in by itself is said here, because its own defaults mislead: red from 80
// on, no legend, and bars that start at the smallest value.
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as datasource from '@grafana/grafana-foundation-sdk/datasource';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as text from '@grafana/grafana-foundation-sdk/text';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import {
  asksOverTime,
  type PanelSpec,
  type SeriesSpec,
  type StatSpec,
  type TableSpec,
  type TextSpec,
} from './spec.ts';
import { NEUTRAL, thresholds } from './style.ts';
import { tablePanel } from './tables.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable
export const SOURCE = { type: 'prometheus', uid: '${datasource}' };
/** Takes what another panel of the dashboard has asked. */
const OTHER_PANEL = { type: 'datasource', uid: '-- Dashboard --' };
const DAY_MS = 24 * 3_600_000;
/** A line that connects the days before and after a weekend. */
const SPAN_MS = 4 * DAY_MS;

const legend = (calcs: string[]) =>
  new common.VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(common.LegendDisplayMode.List)
    .placement(common.LegendPlacement.Bottom)
    .calcs(calcs);

const tooltip = () =>
  new common.VizTooltipOptionsBuilder()
    .mode(common.TooltipDisplayMode.Multi)
    .sort(common.SortOrder.Descending);

const reduced = (calc: string, fields = '') =>
  new common.ReduceDataOptionsBuilder().values(false).calcs([calc]).fields(fields);

/** The id of the panel with this title. */
export type IdOf = (title: string) => number;

function statPanel(spec: StatSpec, idOf: IdOf) {
  const { shared, steps, unit, decimals, points } = spec;
  const builder = new stat.PanelBuilder()
    .unit(unit)
    .decimals(decimals)
    .thresholds(thresholds(steps ?? NEUTRAL))
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(steps === undefined ? common.BigValueColorMode.None : common.BigValueColorMode.Value)
    .textMode(common.BigValueTextMode.Value)
    .reduceOptions(
      shared === undefined ? reduced('lastNotNull') : reduced(shared.calc, `/^${shared.field}$/`),
    );
  if (points !== undefined) builder.maxDataPoints(points);
  if (shared !== undefined)
    builder
      .datasource(OTHER_PANEL)
      .withTarget(
        new datasource.DataqueryBuilder()
          .datasource(OTHER_PANEL)
          .refId('A')
          .panelId(idOf(shared.panel))
          .withTransforms(true),
      );
  return builder;
}

function seriesPanel(spec: SeriesSpec) {
  const { draw, colors = {}, rare = [], limit, calcs } = spec;
  const columns = draw === 'columns' || draw === 'shares';
  const builder = new timeseries.PanelBuilder()
    .unit(spec.unit)
    .min(0)
    .interval(spec.interval)
    .maxDataPoints(spec.points)
    .legend(legend(calcs))
    .tooltip(tooltip())
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassic))
    .thresholds(thresholds(limit === undefined ? NEUTRAL : [['transparent'], ['red', limit]]))
    .thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(
        limit === undefined
          ? common.GraphThresholdsStyleMode.Off
          : common.GraphThresholdsStyleMode.Dashed,
      ),
    );
  if (columns)
    builder
      .drawStyle(common.GraphDrawStyle.Bars)
      .barAlignment(common.BarAlignment.After)
      .barWidthFactor(0.9)
      .lineWidth(0)
      .fillOpacity(80)
      .stacking(
        new common.StackingConfigBuilder()
          .mode(draw === 'shares' ? common.StackingMode.Percent : common.StackingMode.Normal)
          .group('A'),
      );
  else
    builder
      .drawStyle(common.GraphDrawStyle.Line)
      .lineWidth(2)
      .fillOpacity(spec.queries.length === 1 && limit !== undefined ? 10 : 0)
      .showPoints(common.VisibilityMode.Auto)
      .pointSize(4)
      .spanNulls(draw === 'lines' && !spec.gaps ? SPAN_MS : false)
      .lineInterpolation(
        draw === 'steps' ? common.LineInterpolation.StepAfter : common.LineInterpolation.Linear,
      );
  // Without decimals the axis of shares from 0 to 1 would have no mark between them.
  if (draw !== 'shares') builder.decimals(spec.decimals);
  if (spec.max !== undefined) builder.max(spec.max);
  if (spec.softMax !== undefined) builder.axisSoftMax(spec.softMax);
  for (const [name, color] of Object.entries(colors))
    builder.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }]);
  for (const name of rare) builder.overrideByName(name, RARE);
  return builder;
}

/** The mean of what is rare has one more decimal. */
const RARE = [
  { id: 'custom.drawStyle', value: common.GraphDrawStyle.Bars },
  { id: 'custom.lineWidth', value: 0 },
  { id: 'custom.fillOpacity', value: 100 },
  { id: 'decimals', value: 2 },
];

const textPanel = ({ title, content }: TextSpec) =>
  new text.PanelBuilder().title(title).mode(text.TextMode.Markdown).content(content);

function visualization(spec: PanelSpec, idOf: IdOf) {
  if (spec.kind === 'stat') return statPanel(spec, idOf);
  if (spec.kind === 'series') return seriesPanel(spec);
  return tablePanel(spec);
}

/** The question, and below it what is computed. */
const describe = ({ question, what }: PanelSpec): string => `*${question}*\n\n${what}`;

function query(spec: PanelSpec | TableSpec, index: number) {
  const { expr, legend: name } = spec.queries[index] as PanelSpec['queries'][number];
  const builder = new prometheus.DataqueryBuilder()
    .datasource(SOURCE)
    .expr(expr)
    .refId(String.fromCharCode(65 + index));
  if (spec.kind === 'table') builder.format(prometheus.PromQueryFormat.Table);
  else builder.format(prometheus.PromQueryFormat.TimeSeries).legendFormat(name ?? spec.title);
  return asksOverTime(spec) ? builder.range() : builder.instant();
}

/** A panel without its place on the grid. */
export function panel(spec: PanelSpec | TextSpec, idOf: IdOf): dashboard.Panel {
  if (spec.kind === 'text') return textPanel(spec).build();
  const builder = visualization(spec, idOf)
    .title(spec.title)
    .description(describe(spec))
    .noValue(spec.empty);
  if (spec.queries.length > 0) builder.datasource(SOURCE);
  spec.queries.forEach((_, index) => {
    builder.withTarget(query(spec, index));
  });
  return builder.build();
}
