// classify.ts: how a post ended → what it means for the run. 400 and 413 are final; a 200 counts
// only with a collector's answer; after anything else the run is sent again later. 401, 403 and 404
// say what is wrong with the configuration. No text repeats anything that a server said.

export interface Answer {
  /** `refused` is final; `later` means that the run is kept and sent again. */
  kind: 'accepted' | 'refused' | 'later';
  /** In words for the user; empty where the run was accepted. */
  why: string;
  /** The HTTP status, or the code of an error of Node. */
  code?: number | string;
  /** It was not a collector that answered. */
  another?: true;
  /** The proxy did not open a tunnel: its answer to `CONNECT`. */
  proxyStatus?: number;
  /** Data points that were not stored although the request was accepted. */
  rejectedPoints: number;
  /**
   * The backend may have stored the run: no answer came, or one that a backend also gives to a run
   * that it has already.
   */
  mayBeStored: boolean;
  /** The answer is to a repetition within the same post. */
  repeated: boolean;
}

const later = (why: string, more: Partial<Answer> = {}): Answer => ({
  kind: 'later',
  why,
  rejectedPoints: 0,
  mayBeStored: false,
  repeated: false,
  ...more,
});

/** Errors of connecting: nothing was sent. */
const NEVER_REACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/**
 * In the 400 that a server for TLS gives to plain HTTP: Go (the collector), nginx, Apache httpd. It
 * did not read the run.
 */
const SPEAKS_TLS =
  /HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port|plain HTTP to an SSL/;
/** A page in HTML or XML. Collectors and backends answer in JSON, protobuf or a line of text. */
const PAGE = /^\s*</;
const GRPC = 'OTLP/gRPC is on port 4317, and OTLP/HTTP, which lhp-otel speaks, on 4318';

/**
 * @param error - of the transport: an OTLPExporterError with the status and body of the answer, or
 *   an error of Node; `undefined` where the time was up.
 * @param url - that was posted to.
 */
export function classify(error: unknown, url: string): Answer {
  const { code, data } = (error ?? {}) as { code?: unknown; data?: unknown };
  if (typeof code === 'number') return classifyStatus(code, String(data));
  // The transport ends a connection after 4 MiB of answer.
  if (error instanceof Error && /exceeded size limit/.test(error.message))
    return later(notOtlp(''), { another: true });
  const known = typeof code === 'string' && /^[A-Z0-9_]{3,60}$/.test(code) ? code : undefined;
  const more = {
    mayBeStored: !NEVER_REACHED.has(String(code)),
    ...(typeof code === 'string' ? { code } : {}),
  };
  // A parse error of HTTP: a gRPC server begins with HTTP/2.
  if (known?.startsWith('HPE_'))
    return later(`what answers does not speak HTTP/1.1 (${known}): ${GRPC}`, more);
  const hint = new URL(url).port === '4317' && more.mayBeStored ? `: ${GRPC}` : '';
  if (known) return later(`no connection to the collector (${known})${hint}`, more);
  return later(`the collector is overloaded, or did not answer in time${hint}`, more);
}

function classifyStatus(code: number, body: string): Answer {
  if (code === 400 && SPEAKS_TLS.test(body))
    return later('the collector speaks TLS (HTTP 400): the endpoint must begin with https', {
      code,
    });
  if (code === 400 && PAGE.test(body)) return later(notOtlp(' HTTP 400'), { code, another: true });
  const answer = (why: string) => later(why, { code, mayBeStored: code === 400 || code >= 500 });
  if (code === 400 || code === 413)
    return { ...answer(`the collector refused a run (HTTP ${code})`), kind: 'refused' };
  if (code === 401 || code === 403)
    return answer(`the collector wants other credentials (HTTP ${code}): check headers`);
  if (code === 404)
    return answer('the collector does not know the path (HTTP 404): check the endpoint');
  if (code === 407)
    return answer('the proxy wants other credentials (HTTP 407): check them in its variable');
  return answer(`the collector answered HTTP ${code}`);
}

const notOtlp = (status: string) =>
  `the answer${status} is not a collector's but something else than OTLP: ` +
  'a proxy, a login portal or another server is in its place';

/** A 200 with a body that no collector sends: no collector has the run. */
export const answeredByAnother = (): Answer =>
  later(notOtlp(' HTTP 200'), { code: 200, another: true });

/** A 200 whose body did not arrive whole. */
export const brokeOff = (): Answer =>
  later('the answer of the collector broke off (HTTP 200)', { code: 200, mayBeStored: true });

/** The proxy's own answer to `CONNECT`: the run was not sent. */
export function noTunnel(status: number | undefined): Answer {
  const what = status === 407 ? 'wants other credentials' : 'makes no connection to the collector';
  const why = `the proxy ${what} (HTTP ${status})`;
  return later(why, status ? { proxyStatus: status } : {});
}
