// config.ts: where runs are delivered, from LHP_OTEL_EXPORTER_OTLP_* (meaning what the OTLP
// exporter specification says of the unprefixed names), then the user's config.json, then the
// operator's. Never from a file inside a project: a cloned repository must not be able to name a
// collector. The unprefixed OTEL_EXPORTER_OTLP_* belong to the user's own applications and are not
// read. Wrong input is a problem with a text that names the value; nothing here throws.
import type { Host } from '../system/host.ts';
import { type Paths, resolvePaths } from '../system/paths.ts';
import { ciVariableSet } from './ci.ts';
import { type ConfigFile, readConfigFile } from './config-file.ts';
import { milliseconds } from './duration.ts';
import { headersOf } from './headers.ts';
import { isLoopback, type ProxyServer, proxyOf } from './proxy.ts';
import type { Answer, Setting } from './setting.ts';
import { environmentsOf, noticeGivenBy } from './stated.ts';
import { type TlsFiles, tlsFilesOf } from './tls-files.ts';

const ENV_PREFIX = 'LHP_OTEL_EXPORTER_OTLP_';
/**
 * OTLP exporter specification, "Configuration options": the default of the timeout, in
 * milliseconds.
 */
const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 60_000;
/** In CI the machine dies with the job, so `run` waits so long for the delivery. */
const CI_FLUSH_MS = 2_000;
const MAX_CI_FLUSH_MS = 10 * 60_000;

export interface Config extends TlsFiles {
  /** The full URL that is posted to, or `undefined`: nothing leaves the machine. */
  url: string | undefined;
  headers: Record<string, string>;
  /** The proxy that applies to the URL. */
  proxy: ProxyServer | undefined;
  timeoutMs: number;
  /** How long `run` waits for the delivery in CI; 0 is never. */
  flushTimeoutMs: number;
  compression: 'none' | 'gzip';
  /** Where the endpoint was named. */
  source: string | undefined;
  /**
   * An endpoint was asked for; with problems it is not used, and runs wait for a better
   * configuration.
   */
  configured: boolean;
  /** Whether each config.json says off. */
  off: { user: Answer; operator: Answer };
  /** The environments that may be named; `undefined`: any. */
  environments: readonly string[] | undefined;
  /** The operator states that people were told where runs go by other means than our notice. */
  noticeGiven: boolean;
  /** What is wrong, in a sentence each. Any problem means: deliver nothing. */
  problems: string[];
  warnings: string[];
}

type Layer = Pick<ConfigFile, 'name' | 'values'>;

const ENVIRONMENT = 'the environment';

/** Keys of config.json, and what follows {@link ENV_PREFIX} in the variable that means the same. */
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
  // In CI a home can be another user's: GitHub's job containers run as root in a home of user 1001.
  const user = readConfigFile(paths.config, KEYS, problems, !ciVariableSet(host.env));
  const operator = readConfigFile(paths.systemConfig, KEYS, problems, false);
  const layers = [environmentLayer(host), user, operator];
  const layerOf = (key: Key) => layers.find(({ values }) => values[key] !== undefined);
  const find = (key: Key): Setting | undefined => {
    const layer = layerOf(key);
    if (!layer) return undefined;
    return {
      value: layer.values[key],
      called: layer.name === ENVIRONMENT ? ENV_PREFIX + ENV_KEYS[key] : `${key} in ${layer.name}`,
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
    source: layerOf('endpoint')?.name,
    configured: endpoint !== undefined,
    off: { user: user.off, operator: operator.off },
    environments: environmentsOf([user, operator], problems),
    noticeGiven: noticeGivenBy(operator, user, endpoint?.value, problems),
    problems,
    warnings,
  };
}

function environmentLayer({ env }: Host): Layer {
  const values: Record<string, unknown> = {};
  // OTel specification: an empty environment variable is the same as an unset one.
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

/** The base URL of the specification, with `v1/metrics` appended. */
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
  // Not quoted where it could hold a password or token.
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

/**
 * A port of this machine that needs no privilege; the caller knows that the scheme is http or
 * https.
 */
const canBeTaken = ({ protocol, hostname, port }: URL): boolean =>
  protocol === 'http:' && isLoopback(hostname) && Number(port || 80) >= 1024;
