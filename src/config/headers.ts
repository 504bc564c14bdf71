// headers.ts: the configured headers of a delivery: `k=v,k2=v2` with percent-encoded values (the
// W3C Baggage form that the OTLP exporter specification names), or an object in a file. Headers
// that belong to the connection or to the framing of the request are refused: with one of them the
// collector would refuse the run or misread it. No message contains a value.
import type { Setting } from './setting.ts';

const CONNECTION = 'it belongs to the connection, and lhp-otel sets it as needed';
const BODY = 'it describes the request, and lhp-otel sets it as needed';

/** The headers that cannot be configured, in lower case, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  connection: CONNECTION,
  'keep-alive': CONNECTION,
  'proxy-connection': CONNECTION,
  te: CONNECTION,
  trailer: CONNECTION,
  'transfer-encoding': CONNECTION,
  upgrade: CONNECTION,
  'http2-settings': CONNECTION,
  expect: CONNECTION,
  'content-length': BODY,
  'content-type': BODY,
  'content-encoding': `${BODY} (LHP_OTEL_EXPORTER_OTLP_COMPRESSION)`,
  'accept-encoding': 'answers are read uncompressed',
  'user-agent': BODY,
  host: 'the endpoint names the host',
  'proxy-authorization': "put the user and password into the proxy's variable",
  'proxy-authenticate': 'only a proxy sends it',
};

/** The name of a header: "token" in RFC 9110. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PRINTABLE = /^[\t\x20-\x7e]*$/;

export function headersOf(
  setting: Setting | undefined,
  problems: string[],
): Record<string, string> {
  const headers: [name: string, value: string][] = [];
  for (const [name, content] of pairs(setting?.value)) {
    const called = setting?.called;
    const refused = REFUSED[name.toLowerCase()];
    if (!TOKEN.test(name)) problems.push(`${called} must be name=value pairs separated by commas`);
    else if (refused) problems.push(`${called}: header ${name} cannot be set: ${refused}`);
    else if (typeof content !== 'string' || !PRINTABLE.test(content))
      problems.push(`${called}: header ${name} has no usable value`);
    else headers.push([name, content]);
  }
  return Object.fromEntries(headers);
}

function pairs(value: unknown): [string, unknown][] {
  if (value === undefined) return [];
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(value);
  if (typeof value !== 'string') return [['', undefined]];
  // Empty members are ignored: a comma at the end is common.
  const members = value.split(',').filter((member) => member.trim() !== '');
  return members.map((member) => {
    const equals = member.indexOf('=');
    return [member.slice(0, Math.max(equals, 0)).trim(), decode(member.slice(equals + 1).trim())];
  });
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // not percent-encoded text: reported as no usable value
  }
}
