// backlog.ts: the load that loses requests of a Prometheus whose newest sample jumps by hours.
// Senders bring large requests of days ago, each a second older than the one before, and in the
// middle of them comes one sample that is ten hours newer: the head is compacted while requests are
// still being stored that reach below it (docs/upstream/prometheus-head-compaction.md).
import { setTimeout as sleep } from 'node:timers/promises';
import { asker } from './asker.ts';

const HOUR = 3_600_000;
const SENDERS = 32;
const REQUESTS = 64;
/** When so many have their answer, the newer sample is sent. */
const BEFORE = 12;
const POINTS = 300;

/** One request: points of one time, told apart by `n`. */
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
 * Sends it to the Prometheus at this address, and gives how many requests had a 200 and how many
 * are stored when it has settled.
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
 * What is asked for when it has been the same for as long as Prometheus waits for appenders, and a
 * little more.
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
