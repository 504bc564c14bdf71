// backends.ts: starts a backend for the runs of a simulated fleet, stores them in it (fill.ts), and
// waits until it has them as it would after that many days.
import { setTimeout as sleep } from 'node:timers/promises';
import { fill } from '../../fleet/fill.ts';
import { forwardedBy } from '../../fleet/forwarded.ts';
import type { SimulatedRun } from '../../fleet/machine.ts';
import type { BackendName } from '../../fleet/options.ts';
import { gatewayServer, type Prometheus, prometheusServer } from '../../harness/stack.ts';
import { victoriaMetricsGateway, victoriaMetricsServer } from '../../harness/victoriametrics.ts';
import { ensureCollector, ensurePrometheus, ensureVictoriaMetrics } from '../../setup/install.mjs';
import { cpu, peak } from '../measure.ts';

/**
 * While it is filled, Prometheus makes blocks of 54 hours, as it has them after that time anyway.
 * In the short time of a benchmark, it would make many blocks of two hours and merge them for long
 * afterwards.
 */
const FILLING = ['--storage.tsdb.min-block-duration=54h', '--storage.tsdb.max-block-duration=486h'];
/** Longer than the days that are stored: the benchmark stores the first of them hours ago. */
const RETENTION = '-retentionPeriod=500d';
const SETTLED_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
/** Processor time that a server at rest uses in this time, at most. */
const AT_REST_SECONDS = 0.05;
/** Prometheus looks each minute whether there is something to compact. */
const LEAST_MS = 75_000;

export interface Filled {
  server: Prometheus;
  /** Until everything was stored. */
  seconds: number;
  cpuSeconds: number;
  peakMiB: number;
}

interface Backend {
  server: Prometheus;
  /** Base URL of its OTLP endpoint. */
  otlp: string;
  /** Resolves when it does nothing more by itself. */
  settled(): Promise<void>;
}

/** An empty backend, started. */
async function emptyBackend(name: BackendName): Promise<Backend> {
  if (name === 'victoriametrics') {
    const options = { without: ['-retentionPeriod'], flags: [RETENTION] };
    const server = await victoriaMetricsServer(await ensureVictoriaMetrics(), options);
    await server.start();
    return { server, otlp: server.otlp, settled: () => idle(server, 0) };
  }
  const flags = [...FILLING];
  const server = await prometheusServer(await ensurePrometheus(), { past: true, flags });
  await server.start();
  const settled = async () => {
    await server.stop();
    flags.length = 0;
    await server.start();
    await idle(server, LEAST_MS);
  };
  return { server, otlp: `${server.url}/api/v1/otlp`, settled };
}

/** Resolves when the server has been at rest for some seconds, `least` milliseconds from now. */
async function idle(server: Prometheus, least: number): Promise<void> {
  const started = performance.now();
  let [used, since] = [cpu(server.pid()), started];
  while (performance.now() - since < SETTLED_MS) {
    await sleep(LOOK_EVERY_MS);
    const now = cpu(server.pid());
    const works = now - used > AT_REST_SECONDS;
    if (works || performance.now() - started < least) since = performance.now();
    used = now;
  }
}

/** The gateway of this backend's compose file, in front of another server. */
export async function gatewayOf(name: BackendName, backend: string) {
  const program = await ensureCollector();
  const gateway =
    name === 'prometheus'
      ? await gatewayServer(program, backend)
      : await victoriaMetricsGateway(program, backend);
  await gateway.start();
  return gateway;
}

export async function filledBackend(
  name: BackendName,
  runs: readonly SimulatedRun[],
): Promise<Filled> {
  const { server, otlp, settled } = await emptyBackend(name);
  const { forwarded, stop } = await forwardedBy((backend) => gatewayOf(name, backend));
  const started = performance.now();
  await fill(otlp, runs, forwarded);
  const seconds = (performance.now() - started) / 1_000;
  const [cpuSeconds, peakMiB] = [cpu(server.pid()), peak(server.pid())];
  await stop();
  await settled();
  return { server, seconds, cpuSeconds, peakMiB };
}
