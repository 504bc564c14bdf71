// server.ts: the local page over HTTP, on 127.0.0.1 and nowhere else: the page's files, the
// recorded runs as values, one run's exact request, and the purge. guard.ts decides who is
// answered; all others get one and the same refusal. It reads the spool and the history, and
// changes them only in a purge; it holds the runs' values, not their bytes, and asks no other host
// anything.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { GenerateEvent } from '../contract/contract.ts';
import { recordedRuns } from '../history/read-runs.ts';
import { deleteRuns } from '../spool/purge.ts';
import { readRun, storedRuns } from '../spool/stored-runs.ts';
import type { Host } from '../system/host.ts';
import { type Paths, resolvePaths } from '../system/paths.ts';
import { type Data, PURGE, type Purged, pack } from './api.ts';
import { isFromOurPage, isOurHost, isSecret, newToken, SAFE_HEADERS } from './guard.ts';
import { stateOf } from './state.ts';

export interface ViewServer {
  /** The page's address, for the user's eyes. */
  url: string;
  /** For the browser: it works once, within {@link ONCE_MS}, and leads to the page. */
  urlOnce: string;
  /** Whether that one was used, as soon as it cannot be used any more. */
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
const REFUSED: Reply = { status: 403, body: 'Open the address that lhp-otel view has printed.\n' };
const NOT_FOUND: Reply = { status: 404, body: 'It is not here any more: load the page again.\n' };
/** The purge is the only request with a body. */
const MAX_BODY_BYTES = 1024;

/** A browser that has to be started first comes within this. */
const ONCE_MS = 20_000;

/** `port` 0 is a free one. `files` is the folder with the built page. */
export async function startServer(
  host: Host,
  port: number,
  files: string,
  onceMs: number = ONCE_MS,
): Promise<ViewServer> {
  const token = newToken();
  let once: string | undefined = newToken();
  let settle = (_used: boolean): void => {};
  const used = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  const end = (by: boolean) => {
    once = undefined;
    settle(by);
  };
  setTimeout(() => end(false), onceMs).unref();
  const paths = resolvePaths(host);
  const page = new Map(readdirSync(files).map((name) => [name, readFileSync(join(files, name))]));
  const known = new Map<number, GenerateEvent>();

  const answer = async (request: IncomingMessage): Promise<Reply> => {
    const { method, url = '' } = request;
    const [, secret = '', name] = /^\/([^/]*)(?:\/(.*))?$/.exec(url) ?? [];
    if (!isOurHost(request, bound)) return REFUSED;
    if (once !== undefined && method === 'GET' && isSecret(secret, once)) {
      end(true);
      return { status: 303, headers: { Location: `/${token}/` } };
    }
    if (!isSecret(secret, token)) return REFUSED;
    if (name === 'purge') return method === 'POST' ? purge(request) : notAllowed('POST');
    return method === 'GET' ? get(name) : notAllowed('GET');
  };

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

  const server = createServer((request, response) => {
    answer(request)
      .catch((error: NodeJS.ErrnoException): Reply => {
        // The browser is told, in a word that holds no path.
        return {
          status: 500,
          body: `The recorded runs could not be read or changed (${error.code ?? error.name}).\n`,
        };
      })
      .then((reply) => send(response, reply));
  });
  const bound = await listen(server, port);
  const address = (secret: string) => `http://127.0.0.1:${bound}/${secret}`;
  return {
    url: `${address(token)}/`,
    urlOnce: address(once),
    used,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function dataOf(host: Host, paths: Paths, known: Map<number, GenerateEvent>): Promise<Data> {
  const runs = recordedRuns(paths, known);
  return { runs: pack(runs), state: await stateOf(host, runs.length) };
}

/** The file, byte for byte. */
function requestOf(paths: Paths, timestamp: number): Reply {
  const run = storedRuns(paths).find((stored) => stored.timestamp === timestamp);
  const body = run && readRun(run);
  return body ? { status: 200, type: JSON_TYPE, body } : NOT_FOUND;
}

const json = (value: object): Reply => ({
  status: 200,
  type: JSON_TYPE,
  body: JSON.stringify(value),
});
const notAllowed = (method: string): Reply => ({
  status: 405,
  body: `Only ${method}.\n`,
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

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code = '', message }: NodeJS.ErrnoException) => {
      const why: Record<string, string> = {
        EADDRINUSE: 'is in use',
        EACCES: 'may not be used by this user',
      };
      const wrong =
        why[code] &&
        `port ${port} ${why[code]}; give another from 1 to 65535, or none for a free one`;
      reject(new Error(wrong ?? message));
    });
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
