// watchdog.ts: ends this process after a time, even if its main thread is blocked. A timer does not
// fire while its own thread is busy or waits for a file, so a second thread watches. It takes 13
// MiB and 40 ms, and is used only where timeout(1), which does the same from outside, is missing
// (start-reporter.ts).
import { Worker } from 'node:worker_threads';

/** The code of the second thread: plain JavaScript, because it is not bundled. */
const WATCH = `
const { workerData } = require('node:worker_threads');
setTimeout(() => process.kill(process.pid, 'SIGKILL'), workerData);
`;

/** Kills this process after so many milliseconds. */
export function endWithin(milliseconds: number): void {
  // execArgv: what this process was told to preload must not be loaded a second time.
  const watcher = new Worker(WATCH, { eval: true, workerData: milliseconds, execArgv: [] });
  watcher.on('error', () => {}); // the system gives no more threads: nothing watches
  watcher.unref();
}
