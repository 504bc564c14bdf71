// status.ts: what a user asks of their telemetry: on or off and who decided, where runs go, what waits, what went wrong.
// Header values are never part of it.
import { loadConfig } from '../decide/config.ts';
import { decide, type Mode, projectRoot } from '../decide/decide.ts';
import { type DeliveryState, readDeliveryState } from '../deliver/delivery-state.ts';
import type { Outcome } from '../describe/event.ts';
import { storedRuns } from '../spool/spool.ts';
import type { Deps } from '../system/deps.ts';
import { version } from '../system/version.ts';

export interface Status {
  version: string;
  mode: Mode;
  consent: { enabled: true } | { enabled: false; layer: string };
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
  /** Recorded runs by what became of them. */
  runs: Record<Outcome, number>;
  /** ISO 8601 time of the oldest run that waits. */
  oldest_waiting: string | null;
  delivery: DeliveryState;
  problems: string[];
  warnings: string[];
  project: string | null;
  paths: { state: string; spool: string; history: string; config: string; consent: string; system_config: string };
}

export function statusOf(deps: Deps): Status {
  const root = projectRoot(deps.cwd);
  const { consent, mode, paths } = decide(deps, root);
  const config = loadConfig(deps, paths);
  const stored = storedRuns(paths);
  const count = (outcome: Outcome) => stored.filter((run) => run.outcome === outcome).length;
  const oldest = stored.find(({ outcome }) => outcome === 'waiting');
  return {
    version,
    mode,
    consent,
    endpoint: config.url ?? null,
    endpoint_source: config.source ?? null,
    proxy: config.proxy?.host ?? null,
    headers: Object.keys(config.headers),
    compression: config.compression,
    timeout_ms: config.timeoutMs,
    runs: { waiting: count('waiting'), sent: count('sent'), local: count('local'), lost: count('lost') },
    oldest_waiting: oldest ? new Date(oldest.timestamp).toISOString() : null,
    delivery: readDeliveryState(paths),
    problems: config.problems,
    warnings: config.warnings,
    project: root ?? null,
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

/** A line each. */
export function statusText(status: Status): string[] {
  const { consent, runs, delivery } = status;
  const lines: [string, string][] = [
    ['telemetry', MODES[status.mode]],
    ['decided by', consent.enabled ? 'nothing is switched off' : consent.layer],
    ['endpoint', status.endpoint ? `${status.endpoint} (from ${status.endpoint_source})` : 'none'],
    ...(status.proxy ? [['proxy', status.proxy] as [string, string]] : []),
    ...(status.headers.length > 0
      ? [['headers', `${status.headers.join(', ')} (values hidden)`] as [string, string]]
      : []),
    ['runs', `${runs.waiting} waiting, ${runs.sent} sent, ${runs.local} kept on this machine, ${runs.lost} given up`],
    ...(status.oldest_waiting ? [['oldest', status.oldest_waiting] as [string, string]] : []),
    ['last delivery', delivery.lastSuccess ?? 'never'],
    ...(delivery.problem ? [['last problem', `${delivery.lastFailure}: ${delivery.problem}`] as [string, string]] : []),
    ...(delivery.retryAt
      ? [
          ['next attempt', `not before ${delivery.retryAt} (${delivery.failures} failures in a row)`] as [
            string,
            string,
          ],
        ]
      : []),
    ...(delivery.rejectedPoints
      ? [['rejected', `${delivery.rejectedPoints} data points of accepted requests`] as [string, string]]
      : []),
    ['project', status.project ?? 'none in this folder'],
    ['state', status.paths.state],
    ['config', `${status.paths.config}, ${status.paths.system_config}`],
    ...status.warnings.map((warning): [string, string] => ['warning', warning]),
  ];
  return lines.map(([name, value]) => `${`${name}:`.padEnd(15)}${value}`);
}

const MODES: Record<Mode, string> = {
  off: 'off: nothing is recorded, nothing is sent',
  local: 'on, recorded on this machine only; no endpoint is configured',
  send: 'on, delivered to the endpoint',
};
