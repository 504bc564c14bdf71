// panel.tsx: one panel: asks its queries, transforms the answers and applies options and overrides
// as Grafana does, and draws the result in the frame of a panel.
import {
  applyFieldOverrides,
  type DataFrame,
  type FieldConfigSource,
  FieldType,
  formattedValueToString,
  type GrafanaTheme2,
  getFieldDisplayName,
  getPanelOptionsWithDefaults,
  LoadingState,
  type TimeRange,
} from '@grafana/data';
import { PanelChrome, useTheme2 } from '@grafana/ui';
import { Component, type ReactNode, useEffect, useState } from 'react';
import { type Answered, type Mark, transformed } from './frames.ts';
import type { PanelJson, PanelSummary } from './json.ts';
import { displayed, Kind, type PanelOptions } from './kinds.tsx';
import { interpolate, type Variables } from './queries.ts';
import { plugins } from './registry.ts';

interface Context {
  range: TimeRange;
  /** The variables as they are shown. */
  texts: Variables;
  marks: readonly Mark[];
}

interface Prepared {
  frames: DataFrame[];
  options: PanelOptions;
  fieldConfig: FieldConfigSource;
}

async function prepare(
  panel: PanelJson,
  frames: DataFrame[],
  theme: GrafanaTheme2,
  texts: Variables,
): Promise<Prepared> {
  const plugin = plugins.get(panel.type);
  if (plugin === undefined) throw new Error(`pictures have no panel of type ${panel.type}`);
  const { options, fieldConfig } = getPanelOptionsWithDefaults({
    plugin,
    currentOptions: panel.options ?? {},
    currentFieldConfig: (panel.fieldConfig ?? { defaults: {}, overrides: [] }) as never,
    isAfterPluginChange: false,
  });
  const data = applyFieldOverrides({
    data: await transformed(panel, frames),
    fieldConfig,
    fieldConfigRegistry: plugin.fieldConfigRegistry,
    theme,
    timeZone: 'utc',
    replaceVariables: (text) => interpolate(text, texts),
  });
  return { options, fieldConfig, frames: data };
}

/** What a panel shows, as text: each number and series with its name, and the rows of a table. */
function shownBy(type: string, prepared: Prepared, theme: GrafanaTheme2): string[][] {
  const { frames, options, fieldConfig } = prepared;
  const text = (field: DataFrame['fields'][number], index: number) => {
    const value = field.values[index];
    return field.display ? formattedValueToString(field.display(value)) : String(value);
  };
  if (type === 'stat')
    return displayed(
      { options, fieldConfig, frames, texts: {}, marks: [], width: 0, height: 0 } as never,
      theme,
    ).map(({ display }) => [display.title ?? '', formattedValueToString(display)]);
  if (type === 'table') {
    const fields = frames[0]?.fields.filter(({ config }) => config.custom?.hidden !== true) ?? [];
    const names = fields.map((field) => getFieldDisplayName(field, frames[0], frames));
    const rows = Array.from({ length: frames[0]?.length ?? 0 }, (_, index) =>
      fields.map((field) => text(field, index)),
    );
    return [names, ...rows];
  }
  return frames.flatMap((frame) =>
    frame.fields
      .filter((field) => field.type === FieldType.number)
      .map((field) => [
        getFieldDisplayName(field, frame, frames),
        `${frame.length} points`,
        text(field, frame.length - 1),
      ]),
  );
}

interface PanelProps extends Context {
  panel: PanelJson;
  width: number;
  height: number;
  /** Asks the queries. */
  ask(): Promise<Answered>;
  /** Called once, when the panel is complete. */
  onDone(summary: PanelSummary): void;
}

export function Panel({ panel, width, height, ask, onDone, ...context }: PanelProps) {
  const theme = useTheme2();
  const [prepared, setPrepared] = useState<Prepared>();
  const [error, setError] = useState<string>();
  const { range, texts, marks } = context;
  const title = interpolate(panel.title ?? '', texts);
  // Once: nothing of a picture changes.
  useEffect(() => {
    const summary: PanelSummary = { title, type: panel.type, queries: [], shown: [] };
    const failed = (text: string) => {
      summary.error = text;
      setError(text);
    };
    ask()
      .then(async ({ frames, queries, error: problem }) => {
        summary.queries = queries;
        if (problem !== undefined) return failed(problem);
        const ready = await prepare(panel, frames, theme, texts);
        summary.shown = shownBy(panel.type, ready, theme);
        setPrepared(ready);
      })
      .catch((problem: Error) => failed(problem.stack ?? problem.message))
      .finally(() => onDone(summary));
  }, []);
  return (
    <PanelChrome
      width={width}
      height={height}
      title={title}
      description={panel.description && interpolate(panel.description, texts)}
      displayMode={panel.transparent ? 'transparent' : 'default'}
      loadingState={prepared ? LoadingState.Done : LoadingState.Loading}
      statusMessage={error}
    >
      {(w, h) =>
        prepared && (
          <Guard>
            <Kind
              {...prepared}
              type={panel.type}
              width={w}
              height={h}
              timeRange={range}
              texts={texts}
              marks={marks}
            />
          </Guard>
        )
      }
    </PanelChrome>
  );
}

/** Shows the error of a component in its place; the other panels are still drawn. */
class Guard extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override componentDidCatch(error: Error) {
    reportError(error);
  }
  override render() {
    const { error } = this.state;
    return error ? <pre>{error.stack}</pre> : this.props.children;
  }
}
