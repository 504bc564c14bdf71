// registry.ts: the options of Grafana's panels and fields with their defaults, so that the code of
// @grafana/data adds what a dashboard's JSON leaves out, as it does when Grafana loads a panel. The
// plugins themselves are not on npm; these defaults are theirs.
import {
  booleanOverrideProcessor,
  type DataTransformerInfo,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  type FieldConfigPropertyItem,
  identityOverrideProcessor,
  numberOverrideProcessor,
  PanelPlugin,
  type PanelPluginMeta,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from '@grafana/data';

const nothing = () => null;

/** A property of a field. Its editor is never shown. */
const property = (
  id: string,
  process: FieldConfigPropertyItem['process'],
  defaultValue?: unknown,
): FieldConfigPropertyItem => ({
  id,
  path: id,
  name: id,
  editor: nothing,
  override: nothing,
  process,
  defaultValue,
  settings: {},
  shouldApply: () => true,
  category: [id],
});

standardFieldConfigEditorRegistry.setInit(() => [
  property('unit', unitOverrideProcessor),
  property('min', numberOverrideProcessor),
  property('max', numberOverrideProcessor),
  property('fieldMinMax', booleanOverrideProcessor),
  property('decimals', numberOverrideProcessor),
  property('displayName', displayNameOverrideProcessor),
  property('color', identityOverrideProcessor, { mode: 'thresholds' }),
  property('noValue', stringOverrideProcessor),
  property('links', dataLinksOverrideProcessor),
  property('mappings', valueMappingsOverrideProcessor, []),
  // A panel without thresholds is red from 80 on.
  property('thresholds', thresholdsOverrideProcessor, {
    mode: 'absolute',
    steps: [
      { value: Number.NEGATIVE_INFINITY, color: 'green' },
      { value: 80, color: 'red' },
    ],
  }),
]);

standardTransformersRegistry.setInit(() => {
  const unique = new Map(Object.values(standardTransformers).map((one) => [one.id, one]));
  return [...unique.values()].map((transformation) => ({
    id: transformation.id,
    name: transformation.name,
    description: '',
    transformation: transformation as DataTransformerInfo,
    editor: nothing,
    imageDark: '',
    imageLight: '',
  }));
});

interface Kind {
  options: object;
  /** Properties of this kind of panel, with their defaults. */
  custom?: Record<string, unknown>;
  color?: string;
}

const LEGEND = { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] };
const REDUCE = { values: false, calcs: ['lastNotNull'], fields: '' };
const HIDE_FROM = { tooltip: false, viz: false, legend: false };

const KINDS: Record<string, Kind> = {
  timeseries: {
    options: { legend: LEGEND, tooltip: { mode: 'single', sort: 'none' } },
    color: 'palette-classic',
    custom: {
      drawStyle: 'line',
      lineInterpolation: 'linear',
      lineWidth: 1,
      fillOpacity: 0,
      gradientMode: 'none',
      spanNulls: false,
      insertNulls: false,
      showPoints: 'auto',
      pointSize: 5,
      stacking: { mode: 'none', group: 'A' },
      axisPlacement: 'auto',
      axisLabel: '',
      axisColorMode: 'text',
      axisBorderShow: false,
      scaleDistribution: { type: 'linear' },
      axisCenteredZero: false,
      hideFrom: HIDE_FROM,
      thresholdsStyle: { mode: 'off' },
      barAlignment: 0,
      barWidthFactor: 0.6,
      lineStyle: undefined,
      barMaxWidth: undefined,
      axisSoftMin: undefined,
      axisSoftMax: undefined,
      axisGridShow: undefined,
      axisWidth: undefined,
      fillBelowTo: undefined,
      transform: undefined,
      lineColor: undefined,
      fillColor: undefined,
    },
  },
  stat: {
    options: {
      graphMode: 'area',
      colorMode: 'value',
      justifyMode: 'auto',
      textMode: 'auto',
      wideLayout: true,
      showPercentChange: false,
      percentChangeColorMode: 'standard',
      orientation: 'auto',
      reduceOptions: REDUCE,
    },
  },
  table: {
    options: {
      showHeader: true,
      cellHeight: 'sm',
      frameIndex: 0,
      footer: { show: false, reducer: ['sum'] },
    },
    custom: {
      align: 'auto',
      cellOptions: { type: 'auto' },
      minWidth: undefined,
      width: undefined,
      hidden: undefined,
      inspect: false,
      filterable: undefined,
      hideHeader: undefined,
      hideFrom: undefined,
    },
  },
  text: { options: { mode: 'markdown', content: '' } },
};

/** The panels that a picture can show: type → plugin. */
export const plugins = new Map(
  Object.entries(KINDS).map(([type, { options, custom = {}, color }]) => {
    const plugin = new PanelPlugin(nothing);
    plugin.meta = { id: type, name: type } as PanelPluginMeta;
    plugin.useFieldConfig({
      ...(color ? { standardOptions: { color: { defaultValue: { mode: color } } } } : {}),
      useCustomConfig: (builder) => {
        for (const [id, defaultValue] of Object.entries(custom))
          builder.addCustomEditor({
            id,
            path: id,
            name: id,
            editor: nothing,
            override: nothing,
            defaultValue,
            process: identityOverrideProcessor,
            shouldApply: () => true,
          });
      },
    });
    // The plugin's own defaults are made from editors of its options, which it has none of here.
    Object.defineProperty(plugin, 'defaults', { value: options });
    return [type, plugin];
  }),
);
