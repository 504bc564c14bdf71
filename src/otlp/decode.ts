// decode.ts: the request of a recorded run → the telemetry page's event. `show`, `stats` and the
// local page read the file that is or was sent and keep no second copy, so they cannot show
// anything else.
import {
  EVENT_KEYS,
  type GenerateEvent,
  INSTRUMENTS,
  type LossReason,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
} from '../contract/contract.ts';

/**
 * What became of a recorded run: `waiting` to be delivered, `sent`, `local` (recorded without an
 * endpoint, so it stays on this machine), or `lost` (given up, for a {@link LossReason}).
 */
export type Outcome = 'waiting' | 'sent' | 'local' | 'lost';

export interface Run {
  /** When it was recorded, in milliseconds since the epoch. */
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
/** The parts of an OTLP ExportMetricsServiceRequest in JSON that are read here. */
export interface OtlpRequest {
  resourceMetrics: {
    resource: { attributes: OtlpAttribute[] };
    scopeMetrics: { metrics: OtlpMetric[] }[];
  }[];
}

/** @throws where the request is not a recorded run's. */
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
