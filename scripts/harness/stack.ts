// stack.ts: starts the operator's servers for tests as processes of this machine. Flags, files and
// environment are read from docker-compose.yml; container paths become files of this repository or
// a temporary folder, and host names and ports become free ports of 127.0.0.1.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promtoolPath } from '../setup/programs.mjs';
import { type Asker, asker } from './asker.ts';
import { freePort } from './collector.ts';
import { composeServices, type Service } from './compose.ts';
import { projectRoot } from './sandbox.ts';
import { localize, type Server, server, temporary } from './server.ts';

/** A secret for tests, as long as the collector demands. */
export const PEPPER = 'a pepper of thirty-two bytes, long enough';

const SINGLE = 'docker-compose.yml';

export interface Prometheus extends Server, Asker {
  /** Where its configuration and data are. */
  folder: string;
}

export interface Gateway extends Server {
  grpcPort: number;
  metricsPort: number;
  /** Own metrics of the collector: name{labels} → value. */
  metrics(): Promise<Map<string, number>>;
  /** Points dropped by the rule `filter/<reason>` since it started. */
  dropped(reason: string): Promise<number>;
}

interface PrometheusOptions {
  /** The port of a gateway to watch. */
  scrape?: number;
  everySecond?: boolean;
  flags?: string[];
  /**
   * Writes no present samples: no scrapes, no alerts, no sample at the start. Runs of past days
   * that are sent in order then arrive in order.
   */
  past?: boolean;
  /** Asks at the start for the sample of the present, in place of promtool. */
  promtool?: string;
}

/** The environment of deploy/prometheus/start.sh: its own address, and the program that asks it. */
export const startVariables = async (promtool = promtoolPath()): Promise<NodeJS.ProcessEnv> => ({
  PATH: process.env.PATH,
  LHP_START_ADDRESS: `127.0.0.1:${await freePort()}`,
  LHP_PROMTOOL: promtool,
});

/**
 * Prometheus tells Go about nine tenths of its container's limit of memory; here is no container,
 * so it gets the same from us.
 */
function memoryLimit({ mem_limit = '' }: Service): NodeJS.ProcessEnv {
  const [, count, unit] = /^(\d+)([mg])$/.exec(mem_limit) ?? [];
  if (count === undefined) throw new Error(`${SINGLE}: "${mem_limit}" is no limit such as 4g`);
  const mebibytes = Number(count) * (unit === 'g' ? 1_024 : 1);
  return { GOMEMLIMIT: `${Math.floor(mebibytes * 0.9)}MiB` };
}

/** Prometheus as the compose file has it, with an empty database. */
export async function prometheusServer(
  program: string,
  options: PrometheusOptions = {},
): Promise<Prometheus> {
  const folder = temporary();
  const port = await freePort();
  const service = composeServices(SINGLE).prometheus as Service;
  const config = readFileSync(join(projectRoot, 'deploy', 'prometheus', 'prometheus.yml'), 'utf8')
    .replaceAll('/etc/prometheus/rules.yml', join(projectRoot, 'deploy', 'prometheus', 'rules.yml'))
    .replaceAll('collector:8888', `127.0.0.1:${options.scrape ?? 9}`)
    .replaceAll('localhost:9090', `127.0.0.1:${port}`)
    .replaceAll(
      'scrape_interval: 15s',
      options.everySecond ? 'scrape_interval: 1s' : 'scrape_interval: 15s',
    );
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, options.past ? config.replace(/^rule_files:[\s\S]*/m, '') : config);
  mkdirSync(join(folder, 'prometheus'));
  const args = () => [
    ...localize(service, folder, { '/etc/prometheus/prometheus.yml': file }),
    `--web.listen-address=127.0.0.1:${port}`,
    ...(options.flags ?? []),
  ];
  const [shell, script = ''] = options.past ? [] : (service.entrypoint ?? []);
  const ready = `http://127.0.0.1:${port}/-/ready`;
  const [local = ''] = localize({ ...service, command: [script] }, folder);
  const base =
    shell === undefined
      ? server(program, args, memoryLimit(service), port, ready)
      : server(
          shell,
          () => [local, program, ...args()],
          { ...(await startVariables(options.promtool)), ...memoryLimit(service) },
          port,
          ready,
        );
  return { ...base, folder, ...asker(() => base.url) };
}

/**
 * The gateway of a compose file, in front of this backend (base URL of its OTLP endpoint), with
 * these files of deploy/collector as switches. `from` names the compose file and the service.
 */
export async function gatewayServer(
  program: string,
  backend: string,
  env: NodeJS.ProcessEnv = {},
  switches: readonly string[] = [],
  from: { file: string; name: string } = { file: SINGLE, name: 'collector' },
): Promise<Gateway> {
  const [http, grpc, health] = [await freePort(), await freePort(), await freePort()];
  const own = Number(env.LHP_OTEL_METRICS_PORT ?? (await freePort()));
  const folder = temporary();
  const queue = join(folder, 'queue');
  mkdirSync(queue);
  const chosen = switches.map((name) => `--config=/etc/otelcol/switches/${name}.yaml`).join(' ');
  const variables = { LHP_OTEL_SWITCHES: chosen, LHP_OTEL_PEPPER: PEPPER };
  const service = composeServices(from.file, variables)[from.name] as Service;
  const ports = {
    LHP_OTEL_LISTEN: '127.0.0.1',
    LHP_OTEL_HTTP_PORT: String(http),
    LHP_OTEL_GRPC_PORT: String(grpc),
    LHP_OTEL_METRICS_PORT: String(own),
    LHP_OTEL_HEALTH_PORT: String(health),
  };
  const base = server(
    program,
    () => localize(service, folder),
    { ...service.environment, ...ports, LHP_OTEL_BACKEND: backend, LHP_OTEL_QUEUE: queue, ...env },
    http,
    `http://127.0.0.1:${health}/`,
  );
  const url = `${switches.includes('tls') ? 'https' : 'http'}://127.0.0.1:${http}`;
  const metrics = async () => {
    const text = await (await fetch(`http://127.0.0.1:${own}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [
        line.slice(0, line.lastIndexOf(' ')),
        Number(line.slice(line.lastIndexOf(' '))),
      ]),
    );
  };
  return {
    ...base,
    url,
    grpcPort: grpc,
    metricsPort: own,
    metrics,
    dropped: async (reason) => {
      const all = [...(await metrics())].filter(
        ([name]) =>
          name.startsWith('otelcol_processor_filter_datapoints') &&
          name.includes(`"filter/${reason}"`),
      );
      return all.reduce((sum, [, value]) => sum + value, 0);
    },
  };
}
