// notice.ts: people are told before anything is delivered. Outside CI runs wait until four lines
// were shown on a terminal, once for each endpoint: by a run, by any command of ours, or by the
// shell hook, which finds them in a file. Who shows them delivers nothing yet, so that there is
// time to say `off`; the next run delivers what waits. In CI, where the pipeline's owner configured
// the endpoint, nobody reads them and nothing waits.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { isCi } from '../config/ci.ts';
import { writePrivate } from '../system/files.ts';
import type { Env } from '../system/host.ts';
import { say } from '../system/log.ts';
import { type Paths, PENDING_NOTICE } from '../system/paths.ts';
import { readText } from '../system/probe.ts';
import type { Decision } from './resolve-mode.ts';

/**
 * `none`: nothing would be delivered. `operator`: who runs this machine has told people by other
 * means.
 */
export type Notice = 'none' | 'ci' | 'operator' | 'shown' | 'due';

/** `now`: shown by this very run, which therefore delivers nothing. */
export type Announced = 'before' | 'now' | 'not yet';

/** Endpoints that are remembered as told; one more forgets the oldest. */
const REMEMBERED = 20;

export async function noticeOf(decision: Decision, env: Env): Promise<Notice> {
  const { mode, config, paths } = decision;
  if (mode !== 'send' || config?.url === undefined || config.problems.length > 0) return 'none';
  if (config.noticeGiven) return 'operator';
  if (marksIn(paths).includes(markOf(config.url))) return 'shown';
  return (await isCi(env)) ? 'ci' : 'due';
}

/** By a run: on its terminal, if it has one. */
export async function announce(decision: Decision, env: Env): Promise<Announced> {
  if ((await noticeOf(decision, env)) !== 'due') return 'before';
  if (show(decision)) return 'now';
  leave(decision);
  return 'not yet';
}

/**
 * Behind the shell hook, which has given the prompt back. `shown`: the hook has just shown what an
 * earlier run left.
 */
export async function announceLater(
  decision: Decision,
  env: Env,
  hook: string,
): Promise<Announced> {
  if ((await noticeOf(decision, env)) !== 'due') return hook === 'shown' ? 'now' : 'before';
  leave(decision);
  return 'not yet';
}

/** By a command. True when it was shown just now. */
export async function showNotice(decision: Decision, env: Env): Promise<boolean> {
  return (await noticeOf(decision, env)) === 'due' && show(decision);
}

/** First shown and then noted: what was noted and never shown would be delivered. */
function show({ paths, config }: Decision): boolean {
  if (!isatty(2) || config?.url === undefined) return false;
  if (!words(config.url).every((line) => say(line))) return false; // the terminal is gone
  noteShown(paths, config.url);
  return true;
}

export function noteShown(paths: Paths, url: string): void {
  const marks = marksIn(paths);
  if (!marks.includes(markOf(url)))
    writePrivate(join(paths.state, SHOWN), lines(markOf(url), ...marks));
  rmSync(join(paths.state, PENDING_NOTICE), { force: true });
}

/**
 * For the next run's hook, which shows the lines that begin with our name and makes this file the
 * one that says what was shown: so it has the marks of the other endpoints, too.
 */
function leave({ paths, config }: Decision): void {
  if (config?.url === undefined) return;
  const mark = markOf(config.url);
  try {
    writePrivate(
      join(paths.state, PENDING_NOTICE),
      `${mark}\n${text(config.url)}${lines(...marksIn(paths))}`,
    );
  } catch {
    // a full disk; a later run leaves it
  }
}

/** In the state folder: a line for each endpoint of which people were told, the newest first. */
const SHOWN = 'notice.json';
/** It names the endpoint by its digest: a URL may say more than a file of ours should. */
const markOf = (url: string) =>
  JSON.stringify({ endpoint: createHash('sha256').update(url).digest('hex') });

const marksIn = (paths: Paths): string[] =>
  (readText(join(paths.state, SHOWN)) ?? '').split('\n').filter((line) => line.startsWith('{'));

const lines = (...all: string[]) =>
  [...new Set(all)]
    .slice(0, REMEMBERED)
    .map((line) => `${line}\n`)
    .join('');

/** Fits a terminal of 80 columns, but for a long name of a host. */
const words = (url: string): string[] => [
  `the next lhp generate sends metrics to ${new URL(url).host}:`,
  'counts, versions, times, environment; project and machine as hashes.',
  'What waits here goes, too. See it: lhp-otel show, lhp-otel status',
  'Switch off: lhp-otel off    For one project: touch .lhp_do_not_track',
];

/** As the shell hook finds it in the file. */
const text = (url: string): string =>
  words(url)
    .map((line) => `lhp-otel: ${line}\n`)
    .join('');
