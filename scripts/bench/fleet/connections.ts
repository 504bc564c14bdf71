// connections.ts: what a connection costs the gateway, and what a run is on the wire. The same
// number of runs is sent on connections that stay, on a new one each, and on a new one each with
// TLS (a full handshake, as of a process that has just begun); then the client's own sender posts
// some through a relay that counts bytes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../../src/config/config.ts';
import { poster } from '../../../src/deliver/post.ts';
import type { Bodies } from '../../fleet/bodies.ts';
import type { Arrival } from '../../fleet/delivery.ts';
import type { ConnectionCosts } from '../../fleet/measured.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import { type Gateway, gatewayServer, prometheusServer } from '../../harness/stack.ts';
import { cpu, listen } from '../measure.ts';
import type { Programs } from './drive.ts';
import { type Connections, send } from './send.ts';

/** Posts through the relay: enough for a mean, as bytes hardly vary. */
const POSTS = 50;
/** Two to warm up, and three that are measured. */
const WAYS = 5;

/** `arrivals` are shared out: each way gets its own. */
export async function connectionCosts(
  programs: Programs,
  openssl: string,
  arrivals: readonly Arrival[],
  body: Bodies,
): Promise<ConnectionCosts> {
  const secrets = mkdtempSync(join(tmpdir(), 'lhp-otel-fleet-'));
  makeCertificates(openssl, secrets);
  const ca = readFileSync(join(secrets, 'ca.crt'));
  const backend = await prometheusServer(programs.prometheus, { past: true });
  await backend.start();
  const otlp = `${backend.url}/api/v1/otlp`;
  const plain = await gatewayServer(programs.collector, otlp);
  const tls = await gatewayServer(programs.collector, otlp, { LHP_OTEL_SECRETS: secrets }, ['tls']);
  await Promise.all([plain.start(), tls.start()]);

  // A run that is sent again may be answered otherwise, so each way, and warming up, has its own.
  const left = [...arrivals];
  const share = Math.floor((left.length - 2 * POSTS) / WAYS);
  const cost = async (gateway: Gateway, connections: Connections) => {
    const part = left.splice(0, share).map((one) => [one]);
    const before = cpu(gateway.pid());
    const more = gateway === tls ? { ca } : {};
    await send(part, ({ run }) => body(run), {
      url: gateway.url,
      connections,
      senders: 16,
      ...more,
    });
    return (cpu(gateway.pid()) - before) / share;
  };
  for (const gateway of [plain, tls]) await cost(gateway, 'kept');
  const costs = {
    kept: await cost(plain, 'kept'),
    opened: await cost(plain, 'new'),
    tls: await cost(tls, 'new'),
  };
  const posted = (compression: Config['compression']) =>
    Promise.all(left.splice(0, POSTS).map(({ run }) => body(run))).then((some) =>
      onTheWire(tls, join(secrets, 'ca.crt'), compression, some),
    );
  const wire = { plain: await posted('none'), gzip: await posted('gzip') };
  await plain.stop();
  await tls.stop();
  await backend.stop();
  rmSync(secrets, { recursive: true });
  return { ...costs, wire };
}

/**
 * Mean bytes of a delivery of one run by the client's own sender, without the headers of TCP and
 * IP.
 */
async function onTheWire(
  gateway: Gateway,
  certificate: string,
  compression: Config['compression'],
  bodies: readonly Uint8Array[],
): Promise<{ out: number; back: number }> {
  const total = { out: 0, back: 0 };
  const open = new Set<Socket>();
  const relay = createServer((client) => {
    const server = connect(gateway.port, '127.0.0.1');
    for (const socket of [client, server]) open.add(socket.on('error', () => socket.destroy()));
    client.on('data', (chunk) => {
      total.out += chunk.length;
    });
    server.on('data', (chunk) => {
      total.back += chunk.length;
    });
    client.pipe(server).pipe(client);
  });
  const url = (await listen(relay)).replace('http:', 'https:');
  for (const bytes of bodies) {
    const target = { ...CLIENT, url: `${url}/v1/metrics`, certificate, compression };
    const answer = await poster(target, process.env)(bytes);
    if (answer.kind !== 'accepted') throw new Error(`not accepted: ${answer.why}`);
  }
  for (const socket of open) socket.destroy();
  relay.close();
  return { out: total.out / bodies.length, back: total.back / bodies.length };
}

/** A client as it is without any setting. */
const CLIENT: Config = {
  ...{ url: undefined, headers: {}, proxy: undefined, timeoutMs: 10_000, flushTimeoutMs: 0 },
  compression: 'none',
  ...{
    certificate: undefined,
    clientCertificate: undefined,
    clientKey: undefined,
    source: undefined,
  },
  ...{ configured: true, off: { user: false, operator: false }, environments: undefined },
  ...{ noticeGiven: false, problems: [], warnings: [] },
};
