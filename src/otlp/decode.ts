// event.ts: the bytes of a recorded run → the telemetry page's event. What `show` prints is read
// back from the very request that is or was sent, not from a second copy, so it cannot say anything
// else.
import { eventFrom, type GenerateEvent, type LossReason } from '../contract/contract.ts';
import { FIELDS } from '../contract/fields.ts';

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
  const runs = list?.find(({ name }) => name === FIELDS.event.name)?.sum?.dataPoints[0];
  if (!metrics || !list || !runs) throw new Error('not a recorded run');
  const attributes = [...metrics.resource.attributes, ...(runs.attributes ?? [])];
  return eventFrom((page) => {
    const { name, on, value: type } = FIELDS[page];
    if (on === 'counter') return 'lhp_generate';
    if (on === 'histogram') {
      const histogram = list.find((metric) => metric.name === name)?.exponentialHistogram;
      const sum = histogram?.dataPoints[0]?.sum ?? null;
      return type === 'seconds' && typeof sum === 'number' ? Math.round(sum * 100) / 100 : sum;
    }
    const value = attributes.find(({ key }) => key === name)?.value;
    return value?.stringValue ?? value?.boolValue;
  });
}
