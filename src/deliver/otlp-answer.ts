// otlp-answer.ts: is the body of a 200 the answer of a collector? OTLP/HTTP: to a request in JSON
// it is an ExportMetricsServiceResponse in JSON; many backends answer with an empty body. Anything
// else was said by somebody on the way, a proxy or a login portal, and says nothing of the run.

/** The longest part of an answer is a message in words. */
const MAX_BYTES = 64 * 1024;

export interface OtlpAnswer {
  /** Data points that were not stored; at most as many as were sent. */
  rejectedPoints: number;
}

/** @param sent - the number of data points in the request. */
export function readAnswer(body: Uint8Array, sent: number): OtlpAnswer | undefined {
  if (body.length === 0) return { rejectedPoints: 0 };
  if (body.length > MAX_BYTES) return undefined;
  const answer = parse(body);
  if (!isObject(answer)) return undefined;
  // With other members only it is the answer of something else, such as `{"error": "please log
  // in"}`.
  if (!('partialSuccess' in answer)) return isEmpty(answer) ? { rejectedPoints: 0 } : undefined;
  const { partialSuccess } = answer;
  if (partialSuccess === null) return { rejectedPoints: 0 };
  if (!isObject(partialSuccess)) return undefined;
  const { rejectedDataPoints = 0, errorMessage = '' } = partialSuccess;
  const rejected = int64(rejectedDataPoints);
  if (rejected === undefined || (errorMessage !== null && typeof errorMessage !== 'string'))
    return undefined;
  return { rejectedPoints: Math.min(Math.max(rejected, 0), sent) };
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined; // no JSON
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmpty = (object: object) => Object.keys(object).length === 0;

/** The protobuf mapping to JSON: a decimal string, and readers take a number, too. */
function int64(value: unknown): number | undefined {
  if (value === null) return 0;
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? Number(value) : undefined;
}
