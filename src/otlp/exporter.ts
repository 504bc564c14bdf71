// exporter.ts: the OTLP metric exporter of OpenTelemetry, with delta temporality, base-2
// exponential histograms, points at the time of the run, and a transport that writes the request
// instead of posting it. It is built from the exporter's base class, with all options given: the
// class for general use also reads the OTEL_EXPORTER_OTLP_* variables, which belong to the user's
// own applications (docs/adr/0005-dependencies.md).
import type { HrTime } from '@opentelemetry/api';
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
import {
  type AggregationSelector,
  AggregationType,
  InstrumentType,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';

/** Milliseconds since the epoch. */
interface RunTimes {
  /** The time of all points. */
  timestamp: number;
  /** Start of the run. */
  startedAt: number;
}

export function createExporter(
  transport: IExporterTransport,
  times: RunTimes,
): OTLPMetricExporterBase {
  const delegate = createOtlpNetworkExportDelegate(
    getSharedConfigurationDefaults(),
    stampingSerializer(times),
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

// Each histogram has one value: its minimum and maximum would only repeat its sum.
const aggregationPreference: AggregationSelector = (instrument) =>
  instrument === InstrumentType.HISTOGRAM
    ? { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { recordMinMax: false } }
    : { type: AggregationType.DEFAULT };

/** The SDK gives points the time of their collection; ours get the run's. */
function stampingSerializer({
  timestamp,
  startedAt,
}: RunTimes): ISerializer<ResourceMetrics, IExportMetricsServiceResponse> {
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
 * Passes the request on, and keeps what became of it: the SDK's reader reports a failed export to a
 * global error handler only.
 */
export class WritingTransport implements IExporterTransport {
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
