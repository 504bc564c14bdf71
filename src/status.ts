// status.ts: what a user asks of their telemetry: on or off and who decided, where runs go, what
// waits, what went wrong. Header values are never part of it. What cannot be looked at is said as a
// problem, and the rest is told all the same.
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
import type { Outcome } from './otlp/decode.ts';
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
  /** What becomes of runs, in a word and in a sentence. */
  situation: Situation;
  summary: string;
  consent: Consent;
  /**
   * Whether people were told of the endpoint: `due` is not yet, `none` that nothing would be
   * delivered.
   */
  notice: Notice;
  /** The environments that may be named; `null`: any plain word. */
  environments: readonly string[] | null;
  /** The URL that is posted to, or `null`. */
  endpoint: string | null;
  /** Where the endpoint was named: `the environment` or a file. */
  endpoint_source: string | null;
  /** Host and port of the proxy that applies to the endpoint, or `null`. */
  proxy: string | null;
  /** Names of the configured headers. */
  headers: string[];
  compression: string;
  timeout_ms: number;
  /** Recorded runs by what became of them; `null` where they cannot be looked at. */
  runs: Record<Outcome, number> | null;
  /** ISO 8601 time of the oldest run that waits. */
  oldest_waiting: string | null;
  delivery: DeliveryState;
  problems: string[];
  warnings: string[];
  project: string | null;
  /** The debug log, where there is one or one is asked for. */
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

/** Beside those of the configuration, which name a config.json that cannot be read themselves. */
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
      `the recorded runs in ${printable(paths.state)} cannot be looked at (${errorCode(error)})`,
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

/** A line each. */
export const statusText = (status: Status): string[] =>
  linesOf(status).map(([name, value]) => `${`${name}:`.padEnd(15)}${value}`);

type Line = [name: string, value: string];

/** Not the problems: those go to stderr. */
function linesOf(status: Status): Line[] {
  const { consent, runs, delivery, notice, environments } = status;
  const retry = `not before ${delivery.retryAt} (${delivery.failures} failures in a row)`;
  const some = (condition: unknown, name: string, value: string): Line[] =>
    condition ? [[name, value]] : [];
  return [
    ['telemetry', status.summary],
    ['decided by', consent.enabled ? 'nothing is switched off' : decidedBy(consent)],
    ['endpoint', status.endpoint ? `${status.endpoint} (from ${status.endpoint_source})` : 'none'],
    ...some(notice !== 'none', 'notice', noticeInWords(status)),
    ...some(status.proxy, 'proxy', status.proxy ?? ''),
    ...some(status.headers.length > 0, 'headers', `${status.headers.join(', ')} (values hidden)`),
    ...some(
      environments,
      'environments',
      `${environments?.join(', ') || 'none'}; any other is recorded as other`,
    ),
    ['runs', runs ? runsInWords(runs) : 'cannot be looked at'],
    ...some(status.oldest_waiting, 'oldest', status.oldest_waiting ?? ''),
    ['last delivery', delivery.lastSuccess ?? 'never'],
    ...some(delivery.problem, 'last problem', `${delivery.lastFailure}: ${delivery.problem}`),
    ...some(delivery.retryAt, 'next attempt', retry),
    ...some(
      delivery.rejectedPoints,
      'rejected',
      `${delivery.rejectedPoints} data points of accepted requests`,
    ),
    ['project', status.project ?? 'none in this folder'],
    ['state', status.paths.state],
    ['config', status.paths.config],
    ['system config', status.paths.system_config],
    ...some(status.log, 'debug log', status.log ?? ''),
    ...status.warnings.map((warning): Line => ['warning', warning]),
  ];
}

const runsInWords = ({ waiting, sent, local, lost }: Record<Outcome, number>) =>
  `${waiting} waiting, ${sent} sent, ${local} kept on this machine, ${lost} given up`;

const noticeInWords = ({ notice, paths }: Status) =>
  NOTICES[notice].replace('@file@', paths.system_config);
