// protobuf.ts: requests that a client can send in protobuf but not in JSON: with unknown field
// numbers, or with a field twice. It changes real bytes and knows only which fields of a request
// are messages. Also gRPC by node:http2.
import { once } from 'node:events';
import { connect, type SecureClientSessionOptions } from 'node:http2';

/** Field number → the message in it, from opentelemetry/proto/metrics/v1/metrics.proto. */
interface Shape {
  [field: number]: Shape;
}
const VALUE: Shape = {};
const ATTRIBUTE: Shape = { 2: VALUE };
const NUMBER_POINT: Shape = { 7: ATTRIBUTE };
const HISTOGRAM_POINT: Shape = { 1: ATTRIBUTE, 8: {}, 9: {} };
const METRIC: Shape = { 7: { 1: NUMBER_POINT }, 10: { 1: HISTOGRAM_POINT } };
const REQUEST: Shape = { 1: { 1: { 1: ATTRIBUTE }, 2: { 1: { 3: ATTRIBUTE }, 2: METRIC } } };

const LENGTH_DELIMITED = 2;

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A field with bytes, text or a message. */
export function field(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([varint((number << 3) | LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

function readVarint(bytes: Buffer, from: number): [value: number, next: number] {
  let value = 0;
  for (let at = from, factor = 1; ; at += 1, factor *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * factor;
    if (byte < 128) return [value, at + 1];
  }
}

type Around = (content: Buffer, kind: 'value' | 'metric' | 'other') => Buffer;

/** The request after `around` was applied to each of its messages, the innermost first. */
export function rewritten(bytes: Buffer, around: Around, shape: Shape = REQUEST): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, start] = readVarint(bytes, at);
    const wire = tag & 7;
    const [length, content] = wire === LENGTH_DELIMITED ? readVarint(bytes, start) : [0, start];
    const end =
      wire === 0
        ? readVarint(bytes, start)[1]
        : content + (wire === 1 ? 8 : wire === 5 ? 4 : length);
    const inner = wire === LENGTH_DELIMITED ? shape[tag >> 3] : undefined;
    parts.push(
      inner
        ? field(tag >> 3, rewritten(bytes.subarray(content, end), around, inner))
        : bytes.subarray(at, end),
    );
    at = end;
  }
  return around(
    Buffer.concat(parts),
    shape === VALUE ? 'value' : shape === METRIC ? 'metric' : 'other',
  );
}

/** Sends one export over gRPC and TLS. Returns grpc-status: 0 is OK, empty is no answer. */
export async function grpcExport(
  port: number,
  message: Buffer,
  tls: SecureClientSessionOptions,
  metadata: Record<string, string> = {},
): Promise<string> {
  const session = connect(`https://127.0.0.1:${port}`, tls);
  session.on('error', () => {}); // the stream reports the same error
  const stream = session.request({
    ':method': 'POST',
    ':path': '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...metadata,
  });
  let status = '';
  for (const event of ['response', 'trailers'] as const)
    stream.on(event, (headers: Record<string, unknown>) => {
      status = String(headers['grpc-status'] ?? status);
    });
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([prefix, message]));
  await once(stream.resume(), 'close');
  session.close();
  return status;
}
