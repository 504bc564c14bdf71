// otlp.ts: scrapes as OTLP requests, so that a Prometheus that has no scrape of the past can get
// one. All series are gauges: then Prometheus keeps their names as they are.
import type { Sample } from './own-metrics.ts';

/** The JSON of one OTLP/HTTP request with these scrapes: time in milliseconds → samples. */
export function gauges(scrapes: readonly (readonly [at: number, samples: Sample[]])[]): string {
  const points = new Map<string, object[]>();
  for (const [at, samples] of scrapes)
    for (const { name, labels, value } of samples) {
      const found = points.get(name) ?? [];
      points.set(name, found);
      found.push({
        timeUnixNano: `${at}000000`,
        asDouble: value,
        attributes: Object.entries(labels).map(([key, text]) => ({
          key,
          value: { stringValue: text },
        })),
      });
    }
  const metrics = [...points].map(([name, dataPoints]) => ({ name, gauge: { dataPoints } }));
  return JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
}
