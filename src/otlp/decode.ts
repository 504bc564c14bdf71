// decode.ts: the request of a recorded run → the telemetry page's event. `show`, `stats` and the
// local page read the file that is or was sent and keep no second copy, so they cannot show
// anything else.
import { eventFrom, type GenerateEvent } from '../contract/contract.ts';
import { FIELDS } from '../contract/fields.ts';

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
