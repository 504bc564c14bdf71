// doctor.ts: why do runs not arrive? Each probe looks at one thing on the way of a run, in its order, and says what to do. It
// posts an empty request through the very transport that carries runs (post.ts); it never sends a run, and changes nothing on disk.
// Shown of an address is its host, of a header its name.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { lookup } from 'node:dns/promises';
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { TLSSocket } from 'node:tls';
import type { Config } from './config.ts';
import { GATEWAY_AGE_HOURS, GATEWAY_AHEAD_MINUTES } from './contract.ts';
import { decide, type Mode, projectRoot } from './decide.ts';
import { lockIsStale } from './deliver.ts';
import { mustWait, readDeliveryState } from './delivery-state.ts';
import type { Deps } from './deps.ts';
import type { Paths } from './paths.ts';
import { type Answer, poster } from './post.ts';
import { spoolHealth, storedRuns } from './spool.ts';
import { version } from './version.ts';

interface Probe {
  name: (typeof PROBES)[number];
  result: 'ok' | 'warning' | 'failure' | 'skipped';
  /** What is so. */
  detail: string;
  /** What to do about it. */
  advice?: string;
}

export interface Diagnosis {
  version: string;
  mode: Mode;
  /** No probe failed. */
  ok: boolean;
  /** Host and port, or `null`. */
  endpoint: string | null;
  proxy: string | null;
  probes: Probe[];
}

const PROBES = [
  ...(['consent', 'configuration', 'state', 'spool', 'proxy', 'dns', 'tcp', 'tls', 'request', 'clock'] as const),
  'delivery',
] as const;

/** An empty request is valid, and stores nothing. */
const EMPTY = new TextEncoder().encode('{"resourceMetrics":[]}');
const MINUTE_MS = 60_000;
const CLOCK_WARNING_MS = MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const CERTIFICATE_WARNING_MS = 14 * DAY_MS;
/** What a full spool takes, and what a single run needs. */
const SPACE_WARNING = 32 * 1024 * 1024;
const SPACE_FAILURE = 1024 * 1024;

const ok = (detail: string): Verdict => ({ result: 'ok', detail });
const warning = (detail: string, advice: string): Verdict => ({ result: 'warning', detail, advice });
const failure = (detail: string, advice: string): Verdict => ({ result: 'failure', detail, advice });
const skipped = (detail: string): Verdict => ({ result: 'skipped', detail });
type Verdict = Omit<Probe, 'name'>;

export async function diagnose(deps: Deps): Promise<Diagnosis> {
  const { consent, mode, paths, config } = decide(deps, projectRoot(deps.cwd));
  const network = await probeNetwork(mode, config);
  const verdicts: Record<(typeof PROBES)[number], Verdict> = {
    consent: consent.enabled
      ? ok('nothing is switched off')
      : warning(`telemetry is off: ${consent.layer}`, 'nothing is recorded until that is taken back'),
    configuration: probeConfiguration(mode, config),
    state: guarded(() => probeState(paths)),
    spool: guarded(() => probeSpool(paths)),
    proxy: config?.proxy ? ok(`${config.proxy.host} (from ${config.proxy.called})`) : ok('none applies'),
    ...network,
    delivery: probeDelivery(paths),
  };
  const probes = PROBES.map((name): Probe => ({ name, ...verdicts[name] }));
  return {
    version,
    mode,
    ok: probes.every(({ result }) => result !== 'failure'),
    endpoint: config?.url === undefined ? null : new URL(config.url).host,
    proxy: config?.proxy?.host ?? null,
    probes,
  };
}

export function diagnosisText({ probes }: Diagnosis): string {
  return probes
    .map(
      ({ name, result, detail, advice }) =>
        `${result.padEnd(8)} ${name.padEnd(14)} ${detail}${advice ? `: ${advice}` : ''}`,
    )
    .join('\n');
}

// ── this machine ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function probeConfiguration(mode: Mode, config: Config | undefined): Verdict {
  if (!config) return skipped('not read: telemetry is off');
  if (config.problems.length > 0) return failure(config.problems.join('; '), 'mend it; runs wait meanwhile');
  if (config.warnings.length > 0) return warning(config.warnings.join('; '), 'use https');
  if (mode === 'send') return ok(`endpoint ${new URL(config.url ?? '').host}, from ${config.source}`);
  return ok('no endpoint configured: runs stay on this machine');
}

function probeState({ state, spool, history }: Paths): Verdict {
  const folders = [state, spool, history].filter((path) => existsSync(path));
  for (const folder of folders.length > 0 ? folders : [existing(state)]) {
    const stats = statSync(folder);
    if (!stats.isDirectory())
      return failure(`${folder} is not a folder`, 'set HOME or XDG_STATE_HOME to a folder of yours');
    const user = process.getuid?.();
    if (folders.length > 0 && user !== undefined && stats.uid !== user)
      return failure(`${folder} belongs to user ${stats.uid}, and you are ${user}`, `chown -R ${user} ${state}`);
    try {
      accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      return failure(`${folder} cannot be written (${codeOf(error)})`, 'make it writable, or set XDG_STATE_HOME');
    }
    if (folders.length > 0 && process.platform !== 'win32' && (stats.mode & 0o077) !== 0)
      return warning(
        `others can look into ${folder} (mode ${(stats.mode & 0o777).toString(8)})`,
        `chmod 700 ${folder}`,
      );
  }
  const { bavail, bsize } = statfsSync(existing(state));
  return judgeSpace(state, bavail * bsize);
}

/** @param bytes - that are free for this user. */
export function judgeSpace(state: string, bytes: number): Verdict {
  const left = `${Math.floor(bytes / 1024 / 1024)} MiB left for ${state}`;
  if (bytes < SPACE_FAILURE) return failure(left, 'make room: no run can be recorded');
  if (bytes < SPACE_WARNING) return warning(left, 'make room: runs that wait need up to 32 MiB');
  return ok(`${state} is writable and private, ${left.split(' for ')[0]}`);
}

/** The folder itself, or the nearest above it that is there. */
const existing = (path: string): string =>
  existsSync(path) || dirname(path) === path ? path : existing(dirname(path));

function probeSpool(paths: Paths): Verdict {
  const { waiting, oldest, unreadable, foreign } = spoolHealth(paths);
  const lost = storedRuns(paths).filter(({ outcome }) => outcome === 'lost').length;
  const age =
    oldest === undefined ? '' : `, the oldest for ${(Math.max(0, Date.now() - oldest) / DAY_MS).toFixed(1)} days`;
  const text = `${waiting} waiting${age}; ${unreadable} unreadable, ${foreign} foreign, ${lost} given up`;
  if (unreadable > 0) return warning(text, 'the unreadable ones are given up and counted with the next delivery');
  if (foreign > 0) return warning(text, `somebody else's files are in ${paths.spool}; they are never sent`);
  if (lockIsStale(paths)) return warning(`${text}; a stale lock`, 'the next delivery removes it');
  if (lost > 0) return warning(text, 'lost runs are counted in lhp.telemetry.lost_runs');
  return ok(text);
}

function probeDelivery(paths: Paths): Verdict {
  const state = readDeliveryState(paths);
  const last = `last delivery ${state.lastSuccess ?? 'never'}`;
  if (mustWait(state))
    return warning(
      `${last}; not again before ${state.retryAt}, after ${state.failures} failures: ${state.problem}`,
      'lhp-otel flush tries at once',
    );
  if (state.problem) return warning(`${last}; ${state.lastFailure}: ${state.problem}`, 'lhp-otel flush tries again');
  return ok(last);
}

// ── the way to the collector ─────────────────────────────────────────────────────────────────────────────────────────────

type Network = Record<'dns' | 'tcp' | 'tls' | 'request' | 'clock', Verdict>;

async function probeNetwork(mode: Mode, config: Config | undefined): Promise<Network> {
  const none = (why: string) => skipped(why);
  const all = (why: string): Network => ({
    dns: none(why),
    tcp: none(why),
    tls: none(why),
    request: none(why),
    clock: none(why),
  });
  if (mode === 'off') return all('telemetry is off');
  if (mode === 'local') return all('no endpoint');
  if (!config?.url || config.problems.length > 0) return all('the configuration is wrong');
  const target = new URL(config.url);
  const first = config.proxy ? new URL(config.proxy.url) : target;
  const who = config.proxy ? `the proxy ${first.hostname}` : first.hostname;
  const host = first.hostname.replace(/^\[|\]$/g, '');
  const port = Number(first.port) || (first.protocol === 'https:' ? 443 : 80);
  let address: string;
  try {
    ({ address } = await lookup(host));
  } catch (error) {
    return {
      ...all('the name is unknown'),
      dns: failure(`${who} has no address (${codeOf(error)})`, 'check the name, DNS and VPN'),
    };
  }
  const dns = ok(`${who} is ${address}`);
  const refused = await connects(host, port, config.timeoutMs);
  if (refused)
    return {
      ...all('there is no connection'),
      dns,
      tcp: failure(
        `${who} takes no connection on port ${port} (${refused})`,
        'check the port, that it runs, and firewalls',
      ),
    };
  return {
    dns,
    tcp: ok(`${who} takes connections on port ${port}`),
    ...(await probePost({ ...config, url: config.url }, target)),
  };
}

/** Why not, or `undefined`. */
function connects(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal: AbortSignal.timeout(timeoutMs) });
    const done = (why?: string) => {
      socket.destroy();
      resolve(why);
    };
    socket
      .once('connect', () => done())
      .once('error', (error) => done(error.name === 'AbortError' ? 'no answer' : codeOf(error)));
  });
}

interface Seen {
  answer: Answer;
  status?: number;
  /** The server's clock when it answered, and ours. */
  date?: number;
  now?: number;
  milliseconds?: number;
  /** End of the certificate's life. */
  validTo?: number;
}

async function probePost(
  config: Config & { url: string },
  target: URL,
): Promise<Pick<Network, 'tls' | 'request' | 'clock'>> {
  const seen = await post(config).catch((error: unknown) => codeOf(error));
  const secure = target.protocol === 'https:';
  if (typeof seen === 'string' || (secure && isTlsError(seen.answer.code))) {
    const code = String(typeof seen === 'string' ? seen : seen.answer.code);
    return {
      tls: failure(`${target.hostname}: ${code}`, tlsAdvice(code, config)),
      request: skipped('there is no trusted connection'),
      clock: skipped('there is no answer'),
    };
  }
  const reached = seen.status !== undefined && seen.answer.proxyStatus === undefined;
  return {
    tls: !secure
      ? skipped('plain http')
      : reached
        ? judgeCertificate(seen.validTo, config)
        : skipped('there is no answer'),
    request: judgeAnswer(seen, reached),
    clock: reached ? judgeClock(seen.date, seen.now) : skipped('there is no answer'),
  };
}

/** Posts the empty request as a run is posted, and looks at the answer beneath the exporter, which keeps it to itself. */
async function post(config: Config & { url: string }): Promise<Seen> {
  const started = performance.now();
  const seen: Omit<Seen, 'answer'> = {};
  const look = (message: unknown) => {
    const { response } = message as { response: IncomingMessage };
    const date = Date.parse(response.headers.date ?? '');
    const validTo = Date.parse((response.socket as Partial<TLSSocket>).getPeerCertificate?.()?.valid_to ?? '');
    Object.assign(seen, {
      status: response.statusCode,
      now: Date.now(),
      milliseconds: Math.round(performance.now() - started),
    });
    if (!Number.isNaN(date)) seen.date = date;
    if (!Number.isNaN(validTo)) seen.validTo = validTo;
  };
  subscribe('http.client.response.finish', look);
  try {
    return { answer: await poster(config)(EMPTY), ...seen };
  } finally {
    unsubscribe('http.client.response.finish', look);
  }
}

function judgeAnswer({ answer, status, milliseconds }: Seen, reached: boolean): Verdict {
  if (!reached)
    return failure(
      answer.why,
      answer.proxyStatus
        ? 'ask who runs the proxy, or add the host to NO_PROXY'
        : 'look at the collector, and what stands before it',
    );
  const text = `an empty request was answered HTTP ${status} in ${milliseconds} ms, with the connection`;
  if (answer.kind === 'accepted') return ok(text);
  if (status === 401 || status === 403)
    return failure(text, 'check the headers (LHP_OTEL_EXPORTER_OTLP_HEADERS) or the client certificate');
  if (status === 404 || status === 405)
    return failure(text, 'check the path of the endpoint; v1/metrics is appended to it');
  if (status === 407) return failure(text, 'check the user and password of the proxy');
  if (status === 413) return failure(text, 'something before the collector allows no request body');
  if (status !== undefined && status >= 300 && status < 400)
    return failure(text, 'redirects are never followed: make the endpoint the final address');
  return failure(text, 'look at the collector and its backend; runs wait meanwhile');
}

export function judgeCertificate(validTo: number | undefined, { certificate }: Pick<Config, 'certificate'>): Verdict {
  const by = `trusted by ${certificate ?? "the system's authorities"}`;
  if (validTo === undefined) return ok(by);
  const text = `${by}, valid until ${new Date(validTo).toISOString()}`;
  return validTo - Date.now() < CERTIFICATE_WARNING_MS
    ? warning(text, 'renew the certificate of the server')
    : ok(text);
}

/** @param server - the time that the answer bears, a whole second; @param now - ours when it came. */
export function judgeClock(server: number | undefined, now = Date.now()): Verdict {
  if (server === undefined) return skipped('the answer bears no date');
  const ahead = now - server;
  const text = `this clock is ${Math.round(Math.abs(ahead) / 1000)} s ${ahead < 0 ? 'behind' : 'ahead of'} the server's`;
  if (ahead > GATEWAY_AHEAD_MINUTES * MINUTE_MS || ahead < -GATEWAY_AGE_HOURS * 60 * MINUTE_MS)
    return failure(text, 'set the clock (NTP): the gateway drops such runs');
  return Math.abs(ahead) > CLOCK_WARNING_MS ? warning(text, 'set the clock (NTP)') : ok(text);
}

const isTlsError = (code: unknown) =>
  /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/.test(
    String(code),
  );

function tlsAdvice(code: string, { certificate }: Config): string {
  const authority = certificate ?? "the system's authorities";
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate of the server, or its authority, has expired: renew it';
  if (code === 'CERT_NOT_YET_VALID') return 'look at the clock of this machine';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'the certificate is for another name: check the host of the endpoint';
  if (/^(UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_)/.test(code))
    return `${authority} did not sign it: set LHP_OTEL_EXPORTER_OTLP_CERTIFICATE to the server's authority`;
  if (/ALERT/.test(code))
    return 'does the server want a client certificate? Set LHP_OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and _CLIENT_KEY';
  return 'check the PEM files, and that the port speaks TLS';
}

/** What cannot even be looked at is a failure of its own. */
function guarded(probe: () => Verdict): Verdict {
  try {
    return probe();
  } catch (error) {
    return failure(`cannot be read (${codeOf(error)})`, 'make the state folder yours and readable');
  }
}

function codeOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name ?? 'error';
}
