// backlog.ts: a load that makes Prometheus lose requests that it has acknowledged. Senders post
// large requests from days ago, each a second older than the one before. Among them is one sample
// that is ten hours newer, so Prometheus compacts its head while older requests are still being
// stored (docs/upstream/prometheus-head-compaction.md).
import { setTimeout as sleep } from 'node:timers/promises';
import { asker } from './asker.ts';

const HOUR = 3_600_000;
const SENDERS = 32;
const REQUESTS = 64;
/** The newer sample is sent after this many answers. */
const BEFORE = 12;
const POINTS = 300;

/** One request: points of one time, which the label `n` tells apart. */
function requestOf(number: number, at: number, points: number): string {
  const attribute = (key: string, value: number) => ({ key, value: { intValue: String(value) } });
  const dataPoints = Array.from({ length: points }, (_, n) => ({
    timeUnixNano: `${at}000000`,
    asDouble: 1,
    attributes: [attribute('request', number), attribute('n', n)],
  }));
  const metrics = [{ name: 'sample', gauge: { dataPoints } }];
  return JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
}

/**
 * Sends the load to the Prometheus at this address. Returns how many requests were answered with
 * 200, and how many are stored in the end.
 */
export async function sendBacklog(url: string): Promise<{ acknowledged: number; stored: number }> {
  const newest = Date.now() - 64 * HOUR;
  const post = async (body: string) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api/v1/otlp/v1/metrics`, { method: 'POST', body, headers });
    await answer.arrayBuffer();
    return answer.status === 200;
  };
  const bodies = Array.from({ length: REQUESTS }, (_, n) =>
    requestOf(n, newest - n * 1_000, POINTS),
  );
  const [first = '', ...more] = bodies;
  let acknowledged = Number(await post(first));
  let jumped: Promise<boolean> | undefined;
  const sender = async () => {
    for (let body = more.shift(); body !== undefined; body = more.shift()) {
      const stored = await post(body);
      acknowledged += Number(stored);
      if (acknowledged >= BEFORE) jumped ??= post(requestOf(-1, newest + 10 * HOUR, 1));
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  await jumped;
  const stored = await settled(() =>
    asker(() => url).value(
      'count(count by (request) (count_over_time(sample{request!="-1"}[5d])))',
    ),
  );
  return { acknowledged, stored };
}

/**
 * Asks until the answer has stayed the same for a little longer than Prometheus waits for
 * appenders, and returns it.
 */
async function settled(ask: () => Promise<number | undefined>): Promise<number> {
  let value = await ask();
  for (let same = 0; same < 8; same += 1) {
    await sleep(250);
    const now = await ask();
    if (now !== value) same = 0;
    value = now;
  }
  return value ?? 0;
}
