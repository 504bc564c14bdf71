// deliver.ts: the waiting runs → the operator's collector, oldest first, by OTLP/HTTP. The bytes of each file are posted as
// they are, through the OTLP exporter's own delegate and transport (retry with Retry-After, gzip, timeouts, no redirects).
// A run leaves the spool only with a 200 (sent) or a final refusal (lost, and counted); everything else means: again later.
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { createOtlpHttpExportDelegate, httpAgentFactoryFromOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { type ISerializer, MetricsExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import type { Config } from './config.ts';
import { mustWait, noteBegun, noteFailure, readDeliveryState, writeDeliveryState } from './delivery-state.ts';
import { ensureFolder } from './files.ts';
import type { Paths } from './paths.ts';
import { markLost, markSent, readRun, type StoredRun, waiting } from './spool.ts';
import { version } from './version.ts';

/** A lock of this age belongs to a process that was killed. */
const STALE_LOCK_MS = 120_000;

const now = () => new Date().toISOString();

/** The transport's own timer starts with the connection and again with each byte; ours starts at once, and is a little longer. */
const GRACE_MS = 500;

export interface DeliverOptions {
  /** Asked again before each post: `off` in the meantime means that nothing is sent. */
  consented: () => boolean;
  /** Try also where the back-off says to wait. */
  force?: boolean;
  log?: (text: string) => void;
}

/** Delivers what is waiting; gives the number of runs delivered. Another process that is delivering already does it for us. */
export async function deliver(paths: Paths, config: Config, options: DeliverOptions): Promise<number> {
  const { url } = config;
  if (url === undefined || config.problems.length > 0) {
    if (config.configured)
      writeDeliveryState(paths, {
        ...readDeliveryState(paths),
        lastFailure: now(),
        problem: 'the configuration is wrong',
      });
    return 0;
  }
  let sent = 0;
  // Once more after the lock is free again: a run may have come in while it was held, and relied on us.
  while (waiting(paths).length > 0 && lock(paths)) {
    const before = sent;
    try {
      const outcome = await deliverWaiting(paths, { ...config, url }, options);
      sent += outcome.sent;
      if (!outcome.goOn) return sent;
    } finally {
      unlock(paths);
    }
    if (sent === before && waiting(paths).length > 0) break;
  }
  return sent;
}

async function deliverWaiting(paths: Paths, config: Config & { url: string }, options: DeliverOptions) {
  let sent = 0;
  const state = readDeliveryState(paths);
  if (!options.force && mustWait(state)) {
    options.log?.(`waiting until ${state.retryAt} after ${state.failures} failures`);
    return { sent, goOn: false };
  }
  const post = poster(config);
  for (const run of waiting(paths)) {
    if (!options.consented()) return { sent, goOn: false };
    const bytes = readRun(run);
    if (!bytes) {
      markLost(paths, run, 'unreadable');
      continue;
    }
    const again = noteBegun(paths, run.timestamp);
    const answer = await post(bytes);
    options.log?.(`${run.timestamp}: ${answer.kind}${answer.why ? ` (${answer.why})` : ''}`);
    if (answer.kind === 'later') {
      noteFailure(paths, answer.why, { stored: again || answer.mayBeStored });
      return { sent, goOn: false };
    }
    // A backend can refuse what it already has (docs/adr/0007-acknowledged-is-stored.md): after an attempt without an answer
    // that is the likelier reason, and the run is not counted as lost.
    const there = (again || answer.repeated) && answer.kind === 'refused' && answer.mayBeStored;
    sent += settle(paths, run, there ? { ...answer, kind: 'accepted' } : answer);
  }
  return { sent, goOn: true };
}

function settle(paths: Paths, run: StoredRun, answer: Answer): number {
  if (answer.kind === 'refused') {
    markLost(paths, run, 'rejected');
    const { problem: _, begun: __, ...state } = readDeliveryState(paths);
    writeDeliveryState(paths, { ...state, lastFailure: now(), problem: answer.why });
    return 0;
  }
  markSent(paths, run);
  const rejected = (readDeliveryState(paths).rejectedPoints ?? 0) + answer.rejectedPoints;
  writeDeliveryState(paths, { lastSuccess: now(), failures: 0, ...(rejected > 0 ? { rejectedPoints: rejected } : {}) });
  return 1;
}

// ── one post ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Answer {
  kind: 'accepted' | 'refused' | 'later';
  why: string;
  rejectedPoints: number;
  /** The backend may have the run although this is no 200: no answer came, or one that a repeated run can get. */
  mayBeStored: boolean;
  /** The answer to a second attempt, or a later one. */
  repeated: boolean;
}

/** The response of OTLP/HTTP in JSON (OTLP specification, "Partial Success"). */
interface ExportResponse {
  partialSuccess?: { rejectedDataPoints?: number | string };
}

function poster(config: Config & { url: string }): (bytes: Uint8Array) => Promise<Answer> {
  // The exporter reports through the API's diag, with server answers in full: not ours to repeat.
  diag.setLogger(
    { verbose() {}, debug() {}, info() {}, warn() {}, error() {} },
    { logLevel: DiagLogLevel.NONE, suppressOverrideMessage: true },
  );
  let response: ExportResponse = {};
  // The transport tries again by itself, and asks for the headers each time.
  let attempts = 0;
  const asItIs: ISerializer<Uint8Array, ExportResponse> = {
    serializeRequest: (bytes) => bytes,
    deserializeResponse: (bytes) => {
      response = parseResponse(bytes);
      return response;
    },
  };
  const tls = { ca: pem(config.certificate), cert: pem(config.clientCertificate), key: pem(config.clientKey) };
  const delegate = createOtlpHttpExportDelegate(
    {
      url: config.url,
      headers: async () => {
        attempts += 1;
        return { 'Content-Type': 'application/json', ...config.headers };
      },
      compression: config.compression,
      timeoutMillis: config.timeoutMs,
      // We post one at a time; but the delegate frees a place only a moment after it has answered.
      concurrencyLimit: 2,
      userAgent: `lhp-otel/${version}`,
      agentFactory: httpAgentFactoryFromOptions({ keepAlive: true, ...definedOnly(tls) }),
    },
    asItIs,
    'otlp_http_json_metric_exporter',
    // Counts for the SDK's own metrics, which are not recorded: there is no meter provider.
    { ...MetricsExporterMetricsHelper, countItems: () => 0 } as never,
    undefined,
  );
  return (bytes) =>
    new Promise((resolve) => {
      const done = (answer: Answer) => {
        clearTimeout(timer);
        resolve({ ...answer, repeated: attempts > 1 });
      };
      const timer = setTimeout(() => done(classify(undefined)), config.timeoutMs + GRACE_MS);
      response = {};
      attempts = 0;
      delegate.export(bytes, ({ code, error }) => {
        if (code !== 0) return done(classify(error));
        const rejected = Number(response.partialSuccess?.rejectedDataPoints) || 0;
        done({ kind: 'accepted', why: '', rejectedPoints: Math.max(rejected, 0), mayBeStored: true, repeated: false });
      });
    });
}

/** Errors of a connection that never came about. */
const NEVER_REACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** design §7: 400 and 413 are final for this run, 401, 403 and 404 are configuration, and everything else passes. */
function classify(error: unknown): Answer {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const mayBeStored = typeof code === 'number' ? code === 400 || code >= 500 : !NEVER_REACHED.has(String(code));
  const answer = (kind: Answer['kind'], why: string): Answer => ({
    kind,
    why,
    rejectedPoints: 0,
    mayBeStored,
    repeated: false,
  });
  if (code === 400 || code === 413) return answer('refused', `the collector refused a run (HTTP ${code})`);
  if (code === 401 || code === 403)
    return answer('later', `the collector wants other credentials (HTTP ${code}): check headers`);
  if (code === 404) return answer('later', 'the collector does not know the path (HTTP 404): check the endpoint');
  if (typeof code === 'number') return answer('later', `the collector answered HTTP ${code}`);
  if (typeof code === 'string' && /^[A-Z0-9_]{3,60}$/.test(code))
    return answer('later', `no connection to the collector (${code})`);
  return answer('later', 'the collector is overloaded, or did not answer in time');
}

/** A 200 is a 200, whatever its body is. */
function parseResponse(bytes: Uint8Array): ExportResponse {
  try {
    const response: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof response === 'object' && response !== null ? response : {};
  } catch {
    return {};
  }
}

const pem = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));
const definedOnly = <T extends object>(object: T) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

// ── lock: not for exactness (a run that is sent twice counts once), but so that many runs at once make one sender ──────────

const lockFile = (paths: Paths) => join(paths.state, 'deliver.lock');

function lock(paths: Paths): boolean {
  const path = lockFile(paths);
  ensureFolder(dirname(path));
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (!isStale(path)) return false;
      rmSync(path, { force: true });
    }
  }
  return false;
}

function isStale(path: string): boolean {
  try {
    if (statSync(path).mtimeMs < Date.now() - STALE_LOCK_MS) return true;
    process.kill(Number(readFileSync(path, 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function unlock(paths: Paths): void {
  rmSync(lockFile(paths), { force: true });
}
