// encode.ts: one event → the bytes of one OTLP/HTTP request in JSON. The OpenTelemetry SDK makes
// them, by its usual pipeline: MeterProvider → PeriodicExportingMetricReader → OTLP metric exporter
// (exporter.ts). Only what the contract lets through is recorded.
import { type Attributes, type Meter, ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  CI_SLOT_ATTRIBUTE,
  foldSlot,
  type GenerateEvent,
  LOSS_REASON_ATTRIBUTE,
  LOST_RUNS,
  type LossReason,
  type Preview,
  type Recording,
  SCOPE_NAME,
  toRecording,
} from '../contract/contract.ts';
import { version } from '../system/version.ts';
import { createExporter, WritingTransport } from './exporter.ts';

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
 * Records the event and passes the bytes of its request to `write`, once. For a run, `write` writes
 * the file in the spool (spool/store.ts).
 *
 * @throws what `write` throws.
 */
export async function exportRun(
  event: GenerateEvent | Preview,
  options: RecordOptions,
  write: (request: Uint8Array) => void,
): Promise<void> {
  const recording = toRecording(event);
  const transport = new WritingTransport(write);
  const exporter = createExporter(transport, options);
  const provider = new MeterProvider({
    resource: resourceFromAttributes(recording.resource),
    readers: [new PeriodicExportingMetricReader({ exporter })],
  });
  record(provider.getMeter(SCOPE_NAME, version), recording, options);
  // Collects and exports. It clears the reader's timer first, in the same turn of the event loop in
  // which the timer was set, so the timer never fires.
  await provider.shutdown();
  transport.throwUnlessWritten();
}

/** The bytes of the event's request, for a preview, which is not stored. */
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

function record(meter: Meter, recording: Recording, { lost, slot }: RecordOptions): void {
  const { resource, attributes, measurements } = recording;
  const ci: Attributes =
    resource['lhp.ci'] === true ? { [CI_SLOT_ATTRIBUTE.key]: foldSlot(slot) } : {};
  for (const { instrument, value } of measurements) {
    const { name, unit, description } = instrument;
    const about = { unit, description, valueType: unit === 's' ? ValueType.DOUBLE : ValueType.INT };
    const all = { ...attributes, ...ci };
    if (instrument.kind === 'counter') meter.createCounter(name, about).add(value, all);
    else meter.createHistogram(name, about).record(value, all);
  }
  if (!lost?.size) return;
  const { name, unit, description } = LOST_RUNS;
  const counter = meter.createCounter(name, { unit, description, valueType: ValueType.INT });
  for (const [reason, count] of lost)
    counter.add(count, { [LOSS_REASON_ATTRIBUTE.key]: reason, ...ci });
}
