// Tests that the numbers are exact. Runs made by the reporter's own code, from many machines and
// projects, out of order and up to seven days late, go through the real gateway into the real
// Prometheus, both started as in docker-compose.yml. Every total equals what was sent, also if
// everything is sent again, if servers are killed, and if the backend was down.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BEFORE,
  BURSTS,
  type Burst,
  distinct,
  NOT_NUMBERED,
  NUMBERED,
  runsOf,
} from '../../scripts/fleet/bursts.ts';
import { collector, prometheus } from '../../scripts/harness/needs.ts';
import {
  DAY,
  deliver,
  digest,
  HOUR,
  makeRuns,
  type Run,
  record,
  sumOf,
  total,
  truth,
} from '../../scripts/harness/runs.ts';
import {
  type Gateway,
  gatewayServer,
  type Prometheus,
  prometheusServer,
} from '../../scripts/harness/stack.ts';
import { CI_SLOTS, type GenerateEvent, slotName } from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { lacking } from '../support/lacking.ts';
import { extended } from '../support/tags.ts';

/**
 * Clients before November 2026 drew one of 256 slots; they and newer ones are in one fleet, and on
 * one machine one follows the other.
 */
const asOldAndNewClients = ({ at, event }: Run, i: number) =>
  recordRun(event, {
    ...{ timestamp: at, startedAt: at - 1_000 },
    slot: slotName(i % 2 === 0 ? i % 256 : i % CI_SLOTS.others),
  });

const MINUTE = 60_000;

const nInNOut = (RUNS: number) => () => {
  const needs = [collector(), prometheus()] as const;
  if (lacking(...needs)) return;
  let backend: Prometheus;
  let gateways: Gateway[];
  const now = Date.now();
  const yesterday = makeRuns(RUNS, now - 25 * HOUR, 6.9);
  let runs = yesterday;
  let bodies: Uint8Array[];

  beforeAll(async () => {
    backend = await prometheusServer(needs[1].path);
    await backend.start();
    const otlp = `${backend.url}/api/v1/otlp`;
    gateways = [await gatewayServer(needs[0].path, otlp), await gatewayServer(needs[0].path, otlp)];
    await Promise.all(gateways.map((gateway) => gateway.start()));
    bodies = await Promise.all(runs.map(asOldAndNewClients));
  });
  afterAll(async () => {
    for (const server of [...(gateways ?? []), backend]) await server?.stop();
  });

  let turn = 0;
  const balanced = () => gateways[turn++ % gateways.length]?.url ?? '';

  async function expectTruth() {
    for (const [question, answer] of truth(runs))
      expect([question, await backend.value(question, now / 1_000 + 60)]).toEqual([
        question,
        answer,
      ]);
  }

  it('out of order and up to seven days late, over two gateways', async () => {
    const answers = await deliver(bodies, balanced);
    expect([...answers]).toEqual([['200', RUNS]]);
    await expectTruth();
  });

  it('by version, environment, CI, dry run and bundle', async () => {
    const labels: [string, (event: GenerateEvent) => string][] = [
      ['service_version', (event) => event.lhp_version],
      ['process_runtime_version', (event) => event.python_version],
      ['deployment_environment_name', (event) => event.environment],
      ['lhp_ci', (event) => String(event.is_ci)],
      ['lhp_dry_run', (event) => String(event.dry_run)],
      ['lhp_bundle_enabled', (event) => String(event.bundle_enabled)],
    ];
    for (const [label, pick] of labels) {
      const samples = await backend.query(
        sumOf('lhp_generate_runs_total', ` by (${label}) `),
        now / 1_000 + 60,
      );
      const stored = Object.fromEntries(
        samples.map(({ metric, value }) => [metric[label], Number(value?.[1])]),
      );
      const known: Record<string, number> = {};
      for (const { event } of runs) known[pick(event)] = (known[pick(event)] ?? 0) + 1;
      expect(stored).toEqual(known);
    }
  });

  it.each([0.5, 0.95, 0.99])(
    'the %f quantile of durations, within the error of a bucket',
    async (q) => {
      const sorted = runs.map(({ event }) => event.generation_time_seconds).sort((a, b) => a - b);
      const known = sorted[Math.ceil(q * sorted.length) - 1] as number;
      const stored = await backend.value(
        `histogram_quantile(${q}, ${sumOf('lhp_generate_duration_seconds')})`,
        now / 1_000 + 60,
      );
      // Prometheus stores schema 8: a bucket is 0.3 % wide (2^(1/256)). The neighbours in rank may
      // be one bucket away.
      const ratio = (stored as number) / known;
      expect(ratio).toBeGreaterThan(2 ** (-2 / 256));
      expect(ratio).toBeLessThan(2 ** (2 / 256));
    },
  );

  // Prometheus 3.16 refuses the newest histogram of a series when it arrives again, because it
  // compares it with its stored form, which has another layout
  // (docs/adr/0007-acknowledged-is-stored.md). Either way nothing is stored twice.
  it('everything sent again in reverse: the same totals', async () => {
    const answers = await deliver([...bodies].reverse(), balanced, { again: true });
    expect((answers.get('200') ?? 0) + (answers.get('400') ?? 0)).toBe(RUNS);
    await expectTruth();
  });

  it('a quarter sent again a day later, after newer runs: the same totals', extended, async () => {
    // Runs that are stored already stay as they are: `npm run test:rest` starts with this test.
    await deliver(bodies, balanced, { again: true });
    const today = makeRuns(1_000, now, 1).map((run) => ({ ...run, at: run.at + 1 }));
    await deliver(await Promise.all(today.map(asOldAndNewClients)), balanced);
    runs = [...yesterday, ...today];
    await expectTruth();
    const some = bodies.filter((_, i) => i % 4 === 0);
    const answers = await deliver(some, balanced, { again: true });
    expect((answers.get('200') ?? 0) + (answers.get('400') ?? 0)).toBe(some.length);
    await expectTruth();
  });

  it('stores neither id as the client sent it', async () => {
    for (const [label, plain] of [
      ['lhp_machine_id', digest('machine 1')],
      ['lhp_project_id', digest('project 1')],
    ] as const) {
      const stored = await (await fetch(`${backend.url}/api/v1/label/${label}/values`)).text();
      expect(stored).not.toContain(plain);
      expect(stored).toMatch(/[0-9a-f]{64}/);
    }
  });
};
describe('every run is counted once: 400 runs', nInNOut(400));
describe('every run is counted once: 10,000 runs', extended, nInNOut(10_000));

describe('CI containers with one machine id and separate spools', extended, () => {
  const needs = [collector(), prometheus()] as const;
  if (lacking(...needs)) return;

  const storm = BURSTS.find(({ jobs }) => jobs === 1_000) as Burst;

  it.each([
    ['numbered jobs', NUMBERED, 0.999],
    ['jobs without a number', NOT_NUMBERED, 0.99],
    ['jobs of older clients, with 256 slots', BEFORE, 0.999],
  ])(
    '1,000 runs within 10 s, %s: exactly those that differ are counted',
    async (_, design, least) => {
      const backend = await prometheusServer(needs[1].path);
      await backend.start();
      const gateway = await gatewayServer(needs[0].path, `${backend.url}/api/v1/otlp`);
      await gateway.start();
      const now = Math.floor(Date.now() / 1_000) * 1_000;
      const [{ event }] = makeRuns(1, now, 0) as [Run];
      const runs = runsOf(storm, design, now - MINUTE, 0);
      const bodies = await Promise.all(
        runs.map(({ at, startedAt, slot }) =>
          recordRun({ ...event, is_ci: true }, { timestamp: at, startedAt, slot: slotName(slot) }),
        ),
      );
      await deliver(bodies, () => gateway.url, { again: true });
      const stored = await backend.value(
        'sum(sum_over_time(lhp_generate_runs_total[9d]))',
        now / 1_000 + 60,
      );
      expect(stored).toBe(distinct(runs));
      expect(stored).toBeGreaterThanOrEqual(least * runs.length);
      expect(await backend.value('count(lhp_generate_runs_total)', now / 1_000)).toBe(
        new Set(runs.map(({ slot }) => slot)).size,
      );
      expect(
        await backend.value(
          'count(count by (lhp_machine_id) (count_over_time(lhp_generate_runs_total[9d])))',
        ),
      ).toBe(1);
      await gateway.stop();
      await backend.stop();
    },
  );
});

const serversThatDie = (LOAD: number) => () => {
  const needs = [collector(), prometheus()] as const;
  if (lacking(...needs)) return;

  async function stack() {
    const backend = await prometheusServer(needs[1].path);
    await backend.start();
    const gateway = await gatewayServer(needs[0].path, `${backend.url}/api/v1/otlp`);
    await gateway.start();
    const now = Date.now();
    const runs = makeRuns(LOAD, now, 3);
    const bodies = await Promise.all(runs.map(record));
    const stored = async () => ({
      runs: await backend.value(
        'sum(sum_over_time(lhp_generate_runs_total[9d]))',
        now / 1_000 + 60,
      ),
      files: await backend.value(
        'histogram_sum(sum(sum_over_time(lhp_generate_files[9d])))',
        now / 1_000 + 60,
      ),
    });
    const known = { runs: LOAD, files: total((event) => event.files_generated, runs) };
    const stop = async () => {
      await gateway.stop();
      await backend.stop();
    };
    return { backend, gateway, bodies, stored, known, stop };
  }

  it.each(['gateway', 'backend'] as const)('kill -9 of the %s under load, twice', async (which) => {
    const { [which]: victim, gateway, bodies, stored, known, stop } = { ...(await stack()) };
    let restarts = Promise.resolve();
    const answers = await deliver(bodies, () => gateway.url, {
      onSent: (sent) => {
        if (sent !== LOAD / 4 && sent !== LOAD / 2) return;
        restarts = restarts.then(async () => {
          await victim.kill();
          await victim.start();
        });
      },
    });
    await restarts;
    expect(answers.size).toBeGreaterThan(1); // it was down while runs were sent
    expect(await stored()).toEqual(known);
    await stop();
  });

  it('a backend that is down: acknowledges nothing, and later everything is stored', async () => {
    const { backend, gateway, bodies, stored, known, stop } = await stack();
    await backend.kill();
    const headers = { 'content-type': 'application/json' };
    const tried = await Promise.all(
      bodies.slice(0, LOAD / 8).map(async (body) => {
        const response = await fetch(`${gateway.url}/v1/metrics`, {
          method: 'POST',
          body: body as Uint8Array<ArrayBuffer>,
          headers,
        });
        await response.arrayBuffer();
        return response.status;
      }),
    );
    expect(tried.filter((status) => status < 500 && status !== 429)).toEqual([]);
    await backend.start();
    const answers = await deliver(bodies, () => gateway.url);
    expect(await stored(), JSON.stringify([...answers])).toEqual(known);
    await stop();
  });

  it('a wrong clock and a duplicate millisecond cost no other client a run', async () => {
    const { gateway, backend, bodies, stored, known, stop } = await stack();
    const [first] = makeRuns(1, Date.now(), 0) as [Run];
    const event = { ...first.event, machine_id: digest('a machine with a wrong clock') };
    const hostile = await Promise.all(
      [Date.now() + HOUR, Date.now() - 30 * DAY].map((at) => record({ at, event })),
    );
    const twins = [1.5, 2.5].map((seconds) => ({
      at: Date.now(),
      event: { ...event, generation_time_seconds: seconds },
    }));
    const post = (body: Uint8Array) =>
      fetch(`${gateway.url}/v1/metrics`, {
        method: 'POST',
        body: body as Uint8Array<ArrayBuffer>,
        headers: { 'content-type': 'application/json' },
      }).then((answer) => answer.status);
    const load = deliver(bodies, () => gateway.url);
    expect(await Promise.all(hostile.map(post))).toEqual([200, 200]);
    const answers: number[] = [];
    for (const twin of twins)
      answers.push(await post(await record({ ...twin, at: twins[0]?.at as number })));
    // The second run in this millisecond is refused, and its client counts it as lost.
    expect(answers).toEqual([200, 400]);
    expect([...(await load)]).toEqual([['200', LOAD]]);
    expect(await stored()).toEqual({
      runs: known.runs + 1,
      files: known.files + (event.files_generated ?? 0),
    });
    expect(await gateway.dropped('time')).toBe(2 * 7);
    expect(
      await backend.value('count(count_over_time(lhp_generate_runs_total[9d]))'),
    ).toBeGreaterThan(0);
    await stop();
  });
};
describe('servers that die, with 100 runs', serversThatDie(100));
describe('servers that die, with 1,000 runs', extended, serversThatDie(1_000));
