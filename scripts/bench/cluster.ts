// cluster.ts: npm run bench -- cluster. Kills nodes and a gateway of the cluster of
// deploy/docker-compose.cluster.yml under load, and restarts every part, while a reader asks
// without pause. Shows what was acknowledged, what each node counts afterwards, and what the reader
// saw meanwhile.
import { setTimeout as sleep } from 'node:timers/promises';
import { asker } from '../harness/asker.ts';
import { type Cluster, clusterServers, type Node } from '../harness/cluster.ts';
import { program } from '../harness/needs.ts';
import { deliver, makeRuns, record, sumOf, truth } from '../harness/runs.ts';
import type { Server } from '../harness/server.ts';
import type { Gateway } from '../harness/stack.ts';
import { ensureCollector, ensureCortex } from '../setup/install.mjs';
import { table } from './measure.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 20_000);
const WITHOUT_QUORUM_MS = 10_000;
const BLOCKS_WATCHED_MS = 90_000;
const ASK_EVERY_MS = 500;
const COUNT = sumOf('lhp_generate_runs_total');

export async function cluster(): Promise<void> {
  const nginx = program('nginx');
  if (nginx.lacks !== undefined) throw new Error(nginx.lacks);
  const programs = {
    nginx,
    collector: { path: await ensureCollector() },
    cortex: { path: await ensureCortex() },
  };
  const now = Date.now();
  const runs = makeRuns(RUNS, now, 7);
  const bodies = await Promise.all(runs.map(record));
  const at = now / 1_000 + 60;

  const stack = await clusterServers(programs);
  await stack.start();
  const [first, second] = stack.nodes as [Node, Node, Node];
  const [gateway] = stack.gateways as [Gateway, ...Gateway[]];
  const readers = readersOf(stack, at);
  const share = (part: number) => Math.round(RUNS * part);
  const step =
    (name: string, ...work: (() => Promise<unknown>)[]) =>
    async () => {
      readers.phase(name);
      for (const one of work) await one();
    };
  const both = (what: 'kill' | 'start') => () => Promise.all([first[what](), second[what]()]);

  // Nodes and a gateway are killed while all runs are sent.
  const answers = await readers.during(bodies, {
    [share(0.15)]: step('one node killed', () => first.kill()),
    [share(0.3)]: step(
      'two nodes killed',
      () => second.kill(),
      () => sleep(WITHOUT_QUORUM_MS),
      both('start'),
    ),
    [share(0.31)]: step('all back'),
    [share(0.6)]: step('a gateway killed', () => gateway.kill()),
    [share(0.75)]: step('the gateway back', () => gateway.start()),
  });
  console.log('\nstored, asked of each of the three nodes ten times: answers that are the truth');
  const check = async (what: string) =>
    console.log(`${what}: ${await agreement(stack.nodes, runs, at)}`);
  await check(`${RUNS} runs, up to 7 days late; ${told(answers)}`);
  const reversed = [...bodies].reverse();
  await check(
    `again in reverse; ${told(await deliver(reversed, () => stack.nginx.url, { again: true }))}`,
  );

  // Every part is restarted, one after the other.
  const few = bodies.slice(0, share(0.25));
  const rolling = await readers.during(few, restarts(stack, few.length, step), true);
  await check(`${few.length} again in order, every part restarted; ${told(rolling)}`);

  // The runs move from memory into blocks and into the bucket.
  readers.phase('blocks made and shipped');
  const watched = readers.idle(BLOCKS_WATCHED_MS);
  await Promise.all(stack.nodes.map((node) => node.flush()));
  await watched;
  await check('in blocks and in the bucket');
  readers.print();
  await stack.stop();
}

type Step = (name: string, ...work: (() => Promise<unknown>)[]) => () => Promise<void>;

/** Each part of the stack restarted, spread over so many runs: run → what happens then. */
function restarts(stack: Cluster, runs: number, step: Step): Record<number, () => Promise<void>> {
  const restart = (server: Server) => () => server.stop().then(server.start);
  const events = [
    ...stack.nodes.map((node) => step('a node restarted', restart(node))),
    ...stack.gateways.map((one) => step('a gateway restarted', restart(one))),
    step('nginx restarted', restart(stack.nginx)),
    step('all restarted'),
  ];
  const after = (index: number) => Math.round((runs * (index + 1)) / 9);
  return Object.fromEntries(events.map((event, index) => [after(index), event]));
}

export const told = (answers: Map<string, number>) =>
  [...answers].map(([answer, count]) => `${count} × ${answer}`).join(', ');

/** How many answers of the nodes are right, and how many there are. */
async function agreement(
  nodes: readonly Node[],
  runs: Parameters<typeof truth>[0],
  at: number,
): Promise<string> {
  let [right, all] = [0, 0];
  for (let i = 0; i < 10; i += 1)
    for (const node of nodes)
      for (const [question, answer] of i === 0 ? truth(runs) : truth(runs).slice(0, 1)) {
        all += 1;
        right += Number((await node.value(question, at).catch(() => undefined)) === answer);
      }
  return `${right} of ${all}${right === all ? '' : ', NOT EXACT'}`;
}

interface Seen {
  phase: string;
  asked: number;
  errors: number;
  low: number;
  /** Runs that were acknowledged before the question and are not in the answer. */
  missing: number;
  slowest: number;
}

/**
 * Asks for the total through nginx all the time, and compares with what had been acknowledged when
 * the question was sent.
 */
function readersOf(stack: Cluster, at: number) {
  const { value } = asker(() => `${stack.inside}/prometheus`);
  const seen: Seen[] = [];
  let [acknowledged, most] = [0, 0];
  const phase = (name: string) => {
    if (seen.at(-1)?.phase !== name)
      seen.push({ phase: name, asked: 0, errors: 0, low: 0, missing: 0, slowest: 0 });
  };
  const ask = async () => {
    const now = seen.at(-1) as Seen;
    const before = Math.max(acknowledged, most);
    const started = performance.now();
    const answer = await value(COUNT, at).catch(() => undefined);
    now.asked += 1;
    now.slowest = Math.max(now.slowest, performance.now() - started);
    if (answer === undefined && before > 0) now.errors += 1;
    else if ((answer ?? 0) < before) {
      now.low += 1;
      now.missing = Math.max(now.missing, before - (answer ?? 0));
    }
  };
  const until = async (finished: () => boolean) => {
    while (!finished()) {
      await ask();
      await sleep(ASK_EVERY_MS);
    }
  };
  return {
    phase,
    idle: (ms: number) => {
      const end = Date.now() + ms;
      return until(() => Date.now() > end);
    },
    /** Sends, with these events when so many runs have been acknowledged. */
    async during(
      bodies: Uint8Array[],
      events: Record<number, () => Promise<unknown>>,
      again = false,
    ) {
      let [sending, done] = [true, Promise.resolve() as Promise<unknown>];
      phase(again ? 'before the restarts' : 'all there');
      acknowledged = 0;
      const reading = until(() => !sending);
      const onSent = (sent: number) => {
        acknowledged = again ? most : sent;
        if (events[sent]) done = done.then(events[sent]);
      };
      const answers = await deliver(bodies, () => stack.nginx.url, { again, onSent, senders: 64 });
      await done;
      sending = false;
      await reading;
      most = Math.max(most, acknowledged);
      return answers;
    },
    print: () =>
      table(
        'what a reader saw meanwhile (one question after the other, through nginx)',
        ['', 'asked', 'refused', 'too low', 'runs missing at most', 'slowest, ms'],
        seen.map(({ phase, ...numbers }) => [
          phase,
          ...Object.values(numbers).map((one) => one.toFixed(0)),
        ]),
      ),
  };
}
