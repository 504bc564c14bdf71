// switches.ts: the gateway's switches, one row each. A switch is a file
// deploy/collector/<name>.yaml that the collector merges over otel-collector.yaml. This table makes
// the list of files in deploy/kustomization.yaml, the table in docs/operators.md, the lists in
// .env.example and the rows of deploy/check-settings.sh, which says in words what is wrong with a
// combination. Secrets and variables are read from the switch's own file.
// test/gateway/switches.test.ts holds each row against the real collector. A new switch is a new
// file, a new row and a test of what it does; if it needs a variable of its own, also a line in the
// compose file.
import { markdownTable } from './text.ts';

/** The compose files, by the word that deploy/check-settings.sh gets in LHP_OTEL_COMPOSE. */
type Compose = 'prometheus' | 'victoriametrics' | 'cluster';
const EVERYWHERE: readonly Compose[] = ['prometheus', 'victoriametrics', 'cluster'];
const ONE_MACHINE: readonly Compose[] = ['prometheus', 'victoriametrics'];

interface GatewaySwitch {
  /** The file is deploy/collector/<name>.yaml. */
  name: string;
  /** What it does, in a few plain words. */
  does: string;
  /** The page or section that says more, seen from docs/. */
  more?: string;
  /** What clients must set; Markdown. */
  clients?: string;
  /** Switches that it needs. They stand above it in this table. */
  needs?: readonly string[];
  /** Switches above it in this table that it cannot be combined with. */
  excludes?: readonly string[];
  /** The backend that it is for; any if left out. */
  backend?: 'Cortex' | 'VictoriaMetrics' | 'remote write' | 'a vendor';
  /** The compose files with which it works; all if left out. */
  works?: readonly Compose[];
  /** It is for a backend of the operator's own, which LHP_OTEL_BACKEND must name. */
  ownBackend?: true;
}

/**
 * In the order in which LHP_OTEL_SWITCHES names them. The collector replaces lists when it merges
 * files, so of two switches that set the same list the later one must contain the earlier one's
 * list (`needs`), or they exclude each other.
 */
export const SWITCHES: readonly GatewaySwitch[] = [
  {
    name: 'tls',
    does: 'TLS 1.2 or newer',
    clients: 'an `https` endpoint; `LHP_OTEL_EXPORTER_OTLP_CERTIFICATE` for a private authority',
    works: ONE_MACHINE,
  },
  {
    name: 'mtls',
    does: 'admits only clients with a certificate',
    clients: '`…_CLIENT_CERTIFICATE`, `…_CLIENT_KEY`',
    needs: ['tls'],
    works: ONE_MACHINE,
  },
  {
    name: 'tokens',
    does: 'admits only clients with a bearer token',
    clients: '`…_HEADERS=authorization=Bearer%20<token>`',
  },
  {
    name: 'grpc',
    does: 'accepts OTLP/gRPC on port 4317 too, with client certificates only',
    clients: 'lhp-otel itself does not use gRPC',
    works: ONE_MACHINE,
  },
  {
    name: 'ci-queue',
    does: "keeps runs of CI jobs in a queue on the gateway's disk",
    more: '#when-something-is-away',
    needs: ['tokens'],
  },
  {
    name: 'remote-write',
    does: 'writes to a backend that accepts Prometheus remote write but no OTLP',
    more: 'stacks.md#remote-write-only',
    excludes: ['ci-queue'],
    backend: 'remote write',
    works: ['prometheus'],
    ownBackend: true,
  },
  {
    name: 'vendor',
    does: "sends runs to a vendor's OTLP endpoint instead of Prometheus",
    more: 'stacks.md#vendors',
    excludes: ['ci-queue', 'remote-write'],
    backend: 'a vendor',
    works: ['prometheus'],
    ownBackend: true,
  },
  {
    name: 'vendor-copy',
    does: 'sends a copy of each run to a vendor',
    more: 'stacks.md#vendors',
    excludes: ['ci-queue', 'remote-write', 'vendor'],
  },
  {
    name: 'tenant',
    does: 'stores runs under the tenant LHP_OTEL_TENANT of a cluster',
    more: 'cluster.md#several-teams-on-one-cluster',
    excludes: ['remote-write'],
    backend: 'Cortex',
    works: ['cluster'],
  },
  {
    name: 'victoriametrics',
    does: 'makes histogram buckets wide enough for VictoriaMetrics',
    more: 'victoriametrics.md',
    excludes: ['remote-write'],
    backend: 'VictoriaMetrics',
    works: ONE_MACHINE,
  },
  {
    name: 'second',
    does: 'sends each run to two backends and waits for both',
    more: 'victoriametrics.md#two-of-them',
    excludes: ['remote-write', 'vendor-copy'],
    backend: 'VictoriaMetrics',
    works: ['victoriametrics'],
  },
];

/** What .env.example says about the variables of switches. LHP_OTEL_BACKEND is explained there. */
const VARIABLES: Record<string, { means: string; example: string }> = {
  LHP_OTEL_VENDOR_KEY: {
    means: "value of the HTTP header that holds the vendor's key",
    example: '',
  },
  LHP_OTEL_COPY: { means: "the vendor's OTLP endpoint", example: 'https://otlp.example.com' },
  LHP_OTEL_TENANT: { means: "the tenant that the gateways' runs belong to", example: 'lhp' },
  LHP_OTEL_SECOND_BACKEND: {
    means: 'OTLP endpoint of the second backend',
    example: 'http://victoriametrics-2.example.com:8428/opentelemetry',
  },
};

/** Path of a switch's file in the repository. */
const switchFile = (name: string) => `deploy/collector/${name}.yaml`;

/** All switches that cannot be combined with this one, whichever of the two rows says so. */
export const excludedBy = (name: string): string[] =>
  SWITCHES.filter(
    (other) =>
      other.excludes?.includes(name) ||
      SWITCHES.find((one) => one.name === name)?.excludes?.includes(other.name),
  ).map((other) => other.name);

/** The files in deploy/secrets/ that a switch reads. */
const secretsIn = (yaml: string) => [
  ...new Set(
    [...yaml.matchAll(/LHP_OTEL_SECRETS:-[^}]*\}\/([\w.]+)/g)].map(([, file]) => file ?? ''),
  ),
];

/** The variables that a switch needs: those without a default. */
export const variablesIn = (yaml: string): string[] => [
  ...new Set([...yaml.matchAll(/\$\{env:(\w+)\}/g)].map(([, name]) => name ?? '')),
];

type Read = (path: string) => string;

/** The list of files for the ConfigMap `gateway-switches` in deploy/kustomization.yaml. */
export const kustomizeFiles = (): string =>
  SWITCHES.map(({ name }) => `      - ${switchFile(name).replace('deploy/', '')}\n`).join('');

/** The table in docs/operators.md. */
export function switchTable(read: Read): string {
  const code = (words: readonly string[]) => words.map((word) => `\`${word}\``).join(', ');
  const head = [
    'switch',
    'what it does',
    'reads in `deploy/secrets/`',
    'variables',
    'needs',
    'not with',
    'backend',
    'what clients set',
  ];
  const rows = SWITCHES.map(({ name, does, more, needs = [], backend = 'any', clients = '' }) => {
    const yaml = read(switchFile(name));
    return [
      `\`${name}\``,
      more ? `[${does}](${more})` : does,
      code(secretsIn(yaml)),
      code(variablesIn(yaml)),
      code(needs),
      code(excludedBy(name)),
      backend,
      clients,
    ];
  });
  return `\n${markdownTable(head, rows)}\n`;
}

const BACKEND = 'LHP_OTEL_BACKEND';

/** The rows of deploy/check-settings.sh: a word in quotes for each argument of its `check`. */
export function checkRows(read: Read): string {
  const row = ({ name, needs = [], works = EVERYWHERE, ownBackend }: GatewaySwitch) => {
    const yaml = read(switchFile(name));
    const variables = new Set([...variablesIn(yaml), ...(ownBackend ? [BACKEND] : [])]);
    const lists = [needs, excludedBy(name), secretsIn(yaml), [...variables], works];
    const [first = '', ...rest] = lists.map((list) => `'${list.join(' ')}'`);
    // Two lines, so that none is too wide.
    return `  "$1" ${name} ${first} ${rest[0]} \\\n    ${rest.slice(1).join(' ')}\n`;
  };
  const names = SWITCHES.map(({ name }) => name).join(' ');
  return `names='${names}'\ntable() {\n${SWITCHES.map(row).join('')}}\n`;
}

/** What deploy/check-settings.sh says about a variable that is missing. */
export function checkMeanings(): string {
  const meanings: Record<string, string> = { [BACKEND]: 'the address of the backend that you run' };
  for (const [name, { means }] of Object.entries(VARIABLES)) meanings[name] = means;
  const lines = Object.entries(meanings).map(
    ([name, means]) => `    ${name}) echo "${means}" ;;\n`,
  );
  return `  case $1 in\n${lines.join('')}`;
}

/** The switches and their variables, as comments for .env.example. */
export function environmentLines(read: Read): string {
  const longest = Math.max(...SWITCHES.map(({ name }) => name.length));
  const list = SWITCHES.map(
    ({ name, does, needs }) =>
      `#   ${name.padEnd(longest)}  ${does}${needs ? ` (needs ${needs})` : ''}\n`,
  );
  const users = (variable: string) =>
    SWITCHES.filter(({ name }) => variablesIn(read(switchFile(name))).includes(variable));
  const variables = Object.entries(VARIABLES).map(([variable, { means, example }]) => {
    const names = users(variable).map(({ name }) => name);
    return `\n# With ${names.join(' or ')}: ${means}.\n#${variable}=${example}\n`;
  });
  const example = ['tls', 'mtls'].map((name) => `--config=/etc/otelcol/switches/${name}.yaml`);
  return [
    ...list,
    '# docs/operators.md says what each one needs.\n',
    `#LHP_OTEL_SWITCHES=${example.join(' ')}\n`,
    ...variables,
  ].join('');
}
