// @module-tag extended
// Tests the cluster of deploy/docker-compose.cluster.yml: nginx, three gateways and three real
// nodes of Cortex, started with the flags and files of that file. Runs are stored exactly once
// while nodes, gateways and nginx are killed or restarted, every node gives the same totals, and
// senders and readers never get a wrong answer meanwhile.
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asker } from '../../scripts/harness/asker.ts';
import { clientTls, makeCertificates } from '../../scripts/harness/certificates.ts';
import { type Cluster, clusterServers, type Node, TENANT } from '../../scripts/harness/cluster.ts';
import { collector, cortex, program } from '../../scripts/harness/needs.ts';
import {
  DAY,
  deliver,
  digest,
  HOUR,
  makeRuns,
  post,
  type Run,
  record,
  sumOf,
  truth,
} from '../../scripts/harness/runs.ts';
import { until } from '../../scripts/harness/sandbox.ts';
import type { Server } from '../../scripts/harness/server.ts';
import { type Gateway, gatewayServer } from '../../scripts/harness/stack.ts';
import { lacking } from '../support/lacking.ts';

const LOAD = 600;
const RUNS = sumOf('lhp_generate_runs_total');

/** Number of points that this gateway's queue has delivered. */
const delivered = async (gateway: Gateway) =>
  [...(await gateway.metrics())].find(([name]) =>
    /^otelcol_exporter_sent_metric_points.*queued/.test(name),
  )?.[1] ?? 0;

describe('the cluster', () => {
  const needs = {
    nginx: program('nginx'),
    openssl: program('openssl'),
    collector: collector(),
    cortex: cortex(),
  };
  if (lacking(...Object.values(needs))) return;
  let cluster: Cluster;
  const secrets = mkdtempSync(join(tmpdir(), 'lhp-otel-cluster-'));
  const now = Date.now();
  const later = now / 1_000 + 60;
  const known = makeRuns(LOAD * 2, now, 7);
  let bodies: Uint8Array[];
  const stored: Run[] = [];

  beforeAll(async () => {
    cluster = await clusterServers(needs);
    await cluster.start();
    bodies = await Promise.all(known.map(record));
  });
  afterAll(async () => {
    await cluster?.stop();
    rmSync(secrets, { recursive: true });
  });

  /** Asks each node several times, because one answer may come from two nodes that agree. */
  async function expectTruth(questions = truth(stored).slice(0, 1)) {
    for (let i = 0; i < 3; i += 1)
      for (const node of cluster.nodes) expect(await node.value(RUNS, later)).toBe(stored.length);
    for (const node of cluster.nodes)
      for (const [question, answer] of questions)
        expect([question, await node.value(question, later)]).toEqual([question, answer]);
  }

  /** Sends runs. At given numbers of stored runs an event happens, one after the other. */
  async function under(from: number, events: Record<number, () => Promise<unknown>>) {
    let done: Promise<unknown> = Promise.resolve();
    const answers = await deliver(bodies.slice(from, from + LOAD), () => cluster.nginx.url, {
      onSent: (sent) => {
        const event = events[sent];
        if (event) done = done.then(event);
      },
    });
    await done;
    stored.push(...known.slice(from, from + LOAD));
    return answers;
  }
  const restart = async (server: Server) => {
    await server.stop();
    await server.start();
  };
  const [first, second, third] = [0, 1, 2].map((i) => () => cluster.nodes[i] as Node) as [
    () => Node,
    () => Node,
    () => Node,
  ];

  it('each run once at every node: two nodes and a gateway killed, and back', async () => {
    const seen: string[] = [];
    const answers = await under(0, {
      100: () => first().kill(),
      200: async () => {
        await second().kill();
        // Without a quorum senders get "try again later", and readers get no number.
        seen.push(await post(cluster.nginx.url, bodies[0] as Uint8Array));
        await expect(third().value(RUNS, later)).rejects.toThrow(/ 500 /);
        await Promise.all([first().start(), second().start()]);
      },
      300: () => (cluster.gateways[0] as Server).kill(),
      1200: () => (cluster.gateways[0] as Server).start(),
    });
    expect(seen).toEqual(['503']);
    expect(answers.get('503')).toBeGreaterThan(0);
    await expectTruth();
  });

  it('every part is restarted in turn under load: each run once', async () => {
    await under(LOAD, {
      100: () => restart(first()),
      200: () => restart(second()),
      300: () => restart(third()),
      400: () => restart(cluster.gateways[1] as Server),
      1100: () => restart(cluster.nginx),
    });
    await expectTruth();
  });

  it('everything sent again in reverse: the same totals', async () => {
    await deliver([...bodies].reverse(), () => cluster.nginx.url, { again: true });
    await expectTruth(truth(stored));
  });

  it('stores no series target_info, of which no panel and no rule asks', async () => {
    await expectTruth();
    for (const node of cluster.nodes)
      expect(await node.value('count(last_over_time(target_info[9d]))', later)).toBeUndefined();
  });

  it('a node loses its disk: the others have what it had', async () => {
    await third().stop();
    rmSync(join(cluster.folder, 'cortex-3'), { recursive: true });
    await third().start();
    await expectTruth();
  });

  it('two nodes with new addresses, as pods have, are a quorum without the third', async () => {
    await second().stop();
    await second().move();
    await second().start();
    await first().kill();
    await first().move();
    await first().start();
    await third().stop();
    const written = async () => (await post(cluster.nginx.url, bodies[0] as Uint8Array)) === '200';
    await until(written, 'two nodes to know each other’s new addresses');
    for (const node of [first(), second()]) {
      let seen: number | undefined;
      const answered = async () => {
        seen = await node.value(RUNS, later).catch(() => undefined);
        return seen !== undefined;
      };
      await until(answered, 'an answer of both');
      expect(seen).toBe(stored.length);
    }
    await third().start();
    await expectTruth();
  });

  const [model] = known as [Run];
  const more = async (change: Partial<Run['event']>, at = now - HOUR) =>
    record({ at, event: { ...model.event, ...change, machine_id: digest('one more') } });

  it('ci-queue acknowledges a run without a quorum, and stores it later', async () => {
    const token = 'a-token';
    writeFileSync(join(secrets, 'tokens'), `${token}\n`);
    const otlp = `${cluster.inside}/api/v1/otlp`;
    const gateway = await gatewayServer(needs.collector.path, otlp, { LHP_OTEL_SECRETS: secrets }, [
      'tokens',
      'ci-queue',
    ]);
    await gateway.start();
    await Promise.all([first().kill(), second().kill()]);
    const errors = () => third().log().split('push error').length;
    const before = errors();
    const authorization = { authorization: `Bearer ${token}` };
    expect(await post(gateway.url, await more({ is_ci: true }), authorization)).toBe('200');
    await until(() => errors() > before, 'the first attempt of the queue to fail');
    expect(await delivered(gateway)).toBe(0);
    await Promise.all([first().start(), second().start()]);
    await until(async () => (await delivered(gateway)) > 0, 'the queue to deliver');
    stored.push({
      at: now - HOUR,
      event: { ...model.event, is_ci: true, machine_id: digest('one more') },
    });
    await expectTruth();
    await gateway.stop();
  });

  it('a run that Cortex refuses fails no other run', async () => {
    const at = now + HOUR / 60; // the newest in its series
    const twin = (seconds: number) => more({ is_ci: false, generation_time_seconds: seconds }, at);
    expect(await post(cluster.nginx.url, await twin(1))).toBe('200');
    const neighbours = Array.from({ length: 60 }, (_, i) => ({
      at: now - HOUR,
      event: { ...model.event, machine_id: digest(`neighbour ${i}`) },
    }));
    const refused = await Promise.all(Array.from({ length: 10 }, () => twin(2)));
    const good = await Promise.all(neighbours.map(record));
    const sent = await Promise.all(
      [...refused, ...good].map((body) => post(cluster.nginx.url, body)),
    );
    expect(new Set(sent.slice(0, 10))).toEqual(new Set(['400']));
    expect(new Set(sent.slice(10))).toEqual(new Set(['200']));
    stored.push(
      { at, event: { ...model.event, is_ci: false, machine_id: digest('one more') } },
      ...neighbours,
    );
  });

  it('the switch tenant writes to its own tenant, in memory and in blocks', async () => {
    const otlp = `${cluster.inside}/api/v1/otlp`;
    const gateway = await gatewayServer(
      needs.collector.path,
      otlp,
      { LHP_OTEL_TENANT: 'another' },
      ['tenant'],
    );
    await gateway.start();
    for (const days of [0, 3, 6])
      expect(await post(gateway.url, await more({}, now - days * DAY))).toBe('200');
    await gateway.stop();
    const ask = (tenant: string) =>
      asker(() => `${cluster.inside}/prometheus`, { 'X-Scope-OrgID': tenant });
    expect(await ask('another').value(RUNS, later)).toBe(3);
    expect(await ask(TENANT).value(RUNS, later)).toBe(stored.length);
    for (const node of cluster.nodes) await node.flush('another');
    const blocks = readdirSync(join(cluster.folder, 'blocks', 'another')).filter((name) =>
      /^[0-9A-Z]{26}$/.test(name),
    );
    expect(blocks.length).toBeGreaterThanOrEqual(3 * cluster.nodes.length);
    expect(await ask('another').value(RUNS, later)).toBe(3);
  });

  it('evaluates the alerts of the single machine and its own', async () => {
    const answer = await fetch(`${cluster.inside}/prometheus/api/v1/rules`);
    const { data } = (await answer.json()) as {
      data: { groups: { name: string; rules: unknown[] }[] };
    };
    const groups = Object.fromEntries(data.groups.map(({ name, rules }) => [name, rules.length]));
    expect(groups).toEqual({ 'lhp-gateway': 7, 'lhp-runs': 2, 'lhp-cluster': 2 });
  });

  it('nginx speaks TLS, and gives no final answer to a wrong handshake', async () => {
    makeCertificates(needs.openssl.path, secrets);
    const edge = await cluster.edge('mtls', secrets);
    await edge.start();
    const body = bodies[0] as Uint8Array;
    const over = (tls: SecureContextOptions, headers = {}) =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = {
          ...tls,
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
        };
        request(`${edge.url}/v1/metrics`, options, (answer) => resolve(answer.resume().statusCode))
          .on('error', reject)
          .end(body);
      });
    const { ca, ...own } = clientTls(secrets);
    expect(await over({ ca, ...own })).toBe(200);
    expect(await over({ ca })).toBe(403);
    expect(await over({ ca, ...own }, { authorization: 'x'.repeat(9_000) })).toBe(403);
    expect(await post(edge.url.replace('https:', 'http:'), body)).toBe('403');
    await edge.stop();
    expect(edge.log()).toBe('');
  });

  it('nginx limits path and size, answers 503 without gateways, logs no address', async () => {
    const at = (path: string, body?: string) =>
      fetch(`${cluster.nginx.url}${path}`, body === undefined ? {} : { method: 'POST', body }).then(
        ({ status }) => status,
      );
    expect(await at('/v1/metrics', 'x'.repeat(33_000))).toBe(413);
    for (const path of ['/', '/v1/traces', '/prometheus/api/v1/query', '/api/v1/push'])
      expect(await at(path)).toBe(404);
    await Promise.all(cluster.gateways.map((gateway) => gateway.kill()));
    expect(await post(cluster.nginx.url, await more({}))).toBe('502');
    expect(cluster.nginx.log()).toBe('');
  });

  // The repetition could be answered 400 (docs/adr/0012-cluster.md), and the client would not know
  // that it was a repetition.
  it('nginx sends a run that a gateway may have read to no other gateway', async () => {
    let read = 0;
    const dying = cluster.gateways.map(({ port }) =>
      createServer((socket) =>
        socket
          .on('error', () => {})
          .once('data', () => {
            read += 1;
            socket.destroy();
          }),
      ).listen(port, '127.0.0.1'),
    );
    await Promise.all(dying.map((server) => server.listening || once(server, 'listening')));
    const answered = async () =>
      (await post(cluster.nginx.url, bodies[0] as Uint8Array)) === '502' && read > 0;
    await until(answered, 'nginx to try a gateway again');
    expect(read).toBe(1);
    for (const server of dying) server.close();
  });
});
