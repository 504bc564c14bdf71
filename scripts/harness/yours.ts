// yours.ts: starts the servers that an operator may already have, from deploy/stacks: a collector,
// a Prometheus, an agent. Only host names, ports and paths in the files are replaced by those of
// this machine, and a test can state what else the operator has changed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FIELDS } from '../../src/contract/fields.ts';
import { asker } from './asker.ts';
import { freePort } from './collector.ts';
import { projectRoot } from './sandbox.ts';
import { type Server, server, temporary } from './server.ts';
import { PEPPER, type Prometheus, startVariables } from './stack.ts';

export const YOURS = 'deploy/stacks/yours.yaml';
export const LHP = 'deploy/stacks/lhp.yaml';
export const SAME_PORT = 'deploy/stacks/same-port.yaml';
export const YOUR_PROMETHEUS = 'deploy/stacks/prometheus.yml';
export const YOUR_AGENT = 'deploy/stacks/prometheus-agent.yml';

const read = (file: string) => readFileSync(join(projectRoot, file), 'utf8');

export interface YourCollector extends Server {
  /** Where runs go. The server's own port is that of the operator's other applications. */
  lhp: string;
  metricsPort: number;
}

/**
 * A collector with these files of the repository, each by one --config, and these places to write
 * to; `scraped`: the port that a Prometheus looks at.
 */
export async function yourCollector(
  program: string,
  files: readonly string[],
  backends: { yours?: string; lhp: string },
  changed: (text: string) => string = (text) => text,
  scraped?: number,
): Promise<YourCollector> {
  const folder = temporary();
  const [port, lhp, health] = [await freePort(), await freePort(), await freePort()];
  const metricsPort = scraped ?? (await freePort());
  const placed = files.map((name) => {
    const file = join(folder, basename(name));
    writeFileSync(file, changed(read(name)));
    return file;
  });
  const env = Object.fromEntries(
    Object.entries({ LISTEN: '127.0.0.1', METRICS_PORT: metricsPort, HEALTH_PORT: health }).flatMap(
      ([name, value]) => [
        [`YOURS_${name}`, String(value)],
        [`LHP_OTEL_${name}`, String(value)],
      ],
    ),
  );
  const base = server(
    program,
    () => placed.map((file) => `--config=${file}`),
    {
      ...env,
      YOURS_HTTP_PORT: String(port),
      YOURS_BACKEND: backends.yours,
      LHP_OTEL_HTTP_PORT: String(lhp),
      LHP_OTEL_BACKEND: backends.lhp,
      LHP_OTEL_PEPPER: PEPPER,
    },
    port,
    `http://127.0.0.1:${health}/`,
  );
  return {
    ...base,
    lhp: `http://127.0.0.1:${files.includes(SAME_PORT) ? port : lhp}`,
    metricsPort,
  };
}

/**
 * A Prometheus with this file, started by the script and with the flags that its first comment
 * names; `hosts`: what its host names are here.
 */
export async function yourPrometheus(
  program: string,
  name: string,
  hosts: Record<string, string> = {},
  changed: (text: string) => string = (text) => text,
): Promise<Prometheus> {
  const folder = temporary();
  const port = await freePort();
  const text = changed(read(name));
  const flags = [...text.matchAll(/^# {3}(--\S+)$/gm)].map(([, flag]) => flag as string);
  const local = {
    '/etc/prometheus/lhp-rules.yml': join(projectRoot, 'deploy', 'prometheus', 'rules.yml'),
    ...hosts,
  };
  const placed = Object.entries(local).reduce(
    (all, [there, here]) => all.replaceAll(there, here),
    text,
  );
  const file = join(folder, basename(name));
  writeFileSync(file, placed.replace('scrape_interval: 15s', 'scrape_interval: 1s'));
  const data = join(folder, 'data');
  mkdirSync(data);
  const path = flags.includes('--agent') ? '--storage.agent.path' : '--storage.tsdb.path';
  const args = () => [
    ...flags,
    `--config.file=${file}`,
    `${path}=${data}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const ready = `http://127.0.0.1:${port}/-/ready`;
  const [script] = /^# .*(deploy\/prometheus\/start\.sh)/m.exec(text)?.slice(1) ?? [];
  const base =
    script === undefined
      ? server(program, args, {}, port, ready)
      : server(
          '/bin/sh',
          () => [join(projectRoot, script), program, ...args()],
          await startVariables(),
          port,
          ready,
        );
  return { ...base, folder, ...asker(() => base.url) };
}

/**
 * How many runs are in these bodies, joined or not: each has one point of its own of this metric.
 */
export function runsIn(bodies: readonly Buffer[]): number {
  const name = FIELDS.event.name;
  return bodies.reduce((sum, body) => sum + body.toString('latin1').split(name).length - 1, 0);
}
