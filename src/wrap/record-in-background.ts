// record-in-background.ts: what follows a successful generate, from the wrapper and from the shell
// hook: checks consent, shows the notice of the endpoint where it is due, and starts the reporter.
// The user does not wait, except in CI, where the machine ends with the job: there at most
// LHP_OTEL_FLUSH_TIMEOUT. Never throws.
import type { ChildProcess } from 'node:child_process';
import type { Generate } from '../command/command.ts';
import { isCi } from '../config/ci.ts';
import { leaveNotice, type NoticeTiming, noticeOf, showOrLeaveNotice } from '../consent/notice.ts';
import { obstacleToRuns } from '../consent/place.ts';
import { type Decision, resolveMode } from '../consent/resolve-mode.ts';
import { SITUATIONS, situationFor } from '../consent/situation.ts';
import { debugLog } from '../system/debug-log.ts';
import { errorCode } from '../system/error.ts';
import type { Env, Host } from '../system/host.ts';
import { debugging, offText, say } from '../system/log.ts';
import { projectRoot } from '../system/project-root.ts';
import { startReporter } from './start-reporter.ts';
import { handOver, startNow, startWaiting, type WaitingReporter } from './waiting-reporter.ts';

/** A generate that has ended successfully. */
export interface CompletedGenerate {
  generate: Generate;
  /** Milliseconds since the epoch. */
  startedAt: number;
  endedAt: number;
  durationSeconds: number;
  /** Whether the project was a bundle when the command ended, where that is known already. */
  bundle?: boolean | undefined;
  /** A descriptor of the project's lhp.yaml, where it is open already. */
  lhpYaml?: number | undefined;
  prepared?: Prepared | undefined;
}

/** Of a run that would be recorded if it ended now. */
export interface Prepared {
  waiting: WaitingReporter;
  decision: Decision;
  /** Whether the notice was due then. */
  due: boolean;
}

/**
 * Does while the command runs what would make the user wait after it: loads this file and what it
 * imports, and, where the run would be recorded if it ended now, starts a process that waits for
 * the job. The reporter checks consent again before it records. Writes nothing. Never throws.
 */
export async function prepareRecording(
  generate: Generate,
  host: Host,
): Promise<Prepared | undefined> {
  try {
    if (generate.doubts) return undefined;
    const root = projectRoot(generate.cwd);
    const decision = resolveMode(host, root);
    if (root === undefined || (await whyNotRecorded(decision, root, host)) !== undefined)
      return undefined;
    const [notice] = await Promise.all([
      noticeOf(decision, host.env),
      decision.mode === 'send' && isCi(host.env), // only loads what the end needs
    ]);
    const waiting = startWaiting(root, host);
    return waiting && { waiting, decision, due: notice === 'due' };
  } catch {
    return undefined; // all of it happens after the command
  }
}

/**
 * @param noticeInHook - Only from a shell hook: `shown` where the hook has just shown the notice.
 *   Then stderr is closed, and messages go to the debug log.
 */
export async function recordInBackground(
  completed: CompletedGenerate,
  host: Host,
  noticeInHook?: string,
): Promise<void> {
  const { generate, lhpYaml, prepared, ...times } = completed;
  const { verbose, ...withoutVerbose } = generate;
  const says = noticeInHook === undefined && (verbose || debugging(host.env));
  let speak: (text: string) => void = says ? say : () => {};
  try {
    let waiting = prepared?.waiting;
    // Nothing is asked again, unless it is said: what is said must be true now.
    if (prepared && waiting && !prepared.due && !says) {
      const job = { ...times, root: waiting.root, generate: withoutVerbose, deliver: true };
      const reporter = handOver(waiting, job, host);
      if (reporter) return await waitInCi(reporter, host.env, prepared.decision);
      waiting = undefined;
    }
    const root = projectRoot(generate.cwd);
    const decision = resolveMode(host, root);
    const { paths } = decision;
    const reason = await whyNotRecorded(decision, root, host);
    if (reason !== undefined) return speak(reason);
    if (noticeInHook !== undefined) speak = debugLog(host, paths);
    const notice =
      noticeInHook === undefined
        ? await showOrLeaveNotice(decision, host.env)
        : await leaveNotice(decision, host.env, noticeInHook);
    const deliver = notice === 'before';
    const job = { ...times, root, generate: withoutVerbose, deliver };
    const reporter = (waiting && handOver(waiting, job, host)) ?? startReporter(job, host, lhpYaml);
    if (reporter.pid === undefined) return speak('no process could be started: nothing recorded');
    speak(`a process of its own was started to record this run ${whatFollows(decision, notice)}`);
    if (deliver) await waitInCi(reporter, host.env, decision);
  } catch (error) {
    speak(`telemetry failed (${errorCode(error) ?? 'internal error'}): nothing recorded`);
  }
}

async function whyNotRecorded(
  { consent, paths }: Decision,
  root: string | undefined,
  host: Host,
): Promise<string | undefined> {
  if (!consent.enabled)
    return offText(
      consent.problem === undefined ? consent.layer : `${consent.layer}, which cannot be read`,
    );
  if (root === undefined) return 'no lhp.yaml here or above: nothing recorded, no network activity';
  if (await obstacleToRuns(host.env, paths))
    return 'nothing can be recorded here (lhp-otel status says why), no network activity';
  return undefined;
}

/** What the reporter does with the run, in words that follow "to record this run". */
function whatFollows(decision: Decision, notice: NoticeTiming): string {
  if (notice === 'now')
    return 'and it waits for the next one; the notice was shown just now, no network activity';
  const situation = situationFor(decision, notice === 'not yet' ? 'due' : 'shown');
  const to = situation === 'delivers' ? ` to ${new URL(decision.config?.url ?? '').host}` : '';
  return SITUATIONS[situation].run + to;
}

async function waitInCi(
  reporter: ChildProcess,
  env: Env,
  { mode, config }: Decision,
): Promise<void> {
  const limit = config?.flushTimeoutMs;
  if (mode !== 'send' || !limit || !(await isCi(env))) return;
  startNow(reporter);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, limit);
    reporter.ref();
    reporter.on('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  reporter.unref();
}
