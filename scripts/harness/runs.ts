// runs.ts: runs with known numbers, recorded by the reporter's own code; a sender that repeats
// requests as the client does; and the answers of a backend that has stored each run once. The
// tests and benchmarks of exact counts share it.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { exampleEvent, type GenerateEvent } from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
const MACHINES = 200;
const PROJECTS = 20;

export const digest = (text: string) => createHash('sha256').update(text).digest('hex');

export interface Run {
  at: number;
  event: GenerateEvent;
}

/**
 * Runs with known numbers, the same each time. Milliseconds are unique per machine, as in the
 * spool.
 */
export function makeRuns(count: number, now: number, days: number): Run[] {
  const random = fc.sample(fc.array(fc.nat(1_000_000), { minLength: 8, maxLength: 8 }), {
    numRuns: count,
    seed: 7,
  });
  const taken = new Set<string>();
  return random.map((numbers, i) => {
    const [when, project, flowgroups, templates, seconds, kind, version, files] = numbers as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const machine = i % MACHINES;
    let at = now - Math.floor((when / 1_000_001) * days * DAY);
    while (taken.has(`${machine} ${at}`)) at -= 1;
    taken.add(`${machine} ${at}`);
    const total = flowgroups % 3_000;
    const using = Math.floor(total / 2);
    return {
      at,
      event: {
        ...exampleEvent(),
        project_id: digest(`project ${project % PROJECTS}`),
        machine_id: digest(`machine ${machine}`),
        is_ci: kind % 3 === 0,
        flowgroups_count: total,
        templates_count: Math.min(1 + (templates % 40), using),
        flowgroups_using_templates: using,
        pipelines_count: 1 + (templates % 17),
        files_generated: files % 2_000,
        environment: ['dev', 'test', 'prod'][kind % 3] as string,
        dry_run: kind % 7 === 0,
        bundle_enabled: kind % 2 === 0,
        lhp_version: ['0.9.3', '0.9.2', '0.8.7'][version % 3] as string,
        python_version: ['3.11', '3.12'][version % 2] as string,
        generation_time_seconds: 0.3 + (seconds % 120_000) / 1_000,
      },
    };
  });
}

export const record = (run: Run) =>
  recordRun(run.event, { timestamp: run.at, startedAt: run.at - 1_000 });

/**
 * Sends requests as clients do: many at once, and each run until it is settled
 * (src/deliver/deliver.ts). 200 means that the run is stored; 400 and 413 are final; after any
 * other answer, the run is sent again later. A 400 also means "stored" if the run was sent before,
 * which `again` says of all runs; for any other run, a 400 is an error. `onSent` is called with
 * the progress. Returns how often each answer came.
 */
export async function deliver(
  bodies: readonly Uint8Array[],
  url: () => string,
  { onSent = () => {}, again = false, senders = 32 }: Sending = {},
): Promise<Map<string, number>> {
  const answers = new Map<string, number>();
  let next = 0;
  let sent = 0;
  const sender = async () => {
    while (next < bodies.length) {
      const body = bodies[next++] as Uint8Array<ArrayBuffer>;
      for (let begun = again; ; begun = true) {
        const answer = await post(url(), body);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
        if (answer === '200' || (begun && answer === '400')) break;
        if (answer === '400' || answer === '413')
          throw new Error(`a run was refused for good: ${answer}`);
        await new Promise((resolve) => setTimeout(resolve, 100)); // "again later"
      }
      onSent(++sent);
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
  return answers;
}

interface Sending {
  onSent?: (sent: number) => void;
  again?: boolean;
  senders?: number;
}

/** The status of one request, or `no answer`. */
export async function post(
  url: string,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
): Promise<string> {
  try {
    const response = await fetch(`${url}/v1/metrics`, {
      method: 'POST',
      body: body as Uint8Array<ArrayBuffer>,
      headers: { 'content-type': 'application/json', ...headers },
    });
    await response.arrayBuffer();
    return String(response.status);
  } catch {
    return 'no answer';
  }
}

export const total = (pick: (event: GenerateEvent) => number | null, runs: readonly Run[]) =>
  runs.reduce((sum, { event }) => sum + (pick(event) ?? 0), 0);

const RANGE = '9d';
export const sumOf = (series: string, by = '') => `sum${by}(sum_over_time(${series}[${RANGE}]))`;

const COUNTED: readonly [string, (event: GenerateEvent) => number | null][] = [
  ['lhp_generate_duration_seconds', (event) => event.generation_time_seconds],
  ['lhp_generate_files', (event) => event.files_generated],
  ['lhp_project_flowgroups', (event) => event.flowgroups_count],
  ['lhp_project_flowgroups_using_templates', (event) => event.flowgroups_using_templates],
  ['lhp_project_templates', (event) => event.templates_count],
  ['lhp_project_pipelines', (event) => event.pipelines_count],
];

/** The queries for the number and the sum of all histograms of a metric. */
interface Histograms {
  count(series: string): string;
  sum(series: string): string;
}
const NATIVE: Histograms = {
  count: (series) => `histogram_count(${sumOf(series)})`,
  sum: (series) => `histogram_sum(${sumOf(series)})`,
};

/**
 * The expected answers of a backend that has each of these runs once: query → value.
 */
export function truth(
  runs: readonly Run[],
  { count, sum } = NATIVE,
): [expression: string, value: number][] {
  const distinct = (label: string) =>
    `count(count by (${label}) (count_over_time(lhp_generate_runs_total[${RANGE}])))`;
  const many = (pick: (event: GenerateEvent) => string) =>
    new Set(runs.map(({ event }) => pick(event))).size;
  return [
    [sumOf('lhp_generate_runs_total'), runs.length],
    ...COUNTED.flatMap(([series, pick]): [string, number][] => [
      [count(series), runs.length],
      // Sums of durations differ in the last bits by the order in which they were added.
      [`round(${sum(series)}, 0.001)`, Math.round(total(pick, runs) * 1_000) / 1_000],
    ]),
    [distinct('lhp_machine_id'), many((event) => event.machine_id)],
    [distinct('lhp_project_id'), many((event) => event.project_id)],
  ];
}
