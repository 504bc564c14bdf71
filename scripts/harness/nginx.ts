// nginx.ts: the nginx of deploy/docker-compose.cluster.yml for tests, with the files that are
// mounted there.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { freePort } from './collector.ts';
import { composeServices, type Service } from './compose.ts';
import { projectRoot } from './sandbox.ts';
import { localize, type Server, server, temporary } from './server.ts';

export const FILE = 'deploy/docker-compose.cluster.yml';
/** Its ports: for clients, and between gateways and nodes. */
export const CLIENTS = 4318;
export const INSIDE = 9009;

export type At = (name: string) => number;
export const placed =
  (ports: ReadonlyMap<string, number>): At =>
  (name) =>
    ports.get(name) as number;
export type Local = (text: string) => string;

/** nginx alone, with its limits, in front of one gateway; `edge` as LHP_OTEL_EDGE. */
export async function frontServer(program: string, gateway: number, edge: string): Promise<Server> {
  const ports = new Map([['gateway-1:4318', gateway]]);
  const names = ['cortex-1:9009', 'cortex-2:9009', 'cortex-3:9009', 'nginx:4318', 'nginx:9009'];
  for (const name of names) ports.set(name, await freePort());
  return nginxServer({
    program,
    service: composeServices(FILE, { LHP_OTEL_EDGE: edge }).nginx as Service,
    own: join(temporary(), 'nginx'),
    at: placed(ports),
    // The balancer of the tests is on loopback.
    local: (text) =>
      [...ports]
        .reduce((all, [name, port]) => all.replaceAll(name, `127.0.0.1:${port}`), text)
        .replace('set_real_ip_from 10.0.0.0/8', 'set_real_ip_from 127.0.0.1'),
    limits: true,
  });
}

interface Front {
  program: string;
  service: Service;
  /** The folder for its files, which it makes. */
  own: string;
  at: At;
  local: Local;
  /** Limits for one client address. */
  limits?: boolean;
}

export function nginxServer({ program, service, own, at, local, limits = false }: Front): Server {
  mkdirSync(own);
  const files: Record<string, string> = {};
  for (const volume of service.volumes ?? []) {
    const [host = '', container = ''] = volume.split(':');
    if (!host.endsWith('.conf')) continue;
    const text = readFileSync(join(projectRoot, host), 'utf8')
      .replaceAll('/tmp/', `${own}/`)
      .replace(
        /listen (4318|9009)/g,
        (_, port: string) => `listen 127.0.0.1:${at(`nginx:${port}`)}`,
      );
    // Fewer gateways than the file has: a benchmark with one or two of them. All clients here have
    // one address.
    const placed = local(limits ? text : text.replace(/^ *limit_(conn|req) .*\n/gm, '')).replace(
      /^ *server gateway-\d:4318.*\n/gm,
      '',
    );
    files[container] = join(own, basename(container));
    writeFileSync(files[container], placed);
  }
  // When root starts nginx, its workers run as another user, who cannot write into the folder.
  const user = process.getuid?.() === 0 ? ' user root;' : '';
  const args = () =>
    localize(service, own, files)
      .slice(1)
      .map((word) => word.replace('daemon off;', `daemon off;${user}`));
  const port = at(`nginx:${CLIENTS}`);
  return server(program, args, {}, port, `http://127.0.0.1:${at(`nginx:${INSIDE}`)}/healthy`);
}
