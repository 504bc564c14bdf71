// config.ts: where and how runs are delivered. Each setting comes from LHP_OTEL_EXPORTER_OTLP_*,
// which mean what the OTLP exporter specification says of the unprefixed names, else from the
// user's config.json, else from the operator's. Never from a file inside a project: a cloned
// repository must not be able to name a collector. The unprefixed OTEL_EXPORTER_OTLP_* belong to
// the user's own applications and are not read. Nothing here throws: a wrong setting becomes a
// problem, whose text names the value.
import type { Host } from '../system/host.ts';
import { type Paths, resolvePaths } from '../system/paths.ts';
import { MINUTE_MS, SECOND_MS } from '../system/time.ts';
import { ciVariableSet } from './ci.ts';
import { type ConfigFile, readConfigFile } from './config-file.ts';
import { milliseconds } from './duration.ts';
import { headersOf } from './headers.ts';
import { isLoopback, type ProxyServer, proxyOf } from './proxy.ts';
import type { Answer, Setting } from './setting.ts';
import { environmentsOf, noticeGivenBy } from './stated.ts';
import { type TlsFiles, tlsFilesOf } from './tls-files.ts';

const ENV_PREFIX = 'LHP_OTEL_EXPORTER_OTLP_';
/** The default of the OTLP exporter specification ("Configuration options"). */
const DEFAULT_TIMEOUT_MS = 10 * SECOND_MS;
const MAX_TIMEOUT_MS = MINUTE_MS;
/** How long `run` waits for the delivery in CI, where the machine ends with the job. */
const CI_FLUSH_MS = 2 * SECOND_MS;
const MAX_CI_FLUSH_MS = 10 * MINUTE_MS;

export interface Config extends TlsFiles {
  /** The full URL that runs are posted to; `undefined`: nothing leaves the machine. */
  url: string | undefined;
  headers: Record<string, string>;
  /** The proxy for the URL, where one applies. */
  proxy: ProxyServer | undefined;
  /** Milliseconds for one delivery with its retries. */
  timeoutMs: number;
  /** Milliseconds that `run` waits for the delivery in CI; 0: it does not wait. */
  flushTimeoutMs: number;
  compression: 'none' | 'gzip';
  /** Where the endpoint was set: `the environment`, or the path of a file. */
  source: string | undefined;
  /** Whether an endpoint was set. With problems it is not used, and runs wait. */
  configured: boolean;
  /** Whether each config.json says off. */
  off: { user: Answer; operator: Answer };
  /** The environments whose names may be recorded; `undefined`: any. */
  environments: readonly string[] | undefined;
  /** The operator states that people were told of the endpoint by means other than our notice. */
  noticeGiven: boolean;
  /** What is wrong, a sentence each. With any problem nothing is delivered. */
  problems: string[];
  warnings: string[];
}

/** The environment, or a file. */
type Source = Pick<ConfigFile, 'name' | 'values'>;

const ENVIRONMENT = 'the environment';

/** Keys of config.json, and the names of the same settings in the environment, without prefix. */
const ENV_KEYS = {
  endpoint: 'ENDPOINT',
  headers: 'HEADERS',
  timeout: 'TIMEOUT',
  compression: 'COMPRESSION',
  certificate: 'CERTIFICATE',
  clientCertificate: 'CLIENT_CERTIFICATE',
  clientKey: 'CLIENT_KEY',
};
type Key = keyof typeof ENV_KEYS;
const KEYS = ['enabled', 'environments', 'noticeGiven', ...Object.keys(ENV_KEYS)];

export function loadConfig(host: Host, paths: Paths = resolvePaths(host)): Config {
  const problems: string[] = [];
  const warnings: string[] = [];
  // In CI a home may be another user's: GitHub's job containers run as root in that of user 1001.
  const user = readConfigFile(paths.config, KEYS, problems, !ciVariableSet(host.env));
  const operator = readConfigFile(paths.systemConfig, KEYS, problems, false);
  const sources = [fromEnvironment(host), user, operator];
  const sourceOf = (key: Key) => sources.find(({ values }) => values[key] !== undefined);
  const find = (key: Key): Setting | undefined => {
    const source = sourceOf(key);
    if (!source) return undefined;
    return {
      value: source.values[key],
      called: source.name === ENVIRONMENT ? ENV_PREFIX + ENV_KEYS[key] : `${key} in ${source.name}`,
    };
  };
  const endpoint = find('endpoint');
  const headers = headersOf(find('headers'), problems);
  const url = endpoint && urlOf(endpoint, headers, problems, warnings);
  return {
    url,
    headers,
    proxy: url === undefined ? undefined : proxyOf(new URL(url), host.env, problems),
    timeoutMs: timeoutOf(find('timeout'), problems),
    flushTimeoutMs: flushTimeoutOf(host, problems),
    compression: compressionOf(find('compression'), problems),
    ...tlsFilesOf(
      {
        certificate: find('certificate'),
        clientCertificate: find('clientCertificate'),
        clientKey: find('clientKey'),
      },
      host,
      problems,
    ),
    source: sourceOf('endpoint')?.name,
    configured: endpoint !== undefined,
    off: { user: user.off, operator: operator.off },
    environments: environmentsOf([user, operator], problems),
    noticeGiven: noticeGivenBy(operator, user, endpoint?.value, problems),
    problems,
    warnings,
  };
}

function fromEnvironment({ env }: Host): Source {
  const values: Record<string, unknown> = {};
  // As the OpenTelemetry specification says, an empty variable is the same as an unset one.
  for (const [key, name] of Object.entries(ENV_KEYS))
    values[key] = env[ENV_PREFIX + name]?.trim() || undefined;
  return { name: ENVIRONMENT, values };
}

function timeoutOf(setting: Setting | undefined, problems: string[]): number {
  if (!setting) return DEFAULT_TIMEOUT_MS;
  const { value, called } = setting;
  const time =
    typeof value === 'string' || typeof value === 'number'
      ? milliseconds(String(value))
      : undefined;
  if (time !== undefined && time > 0 && time <= MAX_TIMEOUT_MS) return time;
  problems.push(
    `${called} is ${JSON.stringify(value)}; it must be milliseconds from 1 to 60000, or like 10s`,
  );
  return DEFAULT_TIMEOUT_MS;
}

function flushTimeoutOf({ env }: Host, problems: string[]): number {
  const value = env.LHP_OTEL_FLUSH_TIMEOUT?.trim();
  if (!value) return CI_FLUSH_MS;
  const time = milliseconds(value);
  if (time !== undefined && time <= MAX_CI_FLUSH_MS) return time;
  problems.push(
    `LHP_OTEL_FLUSH_TIMEOUT is ${JSON.stringify(value)}; it must be like 2s, 500ms or 1m, ` +
      'or milliseconds, at most 10m; 0 never waits',
  );
  return CI_FLUSH_MS;
}

function compressionOf(setting: Setting | undefined, problems: string[]): 'none' | 'gzip' {
  if (!setting || setting.value === 'none') return 'none';
  if (setting.value === 'gzip') return 'gzip';
  problems.push(`${setting.called} is ${JSON.stringify(setting.value)}; it must be gzip or none`);
  return 'none';
}

/** The base URL that the specification calls endpoint, with `v1/metrics` appended. */
function urlOf(
  { value, called }: Setting,
  headers: object,
  problems: string[],
  warnings: string[],
): string | undefined {
  const wrong = (what: string) => {
    problems.push(`${called} ${what}`);
    return undefined;
  };
  const url = typeof value === 'string' ? URL.parse(value) : null;
  // A value that may hold a password or token is not quoted.
  const shown = /[@?#]/.test(String(value)) ? '' : ` is ${JSON.stringify(value)} and`;
  if (!url)
    return wrong(
      `${shown} is not a URL; it must be like https://collector.example.com:4318`.trimStart(),
    );
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return wrong(`has the scheme ${url.protocol.slice(0, -1)}; it must be https or http`);
  }
  if (url.username || url.password)
    return wrong('holds a user name or password; put credentials into headers');
  if (url.search || url.hash) return wrong('has a query or fragment; it must be a base URL');
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    const plain = `is plain http to ${url.hostname}`;
    if (Object.keys(headers).length > 0) {
      return wrong(
        `${plain}, which would send the configured headers unencrypted; it must be https`,
      );
    }
    warnings.push(`${called} ${plain}: the counts can be read on the way`);
  }
  if (canBeTaken(url) && Object.keys(headers).length > 0)
    warnings.push(
      `${called} is plain http on this machine: while the collector is not there, ` +
        `any user of it can take port ${url.port} and is sent the configured headers`,
    );
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  url.pathname += 'v1/metrics';
  return url.href;
}

/** Whether any user of this machine could listen on the port: one from 1024 on. */
const canBeTaken = ({ protocol, hostname, port }: URL): boolean =>
  protocol === 'http:' && isLoopback(hostname) && Number(port || 80) >= 1024;
