// post.ts: posts recorded runs to the operator's collector, and says what the answer means for a
// run. OpenTelemetry's OTLP/HTTP transport does the posting: timeout, gzip, a limit for the answer,
// repetition after 429, 502, 503, 504 and broken connections within the timeout, no redirects. No
// text that comes out of here holds a header, a credential, or anything that a server said.
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { diag } from '@opentelemetry/api';
import { createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import type { ISerializer } from '@opentelemetry/otlp-transformer';
import type { Config } from '../config/config.ts';
import type { Env } from '../system/host.ts';
import { version } from '../system/version.ts';
import { agentFactory, type Connection } from './agent.ts';
import { type Answer, answeredByAnother, brokeOff, classify, noTunnel } from './classify.ts';
import { type OtlpAnswer, readAnswer } from './otlp-answer.ts';

export type Post = (request: Uint8Array) => Promise<Answer>;

type Endpoint = Config & { url: string };
type AgentFactory = ReturnType<typeof agentFactory>;

/**
 * The transport's timer starts when a connection is being made and again with each byte. This one
 * starts with the post, and is a little longer so that the transport's own error comes first.
 */
const GRACE_MS = 500;

/**
 * Gives a function that posts one run; its calls share a connection and must not overlap.
 *
 * @throws where a PEM file cannot be used any more.
 */
export function poster(config: Endpoint, env: Env): Post {
  diag.disable(); // the exporter would log the server's answers in full
  subscribe('http.client.response.finish', tidyRetryAfter);
  const connection: Connection = { reached: false };
  const agent = agentFactory(config, env, connection);
  return async (request) => {
    const exchange: Exchange = { attempts: 0 };
    const answer = await post(request, config, agent, exchange);
    return withHistory(answer, exchange, connection);
  };
}

/** The attempts to post one run. */
interface Exchange {
  attempts: number;
  /** The body of a 200 that arrived whole; `otlp` is undefined where no collector sent it. */
  body?: { otlp: OtlpAnswer | undefined };
}

function post(
  request: Uint8Array,
  config: Endpoint,
  agent: AgentFactory,
  exchange: Exchange,
): Promise<Answer> {
  const { url, compression, timeoutMs } = config;
  const delegate = createOtlpHttpExportDelegate(
    {
      url,
      // Asked for once for each attempt.
      headers: async () => {
        exchange.attempts += 1;
        return { 'Content-Type': 'application/json', ...config.headers };
      },
      compression,
      timeoutMillis: timeoutMs,
      concurrencyLimit: 1,
      userAgent: `lhp-otel/${version}`,
      agentFactory: agent,
    },
    serializer(request, exchange),
    // For the exporter's metrics about itself, which are not recorded.
    'otlp_http_json_metric_exporter',
    { name: 'metric_data_point', countItems: () => 0 },
    undefined,
  );
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(classify(undefined, url)), timeoutMs + GRACE_MS);
    delegate.export(request, ({ code, error }) => {
      clearTimeout(timer);
      resolve(code === 0 ? judge(exchange) : classify(error, url));
    });
  });
}

/** The run was serialized when it was recorded. */
function serializer(request: Uint8Array, exchange: Exchange): ISerializer<Uint8Array, object> {
  const sent = dataPoints(request);
  return {
    serializeRequest: (bytes) => bytes,
    deserializeResponse: (bytes) => {
      exchange.body = { otlp: readAnswer(bytes, sent) };
      return {};
    },
  };
}

/** Each data point has one time (encode.ts). */
const dataPoints = (request: Uint8Array): number =>
  Buffer.from(request).toString('latin1').split('"timeUnixNano"').length - 1;

/** What a status of 200 means. */
function judge({ body }: Exchange): Answer {
  if (!body) return brokeOff();
  if (!body.otlp) return answeredByAnother();
  return { kind: 'accepted', why: '', ...body.otlp, mayBeStored: true, repeated: false };
}

/** The transport tells the last attempt's end only; earlier attempts may have stored the run. */
function withHistory(answer: Answer, { attempts }: Exchange, connection: Connection): Answer {
  const repeated = attempts > 1;
  const { reached, tunnelStatus } = connection;
  // The agent gives the proxy's own answer as the collector's; not even a 204 or a 400 of a proxy
  // says anything of the run.
  if (tunnelStatus !== undefined && tunnelStatus !== 200)
    return { ...noTunnel(tunnelStatus), repeated };
  const earlier = answer.kind === 'later' && repeated && reached;
  return { ...answer, repeated, mayBeStored: answer.mayBeStored || earlier };
}

/**
 * Removes a `Retry-After` that names no later time. For zero or less the transport would start a
 * timer of -1 ms, which Node warns about, and for anything else it would try again at once. Without
 * the header it waits as after any failure.
 */
function tidyRetryAfter(message: unknown): void {
  const { headers } = (message as { response: IncomingMessage }).response;
  const after = headers['retry-after'];
  if (after === undefined) return;
  const seconds = Number.parseInt(after, 10); // as the transport reads it
  const isLater = Number.isNaN(seconds) ? Date.parse(after) > Date.now() : seconds > 0;
  if (!isLater) delete headers['retry-after'];
}
