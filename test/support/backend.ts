// backend.ts: a backend for the gateway's tests. It keeps the bytes that it receives, and answers
// with a given status.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Backend = Awaited<ReturnType<typeof startBackend>>;

export async function startBackend() {
  const requests: { headers: IncomingHttpHeaders; body: Buffer }[] = [];
  let status: number | 'hangs up' = 200;
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    requests.push({ headers: incoming.headers, body: Buffer.concat(chunks) });
    if (status === 'hangs up') incoming.socket.destroy();
    else outgoing.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers: (code: number | 'hangs up') => {
      status = code;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
