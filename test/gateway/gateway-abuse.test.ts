// Tests that hostile clients cannot make the gateway unusable for others. They send endless bodies,
// compression bombs, slow connections and invented machines, while an honest client sends a run
// every 50 ms. The honest client always receives 200, and memory stays within its limit.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { collector, prometheus } from '../../scripts/harness/needs.ts';
import { digest } from '../../scripts/harness/runs.ts';
import {
  type Gateway,
  gatewayServer,
  type Prometheus,
  prometheusServer,
} from '../../scripts/harness/stack.ts';
import type { GenerateEvent } from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { LOCAL_EVENT } from '../support/event.ts';
import { lacking } from '../support/lacking.ts';
import { field } from '../support/protobuf.ts';
import { extended } from '../support/tags.ts';

const MIB = 1024 * 1024;
/** docker-compose.yml gives the collector 600 MiB; its memory_limiter starts to refuse at 300. */
const MEMORY_MIB = 600;

const EVENT: GenerateEvent = { ...LOCAL_EVENT, machine_id: digest('honest') };

describe('abuse', () => {
  const needs = [collector(), prometheus()] as const;
  if (lacking(...needs)) return;
  let backend: Prometheus;
  let gateway: Gateway;
  let honest: { stop(): Promise<number> };
  const latencies: number[] = [];
  const peaks: string[] = [];
  const peak = () =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid()}/status`, 'utf8'))?.[1]) /
    1_024;

  beforeAll(async () => {
    backend = await prometheusServer(needs[1].path);
    await backend.start();
    gateway = await gatewayServer(needs[0].path, `${backend.url}/api/v1/otlp`);
    await gateway.start();
    honest = sendHonestly();
  });
  afterAll(async () => {
    await gateway?.stop();
    await backend?.stop();
  });

  // After each attack: the collector runs, its log is empty, its memory is within the limit.
  afterEach(({ task }) => {
    const memory = peak();
    peaks.push(`${task.name}: ${memory.toFixed(0)} MiB`);
    expect(memory).toBeGreaterThan(10);
    expect(memory).toBeLessThan(MEMORY_MIB);
    expect(gateway.log()).toBe('');
  });

  const headers = { 'content-type': 'application/json' };
  const PROTOBUF = { 'content-type': 'application/x-protobuf' };
  const post = async (body: Buffer | Uint8Array | string, more: Record<string, string> = {}) => {
    const answer = await fetch(`${gateway.url}/v1/metrics`, {
      method: 'POST',
      body: body as string,
      headers: { ...headers, ...more },
    });
    await answer.arrayBuffer();
    return answer.status;
  };

  /**
   * Sends one run after the other until it is stopped. Answers other than 200 are collected.
   */
  function sendHonestly() {
    let stopped = false;
    const work = (async () => {
      let sent = 0;
      while (!stopped) {
        const timestamp = Date.now();
        const bytes = await recordRun(EVENT, { timestamp, startedAt: timestamp - 2_500 });
        const start = performance.now();
        const status = await post(bytes);
        latencies.push(performance.now() - start);
        if (status !== 200) throw new Error(`an honest run got ${status}`);
        sent += 1;
        await sleep(50);
      }
      return sent;
    })();
    work.catch(() => {}); // stop() awaits it and sees the error
    return {
      stop: () => {
        stopped = true;
        return work;
      },
    };
  }

  /**
   * Writes this chunk repeatedly until this many bytes are written or the server closes the
   * connection. Returns the status of the answer.
   */
  async function stream(
    chunk: Buffer,
    total: number,
    more: Record<string, string>,
  ): Promise<number | 'closed'> {
    const out = request(`${gateway.url}/v1/metrics`, {
      method: 'POST',
      headers: { ...headers, ...more },
    });
    let status: number | 'closed' = 'closed';
    let over = false;
    out.on('response', (answer) => {
      status = answer.statusCode ?? 'closed';
      over = true;
      answer.resume();
    });
    out.on('error', () => {
      over = true;
    });
    const closed = once(out, 'close').catch(() => {});
    for (let written = 0; written < total && !over; written += chunk.length)
      if (!out.write(chunk)) await Promise.race([once(out, 'drain').catch(() => {}), closed]);
    out.end();
    await closed;
    return status;
  }

  it('a body of 1 GiB', async () => {
    expect([400, 413, 'closed']).toContain(await stream(Buffer.alloc(MIB, ' '), 1_024 * MIB, {}));
  });

  it('a compression bomb: 4 MiB of gzip that expand to 4 GiB', async () => {
    const gzip = createGzip({ level: 9 });
    const chunks: Buffer[] = [];
    gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
    const done = once(gzip, 'end');
    const zeros = Buffer.alloc(4 * MIB, ' ');
    for (let i = 0; i < 64; i += 1) if (!gzip.write(zeros)) await once(gzip, 'drain');
    gzip.end();
    await done;
    // 256 MiB; concatenated members are one gzip stream (RFC 1952)
    const member = Buffer.concat(chunks);
    expect([400, 413, 'closed']).toContain(
      await stream(member, member.length * 16, { 'content-encoding': 'gzip' }),
    );
  });

  it('JSON and attributes nested as deeply as fits into a body', async () => {
    expect(await post('['.repeat(12_000))).toBe(400);
    // 11 kB are below the limit for a body, so the gateway reads them.
    for (const depth of [400, 9_000]) {
      const [open, close] = ['{"arrayValue":{"values":['.repeat(depth), ']}}'.repeat(depth)];
      const attribute = `{"key":"a","value":${open}{"boolValue":true}${close}}`;
      const nested = `{"resourceMetrics":[{"resource":{"attributes":[${attribute}]}}]}`;
      expect([200, 400, 413]).toContain(await post(nested));
    }
    let value: Buffer = Buffer.from('1001', 'hex');
    while (value.length < 12_000) value = field(5, field(1, value));
    const attribute = Buffer.concat([field(1, 'a'), field(2, value)]);
    expect([200, 400]).toContain(await post(field(1, field(1, field(1, attribute))), PROTOBUF));
  });

  // Two bytes of protobuf are an empty message, which takes a hundred times as much memory when it
  // is decoded.
  const empty = (size: number, number: number) =>
    Buffer.alloc(size & ~1, Buffer.from([(number << 3) | 2, 0]));
  it.each<[string, (size: number) => Buffer]>([
    ['resources', (size) => empty(size, 1)],
    ['metrics', (size) => field(1, field(2, empty(size - 20, 2)))],
    ['attributes', (size) => field(1, field(1, empty(size - 20, 1)))],
  ])('as many empty %s as go in, from 64 clients at once', async (_, many) => {
    const clients = Array.from({ length: 64 });
    const answers = await Promise.all(clients.map(() => post(many(12_200), PROTOBUF)));
    expect(new Set(answers)).toEqual(new Set([200]));
    for (const size of [262_000, 1_048_000])
      await Promise.all(clients.map(() => post(many(size), PROTOBUF)));
  });

  it('10,000 connections that send a single byte', extended, async () => {
    const sockets: Socket[] = [];
    for (let i = 0; i < 10_000; i += 1) {
      const socket = connect(gateway.port, '127.0.0.1');
      socket.on('error', () => {}); // the server closes the connection
      socket.write('P');
      sockets.push(socket);
    }
    await Promise.all(
      sockets.map((socket) =>
        socket.connecting ? once(socket, 'connect').catch(() => {}) : undefined,
      ),
    );
    const timestamp = Date.now();
    expect(await post(await recordRun(EVENT, { timestamp, startedAt: timestamp - 1 }))).toBe(200);
    // read_header_timeout closes them all
    await Promise.all(
      sockets.map((socket) => (socket.closed ? undefined : once(socket.resume(), 'close'))),
    );
  });

  it('5,000 invented machines', extended, async () => {
    const text = new TextDecoder().decode(
      await recordRun(EVENT, { timestamp: Date.now(), startedAt: Date.now() }),
    );
    const bodies = Array.from({ length: 5_000 }, (_, i) =>
      text.replace(EVENT.machine_id, digest(`invented ${i}`)),
    );
    const answers = new Set<number>();
    const sender = async () => {
      for (let body = bodies.pop(); body !== undefined; body = bodies.pop())
        answers.add(await post(body));
    };
    await Promise.all(Array.from({ length: 32 }, sender));
    expect([...answers]).toEqual([200]);
  });

  const wasHarmless = async () => {
    expect(await honest.stop()).toBeGreaterThan(20);
    const sorted = latencies.toSorted((a, b) => a - b);
    const [median, p99] = [0.5, 0.99].map((part) => sorted[Math.floor(sorted.length * part)] ?? 0);
    console.info(
      `honest runs: ${sorted.length}, median ${median?.toFixed(1)} ms, ` +
        `p99 ${p99?.toFixed(1)} ms, longest ${sorted.at(-1)?.toFixed(0)} ms`,
    );
    console.info(`peak memory of the gateway after\n  ${peaks.join('\n  ')}`);
  };
  // Last, after the attacks of either part.
  const end = 'after all that: every honest run had its 200, and memory was within the limit';
  it(end, wasHarmless);
  it(`${end}, of the long attacks, too`, extended, wasHarmless);
});
