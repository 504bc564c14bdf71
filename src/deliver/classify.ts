// classify.ts: how a post ended → what it means for the run (design §7): 400 and 413 are final,
// 401, 403 and 404 are configuration, a 200 counts with the answer of a collector only, and
// everything else passes. No text holds anything that a server said.

export interface Answer {
  kind: 'accepted' | 'refused' | 'later';
  why: string;
  /** The status of an answer, or Node's name of an error. */
  code?: number | string;
  /** Something else than a collector answered. */
  another?: true;
  /** The proxy made no tunnel: what it answered to `CONNECT`. */
  proxyStatus?: number;
  rejectedPoints: number;
  /**
   * The backend may have the run although this is no 200: no answer came, or one that a repeated
   * run can get.
   */
  mayBeStored: boolean;
  /** The answer to a second attempt, or a later one. */
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

/** Errors of a connection that never came about. */
const NEVER_REACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/**
 * What servers that speak TLS answer to plain HTTP, as a 400: Go's (the collector), nginx, Apache
 * httpd. It is no answer to the run.
 */
const SPEAKS_TLS =
  /HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port|plain HTTP to an SSL/;
/** Collectors and backends answer in JSON, protobuf or a line of text. */
const PAGE = /^\s*</;
const GRPC = 'OTLP/gRPC is on port 4317, and OTLP/HTTP, which lhp-otel speaks, on 4318';

export function classify(error: unknown, url: string): Answer {
  const { code, data } = (error ?? {}) as { code?: unknown; data?: unknown };
  if (typeof code === 'number') return classifyStatus(code, String(data));
  // The transport reads 4 MiB of it.
  if (error instanceof Error && /exceeded size limit/.test(error.message))
    return later(notOtlp(''), { another: true });
  const known = typeof code === 'string' && /^[A-Z0-9_]{3,60}$/.test(code) ? code : undefined;
  const more = {
    mayBeStored: !NEVER_REACHED.has(String(code)),
    ...(typeof code === 'string' ? { code } : {}),
  };
  // The first bytes of HTTP/2, which a gRPC server begins with, are no HTTP/1.1.
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

/** A 200 whose body no collector sends; so nothing of the run came to one. */
export const answeredByAnother = (): Answer =>
  later(notOtlp(' HTTP 200'), { code: 200, another: true });

/** A 200 whose body broke off. */
export const brokeOff = (): Answer =>
  later('the answer of the collector broke off (HTTP 200)', { code: 200, mayBeStored: true });

/** The proxy's own answer to `CONNECT`, which says nothing of the run. */
export function noTunnel(status: number | undefined): Answer {
  const what = status === 407 ? 'wants other credentials' : 'makes no connection to the collector';
  const why = `the proxy ${what} (HTTP ${status})`;
  return later(why, status ? { proxyStatus: status } : {});
}
