// otlp-answer.ts: whether the body of a 200 is a collector's answer. By the OTLP specification the
// answer to a request in JSON is an ExportMetricsServiceResponse in JSON; many backends answer with
// an empty body. Any other body comes from something in between, such as a proxy or a login portal,
// and the run did not arrive.

/** The longest part of an answer is an error message. */
const MAX_BYTES = 64 * 1024;

export interface OtlpAnswer {
  /** Data points that were not stored; at most as many as were sent. */
  rejectedPoints: number;
}

/**
 * @param sent - the number of data points in the request.
 * @returns `undefined` where the body is not a collector's answer.
 */
export function readAnswer(body: Uint8Array, sent: number): OtlpAnswer | undefined {
  if (body.length === 0) return { rejectedPoints: 0 };
  if (body.length > MAX_BYTES) return undefined;
  const answer = parse(body);
  if (!isObject(answer)) return undefined;
  // Other members alone are another program's answer, such as `{"error": "please log in"}`.
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
    return undefined; // not JSON
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmpty = (object: object) => Object.keys(object).length === 0;

/** An int64 in the JSON mapping of protobuf: a decimal string, or a number. */
function int64(value: unknown): number | undefined {
  if (value === null) return 0;
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? Number(value) : undefined;
}
