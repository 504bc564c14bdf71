// kinds.tsx: draws each kind of panel with the component of @grafana/ui that Grafana draws it with.
import {
  applyNullInsertThreshold,
  type DataFrame,
  type DisplayValueAlignmentFactors,
  type FieldConfigSource,
  type FieldDisplay,
  FieldType,
  type GrafanaTheme2,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  type TimeRange,
} from '@grafana/data';
import {
  BigValue,
  Table,
  TimeSeries,
  useTheme2,
  VizRepeater,
  type VizRepeaterRenderValueProps,
} from '@grafana/ui';
import type { ReactNode } from 'react';
import type { Mark } from './frames.ts';
import { Marks } from './marks.tsx';
import { interpolate, type Variables } from './queries.ts';

/** Options of a panel, whose type depends on its kind. */
// biome-ignore lint/suspicious/noExplicitAny: each component of Grafana checks its own options
export type PanelOptions = any;

export interface PanelProps {
  options: PanelOptions;
  fieldConfig: FieldConfigSource;
  frames: DataFrame[];
  width: number;
  height: number;
  timeRange: TimeRange;
  texts: Variables;
  marks: readonly Mark[];
}

export const KINDS: Record<string, (props: PanelProps) => ReactNode> = {
  timeseries: Series,
  stat: Stat,
  table: Rows,
  text: Text,
};

/** These say themselves that they have no value. */
const DRAWN_WITHOUT_DATA = ['stat', 'text'];

export function Kind({ type, ...props }: PanelProps & { type: string }) {
  const Component = KINDS[type];
  if (Component === undefined) throw new Error(`pictures have no panel of type ${type}`);
  const hasData = props.frames.some(({ length }) => length > 0);
  if (hasData || DRAWN_WITHOUT_DATA.includes(type)) return <Component {...props} />;
  const middle = { height: '100%', display: 'flex', alignItems: 'center' };
  return (
    <div style={{ ...middle, justifyContent: 'center' }}>
      {props.fieldConfig.defaults.noValue || 'No data'}
    </div>
  );
}

function Series({ frames, options, width, height, timeRange, marks }: PanelProps) {
  const theme = useTheme2();
  // A line has a gap where a value is not a number.
  const finite = (value: unknown) => (Number.isFinite(value) ? value : null);
  const numbers = frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) =>
      field.type === FieldType.number ? { ...field, values: field.values.map(finite) } : field,
    ),
  }));
  // Prometheus leaves out a step without a value. Grafana's panel makes a gap of it.
  const [refFieldPseudoMin, refFieldPseudoMax] = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  const shown = numbers.map((frame) =>
    applyNullInsertThreshold({ frame, refFieldPseudoMin, refFieldPseudoMax }),
  );
  return (
    <TimeSeries
      frames={shown}
      structureRev={1}
      timeRange={timeRange}
      timeZone="utc"
      width={width}
      height={height}
      legend={options.legend}
      options={options}
    >
      {(builder) => <Marks builder={builder} marks={marks} theme={theme} />}
    </TimeSeries>
  );
}

type Drawn = VizRepeaterRenderValueProps<FieldDisplay, DisplayValueAlignmentFactors>;

/** The values that a stat shows. */
export const displayed = (
  { fieldConfig, options, frames, texts }: PanelProps,
  theme: GrafanaTheme2,
): FieldDisplay[] =>
  getFieldDisplayValues({
    fieldConfig,
    reduceOptions: options.reduceOptions,
    data: frames,
    theme,
    timeZone: 'utc',
    sparkline: options.graphMode !== undefined && options.graphMode !== 'none',
    replaceVariables: (text) => interpolate(text, texts),
  });

function Stat(props: PanelProps) {
  const { options, width, height, timeRange, frames } = props;
  const theme = useTheme2();
  const draw = ({ value, alignmentFactors, ...place }: Drawn) => (
    <BigValue
      value={value.display}
      count={place.count}
      sparkline={value.sparkline && { ...value.sparkline, timeRange }}
      colorMode={options.colorMode}
      graphMode={options.graphMode}
      justifyMode={options.justifyMode}
      textMode={options.textMode}
      text={options.text}
      alignmentFactors={alignmentFactors}
      width={place.width}
      height={place.height}
      theme={theme}
      disableWideLayout={!options.wideLayout}
      percentChangeColorMode={options.percentChangeColorMode}
    />
  );
  return (
    <VizRepeater
      getValues={() => displayed(props, theme)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={draw}
      source={frames}
      renderCounter={1}
      width={width}
      height={height}
      orientation={options.orientation}
      autoGrid
    />
  );
}

function Rows({ frames, options, width, height, timeRange, fieldConfig }: PanelProps) {
  const frame = frames[options.frameIndex ?? 0] ?? frames[0];
  return frame ? (
    <Table
      data={frame}
      width={width}
      height={height}
      noHeader={!options.showHeader}
      cellHeight={options.cellHeight}
      initialSortBy={options.sortBy}
      footerOptions={options.footer}
      timeRange={timeRange}
      fieldConfig={fieldConfig}
    />
  ) : null;
}

/** Grafana reads Markdown; a picture shows the text of it. */
function Text({ options, texts }: PanelProps) {
  return <div style={{ whiteSpace: 'pre-wrap' }}>{interpolate(options.content, texts)}</div>;
}
