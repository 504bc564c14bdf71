// variables.ts: the settings of lhp-otel, for docs/configuration.md and the manual page. The texts
// are Markdown; of its syntax only `code` is used.

export interface Variable {
  /** Empty where there is only the key in config.json. */
  name: string;
  key?: string;
  meaning: string;
  default: string;
}

export const CONFIGURATION: readonly Variable[] = [
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_ENDPOINT',
    key: 'endpoint',
    meaning: 'base URL of the collector; `v1/metrics` is appended',
    default: 'none: stays on the machine',
  },
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_HEADERS',
    key: 'headers',
    meaning:
      '`name=value,name2=value2` (percent-encoded), or a JSON object in the file; ' +
      'none of those that belong to the connection or the request',
    default: 'none',
  },
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_TIMEOUT',
    key: 'timeout',
    meaning: 'for one delivery with its retries: milliseconds from 1 to 60000, or like `10s`',
    default: '10000',
  },
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_COMPRESSION',
    key: 'compression',
    meaning: '`gzip` or `none`',
    default: '`none`',
  },
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_CERTIFICATE',
    key: 'certificate',
    meaning: 'PEM file of the certificate authority, which then is the only one; an absolute path',
    default: "the system's and Node's",
  },
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE',
    key: 'clientCertificate',
    meaning: 'PEM file for mutual TLS; an absolute path',
    default: 'none',
  },
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_CLIENT_KEY',
    key: 'clientKey',
    meaning: 'PEM file of its key, without a passphrase; an absolute path',
    default: 'none',
  },
  { name: '', key: 'enabled', meaning: '`false` switches off', default: '`true`' },
  {
    name: '',
    key: 'environments',
    meaning:
      'list of the environments that may be named; any other is recorded as `other`. In both files: what both list',
    default: 'any plain word',
  },
  {
    name: '',
    key: 'noticeGiven',
    meaning:
      'in `/etc` only: `true` says that people were told of the endpoint there by other means',
    default: '`false`: runs wait for the notice',
  },
  {
    name: 'LHP_OTEL_FLUSH_TIMEOUT',
    meaning:
      'in CI only: how long `run` waits for the delivery; `500ms`, `1.5s`, `1m` or ' +
      'milliseconds, at most `10m`; `0` never',
    default: '`2s`',
  },
  {
    name: 'LHP_OTEL_UPSTREAM',
    meaning: '`off`: the wrapped lhp runs with `LHP_TELEMETRY=off` (which then is no opt-out here)',
    default: '',
  },
  {
    name: 'LHP_OTEL_LOG',
    meaning: '`debug`: one line on stderr about each run, and a debug log, which `status` names',
    default: '',
  },
];

export const OTHERS: readonly (readonly [names: string, meaning: string])[] = [
  [
    'LHP_DISABLE_ANALYTICS, DO_NOT_TRACK, OTEL_SDK_DISABLED, PYTEST_CURRENT_TEST',
    'set: nothing is recorded',
  ],
  ['LHP_TELEMETRY', '`off`, `0`, `false` or `no`: nothing is recorded'],
  [
    'XDG_CONFIG_HOME, XDG_STATE_HOME',
    'the folders of configuration and state, `~/.config` and `~/.local/state` if unset',
  ],
  [
    'NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, SSL_CERT_DIR',
    'more certificate authorities, where no file is configured',
  ],
  ['HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY', 'the proxy of deliveries'],
  ['NO_COLOR, FORCE_COLOR', 'whether `stats` uses color'],
];
