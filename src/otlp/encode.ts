// record.ts: one event → the bytes of one OTLP request. The OpenTelemetry SDK makes them: real
// instruments, delta temporality, base-2 exponential histograms. Only what contract.ts lets through
// goes in. The timestamp is given: it is the name of the run's file and makes the run's points the
// same points however often they are sent (design: exactly once).
import type { Attributes, HrTime } from '@opentelemetry/api';
import { ValueType } from '@opentelemetry/api';
import { JsonMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  MetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import {
  CI_SLOT_ATTRIBUTE,
  foldSlot,
  type GenerateEvent,
  LOSS_REASON_ATTRIBUTE,
  LOST_RUNS,
  type LossReason,
  type Preview,
  SCOPE_NAME,
  toRecording,
} from '../contract/contract.ts';
import { version } from '../system/version.ts';

export interface RecordOptions {
  /** Milliseconds since the epoch; unique on this machine. */
  timestamp: number;
  /** Start of the run, milliseconds since the epoch. */
  startedAt: number;
  /** Runs given up earlier that this request counts, by reason. */
  lost?: ReadonlyMap<LossReason, number>;
  /** Of a CI run: {@link CI_SLOT_ATTRIBUTE}. */
  slot?: string | undefined;
}

/** Collects once, when it is asked to. */
class OneShotReader extends MetricReader {
  constructor() {
    super({
      aggregationTemporalitySelector: () => AggregationTemporality.DELTA,
      // One value each: minimum and maximum would only repeat it.
      aggregationSelector: (kind) =>
        kind === 'HISTOGRAM'
          ? { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { recordMinMax: false } }
          : { type: AggregationType.DEFAULT },
    });
  }
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export async function recordRun(
  event: GenerateEvent | Preview,
  options: RecordOptions,
): Promise<Uint8Array> {
  const { resource, attributes: described, measurements } = toRecording(event);
  const slot: Attributes =
    resource['lhp.ci'] === true ? { [CI_SLOT_ATTRIBUTE.key]: foldSlot(options.slot) } : {};
  const attributes: Attributes = { ...described, ...slot };
  const reader = new OneShotReader();
  const provider = new MeterProvider({
    resource: resourceFromAttributes(resource),
    readers: [reader],
  });
  const meter = provider.getMeter(SCOPE_NAME, version);
  for (const { instrument, value } of measurements) {
    const { name, unit, description } = instrument;
    const about = { unit, description, valueType: unit === 's' ? ValueType.DOUBLE : ValueType.INT };
    if (instrument.kind === 'counter') meter.createCounter(name, about).add(value, attributes);
    else meter.createHistogram(name, about).record(value, attributes);
  }
  if (options.lost?.size) {
    const { name, unit, description } = LOST_RUNS;
    const counter = meter.createCounter(name, { unit, description, valueType: ValueType.INT });
    for (const [reason, count] of options.lost)
      counter.add(count, { [LOSS_REASON_ATTRIBUTE.key]: reason, ...slot });
  }
  const { resourceMetrics } = await reader.collect();
  stamp(resourceMetrics, options);
  const bytes = JsonMetricsSerializer.serializeRequest(resourceMetrics);
  if (!bytes) throw new Error('the OTLP serializer gave nothing');
  return bytes;
}

/** The SDK stamps points with the time of collection; ours carry the run's. */
function stamp(metrics: ResourceMetrics, { timestamp, startedAt }: RecordOptions): void {
  const endTime = hrTime(timestamp);
  // A start that cannot be is no start: a negative or broken number would make the collector refuse
  // the whole request.
  const startTime = hrTime(startedAt > 0 ? Math.min(Math.trunc(startedAt), timestamp) : timestamp);
  for (const { metrics: list } of metrics.scopeMetrics) {
    for (const { dataPoints } of list)
      for (const point of dataPoints) Object.assign(point, { startTime, endTime });
  }
}

const hrTime = (ms: number): HrTime => [Math.trunc(ms / 1000), (ms % 1000) * 1_000_000];
