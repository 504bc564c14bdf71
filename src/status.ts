// status.ts: the state of telemetry: on or off and what decided that, where runs go, what is
// waiting and what went wrong. It contains no header values. If something cannot be read, that is
// reported as a problem, and the rest of the status is still complete.
import { existsSync } from 'node:fs';
import { loadConfig } from './config/config.ts';
import { type Consent, decidedBy } from './consent/consent.ts';
import type { Notice } from './consent/notice.ts';
import { type Mode, resolveMode } from './consent/resolve-mode.ts';
import {
  type Found,
  NOTICES,
  SITUATIONS,
  type Situation,
  situationOf,
} from './consent/situation.ts';
import { type DeliveryState, readDeliveryState } from './deliver/delivery-state.ts';
import { OUTCOMES } from './history/words.ts';
import type { Outcome } from './spool/run.ts';
import { type StoredRun, storedRuns } from './spool/stored-runs.ts';
import { errorCode } from './system/error.ts';
import type { Host } from './system/host.ts';
import { debugging, printable } from './system/log.ts';
import type { Paths } from './system/paths.ts';
import { projectRoot } from './system/project-root.ts';
import { version } from './system/version.ts';

export interface Status {
  version: string;
  mode: Mode;
  /** What happens to a run that is recorded now. */
  situation: Situation;
  /** The same as a sentence. */
  summary: string;
  consent: Consent;
  /** Whether the notice of the endpoint was shown. */
  notice: Notice;
  /** The environment names that may be recorded; `null`: any plain word. */
  environments: readonly string[] | null;
  /** The URL to which runs are posted, or `null`. */
  endpoint: string | null;
  /** Where the endpoint is configured: `the environment` or a file. */
  endpoint_source: string | null;
  /** Host and port of the proxy for the endpoint, or `null`. */
  proxy: string | null;
  /** Names of the configured headers. */
  headers: string[];
  compression: string;
  timeout_ms: number;
  /** Recorded runs by outcome; `null` if they cannot be read. */
  runs: Record<Outcome, number> | null;
  /** ISO 8601 time of the oldest waiting run. */
  oldest_waiting: string | null;
  delivery: DeliveryState;
  problems: string[];
  warnings: string[];
  project: string | null;
  /** The path of the debug log, if it exists or is switched on. */
  log: string | null;
  paths: {
    state: string;
    spool: string;
    history: string;
    config: string;
    consent: string;
    system_config: string;
  };
}

export async function statusOf(host: Host): Promise<Status> {
  const root = projectRoot(host.cwd);
  const decision = resolveMode(host, root);
  const { consent, mode, paths } = decision;
  const config = loadConfig(host, paths);
  const found = await situationOf(decision, host);
  const problems = [...config.problems, ...problemsOf(found, consent)];
  const stored = readable(paths, problems);
  const oldest = stored?.find(({ outcome }) => outcome === 'waiting');
  const log = paths.debugLog;
  return {
    version,
    mode,
    situation: found.situation,
    summary: summaryOf(found),
    consent,
    notice: found.notice,
    environments: config.environments ?? null,
    endpoint: config.url ?? null,
    endpoint_source: config.source ?? null,
    proxy: config.proxy?.host ?? null,
    headers: Object.keys(config.headers),
    compression: config.compression,
    timeout_ms: config.timeoutMs,
    runs: stored === undefined ? null : counted(stored),
    oldest_waiting: oldest ? new Date(oldest.timestamp).toISOString() : null,
    delivery: readDeliveryState(paths),
    problems,
    warnings: config.warnings,
    project: root ?? null,
    log: debugging(host.env) || existsSync(log) ? log : null,
    paths: {
      state: paths.state,
      spool: paths.spool,
      history: paths.history,
      config: paths.config,
      consent: paths.consent,
      system_config: paths.systemConfig,
    },
  };
}

const summaryOf = ({ situation, obstacle }: Found) =>
  SITUATIONS[situation].now + (situation === 'not_recordable' ? `: ${obstacle?.what}` : '');

/**
 * The problems that the configuration does not report. It reports a config.json that cannot be read
 * itself, so of the consent files only the one of `lhp-otel off` is left.
 */
function problemsOf({ obstacle }: Found, consent: Consent): string[] {
  const unreadable =
    !consent.enabled && consent.layer === 'lhp-otel off' ? consent.problem : undefined;
  return [
    ...(obstacle ? [`${obstacle.what}: ${obstacle.advice}`] : []),
    ...(unreadable ? [unreadable] : []),
  ];
}

function readable(paths: Paths, problems: string[]): StoredRun[] | undefined {
  try {
    return storedRuns(paths);
  } catch (error) {
    problems.push(
      `the recorded runs in ${printable(paths.state)} cannot be read (${errorCode(error)})`,
    );
    return undefined;
  }
}

function counted(stored: readonly StoredRun[]): Record<Outcome, number> {
  const count = (outcome: Outcome) => stored.filter((run) => run.outcome === outcome).length;
  return {
    waiting: count('waiting'),
    sent: count('sent'),
    local: count('local'),
    lost: count('lost'),
  };
}

/** The column in which the values begin. */
export const STATUS_COLUMN = 15;

export const statusText = (status: Status): string[] =>
  linesOf(status).map(([name, value]) => `${`${name}:`.padEnd(STATUS_COLUMN)}${value}`);

type Line = [name: string, value: string];

/** Without the problems, which are printed on stderr. */
function linesOf(status: Status): Line[] {
  const { consent, delivery, environments, headers, paths } = status;
  /** A line that is left out if it has no value. */
  const optional = (name: string, value: string | false | null | undefined): Line[] =>
    value ? [[name, value]] : [];
  return [
    ['telemetry', status.summary],
    ['decided by', consent.enabled ? 'nothing is switched off' : decidedBy(consent)],
    ['endpoint', status.endpoint ? `${status.endpoint} (from ${status.endpoint_source})` : 'none'],
    ...optional('notice', status.notice !== 'none' && noticeInWords(status)),
    ...optional('proxy', status.proxy),
    ...optional('headers', headers.length > 0 && `${headers.join(', ')} (values hidden)`),
    ...optional(
      'environments',
      environments && `${environments.join(', ') || 'none'}; any other is recorded as other`,
    ),
    ['runs', status.runs ? runsInWords(status.runs) : 'cannot be read'],
    ...optional('oldest', status.oldest_waiting && `waiting since ${status.oldest_waiting}`),
    ['last delivery', delivery.lastSuccess ?? 'never'],
    ...optional('last problem', delivery.problem && `${delivery.lastFailure}: ${delivery.problem}`),
    ...optional(
      'next attempt',
      delivery.retryAt &&
        `not before ${delivery.retryAt}, after ${delivery.failures} failures in a row`,
    ),
    ...optional(
      'rejected',
      !!delivery.rejectedPoints && `${delivery.rejectedPoints} data points of accepted requests`,
    ),
    ['project', status.project ?? 'none in this folder'],
    ['state', paths.state],
    ['config', paths.config],
    ['system config', paths.system_config],
    ...optional('debug log', status.log),
    ...status.warnings.map((warning): Line => ['warning', warning]),
  ];
}

const runsInWords = (runs: Record<Outcome, number>): string =>
  (['waiting', 'sent', 'local', 'lost'] as const)
    .map((outcome) => `${runs[outcome]} ${OUTCOMES[outcome]}`)
    .join(', ');

const noticeInWords = ({ notice, paths }: Status) =>
  NOTICES[notice].replace('@file@', paths.system_config);
