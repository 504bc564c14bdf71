// post.ts: bytes → one POST to the operator's collector, directly or through the proxy that the environment names, by the OTLP
// exporter's own delegate and transport (retry with Retry-After, gzip, timeouts, no redirects); and what the answer means for
// a run. No text that comes out of here holds a header, a credential, or anything that a server said.
import { readFileSync } from 'node:fs';
import type { Agent, AgentOptions } from 'node:https';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { createOtlpHttpExportDelegate, httpAgentFactoryFromOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { type ISerializer, MetricsExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import type { Config } from '../decide/config.ts';
import type { ProxyServer } from '../decide/proxy.ts';
import { version } from '../system/version.ts';

/** The transport's own timer starts with the connection and again with each byte; ours starts at once, and is a little longer. */
const GRACE_MS = 500;

export interface Answer {
  kind: 'accepted' | 'refused' | 'later';
  why: string;
  /** The status of an answer, or Node's name of an error. */
  code?: number | string;
  /** The proxy made no tunnel: what it answered to `CONNECT`. */
  proxyStatus?: number;
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

/** One connection for all posts; they come one at a time. */
export function poster(config: Config & { url: string }): (bytes: Uint8Array) => Promise<Answer> {
  // The exporter reports through the API's diag, with server answers in full: not ours to repeat.
  diag.setLogger(
    { verbose() {}, debug() {}, info() {}, warn() {}, error() {} },
    { logLevel: DiagLogLevel.NONE, suppressOverrideMessage: true },
  );
  let response: ExportResponse = {};
  // The transport tries again by itself, and asks for the headers each time.
  let attempts = 0;
  let tunnel: number | undefined;
  // Of several attempts it tells only the last one's error; without a single connection (to a proxy we do not know it) none
  // can have stored anything.
  let connected = config.proxy !== undefined;
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
      agentFactory: agentFactory(
        config.proxy,
        { keepAlive: true, ...definedOnly(tls) },
        {
          onConnect: () => {
            connected = true;
          },
          onTunnel: (status) => {
            tunnel = status;
          },
        },
      ),
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
        // The agent passes the proxy's own answer off as the collector's, and even a 204 or a 400 of it says nothing of a run.
        const refused = tunnel !== undefined && tunnel !== 200;
        const repeated = attempts > 1;
        if (refused) resolve({ ...noTunnel(tunnel), repeated });
        else
          resolve({
            ...answer,
            repeated,
            mayBeStored: answer.mayBeStored || (answer.kind === 'later' && repeated && connected),
          });
      };
      const timer = setTimeout(() => done(classify(undefined)), config.timeoutMs + GRACE_MS);
      response = {};
      attempts = 0;
      tunnel = undefined;
      delegate.export(bytes, ({ code, error }) => {
        if (code !== 0) return done(classify(error));
        const rejected = Number(response.partialSuccess?.rejectedDataPoints) || 0;
        done({ kind: 'accepted', why: '', rejectedPoints: Math.max(rejected, 0), mayBeStored: true, repeated: false });
      });
    });
}

function noTunnel(status: number | undefined): Answer {
  const what = status === 407 ? 'wants other credentials' : 'makes no connection to the collector';
  const why = `the proxy ${what} (HTTP ${status})`;
  return {
    kind: 'later',
    why,
    rejectedPoints: 0,
    mayBeStored: false,
    repeated: false,
    ...(status ? { proxyStatus: status } : {}),
  };
}

function agentFactory(
  proxy: ProxyServer | undefined,
  options: AgentOptions,
  { onConnect, onTunnel }: { onConnect: () => void; onTunnel: (status: number) => void },
): ReturnType<typeof httpAgentFactoryFromOptions> {
  if (!proxy) {
    return async (protocol: string) => {
      const agent = await httpAgentFactoryFromOptions(options)(protocol);
      const create = agent.createConnection.bind(agent);
      agent.createConnection = (...to: Parameters<Agent['createConnection']>) =>
        create(...to)?.once('connect', onConnect);
      return agent;
    };
  }
  return async (protocol: string) => {
    // With DEBUG set, the agents print the proxy's URL, password and all.
    delete process.env.DEBUG;
    if (protocol !== 'https:') {
      const { HttpProxyAgent } = await import('http-proxy-agent');
      return new HttpProxyAgent(proxy.url, options);
    }
    const { HttpsProxyAgent } = await import('https-proxy-agent');
    const agent = new HttpsProxyAgent(proxy.url, options);
    // The agent keeps its options for the way to the proxy; the TLS inside the tunnel needs them, too.
    const tunnelled = agent.connect.bind(agent);
    agent.connect = (request, to) =>
      tunnelled(
        request,
        Object.assign({}, options, to, {
          // For an address it would compare the certificate with `localhost`.
          checkServerIdentity: (_: string, certificate: PeerCertificate) =>
            checkServerIdentity(to.host ?? '', certificate),
        }),
      );
    agent.on('proxyConnect', ({ statusCode }: { statusCode: number }) => onTunnel(statusCode));
    return agent;
  };
}

/** Errors of a connection that never came about. */
const NEVER_REACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** What servers that speak TLS answer to plain HTTP, as a 400: Go's (the collector), nginx, Apache httpd. It is no answer to the run. */
const SPEAKS_TLS = /HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port|plain HTTP to an SSL/;

/** design §7: 400 and 413 are final for this run, 401, 403 and 404 are configuration, and everything else passes. */
function classify(error: unknown): Answer {
  const { code, data } = (error ?? {}) as { code?: unknown; data?: unknown };
  const wrongScheme = code === 400 && SPEAKS_TLS.test(String(data));
  const mayBeStored =
    typeof code === 'number' ? (code === 400 && !wrongScheme) || code >= 500 : !NEVER_REACHED.has(String(code));
  const answer = (kind: Answer['kind'], why: string): Answer => ({
    kind,
    why,
    rejectedPoints: 0,
    mayBeStored,
    repeated: false,
    ...(typeof code === 'number' || typeof code === 'string' ? { code } : {}),
  });
  if (wrongScheme) return answer('later', 'the collector speaks TLS (HTTP 400): the endpoint must begin with https');
  if (code === 400 || code === 413) return answer('refused', `the collector refused a run (HTTP ${code})`);
  if (code === 401 || code === 403)
    return answer('later', `the collector wants other credentials (HTTP ${code}): check headers`);
  if (code === 404) return answer('later', 'the collector does not know the path (HTTP 404): check the endpoint');
  if (code === 407) return answer('later', 'the proxy wants other credentials (HTTP 407): check them in its variable');
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
