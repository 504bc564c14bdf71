// encode.ts: one event → the bytes of one OTLP/HTTP request in JSON. The OpenTelemetry SDK makes
// them, by its usual pipeline: MeterProvider → PeriodicExportingMetricReader → OTLP metric exporter
// (delta temporality, base-2 exponential histograms) → transport. This transport writes the request
// instead of posting it. Only what the contract lets through is recorded.
// The exporter is built from its base class, with all options given: the class for general use also
// reads the OTEL_EXPORTER_OTLP_* variables, which belong to the user's own applications
// (docs/adr/0005-dependencies.md).
import type { Attributes, HrTime, Meter } from '@opentelemetry/api';
import { ValueType } from '@opentelemetry/api';
import {
  AggregationTemporalityPreference,
  OTLPMetricExporterBase,
} from '@opentelemetry/exporter-metrics-otlp-http';
import {
  createOtlpNetworkExportDelegate,
  ExporterMetrics,
  type ExportResponse,
  getSharedConfigurationDefaults,
  type IExporterTransport,
} from '@opentelemetry/otlp-exporter-base';
import {
  type IExportMetricsServiceResponse,
  type ISerializer,
  JsonMetricsSerializer,
  MetricsExporterMetricsHelper,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  type AggregationSelector,
  AggregationType,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
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
  /**
   * Milliseconds since the epoch, unique on this machine: the name of the run's file and the time
   * of all its points. A backend recognizes a repeated point by its series and time, so a run that
   * is sent twice counts once.
   */
  timestamp: number;
  /** Start of the run, milliseconds since the epoch. */
  startedAt: number;
  /** Runs given up earlier that this request counts, by reason. */
  lost?: ReadonlyMap<LossReason, number>;
  /** Value of {@link CI_SLOT_ATTRIBUTE}; only used for a CI run. */
  slot?: string | undefined;
}

/**
 * Records the event and passes the bytes of its request to `write`, once.
 *
 * @throws what `write` throws.
 */
export async function exportRun(
  event: GenerateEvent | Preview,
  options: RecordOptions,
  write: (request: Uint8Array) => void,
): Promise<void> {
  const { resource, attributes: described, measurements } = toRecording(event);
  const slot: Attributes =
    resource['lhp.ci'] === true ? { [CI_SLOT_ATTRIBUTE.key]: foldSlot(options.slot) } : {};
  const attributes: Attributes = { ...described, ...slot };
  const transport = new WritingTransport(write);
  const exporter = createExporter(transport, options);
  const provider = new MeterProvider({
    resource: resourceFromAttributes(resource),
    readers: [new PeriodicExportingMetricReader({ exporter })],
  });
  const meter = provider.getMeter(SCOPE_NAME, version);
  for (const { instrument, value } of measurements) {
    const { name, unit, description } = instrument;
    const about = { unit, description, valueType: unit === 's' ? ValueType.DOUBLE : ValueType.INT };
    if (instrument.kind === 'counter') meter.createCounter(name, about).add(value, attributes);
    else meter.createHistogram(name, about).record(value, attributes);
  }
  if (options.lost?.size) countLosses(meter, options.lost, slot);
  // Clears the reader's timer before it can fire, collects, and exports.
  await provider.shutdown();
  transport.throwUnlessWritten();
}

/** The bytes of the event's request. */
export async function recordRun(
  event: GenerateEvent | Preview,
  options: RecordOptions,
): Promise<Uint8Array> {
  let bytes: Uint8Array = new Uint8Array();
  await exportRun(event, options, (request) => {
    bytes = request;
  });
  return bytes;
}

function countLosses(
  meter: Meter,
  lost: ReadonlyMap<LossReason, number>,
  attributes: Attributes,
): void {
  const { name, unit, description } = LOST_RUNS;
  const counter = meter.createCounter(name, { unit, description, valueType: ValueType.INT });
  for (const [reason, count] of lost)
    counter.add(count, { [LOSS_REASON_ATTRIBUTE.key]: reason, ...attributes });
}

// Each histogram has one value: its minimum and maximum would only repeat its sum.
const aggregationPreference: AggregationSelector = (instrument) =>
  instrument === InstrumentType.HISTOGRAM
    ? { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { recordMinMax: false } }
    : { type: AggregationType.DEFAULT };

function createExporter(
  transport: IExporterTransport,
  options: RecordOptions,
): OTLPMetricExporterBase {
  const delegate = createOtlpNetworkExportDelegate(
    getSharedConfigurationDefaults(),
    stampingSerializer(options),
    new ExporterMetrics({
      componentType: 'otlp_json_file_metric_exporter',
      metricsHelper: MetricsExporterMetricsHelper,
      url: undefined,
      meterProvider: undefined, // the exporter's metrics about itself are not recorded
      responseAttributesFromError: () => ({}),
    }),
    transport,
  );
  return new OTLPMetricExporterBase(delegate, {
    temporalityPreference: AggregationTemporalityPreference.DELTA,
    aggregationPreference,
  });
}

/** The SDK gives points the time of their collection; ours get the run's. */
function stampingSerializer({
  timestamp,
  startedAt,
}: RecordOptions): ISerializer<ResourceMetrics, IExportMetricsServiceResponse> {
  const endTime = hrTime(timestamp);
  // The collector refuses a whole request for a negative start or one that is not a number.
  const startTime = hrTime(startedAt > 0 ? Math.min(Math.trunc(startedAt), timestamp) : timestamp);
  return {
    ...JsonMetricsSerializer,
    serializeRequest: (metrics) => {
      for (const { dataPoints } of metrics.scopeMetrics.flatMap((scope) => scope.metrics))
        for (const point of dataPoints) Object.assign(point, { startTime, endTime });
      return JsonMetricsSerializer.serializeRequest(metrics);
    },
  };
}

const hrTime = (ms: number): HrTime => [Math.trunc(ms / 1000), (ms % 1000) * 1_000_000];

/**
 * Passes the request on, and keeps what became of it: the reader reports a failed export to the
 * SDK's global error handler only.
 */
class WritingTransport implements IExporterTransport {
  readonly #write: (request: Uint8Array) => void;
  #failure: unknown = new Error('the OpenTelemetry SDK exported nothing');

  constructor(write: (request: Uint8Array) => void) {
    this.#write = write;
  }

  async send(request: Uint8Array): Promise<ExportResponse> {
    try {
      this.#write(request);
      this.#failure = undefined;
      return { status: 'success' };
    } catch (error) {
      this.#failure = error;
      return { status: 'failure', error: new Error('the request was not written') };
    }
  }

  throwUnlessWritten(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  shutdown(): void {}
}
