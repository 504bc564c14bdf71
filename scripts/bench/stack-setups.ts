// stack-setups.ts: the stacks of docs/stacks.md for the benchmark, as they should be and as they
// should not.
import { type OtlpServer, startOtlpServer } from '../harness/otlp-server.ts';
import type { Server } from '../harness/server.ts';
import { gatewayServer, type Prometheus, prometheusServer } from '../harness/stack.ts';
import {
  LHP,
  runsIn,
  YOUR_AGENT,
  YOUR_PROMETHEUS,
  YOURS,
  yourCollector,
  yourPrometheus,
} from '../harness/yours.ts';

export interface Stack {
  /** Where clients deliver. */
  url: string;
  /** What is asked in the end, or another way to count. */
  backend: Prometheus | (() => number);
  /** The servers that can be killed, or be away. */
  victim: Server;
  away?: Server;
  /** To be stopped in this order. */
  servers: readonly { stop(): Promise<unknown> }[];
}

const KEY = { LHP_OTEL_VENDOR_KEY: 'Bearer of-a-benchmark' };
const OTLP = '/api/v1/otlp';

async function started<T extends Server>(making: Promise<T>): Promise<T> {
  const server = await making;
  await server.start();
  return server;
}

/** A stand-in for a vendor that accepts everything, and counts each run as often as it comes. */
const counting = (vendor: OtlpServer) => () => runsIn(vendor.requests.map(({ body }) => body));

/** Starts stacks of these programs. */
export class Setups {
  readonly #collector: string;
  readonly #prometheus: string;

  constructor(collector: string, prometheus: string) {
    this.#collector = collector;
    this.#prometheus = prometheus;
  }

  #central(): Promise<Prometheus> {
    const flags = ['--web.enable-remote-write-receiver'];
    return started(prometheusServer(this.#prometheus, { flags }));
  }

  /** The gateway in front of a backend at `url`. */
  async #before(
    backend: Prometheus,
    url: string,
    switches: string[] = [],
    env: NodeJS.ProcessEnv = {},
  ) {
    const gateway = await started(
      gatewayServer(this.#collector, url, { ...KEY, ...env }, switches),
    );
    return { url: gateway.url, backend, victim: gateway, servers: [gateway, backend] };
  }

  /** docker-compose.yml. */
  single = async () => {
    const backend = await this.#central();
    return this.#before(backend, backend.url + OTLP);
  };

  /** A collector of these files, with what an operator may have changed in them. */
  own =
    (files: string[], path = OTLP, changed?: (text: string) => string) =>
    async (): Promise<Stack> => {
      const backend = await this.#central();
      const urls = { yours: backend.url, lhp: `${backend.url}${path}` };
      const victim = await started(yourCollector(this.#collector, files, urls, changed));
      return { url: victim.lhp, backend, victim, servers: [victim, backend] };
    };

  withLhp = (changed?: (text: string) => string) => this.own([YOURS, LHP], OTLP, changed);

  remoteWrite = (changed?: (text: string) => string) =>
    this.own(
      ['otel-collector.yaml', 'deploy/collector/remote-write.yaml'],
      '/api/v1/write',
      changed,
    );

  /** A collector with `batch` in front of the gateway. */
  inFront = async (): Promise<Stack> => {
    const stack = await this.single();
    const front = await started(
      yourCollector(this.#collector, [YOURS], { yours: stack.url, lhp: '' }, (text) =>
        text.replace('transform/time, ', ''),
      ),
    );
    return { ...stack, url: front.url, victim: front, servers: [front, ...stack.servers] };
  };

  agent = async (): Promise<Stack> => {
    const away = await this.#central();
    const hosts = { 'http://prometheus:9090': away.url };
    const victim = await started(yourPrometheus(this.#prometheus, YOUR_AGENT, hosts));
    const { url, servers } = await this.#before(away, victim.url + OTLP);
    return { url, backend: away, victim, away, servers: [...servers, victim] };
  };

  vendor = async (): Promise<Stack> => {
    const vendor = await startOtlpServer();
    const gateway = await started(gatewayServer(this.#collector, vendor.endpoint, KEY, ['vendor']));
    const servers = [gateway, { stop: vendor.close }];
    return { url: gateway.url, backend: counting(vendor), victim: gateway, servers };
  };

  vendorCopy = async (): Promise<Stack> => {
    const vendor = await startOtlpServer();
    const backend = await this.#central();
    const copy = { LHP_OTEL_COPY: vendor.endpoint };
    const stack = await this.#before(backend, backend.url + OTLP, ['vendor-copy'], copy);
    const servers = [...stack.servers, { stop: vendor.close }];
    return { ...stack, backend: counting(vendor), victim: backend, servers };
  };

  /** The example of a Prometheus that somebody has, with one setting as it should not be. */
  otherwise = (from: string, to: string) => async (): Promise<Stack> => {
    const hosts = { 'shop:9090': '127.0.0.1:9', 'collector:8888': '127.0.0.1:9' };
    const changed = (text: string) => text.replace(from, to);
    const making = yourPrometheus(this.#prometheus, YOUR_PROMETHEUS, hosts, changed);
    const backend = await started(making);
    return this.#before(backend, backend.url + OTLP);
  };
}
