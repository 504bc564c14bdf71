// event.ts: the bytes of a recorded run → the telemetry page's event. What `show` prints is read
// back from the very request that is or was sent, not from a second copy, so it cannot say anything
// else.
import {
  EVENT_KEYS,
  type GenerateEvent,
  INSTRUMENTS,
  type LossReason,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
} from '../contract/contract.ts';

/**
 * What became of a recorded run. `local`: there was no endpoint; `lost`: given up, for a {@link
 * LossReason}.
 */
export type Outcome = 'waiting' | 'sent' | 'local' | 'lost';

/** A recorded run as values. */
export interface Run {
  /** Milliseconds since the epoch. */
  timestamp: number;
  outcome: Outcome;
  reason?: LossReason;
  event: GenerateEvent;
}

interface OtlpAttribute {
  key: string;
  value: { stringValue?: string; boolValue?: boolean };
}
interface OtlpPoint {
  attributes?: OtlpAttribute[];
  sum?: number;
  asInt?: number | string;
}
interface OtlpMetric {
  name: string;
  sum?: { dataPoints: OtlpPoint[] };
  exponentialHistogram?: { dataPoints: OtlpPoint[] };
}
/** An OTLP ExportMetricsServiceRequest in JSON, as far as it is read here. */
export interface OtlpRequest {
  resourceMetrics: {
    resource: { attributes: OtlpAttribute[] };
    scopeMetrics: { metrics: OtlpMetric[] }[];
  }[];
}

/** Throws where the file is no recorded run. */
export function eventOf(request: OtlpRequest): GenerateEvent {
  const [metrics] = request.resourceMetrics;
  const list = metrics?.scopeMetrics[0]?.metrics;
  const runs = list?.find(({ name }) => name === 'lhp.generate.runs')?.sum?.dataPoints[0];
  if (!metrics || !list || !runs) throw new Error('not a recorded run');
  const fields: Record<string, unknown> = { event: 'lhp_generate' };
  const attributes = [...metrics.resource.attributes, ...(runs.attributes ?? [])];
  for (const { key, page } of [...RESOURCE_ATTRIBUTES, ...POINT_ATTRIBUTES]) {
    const value = attributes.find((attribute) => attribute.key === key)?.value;
    if (page) fields[page] = value?.stringValue ?? value?.boolValue;
  }
  for (const { name, page, kind } of INSTRUMENTS) {
    if (kind === 'counter') continue;
    const sum = list.find((metric) => metric.name === name)?.exponentialHistogram?.dataPoints[0]
      ?.sum;
    fields[page] = sum ?? null;
  }
  const seconds = fields.generation_time_seconds;
  if (typeof seconds === 'number') fields.generation_time_seconds = Math.round(seconds * 100) / 100;
  return Object.fromEntries(
    EVENT_KEYS.map((key) => [key, fields[key]]),
  ) as unknown as GenerateEvent;
}
