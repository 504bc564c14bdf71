// tables.ts: turns the description of a table (spec.ts) into Grafana's. Each column is a query of
// its own; Grafana merges their answers to one row for each combination of the keys.
import * as common from '@grafana/grafana-foundation-sdk/common';
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as table from '@grafana/grafana-foundation-sdk/table';
import type { Column, Key, TableSpec } from './spec.ts';
import { BLUE, NEUTRAL, thresholds } from './style.ts';

type Property = dashboard.DynamicConfigValue;
const property = (id: string, value: unknown): Property => ({ id, value });

function columnProperties(column: Column): Property[] {
  const { unit, decimals, width, bar, max, steps, empty = '–' } = column;
  const all = [
    property('unit', unit),
    property('decimals', decimals),
    // That of the panel is a sentence.
    property('noValue', empty),
  ];
  if (width !== undefined) all.push(property('custom.width', width));
  if (bar)
    all.push(
      property('custom.cellOptions', { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' }),
      property('min', 0),
      // Each column has its own scale.
      property('fieldMinMax', true),
      property('color', { mode: 'fixed', fixedColor: BLUE }),
    );
  if (max !== undefined) all.push(property('max', max));
  if (steps)
    all.push(
      property('thresholds', thresholds(steps).build()),
      property('custom.cellOptions', { type: 'color-background' }),
      property('color', { mode: 'thresholds' }),
    );
  return all;
}

function keyProperties({ width, texts, links }: Key): Property[] {
  // Grafana would take 3.12 for a number.
  const all = [property('unit', 'string'), property('custom.width', width)];
  if (links) all.push(property('links', links));
  if (texts)
    all.push(
      property('mappings', [
        {
          type: 'value',
          options: Object.fromEntries(
            Object.entries(texts).map(([value, shown], index) => [value, { text: shown, index }]),
          ),
        },
      ]),
    );
  return all;
}

/** Grafana calls the column of the first of several queries `Value #A`, and an only one `Value`. */
const valueName = (columns: readonly Column[], index: number) =>
  columns.length === 1 ? 'Value' : `Value #${String.fromCharCode(65 + index)}`;

function arranged({ keys, columns }: TableSpec): dashboard.DataTransformerConfig {
  const names = [
    ...keys.map(({ label, title }) => [label, title] as const),
    ...columns.map(({ title }, index) => [valueName(columns, index), title] as const),
  ];
  return {
    id: 'organize',
    options: {
      excludeByName: { Time: true },
      renameByName: Object.fromEntries(names),
      indexByName: Object.fromEntries(names.map(([name], index) => [name, index])),
    },
  };
}

export function tablePanel(spec: TableSpec) {
  const builder = new table.PanelBuilder()
    .unit(spec.unit)
    .decimals(spec.decimals)
    .thresholds(thresholds(NEUTRAL))
    .maxDataPoints(spec.points)
    .showHeader(true)
    .cellHeight(common.TableCellHeight.Sm)
    .sortBy([
      new common.TableSortByFieldStateBuilder().displayName(spec.sort.column).desc(spec.sort.desc),
    ])
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation(arranged(spec));
  for (const key of spec.keys) builder.overrideByName(key.title, keyProperties(key));
  for (const column of spec.columns) builder.overrideByName(column.title, columnProperties(column));
  // A link can use only a column that is there, so it is hidden and not excluded.
  for (const label of spec.hidden)
    builder.overrideByName(label, [
      property('custom.hidden', true),
      property('custom.hideFrom', { viz: true, legend: false, tooltip: false }),
    ]);
  return builder;
}
