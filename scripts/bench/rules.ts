// rules.ts: npm run bench -- rules. Can a recording rule make long time ranges faster without a
// number changing? Runs are recorded into totals of short slots, and the rule's evaluator is
// stopped and restarted meanwhile. The totals are then compared with the runs: of rules of
// Prometheus itself, before and after a backfill, and of a replay of vmalert. Days are seconds
// here. The second table counts the series that such totals would save.
import { execFileSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DAY } from '../fleet/assumptions.ts';
import { fleetOf } from '../fleet/delivery.ts';
import type { Fleet, SimulatedRun } from '../fleet/machine.ts';
import { EVENT } from '../harness/history.ts';
import { digest, post, type Run, record } from '../harness/runs.ts';
import { type Prometheus, prometheusServer } from '../harness/stack.ts';
import { victoriaMetricsGateway, victoriaMetricsServer } from '../harness/victoriametrics.ts';
import { ensureCollector, ensurePrometheus, ensureVictoriaMetrics } from '../setup/install.mjs';
import { promtoolPath, vmalertPath } from '../setup/programs.mjs';
import { table } from './measure.ts';

/** Seconds: of a slot, after which runs are final, and how long each part of the test takes. */
const SLOT = 2;
const FINAL = 16;
const PART = 12;
const MACHINES = 20;
const EVERY_MS = 100;
const RULE = 'lhp:runs:total';
const DURATIONS = 'lhp:duration:seconds';
const LOOK_BACK = '15m';

const rules = (offset: string) => `groups:
  - name: slots
    interval: ${SLOT}s
${offset}    rules:
      - record: ${RULE}
        expr: sum(sum_over_time(lhp_generate_runs_total[${SLOT}s]))
`;
const histogramRule = `      - record: ${DURATIONS}
        expr: sum(sum_over_time(lhp_generate_duration_seconds[${SLOT}s]))
`;

const bucketRule = `      - record: ${DURATIONS}_bucket
        expr: sum by (vmrange) (sum_over_time(lhp_generate_duration_seconds_bucket[${SLOT}s]))
`;

export async function recordingRules(folder: string): Promise<void> {
  const rows = [...(await ofPrometheus(folder)), ...(await ofVmalert(folder))];
  table(
    `totals of ${SLOT} s, final after ${FINAL} s, evaluator away for ${PART} s`,
    ['', 'slots', 'slots missing', 'runs', 'in the totals', 'in the histograms'],
    rows.map((row) => row.map(String)),
  );
  gains();
}

async function ofPrometheus(folder: string) {
  const server = await prometheusServer(await ensurePrometheus(), { past: true });
  const file = join(folder, 'rules.yml');
  writeFileSync(file, rules(`    query_offset: ${FINAL}s\n`) + histogramRule);
  appendFileSync(join(server.folder, 'prometheus.yml'), `\nrule_files: [${file}]\n`);
  await server.start();
  const send = sender(() => `${server.url}/api/v1/otlp`);
  const sent = [...(await send(PART))];
  await server.stop();
  const away = await send(PART, false);
  await server.start();
  for (const run of away) await post(`${server.url}/api/v1/otlp`, await record(run));
  sent.push(...away, ...(await send(PART)));
  await sleep((FINAL + 2 * SLOT) * 1_000);
  const live = await compared('rule of Prometheus', server, sent, COUNTED);

  // The backfill that its documentation describes, over the same slots.
  writeFileSync(file, rules('') + histogramRule);
  const last = Math.max(...(await slotsOf(server)));
  const first = last - Math.floor((last - (sent[0] as Run).at / 1_000) / SLOT) * SLOT;
  await server.stop();
  writeFileSync(
    join(server.folder, 'prometheus.yml'),
    'storage: { tsdb: { out_of_order_time_window: 9d } }\n',
  );
  await server.start();
  const data = join(server.folder, 'prometheus');
  execFileSync(
    promtoolPath(),
    [
      ...['tsdb', 'create-blocks-from', 'rules', `--url=${server.url}`, `--output-dir=${data}`],
      ...[`--start=${first}`, `--end=${last}`, `--eval-interval=${SLOT}s`, file],
    ],
    { stdio: 'ignore' },
  );
  await server.stop();
  await server.start();
  const filled = await compared('and promtool afterwards', server, sent, COUNTED);
  await server.stop();
  return [live, filled];
}

async function ofVmalert(folder: string) {
  const server = await victoriaMetricsServer(await ensureVictoriaMetrics());
  await server.start();
  const gateway = await victoriaMetricsGateway(await ensureCollector(), server.otlp);
  await gateway.start();
  const sent = await sender(() => gateway.url)(PART);
  await gateway.stop();
  // The last slot must be over.
  await sleep(2 * SLOT * 1_000);
  const file = join(folder, 'vmalert.yml');
  writeFileSync(file, rules('') + bucketRule);
  const first = Math.floor((sent[0] as Run).at / 1_000 / SLOT) * SLOT;
  const replay = async () => {
    await server.flush();
    const time = (seconds: number) => new Date(seconds * 1_000).toISOString();
    execFileSync(vmalertPath(), [
      ...[`-rule=${file}`, `-datasource.url=${server.url}`, `-remoteWrite.url=${server.url}`],
      ...[`-replay.timeFrom=${time(first)}`, `-replay.timeTo=${time(first + PART + SLOT)}`],
      ...['-replay.disableProgressBar', '-loggerLevel=ERROR', '-replay.rulesDelay=1s'],
    ]);
  };
  await replay();
  const once = await compared('replay of vmalert', server, sent, VM_COUNTED);
  await replay();
  const twice = await compared('and once more', server, sent, VM_COUNTED);
  await server.stop();
  return [once, twice];
}

/** Records a run after the other for so many seconds. */
function sender(url: () => string) {
  let count = 0;
  return async (seconds: number, isSent = true): Promise<Run[]> => {
    const runs: Run[] = [];
    for (const end = Date.now() + seconds * 1_000; Date.now() < end; await sleep(EVERY_MS)) {
      const run = {
        at: Date.now(),
        event: { ...EVENT, machine_id: digest(`machine ${count++ % MACHINES}`) },
      };
      if (isSent) {
        const answer = await post(url(), await record(run));
        if (answer !== '200') throw new Error(`the backend answered ${answer}`);
      }
      runs.push(run);
    }
    return runs;
  };
}

/** The times of the recorded totals, seconds. */
async function slotsOf({ url }: Prometheus): Promise<number[]> {
  const answer = await fetch(
    `${url}/api/v1/query?query=${encodeURIComponent(`${RULE}[${LOOK_BACK}]`)}`,
  );
  const { data } = (await answer.json()) as { data: { result: { values: [number][] }[] } };
  return data.result.flatMap(({ values }) => values.map(([time]) => time));
}

/** How many runs the recorded histograms have. */
const COUNTED = `histogram_count(sum(sum_over_time(${DURATIONS}[${LOOK_BACK}])))`;
const VM_COUNTED = `sum(sum_over_time(${DURATIONS}_bucket[${LOOK_BACK}]))`;

/** A row: the slots and the runs up to the last recorded slot, and what was recorded of them. */
async function compared(name: string, server: Prometheus, sent: readonly Run[], counted: string) {
  // The first question makes VictoriaMetrics show everything.
  const recorded = await server.value(`sum(sum_over_time(${RULE}[${LOOK_BACK}]))`);
  const histograms = await server.value(counted);
  const slots = await slotsOf(server);
  const last = Math.max(...slots);
  const slotOf = ({ at }: Run) => Math.ceil((at / 1_000 - last) / SLOT);
  const due = sent.filter((run) => slotOf(run) <= 0);
  const missing = new Set(due.map(slotOf)).size - slots.length;
  return [name, slots.length, missing, due.length, recorded ?? '–', histograms ?? '–'];
}

/** Series of one metric in 400 days of 1,000 machines, by what a total keeps of the labels. */
function gains(): void {
  const fleet = { machines: 1_000, days: 400, seed: 1, from: Date.now() - 400 * DAY };
  const runsOf = (one: Fleet) =>
    [...fleetOf(one)].flatMap(({ arrivals }) => arrivals.map(({ run }) => run));
  const [now, before] = [runsOf(fleet), runsOf({ ...fleet, slots: 256 })];
  const shared = (run: SimulatedRun) => [
    ...[run.project, run.version, run.environment, run.dryRun, run.bundle],
    run.slot === undefined,
  ];
  const withMachine = (run: SimulatedRun) => [...shared(run), run.machine, run.generation];
  const all = (run: SimulatedRun) => [...withMachine(run), run.slot];
  const series = (runs: readonly SimulatedRun[], of: (run: SimulatedRun) => unknown[]) =>
    String(new Set(runs.map((run) => of(run).join())).size);
  table(
    'series of one metric in 400 days of 1,000 machines, when a total keeps',
    ['labels', 'series'],
    [
      ['all, from clients with 256 slots', series(before, all)],
      ['all', series(now, all)],
      ['all but the slot', series(now, withMachine)],
      ['all but slot and machine', series(now, shared)],
    ],
  );
}
