// post.ts: bytes → one POST to the operator's collector, directly or through the proxy that the
// environment names, by the OTLP exporter's own delegate and transport (retry with Retry-After,
// gzip, timeouts, no redirects); and what the answer means for a run. No text that comes out of
// here holds a header, a credential, or anything that a server said.
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { Agent, AgentOptions } from 'node:https';
import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import {
  createOtlpHttpExportDelegate,
  httpAgentFactoryFromOptions,
} from '@opentelemetry/otlp-exporter-base/node-http';
import { type ISerializer, MetricsExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import type { Config } from '../config/config.ts';
import type { ProxyServer } from '../config/proxy.ts';
import { MAX_PEM_BYTES } from '../config/tls-files.ts';
import { readRegular } from '../system/files.ts';
import type { Env } from '../system/host.ts';
import { version } from '../system/version.ts';
import { authorities } from './authorities.ts';
import { type Answer, answeredByAnother, brokeOff, classify, noTunnel } from './classify.ts';
import { type OtlpAnswer, readAnswer } from './otlp-answer.ts';

type Endpoint = Config & { url: string };

/**
 * The transport's own timer starts with the connection and again with each byte; ours starts at
 * once, and is a little longer.
 */
const GRACE_MS = 500;

/**
 * One connection for all posts; they come one at a time.
 * Throws where the PEM files cannot be used any more.
 */
export function poster(config: Endpoint, env: Env): (bytes: Uint8Array) => Promise<Answer> {
  // The exporter reports through the API's diag, with server answers in full: not ours to repeat.
  diag.setLogger(
    { verbose() {}, debug() {}, info() {}, warn() {}, error() {} },
    { logLevel: DiagLogLevel.NONE, suppressOverrideMessage: true },
  );
  subscribe('http.client.response.finish', tidyRetryAfter);
  let sent = 0;
  let answered: { otlp: OtlpAnswer | undefined } | undefined;
  // The transport tries again by itself, and asks for the headers each time.
  let attempts = 0;
  let tunnel: number | undefined;
  // Of several attempts it tells only the last one's error; without a single connection (to a proxy
  // we do not know it) none can have stored anything.
  let connected = config.proxy !== undefined;
  const asItIs: ISerializer<Uint8Array, object> = {
    serializeRequest: (bytes) => bytes,
    deserializeResponse: (bytes) => {
      answered = { otlp: readAnswer(bytes, sent) };
      return {};
    },
  };
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
        { keepAlive: true, ...tlsOptions(config, env) },
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
        // The agent passes the proxy's own answer off as the collector's, and even a 204 or a 400
        // of it says nothing of a run.
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
      const timer = setTimeout(
        () => done(classify(undefined, config.url)),
        config.timeoutMs + GRACE_MS,
      );
      sent = dataPoints(bytes);
      answered = undefined;
      attempts = 0;
      tunnel = undefined;
      delegate.export(bytes, ({ code, error }) =>
        done(code === 0 ? judge(answered) : classify(error, config.url)),
      );
    });
}

/** What a status of 200 is worth. */
function judge(answered: { otlp: OtlpAnswer | undefined } | undefined): Answer {
  if (!answered) return brokeOff();
  if (!answered.otlp) return answeredByAnother();
  return { kind: 'accepted', why: '', ...answered.otlp, mayBeStored: true, repeated: false };
}

/** Each data point has one time of its own (record.ts). */
const dataPoints = (request: Uint8Array): number =>
  Buffer.from(request).toString('latin1').split('"timeUnixNano"').length - 1;

/**
 * Of `Retry-After: 0`, and of less, the transport makes a timer that Node warns about, and of what
 * is no time an attempt at once. Without the header it waits as after any failure.
 */
function tidyRetryAfter(message: unknown): void {
  const { headers } = (message as { response: IncomingMessage }).response;
  const after = headers['retry-after'];
  if (after === undefined) return;
  const seconds = Number.parseInt(after, 10); // as the transport reads it
  const isLater = Number.isNaN(seconds) ? Date.parse(after) > Date.now() : seconds > 0;
  if (!isLater) delete headers['retry-after'];
}

/**
 * Set for each connection, to the collector and to a proxy, because Node's defaults can be changed
 * by its variables and options: certificates are always checked, and TLS is 1.2 at least.
 */
function tlsOptions(config: Endpoint, env: Env): AgentOptions {
  if (![config.url, config.proxy?.url].some((url) => url?.startsWith('https:'))) return {};
  const { certificate, clientCertificate, clientKey } = config;
  const secureContext = createSecureContext({
    ca: authorities(certificate, env).flatMap(({ certificates }) => certificates),
    ...(clientCertificate ? { cert: pem(clientCertificate) } : {}),
    ...(clientKey ? { key: pem(clientKey) } : {}),
    minVersion: 'TLSv1.2',
  });
  return { secureContext, rejectUnauthorized: true };
}

const pem = (path: string) => readRegular(path, { maxBytes: MAX_PEM_BYTES });

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
    // The agent keeps its options for the way to the proxy; the TLS inside the tunnel needs them,
    // too.
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
