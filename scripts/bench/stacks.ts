// stacks.ts: npm run bench -- stacks. Sends the same two thousand runs of fifty machines through
// the stacks of docs/stacks.md, set up correctly and incorrectly. Shows how many were answered with
// 200 and how many the backend has in the end. Servers are killed with SIGKILL.
import { setTimeout as sleep } from 'node:timers/promises';
import { DAY, deliver, digest, makeRuns, type Run, record, sumOf, truth } from '../harness/runs.ts';
import { ensureCollector, ensurePrometheus } from '../setup/install.mjs';
import { table } from './measure.ts';
import { Setups, type Stack } from './stack-setups.ts';

const RUNS = 2_000;
const MACHINES = 50;
const WEEK = 6.9;
const COUNTED = sumOf('lhp_generate_runs_total');
/**
 * After a conversion from delta to cumulative, the last value of a series is its count; no query
 * gives a better one.
 */
const LAST = 'sum(last_over_time(lhp_generate_runs_total[9d]))';
/**
 * Remote write sends its samples within 5 s, so a total that has been the same for longer is final.
 */
const SETTLED_MS = 7_000;
/** The batches of yours.yaml wait for 5 s. */
const BATCHED_MS = 6_000;

/**
 * Each machine has one identity, and so one series a metric. Times are even draws, the same each
 * time; 0 days: from now on, in order.
 */
function fleet(now: number, days: number): Run[] {
  return makeRuns(RUNS, now, 0).map(({ event }, i) => ({
    at:
      days > 0
        ? now - (Number.parseInt(digest(`run ${i}`).slice(0, 12), 16) % (days * DAY))
        : now + i,
    event: {
      ...event,
      machine_id: digest(`machine ${i % MACHINES}`),
      project_id: digest(`project ${i % 7}`),
      is_ci: false,
      environment: 'dev',
      dry_run: false,
      bundle_enabled: true,
      lhp_version: '0.9.3',
      python_version: '3.12',
    },
  }));
}

type Send = (bodies: readonly Uint8Array[], onSent?: (sent: number) => void) => Promise<void>;
type Story = (bodies: readonly Uint8Array[], send: Send, stack: Stack) => Promise<void>;

const all: Story = (bodies, send) => send(bodies);
const twice: Story = async (bodies, send) => {
  await send(bodies);
  await send([...bodies].reverse());
};
const killedAtTheEnd: Story = async (bodies, send, { victim }) => {
  await send(bodies);
  await victim.kill();
  await victim.start();
};
const killedTwice: Story = async (bodies, send, { victim }) => {
  let restarts = Promise.resolve();
  await send(bodies, (sent) => {
    if (sent !== RUNS / 4 && sent !== RUNS / 2) return;
    restarts = restarts.then(async () => {
      await victim.kill();
      await victim.start();
    });
  });
  await restarts;
};
const awayAndRestarted: Story = async (bodies, send, { victim, away }) => {
  await away?.kill();
  await send(bodies);
  await victim.stop();
  await victim.start();
  await away?.start();
};
/** A run whose millisecond is taken, by one that was stored before: Prometheus refuses it. */
const oneRefused: Story = async (bodies, send) => {
  const [first] = fleet(Date.now(), 0) as [Run];
  const other = { at: first.at, event: { ...first.event, generation_time_seconds: 1.5 } };
  await send([await record(first)]);
  await sleep(BATCHED_MS);
  await send([await record(other), ...bodies]);
};

async function measure(
  name: string,
  days: number,
  start: () => Promise<Stack>,
  story: Story = all,
  question = COUNTED,
): Promise<string[]> {
  const stack = await start();
  const now = Date.now();
  const runs = fleet(now, days);
  const bodies = await Promise.all(runs.map(record));
  await sleep(days > 0 ? 0 : Math.max(0, now + RUNS - Date.now()));
  const answers = new Map<string, number>();
  await story(
    bodies,
    async (some, onSent = () => {}) => {
      for (const [answer, count] of await deliver(some, () => stack.url, { onSent, again: true }))
        answers.set(answer, (answers.get(answer) ?? 0) + count);
    },
    stack,
  );
  const at = Date.now() / 1_000 + 60;
  const { backend } = stack;
  const asked = async (expression: string) =>
    typeof backend === 'function' ? backend() : ((await backend.value(expression, at)) ?? 0);
  let counted = -1;
  for (let since = Date.now(); Date.now() - since < SETTLED_MS; await sleep(250)) {
    const value = await asked(question);
    if (value !== counted) since = Date.now();
    counted = value;
  }
  let exact = counted === RUNS;
  if (typeof backend !== 'function')
    for (const [question, answer] of truth(runs)) exact &&= (await asked(question)) === answer;
  for (const server of stack.servers) await server.stop();
  const given = [...answers].map(([answer, count]) => `${count} × ${answer}`).join(', ');
  process.stderr.write(`${name}: ${given}; ${counted}\n`);
  return [name, given, counted.toLocaleString('en-US'), exact ? 'yes' : 'no'];
}

const stillDelta = (text: string) => text.replace('TEMPORALITY_CUMULATIVE', 'TEMPORALITY_DELTA');
const afterDeltaToCumulative = (text: string) =>
  stillDelta(text)
    .replace('redaction/ids]', 'redaction/ids, delta_to_cumulative]')
    .replace(
      '  transform/backend:\n',
      '  delta_to_cumulative: { max_stale: 720h }\n  transform/backend:\n',
    );

export async function stacks(): Promise<void> {
  const setups = new Setups(await ensureCollector(), await ensurePrometheus());
  const { single, inFront, agent, vendor, vendorCopy } = setups;
  const withLhp = setups.withLhp();
  const batched = setups.withLhp((text) =>
    text.replace('- redaction/lhp_ids', '- redaction/lhp_ids\n        - batch'),
  );
  const remote = setups.remoteWrite();
  const plain = setups.remoteWrite(stillDelta);
  const cumulative = setups.remoteWrite(afterDeltaToCumulative);
  const anHour = setups.otherwise('time_window: 9d', 'time_window: 1h');
  const converting = setups.otherwise('otlp-native-delta-ingestion', 'otlp-deltatocumulative');

  const rows = [
    await measure('docker-compose.yml', WEEK, single),
    await measure('lhp.yaml in a collector of yours, sent twice', WEEK, withLhp, twice),
    await measure('… with batch behind the rules, killed', WEEK, batched, killedAtTheEnd),
    await measure('… with batch behind the rules, one refused', WEEK, batched, oneRefused),
    await measure('a collector with batch in front', WEEK, inFront),
    await measure('Prometheus with an out-of-order window of an hour', WEEK, anHour),
    await measure('remote-write, sent twice', WEEK, remote, twice),
    await measure('remote-write, gateway killed twice', WEEK, remote, killedTwice),
    await measure('prometheus_remote_write alone', WEEK, plain),
    await measure('… after delta_to_cumulative', WEEK, cumulative, all, LAST),
    await measure('Prometheus with otlp-deltatocumulative', WEEK, converting, all, LAST),
    await measure('agent, runs recorded after its start, sent twice', 0, agent, twice),
    await measure('agent, runs of a week', WEEK, agent),
    await measure('agent restarted while the centre is away', 0, agent, awayAndRestarted),
    await measure('vendor alone, gateway killed twice', WEEK, vendor, killedTwice),
    await measure('vendor as a copy, Prometheus killed twice', WEEK, vendorCopy, killedTwice),
  ];
  table(`${RUNS} runs of ${MACHINES} machines`, ['', 'answered', 'counted', 'exact'], rows);
}
