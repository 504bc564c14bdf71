// history.ts: invented runs for the tests of statistics and charts, as values and as files that the
// real recorder writes. The history is plausible, and the same every time.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleEvent, type GenerateEvent } from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import type { Run } from '../../src/spool/run.ts';

export const PROJECT = 'a'.repeat(64);

export const EVENT: GenerateEvent = {
  ...exampleEvent(),
  project_id: PROJECT,
  machine_id: 'b'.repeat(64),
  is_ci: false,
  flowgroups_count: 23,
  templates_count: 5,
  flowgroups_using_templates: 18,
  pipelines_count: 3,
  files_generated: 23,
  environment: 'dev',
  dry_run: false,
  bundle_enabled: true,
  lhp_version: '0.9.3',
  python_version: '3.12',
  generation_time_seconds: 2,
};

export const runAt = (timestamp: number, event: Partial<GenerateEvent> = {}): Run => ({
  timestamp,
  outcome: 'local',
  event: { ...EVENT, ...event },
});

/** One run an hour. */
export const hourly = (
  events: Partial<GenerateEvent>[],
  from: number = Date.UTC(2026, 0, 5),
): Run[] => events.map((event, hour) => runAt(from + hour * 3_600_000, event));

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Lognormal around 1, as the times of a machine that has other things to do. */
export function noise(random: () => number, spread: number): number {
  return Math.exp(
    spread * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

const DAY_MS = 24 * 3_600_000;

/**
 * Working days of one person up to `end`: a project that grows, one of a colleague, newer versions,
 * most runs for dev. The time of a run follows the flowgroups and the version.
 */
export function plausible(count: number, end: number, days = 150): Run[] {
  const random = generator(42);
  const digest = (letter: string) => `${letter}7d1e94b06c52a8f`.repeat(4);
  const runs = Array.from({ length: count }, (_, index) => {
    const age = (1 - (index + 1) / count) * days;
    const weekend = [0, 6].includes(new Date(end - age * DAY_MS).getUTCDay()) ? 2 : 0;
    const midnight = Math.floor(end / DAY_MS - age - weekend) * DAY_MS;
    const timestamp = Math.round(midnight + (8 + 9 * random()) * 3_600_000);
    const other = random() < 0.16;
    const progress = 1 - age / days;
    const flowgroups = other
      ? 12
      : progress < 0.55
        ? 24 + Math.floor(progress * 6)
        : 41 + Math.floor((progress - 0.55) * 10);
    const fast = progress > 0.8;
    const environment = random() < 0.72 ? 'dev' : random() < 0.6 ? 'test' : 'prod';
    const ci = random() < 0.08;
    const dry = random() < 0.06;
    const seconds =
      (0.9 + flowgroups * 0.045) * (fast ? 0.72 : 1) * (ci ? 1.6 : 1) * noise(random, 0.14);
    const outcome = random() < 0.02 ? 'lost' : index > count - 3 ? 'waiting' : 'sent';
    return {
      timestamp,
      outcome,
      ...(outcome === 'lost' && { reason: 'expired' as const }),
      event: {
        ...EVENT,
        project_id: digest(other ? '3' : '5'),
        machine_id: digest('9'),
        flowgroups_count: flowgroups,
        flowgroups_using_templates: Math.round(flowgroups * 0.7),
        templates_count: other ? 2 : progress < 0.55 ? 5 : 7,
        pipelines_count: other ? 2 : 4 + Math.floor(progress * 3),
        files_generated: dry ? 0 : flowgroups,
        environment,
        is_ci: ci,
        dry_run: dry,
        lhp_version: progress < 0.3 ? '0.9.1' : fast ? '0.9.3' : '0.9.2',
        python_version: progress < 0.3 ? '3.11' : '3.12',
        generation_time_seconds: Math.round(seconds * 100) / 100,
      },
    } satisfies Run;
  });
  // The project grows from one run to the next, also within a day, whatever day `end` is.
  const times = runs.map(({ timestamp }) => timestamp).sort((a, b) => a - b);
  return runs.map((run, index) => ({ ...run, timestamp: times[index] as number }));
}

/**
 * Writes these runs into a state folder with the reporter's own code. Two runs with the same
 * millisecond become one.
 */
export async function writeHistory(state: string, runs: readonly Run[]): Promise<void> {
  const [spool, history] = [join(state, 'spool'), join(state, 'history')];
  for (const folder of [spool, history]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const { timestamp, outcome, reason, event } of runs) {
    const startedAt = timestamp - event.generation_time_seconds * 1000;
    const bytes = await recordRun(event, { timestamp, startedAt, slot: '00' });
    const name = outcome === 'lost' ? `lost-${reason}` : outcome;
    const path =
      outcome === 'waiting'
        ? join(spool, `${timestamp}.json`)
        : join(history, `${timestamp}.${name}.json`);
    writeFileSync(path, bytes, { mode: 0o600 });
  }
}
