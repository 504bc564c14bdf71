// network.ts: the probes of `doctor` on the way to the collector: name, connection, TLS, an empty request through the very transport
// that carries runs (post.ts), and the two clocks. It never sends a run. Shown of an address is its host, of a header its name.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { lookup } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { GATEWAY_AGE_HOURS, GATEWAY_AHEAD_MINUTES } from '../../contract.ts';
import type { Config } from '../../decide/config.ts';
import type { Mode } from '../../decide/decide.ts';
import { type Answer, poster } from '../../deliver/post.ts';
import { codeOf, failure, ok, skipped, type Verdict, warning } from './verdict.ts';

/** An empty request is valid, and stores nothing. */
const EMPTY = new TextEncoder().encode('{"resourceMetrics":[]}');
const MINUTE_MS = 60_000;
const CLOCK_WARNING_MS = MINUTE_MS;
const CERTIFICATE_WARNING_MS = 14 * 24 * 60 * MINUTE_MS;

type Network = Record<'dns' | 'tcp' | 'tls' | 'request' | 'clock', Verdict>;

export async function probeNetwork(mode: Mode, config: Config | undefined): Promise<Network> {
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
  if (status === 400 && answer.kind === 'later')
    return failure(text, 'it speaks TLS: make the endpoint begin with https');
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
