// stack.ts: the operator's own servers for tests. What docker-compose.yml says of a service (flags,
// files, environment) is read from it and run natively: container paths become the files of this
// repository or a temporary folder, host names and ports become free ports of 127.0.0.1. Servers
// are ended by their own handle.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promtoolPath } from '../setup/programs.mjs';
import { freePort } from './collector.ts';
import { composeServices, type Service } from './compose.ts';
import { projectRoot } from './sandbox.ts';

/** A secret for tests, as long as the collector demands. */
export const PEPPER = 'a pepper of thirty-two bytes, long enough';

const SINGLE = 'docker-compose.yml';

/** A server on this machine that can be killed and started again at the same place. */
export interface Server {
  port: number;
  url: string;
  start(): Promise<void>;
  /** SIGKILL: no time to write anything. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  pid(): number;
  /** Everything it has written to its log. */
  log(): string;
}

export interface Prometheus extends Server {
  /** Where its configuration and data are. */
  folder: string;
  /** An instant query at a time (seconds; now when left out): the samples, in no order. */
  query(expression: string, time?: number): Promise<Sample[]>;
  /** The single value of an instant query; undefined when there is none. */
  value(expression: string, time?: number): Promise<number | undefined>;
  /** The values of a query over time that has one series; times in seconds. */
  range(expression: string, over: { start: number; end: number; step: number }): Promise<number[]>;
}

export type Asker = Pick<Prometheus, 'query' | 'value' | 'range'>;

interface Sample {
  metric: Record<string, string>;
  value?: [number, string];
  histogram?: [number, { count: string; sum: string }];
}

export interface Gateway extends Server {
  grpcPort: number;
  metricsPort: number;
  /** Own metrics of the collector: name{labels} → value. */
  metrics(): Promise<Map<string, number>>;
  /** Points dropped by the rule `filter/<reason>` since it started. */
  dropped(reason: string): Promise<number>;
}

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-stack-'));
  folders.push(folder);
  return folder;
}

/**
 * The service's command with container paths made local: `files` say where, bind mounts → the
 * repository, named volumes → `folder`.
 */
export function localize(
  service: Service,
  folder: string,
  files: Record<string, string> = {},
): string[] {
  const mounts = (service.volumes ?? []).map((volume) => volume.split(':') as [string, string]);
  const command = service.command ?? [];
  return (typeof command === 'string' ? command.split(' ').filter(Boolean) : command).map(
    (argument) => {
      for (const [host, container] of mounts) {
        if (!argument.includes(container)) continue;
        const local =
          files[container] ?? (host.startsWith('.') ? join(projectRoot, host) : join(folder, host));
        return argument.replace(container, local);
      }
      return argument;
    },
  );
}

export function server(
  program: string,
  args: () => string[],
  env: NodeJS.ProcessEnv,
  port: number,
  ready: string,
): Server {
  let child: ChildProcess | undefined;
  let log = '';
  const ended = () => !child || child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (!child || ended()) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    start: async () => {
      const started = spawn(program, args(), { env, stdio: ['ignore', 'pipe', 'pipe'] });
      child = started;
      for (const stream of [started.stdout, started.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          log += text;
        });
      const deadline = Date.now() + 60_000;
      while (
        !(await fetch(ready).then(
          (answer) => answer.ok,
          () => false,
        ))
      ) {
        if (ended())
          throw new Error(
            `${program} ended with ${started.exitCode ?? started.signalCode}:\n${log}`,
          );
        if (Date.now() > deadline) throw new Error(`${program} is not ready:\n${log}`);
        await sleep(50);
      }
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    pid: () => child?.pid ?? 0,
    log: () => log,
  };
}

interface PrometheusOptions {
  /** The port of a gateway to watch. */
  scrape?: number;
  everySecond?: boolean;
  flags?: string[];
  /**
   * It writes nothing of the present, neither scrapes nor alerts nor the sample of its start:
   * whoever brings the runs of past days in their order, brings them in order.
   */
  past?: boolean;
  /** Asks at the start for the sample of the present, in place of promtool. */
  promtool?: string;
}

/** What deploy/prometheus/start.sh reads from its environment: its own door, and who asks there. */
export const startVariables = async (promtool = promtoolPath()): Promise<NodeJS.ProcessEnv> => ({
  PATH: process.env.PATH,
  LHP_START_ADDRESS: `127.0.0.1:${await freePort()}`,
  LHP_PROMTOOL: promtool,
});

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
      ? server(program, args, {}, port, ready)
      : server(
          shell,
          () => [local, program, ...args()],
          await startVariables(options.promtool),
          port,
          ready,
        );
  return { ...base, folder, ...asker(() => base.url) };
}

/** Instant queries to whatever speaks Prometheus's API below this URL. */
export function asker(url: () => string, headers: Record<string, string> = {}): Asker {
  const ask = async <Result>(path: string, query: string, more: Record<string, number>) => {
    const given = Object.entries(more).map(([name, value]) => [name, String(value)]);
    const body = new URLSearchParams({ query, ...Object.fromEntries(given) });
    const answer = await fetch(`${url()}/api/v1/${path}`, { method: 'POST', body, headers });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${query}: ${answer.status} ${text}`);
    return (JSON.parse(text) as { data: { resultType: string; result: Result[] } }).data;
  };
  const query = async (expression: string, time?: number) => {
    const { resultType, result } = await ask<Sample>(
      'query',
      expression,
      time === undefined ? {} : { time },
    );
    return resultType === 'vector' ? result : [];
  };
  return {
    query,
    value: async (expression, time) => {
      const samples = await query(expression, time);
      if (samples.length > 1) throw new Error(`${expression} has ${samples.length} values`);
      const value = samples[0]?.value?.[1];
      return value === undefined ? undefined : Number(value);
    },
    range: async (expression, over) => {
      const { result } = await ask<{ values: [number, string][] }>('query_range', expression, over);
      if (result.length > 1) throw new Error(`${expression} has ${result.length} series`);
      return (result[0]?.values ?? []).map(([, value]) => Number(value));
    },
  };
}

/**
 * The gateway as the compose file has it, in front of this backend (base URL of its OTLP endpoint),
 * with these files of collector/ as switches; `from`: the compose file, and what it is called
 * there.
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
