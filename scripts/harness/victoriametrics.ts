// victoriametrics.ts: the servers of deploy/docker-compose.victoriametrics.yml for tests:
// VictoriaMetrics, the gateway in front of it, and vmalert, with the flags, files and environment
// of that file. Host names and ports become free ports of 127.0.0.1.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asker } from './asker.ts';
import { freePort } from './collector.ts';
import { composeServices, type Service } from './compose.ts';
import { collector, victoriaMetrics } from './needs.ts';
import { type Run, sumOf, truth } from './runs.ts';
import { projectRoot } from './sandbox.ts';
import { localize, server, temporary } from './server.ts';
import { type Gateway, gatewayServer, type Prometheus } from './stack.ts';

const FILE = 'deploy/docker-compose.victoriametrics.yml';
const HOST = 'victoriametrics:8428';

export interface VictoriaMetrics extends Prometheus {
  /** Base URL for the gateway. */
  otlp: string;
  /** Makes accepted samples visible at once; otherwise it takes some seconds. */
  flush(): Promise<void>;
}

interface VictoriaMetricsOptions {
  /** Port of a gateway's own metrics, looked at every second, as are its own. */
  scrape?: number;
  /** Port of its vmalert. */
  alerts?: number;
  /** More flags, and flags of the compose file to leave out. */
  flags?: string[];
  without?: string[];
}

/** VictoriaMetrics with an empty database; each question sees what was acknowledged before it. */
export async function victoriaMetricsServer(
  program: string,
  { scrape, alerts, flags = [], without = [] }: VictoriaMetricsOptions = {},
): Promise<VictoriaMetrics> {
  const folder = temporary();
  const port = await freePort();
  const services = composeServices(FILE);
  const service = services.victoriametrics as Service;
  const command = (service.command as string[]).filter(
    (flag) => !without.includes(flag.split('=')[0] ?? ''),
  );
  const scraped = join(folder, 'scrape.yml');
  writeFileSync(
    scraped,
    readFileSync(join(projectRoot, 'deploy', 'victoriametrics', 'scrape.yml'), 'utf8')
      .replace('collector:8888', `127.0.0.1:${scrape ?? 9}`)
      .replace('15s', '1s'),
  );
  const args = () => [
    ...localize({ ...service, command }, folder, {
      '/etc/victoriametrics/scrape.yml': scraped,
    }).map((flag) =>
      flag
        .replace('selfScrapeInterval=15s', 'selfScrapeInterval=1s')
        .replace('vmalert:8880', `127.0.0.1:${alerts ?? 9}`),
    ),
    `-httpListenAddr=127.0.0.1:${port}`,
    ...flags,
  ];
  const base = server(program, args, {}, port, `http://127.0.0.1:${port}/health`);
  const flush = async () => {
    await (await fetch(`${base.url}/internal/force_flush`)).arrayBuffer();
  };
  const { query, value, range, series } = asker(() => base.url);
  return {
    ...base,
    folder,
    otlp: (services.collector?.environment?.LHP_OTEL_BACKEND ?? '').replace(
      HOST,
      `127.0.0.1:${port}`,
    ),
    flush,
    query: (...question) => flush().then(() => query(...question)),
    value: (...question) => flush().then(() => value(...question)),
    range: (...question) => flush().then(() => range(...question)),
    series: (...question) => flush().then(() => series(...question)),
  };
}

/** The gateway of that compose file. */
export const victoriaMetricsGateway = (
  program: string,
  backend: string,
  env: NodeJS.ProcessEnv = {},
  switches: readonly string[] = [],
): Promise<Gateway> =>
  gatewayServer(program, backend, env, switches, { file: FILE, name: 'collector' });

/** Both, started; VictoriaMetrics looks at the gateway's own metrics. */
export async function victoriaMetricsStack(options: VictoriaMetricsOptions = {}) {
  const scrape = await freePort();
  const backend = await victoriaMetricsServer(victoriaMetrics().path, { scrape, ...options });
  await backend.start();
  const own = { LHP_OTEL_METRICS_PORT: String(scrape) };
  const gateway = await victoriaMetricsGateway(collector().path, backend.otlp, own);
  await gateway.start();
  return { backend, gateway, stop: () => gateway.stop().then(backend.stop) };
}

/**
 * Questions with the answers of a VictoriaMetrics that holds each of these runs once, also in the
 * buckets of its histograms.
 */
export function victoriaMetricsTruth(runs: readonly Run[]): [expression: string, value: number][] {
  const part = (suffix: string) => (series: string) => sumOf(`${series}_${suffix}`);
  const asked = (count: string) => truth(runs, { count: part(count), sum: part('sum') });
  return [...asked('count'), ...asked('bucket')];
}

/** The command line of vmalert there, for a VictoriaMetrics at this URL. */
export const vmalertArguments = (backend: string): string[] =>
  localize(composeServices(FILE).vmalert as Service, '').map((flag) =>
    flag.replace(`http://${HOST}`, backend),
  );
