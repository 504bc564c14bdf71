// otlp-server.ts: a test server in the place of a collector. It answers as the test says (statuses,
// delays, silence, resets, partial success), and keeps every request with its bytes and headers. It
// runs in the test's own process, so a test must not block while it waits for a request: use
// `lhpOtel` instead of `Sandbox.run`.
import { type ChildProcess, spawn } from 'node:child_process';
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
  /** Default 200. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  delayMs?: number;
  /** Resolves when the answer may be sent. */
  after?: () => Promise<unknown>;
  /** Instead of an answer: no answer, a reset connection, or a body of single bytes without end. */
  instead?: 'silence' | 'reset' | 'dribble';
}

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Method, path and the headers with their names and values as they came, a line each. */
  head: string;
  /** The body as it was sent. */
  raw: Buffer;
  /** The body, uncompressed. */
  body: Buffer;
}

export interface OtlpServer {
  /** The base URL, as a user configures it. */
  endpoint: string;
  port: number;
  /** Complete requests in the order of their arrival. */
  requests: Received[];
  connections(): number;
  /** Answers for the next requests, in this order; the last one is for all that follow. */
  answers(...script: [Answer, ...Answer[]]): void;
  /** Also closes open connections. */
  close(): Promise<void>;
}

export interface ServerSetup {
  /** Default: a free port. */
  port?: number;
  script?: [Answer, ...Answer[]];
  /** Serves TLS with these certificates. */
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
  // A request that the client broke off is an error here, and the test looks at the client.
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
 * A port on which connecting gets no answer, as behind a firewall that drops packets: the process
 * that listens is blocked and its queue of connections is full, so the kernel answers no further
 * one.
 */
export async function startBlackHole(): Promise<{ endpoint: string; close(): void }> {
  const listen = `
  const address = { port: 0, host: '127.0.0.1', backlog: 1 };
  require('node:net').createServer().listen(address, function () {
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
  // The queue is full when some are connected and others still wait.
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

/** Runs `lhp-otel <args>` while this process goes on answering requests. */
export async function lhpOtel(
  box: Sandbox,
  args: string[],
  options: RunOptions = {},
): Promise<Told> {
  const child = box.start(args, options);
  child.stdin?.on('error', () => {}).end(options.input ?? '');
  return toldBy(child);
}

/** Waits for the end of a child; gives its exit status and what it printed to pipes. */
export async function toldBy(child: ChildProcess): Promise<Told> {
  const told: Told = { status: null, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      told[name] += text;
    });
  }
  [told.status] = (await once(child, 'close')) as [number | null];
  return told;
}
