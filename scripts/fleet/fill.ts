// fill.ts: stores the runs of a simulated fleet in a backend directly, many in one request, in the
// order of their time. Through the gateway the runs of 30 days of 10,000 machines would take half
// an hour.

import { kindOf, machineOf } from './bodies.ts';
import type { Forwarded } from './forwarded.ts';
import type { SimulatedRun } from './machine.ts';

/** Runs in one request: about 1 MB. */
const BATCH = 500;

/**
 * The runs that a backend can tell apart. Two runs of one series in one millisecond are one for it
 * (docs/adr/0010-ci-slots.md), and a batch that contains both is refused.
 */
export function distinctRuns(runs: readonly SimulatedRun[]): SimulatedRun[] {
  const sorted = [...runs].sort((a, b) => a.at - b.at);
  let [at, seen] = [0, new Set<string>()];
  return sorted.filter((run) => {
    if (run.at !== at) [at, seen] = [run.at, new Set()];
    const series = [kindOf(run), machineOf(run), run.project, run.slot].join();
    if (seen.has(series)) return false;
    seen.add(series);
    return true;
  });
}

/** @param url - base URL of the backend's OTLP endpoint. */
export async function fill(
  url: string,
  runs: readonly SimulatedRun[],
  forwarded: Forwarded,
  headers: Record<string, string> = {},
): Promise<void> {
  let sent: Promise<void> = Promise.resolve();
  for (let from = 0; from < runs.length; from += BATCH) {
    const part: Buffer[] = [];
    for (const run of runs.slice(from, from + BATCH)) part.push(await forwarded(run));
    await sent;
    // Requests of one resource each, one after the other, are a request of all these resources
    // (protobuf). The next batch is made while this one is on its way.
    sent = send(url, Buffer.concat(part), headers);
    sent.catch(() => {});
  }
  await sent;
}

async function send(
  url: string,
  body: Buffer<ArrayBuffer>,
  headers: Record<string, string>,
): Promise<void> {
  const answer = await fetch(`${url}/v1/metrics`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-protobuf', ...headers },
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`the backend answered ${answer.status}: ${text.slice(0, 500)}`);
}
