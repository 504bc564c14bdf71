// watchdog.ts: ends this process in time, whatever it does then. A timer of its own thread does not
// run while that thread is busy, or waits for a file that never answers; so another thread watches,
// and the kernel ends both. It takes 13 MiB and 40 ms, so it is only for systems without
// timeout(1), which does the same from a process of its own (handover.ts).
import { Worker } from 'node:worker_threads';

/** Runs in the other thread. Plain JavaScript: it is compiled there. */
const WATCH = `
const { workerData } = require('node:worker_threads');
setTimeout(() => process.kill(process.pid, 'SIGKILL'), workerData);
`;

/** Kills this process after so many milliseconds. */
export function endWithin(milliseconds: number): void {
  // execArgv: what the process was told to load is not loaded a second time.
  const watcher = new Worker(WATCH, { eval: true, workerData: milliseconds, execArgv: [] });
  watcher.on('error', () => {}); // no other thread to be had: then nobody watches
  watcher.unref();
}
