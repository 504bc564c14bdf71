// network.ts: the probes of `doctor` between this machine and the collector: name, connection, TLS,
// an empty request through the transport that delivers runs (src/deliver/post.ts), and the two
// clocks. It sends no run. Of an address it shows the host, of a header the name.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { lookup } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Config } from '../config/config.ts';
import type { Mode } from '../consent/resolve-mode.ts';
import { GATEWAY_AGE_HOURS, GATEWAY_AHEAD_MINUTES } from '../contract/contract.ts';
import type { Answer } from '../deliver/classify.ts';
import { poster } from '../deliver/post.ts';
import type { Env } from '../system/host.ts';
import { HOUR_MS, MINUTE_MS } from '../system/time.ts';
import { isTlsError, judgeCertificate, rootOf, tlsAdvice, trustedBy } from './certificate.ts';
import { codeOf, failure, ok, skipped, type Verdict, warning } from './verdict.ts';

/** An empty request is valid OTLP and stores nothing. */
const EMPTY = new TextEncoder().encode('{"resourceMetrics":[]}');
const CLOCK_WARNING_MS = MINUTE_MS;

type Network = Record<'dns' | 'tcp' | 'tls' | 'request' | 'clock', Verdict>;

export async function probeNetwork(
  mode: Mode,
  config: Config | undefined,
  env: Env,
): Promise<Network> {
  if (mode === 'off') return allSkipped('telemetry is off');
  if (mode === 'local') return allSkipped('no endpoint');
  if (!config?.url || config.problems.length > 0) return allSkipped('the configuration is wrong');
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
      ...allSkipped('the name has no address'),
      dns: failure(`${who} has no address (${codeOf(error)})`, 'check the name, DNS and VPN'),
    };
  }
  const dns = ok(`${who} is ${address}`);
  const refused = await connects(host, port, config.timeoutMs);
  if (refused)
    return {
      ...allSkipped('there is no connection'),
      dns,
      tcp: failure(
        `${who} does not accept connections on port ${port} (${refused})`,
        'check the port, whether the server runs, and firewalls',
      ),
    };
  return {
    dns,
    tcp: ok(`${who} accepts connections on port ${port}`),
    ...(await probePost({ ...config, url: config.url }, target, env)),
  };
}

const allSkipped = (why: string): Network => ({
  dns: skipped(why),
  tcp: skipped(why),
  tls: skipped(why),
  request: skipped(why),
  clock: skipped(why),
});

/** The reason why a connection fails, or `undefined` if it succeeds. */
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

/** The answer to the empty request. Times are milliseconds since the epoch. */
interface Seen {
  answer: Answer;
  status?: number;
  /** The server's clock when it answered. */
  date?: number;
  /** This machine's clock when the answer arrived. */
  now?: number;
  /** Duration of the request. */
  milliseconds?: number;
  /** When the server's certificate expires. */
  validTo?: number;
  /** The root certificate of the connection (certificate.ts). */
  root?: string;
}

async function probePost(
  config: Config & { url: string },
  target: URL,
  env: Env,
): Promise<Pick<Network, 'tls' | 'request' | 'clock'>> {
  const seen = await post(config, env).catch((error: unknown) => codeOf(error));
  const secure = target.protocol === 'https:';
  if (typeof seen === 'string' || (secure && isTlsError(seen.answer.code))) {
    const code = String(typeof seen === 'string' ? seen : seen.answer.code);
    return {
      tls: failure(`${target.hostname}: ${code}`, tlsAdvice(code, config, env)),
      request: skipped('there is no trusted connection'),
      clock: skipped('there is no answer'),
    };
  }
  const reached = seen.status !== undefined && seen.answer.proxyStatus === undefined;
  return {
    tls: !secure
      ? skipped('plain http')
      : reached
        ? judgeCertificate(trustedBy(seen.root, config, env), seen.validTo)
        : skipped('there is no answer'),
    request: judgeAnswer(seen, reached),
    clock: reached ? judgeClock(seen.date, seen.now) : skipped('there is no answer'),
  };
}

/**
 * Posts the empty request exactly as a run is posted. The exporter does not expose the response, so
 * it is taken from Node's diagnostics channel.
 */
async function post(config: Config & { url: string }, env: Env): Promise<Seen> {
  const started = performance.now();
  const seen: Omit<Seen, 'answer'> = {};
  const look = (message: unknown) => {
    const { response } = message as { response: IncomingMessage };
    const date = Date.parse(response.headers.date ?? '');
    const socket = response.socket as Partial<TLSSocket>;
    const validTo = Date.parse(socket.getPeerCertificate?.()?.valid_to ?? '');
    const root = rootOf(socket);
    Object.assign(seen, {
      status: response.statusCode,
      now: Date.now(),
      milliseconds: Math.round(performance.now() - started),
    });
    if (!Number.isNaN(date)) seen.date = date;
    if (!Number.isNaN(validTo)) seen.validTo = validTo;
    if (root !== undefined) seen.root = root;
  };
  subscribe('http.client.response.finish', look);
  try {
    return { answer: await poster(config, env)(EMPTY), ...seen };
  } finally {
    unsubscribe('http.client.response.finish', look);
  }
}

function judgeAnswer({ answer, status, milliseconds }: Seen, reached: boolean): Verdict {
  if (!reached) return failure(answer.why, adviceUnreached(answer));
  const text = `HTTP ${status} for an empty request, in ${milliseconds} ms with the connection`;
  if (answer.kind === 'accepted') return ok(text);
  if (answer.another)
    return failure(
      `${text}: ${answer.why}`,
      'check the endpoint, and any proxy before the collector; until then runs wait',
    );
  if (status === 401 || status === 403)
    return failure(
      text,
      'check the headers (LHP_OTEL_EXPORTER_OTLP_HEADERS) or the client certificate',
    );
  if (status === 400 && answer.kind === 'later')
    return failure(text, 'the port uses TLS: make the endpoint begin with https');
  if (status === 404 || status === 405)
    return failure(text, 'check the path of the endpoint; v1/metrics is appended to it');
  if (status === 407) return failure(text, 'check the user and password of the proxy');
  if (status === 413)
    return failure(text, 'a proxy before the collector does not allow a request body');
  if (status !== undefined && status >= 300 && status < 400)
    return failure(text, 'redirects are never followed: set the endpoint to the final address');
  return failure(text, 'check the collector and its backend; until then runs wait');
}

function adviceUnreached({ proxyStatus, why }: Answer): string {
  if (proxyStatus) return 'ask the owner of the proxy, or add the host to NO_PROXY';
  if (why.includes('OTLP/gRPC')) return 'set the port of the endpoint to that of OTLP/HTTP';
  return 'check the collector, and any proxy before it';
}

/**
 * @param server - the date of the answer, in whole seconds; milliseconds since the epoch.
 * @param now - this machine's time when the answer arrived.
 */
export function judgeClock(server: number | undefined, now = Date.now()): Verdict {
  if (server === undefined) return skipped('the answer has no date');
  const ahead = now - server;
  const text =
    `this clock is ${Math.round(Math.abs(ahead) / 1000)} s ` +
    `${ahead < 0 ? 'behind' : 'ahead of'} the server's`;
  if (ahead > GATEWAY_AHEAD_MINUTES * MINUTE_MS || ahead < -GATEWAY_AGE_HOURS * HOUR_MS)
    return failure(text, 'set the clock (NTP): the gateway drops such runs');
  return Math.abs(ahead) > CLOCK_WARNING_MS ? warning(text, 'set the clock (NTP)') : ok(text);
}
