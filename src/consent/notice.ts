// notice.ts: people are told of an endpoint before anything is delivered to it. Outside CI runs
// wait until four lines were shown on a terminal, once for each endpoint: by a run, by a command,
// or by the shell hook, which finds them in a file. The process that shows them delivers nothing,
// so that there is time for `lhp-otel off`; the next run delivers what waits. In CI the owner of
// the pipeline has configured the endpoint, and nobody reads a terminal: nothing waits.
import { rmSync } from 'node:fs';
import { isatty } from 'node:tty';
import { isCi } from '../config/ci.ts';
import { writePrivate } from '../system/files.ts';
import { type Env, nodeModule } from '../system/host.ts';
import { say } from '../system/log.ts';
import type { Paths } from '../system/paths.ts';
import { readText } from '../system/try-read.ts';
import type { Decision } from './resolve-mode.ts';

/**
 * `none`: nothing would be delivered. `operator`: the operator states that people were told by
 * other means. `due`: it must be shown before anything is delivered.
 */
export type Notice = 'none' | 'ci' | 'operator' | 'shown' | 'due';

/**
 * When the notice was shown: `before` this run, or none was needed; `now`, by this run, which
 * therefore delivers nothing; or `not yet`.
 */
export type NoticeTiming = 'before' | 'now' | 'not yet';

/** The endpoints that are remembered; one more replaces the oldest. */
const REMEMBERED = 20;

export async function noticeOf(decision: Decision, env: Env): Promise<Notice> {
  const { mode, config, paths } = decision;
  if (mode !== 'send' || config?.url === undefined || config.problems.length > 0) return 'none';
  if (config.noticeGiven) return 'operator';
  if (shownMarks(paths).includes(markOf(config.url))) return 'shown';
  return (await isCi(env)) ? 'ci' : 'due';
}

/** For a run: shows the notice on its terminal, or leaves it for the shell hook. */
export async function showOrLeaveNotice(decision: Decision, env: Env): Promise<NoticeTiming> {
  if ((await noticeOf(decision, env)) !== 'due') return 'before';
  if (show(decision)) return 'now';
  writePending(decision);
  return 'not yet';
}

/**
 * For the process behind a shell hook, which has no terminal: leaves the notice for the next run.
 *
 * @param inHook - `shown` where the hook has just shown a notice that an earlier run left.
 */
export async function leaveNotice(
  decision: Decision,
  env: Env,
  inHook: string,
): Promise<NoticeTiming> {
  if ((await noticeOf(decision, env)) !== 'due') return inHook === 'shown' ? 'now' : 'before';
  writePending(decision);
  return 'not yet';
}

/** For a command: shows the notice where it is due. True when it was shown just now. */
export async function showNotice(decision: Decision, env: Env): Promise<boolean> {
  return (await noticeOf(decision, env)) === 'due' && show(decision);
}

/** Shows first and notes then: a notice that was noted and not shown would never be shown. */
function show({ paths, config }: Decision): boolean {
  if (!isatty(2) || config?.url === undefined) return false;
  if (!noticeLines(config.url).every((line) => say(line))) return false; // the terminal is closed
  noteShown(paths, config.url);
  return true;
}

export function noteShown(paths: Paths, url: string): void {
  const marks = shownMarks(paths);
  if (!marks.includes(markOf(url)))
    writePrivate(paths.shownNotice, toLines([markOf(url), ...marks]));
  rmSync(paths.pendingNotice, { force: true });
}

/**
 * Leaves the notice for the shell hook of the next run. The hook shows the lines that begin with
 * `lhp-otel:` and renames this file to `notice.json`, so it also holds the marks of the other
 * endpoints.
 */
function writePending({ paths, config }: Decision): void {
  if (config?.url === undefined) return;
  const lines = noticeLines(config.url).map((line) => `lhp-otel: ${line}\n`);
  const text = `${markOf(config.url)}\n${lines.join('')}${toLines(shownMarks(paths))}`;
  try {
    writePrivate(paths.pendingNotice, text);
  } catch {
    // a full disk; a later run writes it
  }
}

/**
 * Names an endpoint by its digest, because a URL may hold more than our files should. Node's crypto
 * takes 4 ms to load, so it is loaded only where there is an endpoint.
 */
const markOf = (url: string) => {
  const { createHash } = nodeModule('node:crypto');
  return JSON.stringify({ endpoint: createHash('sha256').update(url).digest('hex') });
};

/** The marks of the endpoints whose notice was shown, the newest first. */
const shownMarks = (paths: Paths): string[] =>
  (readText(paths.shownNotice) ?? '').split('\n').filter((line) => line.startsWith('{'));

const toLines = (marks: readonly string[]) =>
  [...new Set(marks)]
    .slice(0, REMEMBERED)
    .map((mark) => `${mark}\n`)
    .join('');

/** Fits a terminal of 80 columns, unless the host's name is long. */
const noticeLines = (url: string): string[] => [
  `the next lhp generate sends metrics to ${new URL(url).host}:`,
  'counts, versions, times, environment; project and machine as hashes.',
  'What waits here goes, too. See it: lhp-otel show, lhp-otel status',
  'Switch off: lhp-otel off    For one project: touch .lhp_do_not_track',
];
