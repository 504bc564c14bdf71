// shared-reporter.ts: the calls of one host process share a reporter. The first call starts it;
// what follows within a moment is written to it as lines of JSON on its descriptor 3. A line is in
// the kernel when the call returns, so it is recorded whatever becomes of the host, and the end of
// the pipe is the end of the jobs.
import type { ChildProcess } from 'node:child_process';
import { createReadStream } from 'node:fs';
import type { Socket } from 'node:net';
import type { Job, StartedJob } from '../job/job.ts';
import type { Host } from '../system/host.ts';
import { startJob, startReporter } from '../wrap/start-reporter.ts';

/** So long a reporter waits for the next call of its host. */
const PAUSE_MS = 200;
/** And no longer than this altogether, before it delivers. */
const SHARED_MS = 1_000;
/** Together they are less than any pipe takes at once, so that no call waits for the reporter. */
const MAX_BYTES = 32 * 1024;
const DESCRIPTOR = 3;

interface Shared {
  reporter: ChildProcess;
  pipe: Socket;
  /** The host's variables when it was started: with others, it would be another reporter. */
  variables: string;
  startedAt: number;
  bytes: number;
  pause: NodeJS.Timeout;
}

let shared: Shared | undefined;

/** Starts a reporter for the job, or gives it to the one that the call before has started. */
export function handToReporter(job: Job, host: Host): void {
  const variables = JSON.stringify(host.env);
  if (shared && takes(shared, job, host, variables)) return;
  close();
  const reporter = startReporter({ ...job, more: true }, host);
  const pipe = reporter.stdio[DESCRIPTOR] as Socket | null | undefined;
  if (!pipe) return; // it could not be started
  pipe.on('error', () => {}); // it has ended; the next call starts another
  pipe.unref();
  const pause = setTimeout(close, PAUSE_MS).unref();
  shared = { reporter, pipe, variables, startedAt: performance.now(), bytes: 0, pause };
}

function takes(to: Shared, job: Job, host: Host, variables: string): boolean {
  const line = `${JSON.stringify(startJob(job, host))}\n`;
  const bytes = to.bytes + Buffer.byteLength(line);
  const lives =
    to.reporter.exitCode === null && to.reporter.signalCode === null && to.pipe.writable;
  const late = performance.now() - to.startedAt > SHARED_MS;
  if (!lives || late || bytes > MAX_BYTES || to.variables !== variables) return false;
  to.pipe.write(line);
  to.bytes = bytes;
  to.pause.refresh();
  return true;
}

function close(): void {
  if (!shared) return;
  clearTimeout(shared.pause);
  shared.pipe.end();
  shared = undefined;
}

/** In the reporter: the jobs that follow the first, until the host closes the pipe or ends. */
export async function* followingJobs(): AsyncGenerator<StartedJob> {
  let text = '';
  for await (const chunk of createReadStream('', { fd: DESCRIPTOR, encoding: 'utf8' })) {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as StartedJob;
  }
}
