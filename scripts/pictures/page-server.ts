// page-server.ts: serves the page of the pictures on loopback, with Grafana's icons and fonts and a
// way to Prometheus.
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { PageData } from './page/json.ts';

export interface PageServer {
  url: string;
  /** What the next page shows. */
  show(data: PageData): void;
  stop(): Promise<void>;
}

const DOCUMENT = `<!doctype html>
<meta charset="utf-8">
<link rel="stylesheet" href="main.css">
<body style="margin: 0">
<script type="module" src="main.js"></script>`;

/** The fonts that Grafana's style sheet asks for, and the files of the package Inter. */
const FONTS: Record<string, string> = {
  'Inter-Regular': 'inter-latin-400-normal',
  'Inter-Medium': 'inter-latin-500-normal',
  'Inter-Italic': 'inter-latin-400-italic',
  'Inter-MediumItalic': 'inter-latin-500-italic',
};

interface Places {
  /** The folder of Grafana's components. */
  packages: string;
  /** The folder of the bundled page. */
  page: string;
  prometheus: string;
}

export async function servePage(places: Places): Promise<PageServer> {
  let data: PageData | undefined;
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path.startsWith('/prometheus/')) return forward(places, path, request, response);
    const [type, body] = file(places, path, data);
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    show: (next) => {
      data = next;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function file(
  { packages, page }: Places,
  path: string,
  data: PageData | undefined,
): [type: string, body: string | Buffer | undefined] {
  const content = (name: string) => (existsSync(name) ? readFileSync(name) : undefined);
  const modules = join(packages, 'node_modules');
  const [, font] = /\/fonts\/inter\/([\w-]+)\.woff2$/.exec(path) ?? [];
  const [, icon] = /\/(icons\/\w+\/[\w-]+\.svg)$/.exec(path) ?? [];
  if (path === '/') return ['text/html', DOCUMENT];
  if (path === '/data') return ['application/json', JSON.stringify(data)];
  if (path === '/main.js') return ['text/javascript', content(join(page, 'main.js'))];
  if (path === '/main.css') return ['text/css', content(join(page, 'main.css')) ?? ''];
  if (icon !== undefined)
    return ['image/svg+xml', content(join(modules, '@grafana/ui/dist/public/img', icon))];
  if (font !== undefined)
    return [
      'font/woff2',
      content(join(modules, '@fontsource/inter/files', `${FONTS[font]}.woff2`)),
    ];
  return ['text/plain', undefined];
}

async function forward(
  { prometheus }: Places,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const answer = await fetch(prometheus + path.slice('/prometheus'.length), {
    method: 'POST',
    body: Buffer.concat(chunks),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  response
    .writeHead(answer.status, { 'content-type': 'application/json' })
    .end(await answer.text());
}
