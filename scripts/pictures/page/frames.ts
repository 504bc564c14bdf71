// frames.ts: asks the queries of a panel or an annotation, and makes of the answers the DataFrames
// that Grafana's data source for Prometheus makes.
import {
  type DataFrame,
  FieldType,
  rangeUtil,
  renderLegendFormat,
  type TimeRange,
  transformDataFrame,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';
import { type AnnotationJson, OTHER_PANEL, type PanelJson, type Target } from './json.ts';
import {
  aligned,
  beginnings,
  interpolate,
  isInstant,
  type Series,
  SMALLEST_INTERVAL,
  type Span,
  type Step,
  stepOf,
  tableColumns,
  timeVariables,
  type Variables,
} from './queries.ts';

export const spanOf = ({ from, to }: TimeRange): Span => ({
  from: from.valueOf(),
  to: to.valueOf(),
});
const secondsOf = (text: string) => rangeUtil.intervalToMs(text) / 1_000;
const asStep = (text: string): Step => ({ seconds: secondsOf(text), text });

async function ask(path: string, body: Record<string, string | number>): Promise<Series[]> {
  const given = Object.entries(body).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  const answer = await fetch(`/prometheus/api/v1/${path}`, {
    method: 'POST',
    body: new URLSearchParams(given),
  });
  const json = await answer.json();
  if (json.status !== 'success') throw new Error(json.error);
  const { resultType, result } = json.data;
  return resultType === 'scalar' ? [{ metric: {}, value: result }] : result;
}

export interface Answered {
  frames: DataFrame[];
  /** The queries as they were asked. */
  queries: string[];
  error?: string;
}

/**
 * The answers for the panels of a dashboard. Each panel's queries are asked once, also if other
 * panels show their answers.
 */
export function answersFor(
  panels: readonly PanelJson[],
  range: TimeRange,
  variables: Variables,
  widthOf: (panel: PanelJson) => number,
): (panel: PanelJson) => Promise<Answered> {
  const asked = new Map<number, Promise<Answered>>();
  const once = (panel: PanelJson): Promise<Answered> => {
    const found = asked.get(panel.id) ?? answersOf(panel);
    asked.set(panel.id, found);
    return found;
  };
  const answersOf = async (panel: PanelJson): Promise<Answered> => {
    if (panel.datasource?.uid !== OTHER_PANEL)
      return answers(panel, range, widthOf(panel), variables);
    const { panelId, withTransforms } = panel.targets?.[0] ?? {};
    const source = panels.find(({ id }) => id === panelId);
    if (source === undefined) throw new Error(`there is no panel ${panelId}`);
    const answered = await once(source);
    const frames = withTransforms ? await transformed(source, answered.frames) : answered.frames;
    return { ...answered, frames, queries: [] };
  };
  return once;
}

/** The frames after a panel's own transformations. */
export function transformed(panel: PanelJson, frames: DataFrame[]): Promise<DataFrame[]> {
  const wanted = (panel.transformations ?? []).filter(({ disabled }) => !disabled);
  return lastValueFrom(transformDataFrame(wanted, frames));
}

/** @param width - of the panel's inside, in pixels: Grafana asks for one point a pixel. */
async function answers(
  panel: PanelJson,
  range: TimeRange,
  width: number,
  variables: Variables,
): Promise<Answered> {
  const span = spanOf(range);
  const points = panel.maxDataPoints ?? Math.max(Math.floor(width), 100);
  const smallest = interpolate(panel.interval ?? SMALLEST_INTERVAL, variables).replace(/^>/, '');
  const { interval, intervalMs } = rangeUtil.calculateInterval(range, points, smallest);
  const all: Answered = { frames: [], queries: [] };
  const targets = (panel.targets ?? []).filter(({ hide }) => !hide);
  for (const target of targets) {
    const own = target.interval ? asStep(interpolate(target.interval, variables)) : undefined;
    const step = stepOf({ seconds: intervalMs / 1_000, text: interval }, own, span);
    const query = interpolate(target.expr, { ...variables, ...timeVariables(step, span) });
    all.queries.push(query);
    try {
      const { start, end } = aligned(span, step.seconds);
      const series = isInstant(target)
        ? await ask('query', { query, time: span.to / 1_000 })
        : await ask('query_range', { query, start, end, step: step.seconds });
      all.frames.push(...framesOf(series, target, step, targets.length > 1));
    } catch (error) {
      all.error = error instanceof Error ? error.message : String(error);
    }
  }
  return all;
}

function framesOf(series: Series[], target: Target, step: Step, many: boolean): DataFrame[] {
  const { refId, format, legendFormat, expr } = target;
  if (format === 'table') {
    const types = { time: FieldType.time, text: FieldType.string, number: FieldType.number };
    const fields = tableColumns(series, target, many).map(({ name, kind, values }) => ({
      name,
      type: types[kind],
      config: {},
      values,
    }));
    return [{ refId, length: series.length, meta: { type: 'table' as never }, fields }];
  }
  return series.map(({ metric, value, values }) => {
    const samples = values ?? (value ? [value] : []);
    const labels = Object.entries(metric).map(([label, text]) => `${label}="${text}"`);
    const name =
      legendFormat && legendFormat !== '__auto'
        ? renderLegendFormat(legendFormat, metric)
        : labels.join(', ') || expr;
    return {
      refId,
      name,
      length: samples.length,
      meta: { type: 'timeseries-multi' as never },
      fields: [
        {
          name: 'Time',
          type: FieldType.time,
          config: { interval: step.seconds * 1_000 },
          values: samples.map(([seconds]) => seconds * 1_000),
        },
        {
          name: 'Value',
          type: FieldType.number,
          labels: metric,
          config: { displayNameFromDS: name },
          values: samples.map(([, text]) => Number(text)),
        },
      ],
    };
  });
}

/** A dashed line across the panels over time. */
export interface Mark {
  /** Milliseconds since the epoch. */
  time: number;
  title: string;
  color: string;
}

export async function marksOf(
  annotations: readonly AnnotationJson[],
  range: TimeRange,
  variables: Variables,
): Promise<Mark[]> {
  const span = spanOf(range);
  const shown = annotations.filter(({ enable }) => enable !== false);
  const found = await Promise.all(
    shown.map(async ({ expr, target, step: own, titleFormat = '', iconColor = 'green' }) => {
      const text = expr ?? target?.expr;
      if (!text) return [];
      const step = stepOf(asStep('60s'), own ? asStep(own) : undefined, span);
      const query = interpolate(text, { ...variables, ...timeVariables(step, span) });
      const { start, end } = aligned(span, step.seconds);
      const series = await ask('query_range', { query, start, end, step: step.seconds });
      return series.flatMap(({ metric, values }) =>
        beginnings(values, step.seconds).map((time) => ({
          time,
          title: renderLegendFormat(titleFormat, metric),
          color: iconColor,
        })),
      );
    }),
  );
  return found.flat();
}
