// shared-reporter.ts: calls of one host process that follow each other soon share a reporter
// process. The first call starts it; each following call writes its job as a line of JSON to a
// pipe, descriptor 3 of the reporter. The line is in the kernel's buffer when the call returns, so
// the run is recorded even if the host ends or is killed then. The reporter reads until the pipe is
// closed.
import type { ChildProcess } from 'node:child_process';
import { createReadStream } from 'node:fs';
import type { Socket } from 'node:net';
import type { Job, StartedJob } from '../job/job.ts';
import type { Host } from '../system/host.ts';
import { startJob, startReporter } from '../wrap/start-reporter.ts';

/** The pipe is closed when no call has come for this long. */
const PAUSE_MS = 200;
/** It takes no more calls after this time, so that the reporter delivers soon. */
const SHARED_MS = 1_000;
/**
 * The most that is written to one reporter. It fits into the buffer of any pipe, so a call never
 * waits until the reporter has read.
 */
const MAX_BYTES = 32 * 1024;
const DESCRIPTOR = 3;

interface Shared {
  reporter: ChildProcess;
  pipe: Socket;
  /**
   * The host's environment variables when the reporter was started. The reporter has got them, so a
   * call with other variables needs another reporter.
   */
  variables: string;
  startedAt: number;
  bytes: number;
  pause: NodeJS.Timeout;
}

let shared: Shared | undefined;

/** Gives the job to the running reporter if that can take it, or else starts a reporter. */
export function handToReporter(job: Job, host: Host): void {
  const variables = JSON.stringify(host.env);
  if (shared && takes(shared, job, host, variables)) return;
  close();
  const reporter = startReporter({ ...job, more: true }, host);
  const pipe = reporter.stdio[DESCRIPTOR] as Socket | null | undefined;
  if (!pipe) return; // the reporter could not be started
  pipe.on('error', () => {}); // the reporter has ended; the next call starts another one
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

/** Called in the reporter: the jobs after the first, until the host closes the pipe or ends. */
export async function* followingJobs(): AsyncGenerator<StartedJob> {
  let text = '';
  for await (const chunk of createReadStream('', { fd: DESCRIPTOR, encoding: 'utf8' })) {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as StartedJob;
  }
}
