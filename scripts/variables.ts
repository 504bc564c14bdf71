// variables.ts: the settings of lhp-otel, for docs/configuration.md and the manual page. The texts
// are Markdown; of its syntax only `code` is used.

import { LAYER_ROWS } from '../src/consent/layers.ts';
import { code, table } from './markdown.ts';

export interface Variable {
  /** The environment variable; empty if there is only the key. */
  name: string;
  /** The key in config.json. */
  key?: string;
  meaning: string;
  default: string;
}

/** The settings of lhp-otel. */
export const CONFIGURATION: readonly Variable[] = [
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_ENDPOINT',
    key: 'endpoint',
    meaning: 'base URL of the collector; `v1/metrics` is appended',
    default: 'none: runs stay on the machine',
  },
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_HEADERS',
    key: 'headers',
    meaning:
      '`name=value,name2=value2` (percent-encoded), or a JSON object in the file; ' +
      'headers of the connection or of the request itself are not allowed',
    default: 'none',
  },
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_TIMEOUT',
    key: 'timeout',
    meaning: 'time for one delivery with its retries: milliseconds from 1 to 60000, or like `10s`',
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
    meaning:
      'absolute path of a PEM file with the certificate authority, ' +
      'which is then the only trusted one',
    default: "the system's and Node's",
  },
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE',
    key: 'clientCertificate',
    meaning: 'absolute path of a PEM file with the client certificate, for mutual TLS',
    default: 'none',
  },
  {
    name: 'LHP_OTEL_EXPORTER_OTLP_CLIENT_KEY',
    key: 'clientKey',
    meaning: 'absolute path of a PEM file with its key, without a passphrase',
    default: 'none',
  },
  { name: '', key: 'enabled', meaning: '`false` switches recording off', default: '`true`' },
  {
    name: '',
    key: 'environments',
    meaning:
      'list of the environments that may be recorded; any other is recorded as `other`. ' +
      'If both files have a list, a name must be in both',
    default: 'any plain word',
  },
  {
    name: '',
    key: 'noticeGiven',
    meaning:
      'in `/etc/lhp-otel/config.json` only: `true` says that people were told about the endpoint ' +
      'of that file by other means',
    default: '`false`: runs wait for the notice',
  },
  {
    name: 'LHP_OTEL_FLUSH_TIMEOUT',
    meaning:
      'in CI only: how long `run` waits for the delivery: `500ms`, `1.5s`, `1m` or ' +
      'milliseconds, at most `10m`; with `0` it does not wait',
    default: '`2s`',
  },
  {
    name: 'LHP_OTEL_UPSTREAM',
    meaning:
      '`off`: the wrapped lhp runs with `LHP_TELEMETRY=off`, ' +
      'which is then not an opt-out of lhp-otel',
    default: '',
  },
  {
    name: 'LHP_OTEL_LOG',
    meaning:
      '`debug`: prints one line about each run on stderr, and keeps a debug log, ' +
      'which `status` names',
    default: '',
  },
];

/** Other variables that lhp-otel reads. */
export const OTHERS: readonly (readonly [names: string, meaning: string])[] = [
  [optOutVariables('set'), 'if one of them is set, nothing is recorded'],
  [optOutVariables('falsy'), '`off`, `0`, `false` or `no`: nothing is recorded'],
  [
    'XDG_CONFIG_HOME, XDG_STATE_HOME',
    'the folders of configuration and state; `~/.config` and `~/.local/state` if unset',
  ],
  [
    'NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, SSL_CERT_DIR',
    'more certificate authorities, if no certificate file is configured',
  ],
  ['HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY', 'the proxy for deliveries'],
  ['NO_COLOR, FORCE_COLOR', 'whether `stats` uses color'],
];

/** The table in docs/configuration.md. */
export const settingsTable = (): string =>
  table(
    ['environment variable', 'in `config.json`', 'meaning', 'default'],
    CONFIGURATION.map(({ name, key, meaning, default: value }) => [
      code(name),
      code(key),
      meaning,
      value,
    ]),
  );

function optOutVariables(when: 'set' | 'falsy'): string {
  const rows = LAYER_ROWS.filter((row) => row.source === 'environment' && row.optsOutWhen === when);
  return rows.map(({ name }) => name).join(', ');
}
