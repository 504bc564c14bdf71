// load.ts: sends runs to a stack as clients do, and says what that took: seconds, answers, and
// processor time a run of each part. Shared by the benchmarks that compare backends.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { deliver } from '../harness/runs.ts';
import type { Server } from '../harness/server.ts';
import { told } from './cluster.ts';
import { cpu, size } from './measure.ts';

const SENDERS = 64;

/**
 * Cells of a row: runs a second, whether the count is right, and processor time in ms a run of each
 * part (one or more processes).
 */
export async function load(
  bodies: readonly Uint8Array[],
  url: string,
  parts: readonly Server[][],
  count: () => Promise<number | undefined>,
): Promise<string[]> {
  const used = () =>
    parts.map((servers) =>
      servers.flatMap((one) => family(one.pid())).reduce((sum, pid) => sum + cpu(pid), 0),
    );
  const before = used();
  const started = performance.now();
  const answers = await deliver(bodies, () => url, { senders: SENDERS });
  const seconds = (performance.now() - started) / 1_000;
  const costs = used().map((after, i) =>
    (((after - (before[i] ?? 0)) * 1_000) / bodies.length).toFixed(2),
  );
  const stored = await count();
  const exact =
    stored === bodies.length && answers.size === 1 ? 'yes' : `NO: ${stored}, ${told(answers)}`;
  return [(bodies.length / seconds).toFixed(0), exact, ...costs];
}

/** A process and its children (nginx's workers). */
const family = (pid: number): number[] => [
  pid,
  ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number),
];

/**
 * Files that are made large beforehand for chunks to come, and what can be made anew from the rest.
 */
const NOT_DATA = new Set(['chunks_head', 'cache']);

/** Bytes of data below a folder. */
export function onDisk(folder: string): number {
  const of = (name: string) => (NOT_DATA.has(name) ? 0 : onDisk(join(folder, name)));
  return statSync(folder).isDirectory()
    ? readdirSync(folder).reduce((sum, name) => sum + of(name), 0)
    : size(folder);
}
