// own-provider.ts: records a run on the instruments of the host's own OpenTelemetry SDK.
import type { MeterProvider } from '@opentelemetry/api';
import { type EventKey, SCOPE_NAME, toRecording } from '../contract/contract.ts';
import type { NUMBER_TYPES } from '../contract/values.ts';
import { version } from '../system/version.ts';

/**
 * Advice for the bucket boundaries of the histograms, which a view of the host overrides. The
 * default boundaries of OpenTelemetry are made for milliseconds: most durations of a generate would
 * be in the one bucket up to 5.
 */
const BOUNDARIES = {
  seconds: [
    0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 120, 300, 600,
  ],
  count: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000],
  run: [1],
} satisfies Record<keyof typeof NUMBER_TYPES, number[]>;

/** Records the metrics of docs/metrics.md; the attributes of the resource are the host's own. */
export function recordOn(provider: MeterProvider, facts: Partial<Record<EventKey, unknown>>): void {
  const meter = provider.getMeter(SCOPE_NAME, version);
  const { attributes, measurements } = toRecording(facts);
  for (const { instrument, value } of measurements) {
    const { name, unit, description, kind } = instrument;
    if (kind === 'counter') meter.createCounter(name, { unit, description }).add(value, attributes);
    else {
      const advice = { explicitBucketBoundaries: BOUNDARIES[instrument.value] };
      meter.createHistogram(name, { unit, description, advice }).record(value, attributes);
    }
  }
}
