// collector.ts: starts the real OpenTelemetry Collector for one test file, on a free port of
// 127.0.0.1, and ends it. Its OTLP receiver writes what it decoded into a file
// (test/collector/receive.yaml).
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot, until } from './sandbox.ts';

export interface RealCollector {
  /** The base URL, as a user configures it. */
  endpoint: string;
  /**
   * Waits until this many requests were decoded, and gives them as the collector's OTLP JSON, in
   * order.
   */
  received(count: number): Promise<unknown[]>;
  stop(): Promise<void>;
}

/** @param file - a configuration in test/collector. */
export async function startCollector(
  program: string,
  file = 'receive.yaml',
): Promise<RealCollector> {
  const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-collector-'));
  const written = join(folder, 'received.jsonl');
  const port = await freePort();
  const config = join(projectRoot, 'test', 'collector', file);
  const child = spawn(program, ['--config', `file:${config}`], {
    env: { LHP_OTEL_TEST_PORT: String(port), LHP_OTEL_TEST_FILE: written },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await until(() => /Everything is ready/.test(log) || ended(child), 'the collector to be ready');
  if (ended(child))
    throw new Error(`the collector ended with ${child.exitCode ?? child.signalCode}:\n${log}`);

  const lines = () =>
    existsSync(written) ? readFileSync(written, 'utf8').split('\n').slice(0, -1) : [];
  return {
    endpoint: `http://127.0.0.1:${port}`,
    received: async (count) => {
      await until(() => lines().length >= count, `${count} requests in the collector's file`);
      return lines().map((line) => JSON.parse(line) as unknown);
    },
    stop: async () => {
      if (!ended(child)) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const ended = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** Ports that were given out: a server that has not started yet does not occupy its port. */
const given = new Set<number>();

/** The largest port that the Fetch standard blocks: fetch and browsers refuse to connect to it. */
const LAST_BAD_PORT = 10_080;

/**
 * A free port below 32768, where the ports of outgoing connections begin: a server that was killed
 * can use it again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LAST_BAD_PORT + 1, 32_768);
    if (given.has(port)) continue;
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    server.close();
    await once(server, 'close');
    given.add(port);
    return port;
  }
}
