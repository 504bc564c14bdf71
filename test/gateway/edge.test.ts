// Tests the limits of nginx in front of the gateways: one client gets at most its share of
// connections and of runs, and the others still receive 200. A client is an address; behind a load
// balancer, the address that the balancer names. The gateway here is a small server that can keep
// requests waiting.
import { once } from 'node:events';
import {
  Agent,
  createServer,
  type Server as HttpServer,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../scripts/harness/needs.ts';
import { frontServer } from '../../scripts/harness/nginx.ts';
import { until } from '../../scripts/harness/sandbox.ts';
import type { Server } from '../../scripts/harness/server.ts';
import { lacking } from '../support/lacking.ts';

const [HOSTILE, HONEST] = ['127.0.0.2', '127.0.0.3'];
const CONNECTIONS = 200;
const RATE = 100;
const BURST = 1_000;

describe('nginx in front of the gateways', () => {
  const need = program('nginx');
  if (lacking(need)) return;
  let gateway: HttpServer;
  const waiting: ServerResponse[] = [];
  const fronts: Server[] = [];
  let plain: Server;
  let balanced: Server;

  beforeAll(async () => {
    gateway = createServer((incoming, outgoing) => {
      incoming.resume();
      if (incoming.headers['x-wait']) waiting.push(outgoing);
      else outgoing.end();
    }).listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    const { port } = gateway.address() as AddressInfo;
    const front = async (edge: string) => {
      const started = await frontServer(need.path, port, edge);
      await started.start();
      fronts.push(started);
      return started;
    };
    plain = await front('plain');
    // The load balancer of this test is on loopback.
    balanced = await front('balancer');
  });
  afterAll(async () => {
    for (const front of fronts) await front.stop();
    gateway?.closeAllConnections();
    gateway?.close();
  });

  interface Client {
    /** The client's address, or the balancer's. */
    from: string;
    headers?: Record<string, string>;
    agent?: Agent;
  }
  /** The status of one request, or the reason why there is none. */
  const send = (front: Server, { from, headers = {}, agent }: Client) =>
    new Promise<number | string>((resolve) => {
      const options = { method: 'POST', localAddress: from, headers, ...(agent ? { agent } : {}) };
      request(`${front.url}/v1/metrics`, options, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      })
        .on('error', ({ message }) => resolve(message))
        .end('{}');
    });
  const counted = (answers: (number | string)[]) => {
    const counts = new Map<number | string, number>();
    for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
    return counts;
  };

  it('one address can keep 200 of 2,100 requests open; others get through', async () => {
    const answers: (number | string)[] = [];
    const ended: Promise<unknown>[] = [];
    for (let i = 0; i < 2_100; i += 1)
      ended.push(
        send(plain, { from: HOSTILE, headers: { 'x-wait': '1' } }).then((answer) =>
          answers.push(answer),
        ),
      );
    await until(
      () => answers.length + waiting.length === 2_100,
      'each request to be answered or to wait',
    );
    expect(waiting).toHaveLength(CONNECTIONS);
    expect(counted(answers)).toEqual(new Map([[503, 2_100 - CONNECTIONS]]));
    expect(await send(plain, { from: HONEST })).toBe(200);
    for (const outgoing of waiting.splice(0)) outgoing.end();
    await Promise.all(ended);
  });

  /**
   * Sends requests for two seconds, or longer on a slow machine, until one is refused, and counts
   * them. Another client sends at the same time; its answers are counted, too.
   */
  async function storm(front: Server, hostile: Client, honest: Client) {
    const agent = new Agent({ keepAlive: true, maxSockets: 32 });
    const start = performance.now();
    const answers: (number | string)[] = [];
    const goesOn = () => {
      const elapsed = performance.now() - start;
      return elapsed < 2_000 || (elapsed < 60_000 && !answers.includes(503));
    };
    const sender = async () => {
      while (goesOn()) answers.push(await send(front, { ...hostile, agent }));
    };
    const others: (number | string)[] = [];
    const other = async () => {
      while (goesOn()) {
        others.push(await send(front, honest));
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    };
    await Promise.all([other(), ...Array.from({ length: 32 }, sender)]);
    agent.destroy();
    const seconds = (performance.now() - start) / 1_000;
    return { answers: counted(answers), others: counted(others), seconds };
  }

  it.each<[string, () => Server, Client, Client]>([
    ['an address', () => plain, { from: '127.0.0.4' }, { from: '127.0.0.5' }],
    [
      'an address that a load balancer names',
      () => balanced,
      { from: '127.0.0.1', headers: { 'x-forwarded-for': '192.0.2.1' } },
      { from: '127.0.0.1', headers: { 'x-forwarded-for': '192.0.2.2' } },
    ],
  ])(
    '%s can send a thousand runs at once, then a hundred per second; others are not affected',
    async (_, front, hostile, honest) => {
      const { answers, others, seconds } = await storm(front(), hostile, honest);
      const stored = answers.get(200) ?? 0;
      console.info(`${[...answers].join('; ')} in ${seconds.toFixed(1)} s`);
      expect(stored).toBeGreaterThan(BURST / 2);
      expect(stored).toBeLessThanOrEqual(BURST + 1 + Math.ceil(RATE * seconds));
      expect([...answers.keys()].sort()).toEqual([200, 503]);
      expect([...others.keys()]).toEqual([200]);
    },
  );

  it('logs no address', () => {
    expect(fronts.map((front) => front.log())).toEqual(['', '']);
  });
});
