// server.ts: serves the local page over HTTP, on 127.0.0.1 only: the files of the page, the
// recorded runs as values, the request of one run, and the purge. guard.ts decides which requests
// are accepted; all others get the same refusal. Only a purge changes files. The server keeps the
// values of the runs in memory, not their bytes, and sends no request to any other host.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { GenerateEvent } from '../contract/contract.ts';
import { recordedRuns } from '../history/read-runs.ts';
import { deleteRuns } from '../spool/purge.ts';
import { readWhole, storedRuns } from '../spool/stored-runs.ts';
import { errorCode } from '../system/error.ts';
import type { Host } from '../system/host.ts';
import { type Paths, resolvePaths } from '../system/paths.ts';
import { type Data, PURGE, type Purged, pack } from './api.ts';
import {
  isFromOurPage,
  isOurHost,
  isSecret,
  newToken,
  oneTimeSecret,
  SAFE_HEADERS,
} from './guard.ts';
import { stateOf } from './state.ts';

export interface ViewServer {
  /** The address of the page, for the user. */
  url: string;
  /** An address for the browser. It redirects to the page once, within {@link ONCE_MS}. */
  urlOnce: string;
  /** Resolves when that address becomes invalid: true if it was used, false if it expired. */
  used: Promise<boolean>;
  close(): void;
}

interface Reply {
  status: number;
  type?: string;
  body?: string | Buffer;
  headers?: Record<string, string>;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const JSON_TYPE = 'application/json; charset=utf-8';
const REFUSED: Reply = { status: 403, body: 'Open the address that lhp-otel view printed.\n' };
const NOT_FOUND: Reply = { status: 404, body: 'Not found: reload the page.\n' };
/** The purge is the only request with a body. */
const MAX_BODY_BYTES = 1024;

/** Long enough for a browser that has to be started first. */
const ONCE_MS = 20_000;

/**
 * Starts the server.
 *
 * @param port - 0 for a free port.
 * @param folder - the folder of the built page.
 * @throws Error if the port cannot be used.
 */
export async function startServer(
  host: Host,
  port: number,
  folder: string,
  onceMs: number = ONCE_MS,
): Promise<ViewServer> {
  const token = newToken();
  const once = oneTimeSecret(onceMs);
  const reply = replier(host, folder);

  const answer = async (request: IncomingMessage): Promise<Reply> => {
    if (!isOurHost(request, actualPort)) return REFUSED;
    const { method, url = '' } = request;
    const [, secret = '', name] = /^\/([^/]*)(?:\/(.*))?$/.exec(url) ?? [];
    if (method === 'GET' && once.use(secret))
      return { status: 303, headers: { Location: `/${token}/` } };
    return isSecret(secret, token) ? reply(request, name) : REFUSED;
  };

  const server = createServer((request, response) => {
    answer(request)
      .catch(failureReply)
      .then((reply) => send(response, reply));
  });
  const actualPort = await listen(server, port);
  const address = (secret: string) => `http://127.0.0.1:${actualPort}/${secret}`;
  return {
    url: `${address(token)}/`,
    urlOnce: address(once.secret),
    used: once.used,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

type Replier = (request: IncomingMessage, name: string | undefined) => Promise<Reply>;

/** Replies to accepted requests. `name` is the part of the path after the token. */
function replier(host: Host, folder: string): Replier {
  const paths = resolvePaths(host);
  const page = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  const known = new Map<number, GenerateEvent>();

  const get = async (name: string | undefined): Promise<Reply> => {
    const file = name === '' ? 'page.html' : (name ?? '');
    const body = page.get(file);
    if (body) return { status: 200, type: TYPES[extname(file)] ?? '', body };
    if (file === 'data') return json(await dataOf(host, paths, known));
    const run = /^otlp\/(\d{13})$/.exec(file)?.[1];
    return run ? requestOf(paths, Number(run)) : NOT_FOUND;
  };

  const purge = async (request: IncomingMessage): Promise<Reply> => {
    if (!isFromOurPage(request)) return REFUSED;
    if ((await bodyOf(request)) !== JSON.stringify(PURGE))
      return { status: 400, body: 'The purge is not confirmed.\n' };
    known.clear();
    return json({ deleted: deleteRuns(paths) } satisfies Purged);
  };

  return async (request, name) => {
    if (name === 'purge') return request.method === 'POST' ? purge(request) : notAllowed('POST');
    return request.method === 'GET' ? get(name) : notAllowed('GET');
  };
}

/** The page shows this to the user. An error code contains no path. */
const failureReply = (error: unknown): Reply => ({
  status: 500,
  body: `The recorded runs could not be read or changed (${errorCode(error) ?? 'error'}).\n`,
});

async function dataOf(host: Host, paths: Paths, known: Map<number, GenerateEvent>): Promise<Data> {
  const runs = recordedRuns(paths, known);
  return { runs: pack(runs), state: await stateOf(host, runs.length) };
}

/** The file of a run, byte for byte. */
function requestOf(paths: Paths, timestamp: number): Reply {
  const run = storedRuns(paths).find((stored) => stored.timestamp === timestamp);
  const whole = run && readWhole(paths, run);
  return whole ? { status: 200, type: JSON_TYPE, body: whole.bytes } : NOT_FOUND;
}

const json = (value: object): Reply => ({
  status: 200,
  type: JSON_TYPE,
  body: JSON.stringify(value),
});
const notAllowed = (method: string): Reply => ({
  status: 405,
  body: `Use ${method}.\n`,
  headers: { Allow: method },
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) break;
  }
  return body;
}

function send(
  response: ServerResponse,
  { status, type = 'text/plain; charset=utf-8', body = '', headers }: Reply,
): void {
  response.writeHead(status, {
    ...SAFE_HEADERS,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

/** Resolves to the actual port. */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(listenProblem(error, port))));
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function listenProblem(error: Error, port: number): string {
  const why: Record<string, string> = {
    EADDRINUSE: 'is in use',
    EACCES: 'may not be used by this user',
  };
  const problem = why[errorCode(error) ?? ''];
  return problem === undefined
    ? error.message
    : `port ${port} ${problem}; give another port from 1 to 65535, or none to use a free one`;
}
