// cluster.ts: the cluster of deploy/docker-compose.cluster.yml for tests: nginx, gateways, nodes of
// Cortex and the watcher, with the flags, files and environment of that file. Host names and
// ports become free ports of 127.0.0.1; nothing else is changed.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Asker, asker } from './asker.ts';
import { freePort } from './collector.ts';
import { composeServices, type Service } from './compose.ts';
import type { Need } from './needs.ts';
import { type At, CLIENTS, FILE, INSIDE, type Local, nginxServer, placed } from './nginx.ts';
import { projectRoot } from './sandbox.ts';
import { localize, type Server, server, temporary } from './server.ts';
import { type Gateway, gatewayServer } from './stack.ts';

/** The tenant that nginx sets for a request that names none. */
export const TENANT = 'lhp';

/** One of the three nodes, which a test asks directly. */
export interface Node extends Server, Asker {
  /** Makes blocks of what a tenant has in memory, and ships them to the bucket. */
  flush(tenant?: string): Promise<void>;
  /**
   * Gives the node other addresses for the other nodes from its next start, as a pod has that
   * Kubernetes replaces. The address for questions stays.
   */
  move(): Promise<void>;
}

export interface Cluster {
  folder: string;
  nodes: Node[];
  gateways: Gateway[];
  /** For clients. */
  nginx: Server;
  /** Between gateways and nodes. */
  inside: string;
  /**
   * Another nginx before the same gateways, that clients reach by TLS (cluster/nginx/tls.conf,
   * mtls.conf), with what is in `secrets`.
   */
  edge(kind: 'tls' | 'mtls', secrets: string): Promise<Server>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  gateways?: number;
  /** Files of collector/ as switches of the gateways. */
  switches?: readonly string[];
  /** More flags of the nodes, with names and ports as the compose file has them. */
  flags?: string[];
  /** Also start the watcher, a Prometheus that scrapes every second. */
  watcher?: Need;
}

export async function clusterServers(
  programs: { nginx: Need; collector: Need; cortex: Need },
  { gateways: count = 3, switches = [], flags = [], watcher }: ClusterOptions = {},
): Promise<Cluster> {
  const folder = temporary();
  const services = composeServices(FILE);
  const names = Object.keys(services).filter((name) => name.startsWith('cortex-'));
  const ports = new Map<string, number>();
  for (const name of names)
    for (const port of [9009, 9095, 7946]) ports.set(`${name}:${port}`, await freePort());
  for (const port of [CLIENTS, INSIDE]) ports.set(`nginx:${port}`, await freePort());
  const local = (text: string) =>
    [...ports].reduce((all, [name, port]) => all.replaceAll(name, `127.0.0.1:${port}`), text);
  const at = placed(ports);
  const inside = `http://127.0.0.1:${at(`nginx:${INSIDE}`)}`;

  const nodes = names.map((name) =>
    node(programs.cortex.path, name, services[name] as Service, folder, ports, local, flags),
  );
  const gateways: Gateway[] = [];
  for (let i = 1; i <= count; i += 1) {
    const from = { file: FILE, name: `gateway-${i}` };
    const backend = local(services[from.name]?.environment?.LHP_OTEL_BACKEND ?? '');
    gateways.push(await gatewayServer(programs.collector.path, backend, {}, switches, from));
    ports.set(`gateway-${i}:${CLIENTS}`, gateways.at(-1)?.port as number);
    ports.set(`gateway-${i}:8888`, gateways.at(-1)?.metricsPort as number);
  }
  const front = (from: Service, name: string, own: At, secrets: string) =>
    nginxServer({
      program: programs.nginx.path,
      service: from,
      own: join(folder, name),
      at: own,
      local: (text) => local(text).replaceAll('/etc/otelcol/secrets', secrets),
    });
  const nginx = front(services.nginx as Service, 'nginx', at, '');
  const agent =
    watcher && (await watcherServer(watcher.path, services.watcher as Service, folder, local));
  return {
    folder,
    nodes,
    gateways,
    nginx,
    inside,
    edge: async (kind, secrets) => {
      const own = new Map([CLIENTS, INSIDE].map((port) => [`nginx:${port}`, 0]));
      for (const name of own.keys()) own.set(name, await freePort());
      const service = composeServices(FILE, { LHP_OTEL_EDGE: kind }).nginx as Service;
      const other = front(service, kind, placed(own), secrets);
      return { ...other, url: other.url.replace('http:', 'https:') };
    },
    start: async () => {
      await Promise.all(nodes.map((one) => one.start()));
      await nginx.start();
      await Promise.all(gateways.map((one) => one.start()));
      await agent?.start();
    },
    stop: async () => {
      await agent?.stop();
      await Promise.all(gateways.map((one) => one.stop()));
      await nginx.stop();
      await Promise.all(nodes.map((one) => one.stop()));
    },
  };
}

function node(
  program: string,
  name: string,
  service: Service,
  folder: string,
  ports: Map<string, number>,
  local: Local,
  flags: string[],
): Node {
  const at = placed(ports);
  const own = join(folder, name);
  for (const path of [own, join(folder, 'blocks'), join(folder, 'rules')])
    mkdirSync(path, { recursive: true });
  for (const volume of service.volumes ?? []) {
    const [host = '', container = ''] = volume.split(':');
    const file = /^\/etc\/cortex\/(rules\/.+)/.exec(container)?.[1];
    if (file === undefined) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(projectRoot, host), join(folder, file));
  }
  const env: Record<string, string> = {
    ...service.environment,
    CORTEX_LISTEN: '127.0.0.1',
    CORTEX_ADDRESS: '127.0.0.1',
    CORTEX_HTTP_PORT: String(at(`${name}:9009`)),
    CORTEX_GRPC_PORT: String(at(`${name}:9095`)),
    CORTEX_GOSSIP_PORT: String(at(`${name}:7946`)),
    CORTEX_DATA: own,
    CORTEX_BLOCKS: join(folder, 'blocks'),
    CORTEX_RULES: join(folder, 'rules'),
  };
  const port = at(`${name}:9009`);
  const url = `http://127.0.0.1:${port}`;
  const base = server(
    program,
    () => [...localize(service, folder), ...flags].map(local),
    env,
    port,
    `${url}/ready`,
  );
  return {
    ...base,
    ...asker(() => `${url}/prometheus`, { 'X-Scope-OrgID': TENANT }),
    flush: async (tenant = TENANT) => {
      // Cortex closes a connection that it has not answered for 30 s; the next question waits for
      // its turn again.
      const asked = () =>
        fetch(`${url}/ingester/flush?wait=true&tenant=${tenant}`, { method: 'POST' }).then(
          () => true,
          () => false,
        );
      while (!(await asked()));
    },
    move: async () => {
      for (const [variable, from] of Object.entries({
        CORTEX_GRPC_PORT: 9095,
        CORTEX_GOSSIP_PORT: 7946,
      })) {
        const port = await freePort();
        ports.set(`${name}:${from}`, port);
        env[variable] = String(port);
      }
    },
  };
}

async function watcherServer(
  program: string,
  service: Service,
  folder: string,
  local: Local,
): Promise<Server> {
  const own = '/etc/prometheus/watcher.yml';
  const file = join(folder, 'watcher.yml');
  const text = local(readFileSync(join(projectRoot, 'deploy', 'cluster', 'watcher.yml'), 'utf8'));
  writeFileSync(file, text.replace('scrape_interval: 15s', 'scrape_interval: 1s'));
  mkdirSync(join(folder, 'watcher'));
  const port = await freePort();
  const args = () => [
    ...localize(service, folder, { [own]: file }),
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  return server(program, args, {}, port, `http://127.0.0.1:${port}/-/ready`);
}
