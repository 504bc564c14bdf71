// otlp-server.ts: a stand-in for a collector that answers as a test says (statuses, delays, never,
// resets, partial success) and keeps every request as it came: bytes, headers, order, connections.
// It lives in the test's own process, so a test must not block while it waits for it: `lhpOtel` is
// Sandbox.run for that.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { type RunOptions, type Sandbox, until } from './sandbox.ts';

export interface Answer {
  /** 200 unless said otherwise. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  delayMs?: number;
  /** Not before this has come about. */
  after?: () => Promise<unknown>;
  /**
   * Instead of an answer: silence for ever, a reset connection, or a body that comes byte by byte
   * and has no end.
   */
  instead?: 'silence' | 'reset' | 'dribble';
}

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /**
   * Every byte before the body that names or describes it: request line and headers as they came.
   */
  head: string;
  /** The body as it was on the wire. */
  raw: Buffer;
  /** The body without its Content-Encoding. */
  body: Buffer;
}

export interface OtlpServer {
  /** The base URL, as a user configures it. */
  endpoint: string;
  port: number;
  /** Complete requests in the order of their arrival. */
  requests: Received[];
  connections(): number;
  /** The next requests are answered so, in this order; the last answer is for all that follow. */
  answers(...script: [Answer, ...Answer[]]): void;
  /** Also breaks what is still open. */
  close(): Promise<void>;
}

export interface ServerSetup {
  /** Any free one unless given. */
  port?: number;
  script?: [Answer, ...Answer[]];
  /** TLS with these certificates. */
  tls?: ServerOptions;
}

export async function startOtlpServer({
  port = 0,
  script = [{}],
  tls,
}: ServerSetup = {}): Promise<OtlpServer> {
  const requests: Received[] = [];
  let planned: Answer[] = [...script];
  let connections = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const { method = '', url = '', headers, rawHeaders } = request;
    const body = headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    requests.push({
      method,
      path: url,
      headers,
      head: [method, url, ...rawHeaders].join('\n'),
      raw,
      body,
    });
    const answer = (planned.length > 1 ? planned.shift() : planned[0]) ?? {};
    await respond(response, answer);
  };
  // A client that was gone before its request or answer was complete is seen on the client's side.
  const listener: RequestListener = (request, response) =>
    void serve(request, response).catch(() => {});
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.on('connection', () => {
    connections += 1;
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  const taken = (server.address() as AddressInfo).port;
  return {
    endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${taken}`,
    port: taken,
    requests,
    connections: () => connections,
    answers: (...next) => {
      planned = [...next];
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(response: ServerResponse, answer: Answer): Promise<void> {
  const { status = 200, body = '{}', headers = {}, delayMs = 0, instead, after } = answer;
  await after?.();
  if (delayMs > 0) await sleep(delayMs);
  if (instead === 'silence') return;
  if (instead === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  if (instead !== 'dribble') {
    response.end(body);
    return;
  }
  while (!response.destroyed) {
    response.write(' ');
    await sleep(50);
  }
}

/**
 * A port that takes no connection, as behind a firewall that drops packets: the process that
 * listens sleeps, and its queue of connections is full, so the kernel leaves every further one
 * unanswered.
 */
export async function startBlackHole(): Promise<{ endpoint: string; close(): void }> {
  const listen = `const place = { port: 0, host: '127.0.0.1', backlog: 1 };
  require('node:net').createServer().listen(place, function () {
    require('node:fs').writeSync(1, String(this.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  })`;
  const child = spawn(process.execPath, ['-e', listen], {
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  const queue = Array.from({ length: 8 }, () =>
    connect(Number(port), '127.0.0.1').on('error', () => {}),
  );
  // Those that got a place; the others say that there is none left.
  await until(
    () => queue.some(({ connecting }) => !connecting),
    'the queue of connections to fill',
  );
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: () => {
      for (const socket of queue) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}

export interface Told {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `lhp-otel <args>` while this process goes on serving. */
export async function lhpOtel(
  box: Sandbox,
  args: string[],
  options: RunOptions = {},
): Promise<Told> {
  const child = box.start(args, options);
  child.stdin?.on('error', () => {}).end(options.input ?? '');
  const told: Told = { status: null, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      told[name] += text;
    });
  }
  [told.status] = (await once(child, 'close')) as [number | null];
  return told;
}
