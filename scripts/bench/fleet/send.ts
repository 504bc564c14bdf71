// send.ts: sends deliveries to the servers, as many at once as a benchmark wants: each on its own
// connection, as reporters do, or all on connections that stay open. Any answer but 200 ends the
// benchmark, because nothing is sent again here.
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import * as https from 'node:https';
import type { Arrival } from '../../fleet/delivery.ts';

export type Connections = 'kept' | 'new';

export interface Target {
  /** Of the gateway, or of anything else that takes OTLP. */
  url: string;
  connections: Connections;
  /** For https: the authority. */
  ca?: Buffer;
  senders: number;
}

/** The arrivals, grouped by connection. */
export function deliveriesOf(arrivals: readonly Arrival[]): Arrival[][] {
  const all: Arrival[][] = [];
  const open = new Map<string, Arrival[]>();
  for (const one of arrivals) {
    const who = `${one.run.machine}`;
    const current = open.get(who);
    if (one.opens || current === undefined) {
      const next = [one];
      open.set(who, next);
      all.push(next);
    } else current.push(one);
  }
  return all;
}

/** Sends all, in their order as far as so many senders keep it. */
export async function send<T>(
  deliveries: readonly (readonly T[])[],
  bytes: (one: T) => Promise<Uint8Array>,
  { url, connections, ca, senders }: Target,
): Promise<void> {
  const agent = () =>
    ca === undefined
      ? new Agent({ keepAlive: true, maxSockets: 1 })
      : // As a process that has just begun: it has no session to resume.
        new https.Agent({ keepAlive: true, maxSockets: 1, ca, maxCachedSessions: 0 });
  const post = (ca === undefined ? request : https.request) as typeof request;
  let next = 0;
  const sender = async () => {
    let current = agent();
    while (next < deliveries.length) {
      for (const one of deliveries[next++] ?? []) {
        const body = await bytes(one);
        const out = post(`${url}/v1/metrics`, {
          ...{ method: 'POST', agent: current },
          headers: { 'content-type': 'application/json', 'content-length': body.length },
        });
        out.end(body);
        const [answer] = await once(out, 'response');
        answer.resume();
        await once(answer, 'end');
        if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}`);
      }
      if (connections === 'kept') continue;
      current.destroy();
      current = agent();
    }
    current.destroy();
  };
  await Promise.all(Array.from({ length: senders }, sender));
}
