// step.mjs: runs programs for the setup, and reports on stderr what each step does and how long it
// takes, while it runs.
import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { root } from './programs.mjs';

/** How often a step that is still running reports its time. */
const REPORT_EVERY_MS = 20_000;
/** The end of a failed program's output is what names the error. */
const SHOWN_LINES = 20;

export function say(text) {
  process.stderr.write(`[setup] ${text}\n`);
}

/** 80000 ms → `1 min 20 s`. */
function duration(ms) {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Runs `work` and reports when it begins, every 20 seconds, and when it ends.
 *
 * @throws what `work` throws, after it was reported.
 */
export async function step(title, work) {
  const started = performance.now();
  const elapsed = () => duration(performance.now() - started);
  say(`${title}: started`);
  const timer = setInterval(() => say(`${title}: running, ${elapsed()}`), REPORT_EVERY_MS);
  try {
    const result = await work();
    say(`${title}: done in ${elapsed()}`);
    return result;
  } catch (error) {
    say(`${title}: failed after ${elapsed()}`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Programs that are running, to be ended with the setup. */
const running = new Set();
let ending = false;
export const isEnding = () => ending;
/** Ends what `run` has started, and lets it start nothing more. */
export function endRunning() {
  ending = true;
  for (const child of running) child.kill();
}

/**
 * Runs a program and resolves with its standard output. `background` gives it a lower priority:
 * tests that run at the same time go first.
 *
 * @throws Error with the last lines of its output when it does not end with status 0.
 */
export function run(command, args, { background = false, ...options } = {}) {
  return new Promise((resolve, reject) => {
    if (ending) throw new Error('interrupted');
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    });
    running.add(child);
    if (background && child.pid) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    let stdout = '';
    let all = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      all += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      all += text;
    });
    child.on('error', (error) => {
      running.delete(child);
      reject(new Error(`${command} could not be started: ${error.message}`));
    });
    child.on('close', (status, signal) => {
      running.delete(child);
      const end = all.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
      if (status === 0) resolve(stdout);
      else
        reject(new Error(`${command} ${args.join(' ')} ended with ${status ?? signal}:\n${end}`));
    });
  });
}
