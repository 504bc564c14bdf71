// generate.ts: writes the generated files. From the contract: docs/metrics.md, the table of fields in
// docs/privacy.md, the gateway's rules in otel-collector.yaml, the parts of that file for other
// collectors, and Grafana's dashboards. From the command line: the manual page. Also the table in
// docs/configuration.md, the picture of a run's way, and src/system/version.ts. With --check it
// writes nothing and fails if a file is not up to date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { dashboardFiles } from '../deploy/generate/dashboards/dashboards.ts';
import { gatewayRules, RULE_PROCESSORS } from '../deploy/generate/gateway-rules.ts';
import { ownCollector, samePort } from '../deploy/generate/own-collector.ts';
import { commandLine } from '../src/commands/commands.ts';
import {
  type AttributeSpec,
  CI_SLOT_ATTRIBUTE,
  EVENT_KEYS,
  INSTRUMENTS,
  LOSS_REASON_ATTRIBUTE,
  LOST_RUNS,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
  SCOPE_NAME,
} from '../src/contract/contract.ts';
import { FIELDS, onTheWire } from '../src/contract/fields.ts';
import { flowPicture } from './flow.ts';
import { manPage } from './man-page.ts';
import { CONFIGURATION } from './variables.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  engines: { node: string };
};

const collector = withRuleOrder(gateway());
const files: Record<string, string> = {
  'otel-collector.yaml': collector,
  // kustomize reads only what is beside it or below.
  'deploy/kubernetes/otel-collector.yaml': collector,
  'deploy/stacks/lhp.yaml': ownCollector(collector),
  'deploy/stacks/same-port.yaml': samePort(collector),
  'deploy/collector/ci-queue.yaml': withRuleOrder(read('deploy/collector/ci-queue.yaml') ?? ''),
  ...dashboardFiles(),
  'docs/metrics.md': metricsPage(),
  'docs/lhp-otel.1': manPage(commandLine()),
  'docs/images/flow.svg': await flowPicture(),
  'docs/configuration.md': configurationPage(),
  'docs/privacy.md': privacyPage(),
  'src/system/version.ts': `// The package's version and the oldest Node for it, kept equal to package.json by \`npm run\n// generate\`.\nexport const version = '${version}';\nexport const oldestNode = '${engines.node.replace('>=', '')}';\n`,
};

const check = process.argv.includes('--check');
for (const path of Object.keys(files).filter((name) => name.endsWith('.md')))
  files[path] = await format(files[path] ?? '', {
    parser: 'markdown',
    proseWrap: 'always',
    printWidth: 100,
  });
const stale = Object.entries(files).filter(([path, text]) => read(path) !== text);
for (const [path, text] of stale) {
  if (check) console.error(`${path} is not up to date: run npm run generate`);
  else {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
if (check && stale.length > 0) process.exit(1);
console.log(
  check
    ? 'generated files are up to date'
    : `written: ${stale.map(([path]) => path).join(', ') || 'nothing, all up to date'}`,
);

function read(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** The gateway's configuration is written by hand, but for the rules. */
function gateway(): string {
  const made = ' made from src/contract/contract.ts by `npm run generate`; do not edit ──\n';
  return between('otel-collector.yaml', made, '  # ── end ──', gatewayRules());
}

function privacyPage(): string {
  const rows = EVENT_KEYS.map((key) => {
    const { page, what, how, why } = FIELDS[key];
    return [page, `\`${key}\``, what, how, why, onTheWire(key)];
  });
  const fields = table(
    ['page', 'field', 'what it is', 'how it is made', 'why', 'on the wire'],
    rows,
  );
  const made =
    '<!-- fields: made from src/contract/fields.ts by `npm run generate`; do not edit -->\n';
  return between('docs/privacy.md', made, '<!-- end -->', `\n${fields}\n\n`);
}

/** A file that is written by hand, but for what is between these marks. */
function between(path: string, made: string, end: string, text: string): string {
  const old = read(path) ?? '';
  const from = old.indexOf(made) + made.length;
  const to = old.indexOf(end, from);
  if (from < made.length || to < from)
    throw new Error(`${path} has lost the marks around its generated part`);
  return old.slice(0, from) + text + old.slice(to);
}

/** The rules in their order, in each pipeline that a file has. */
function withRuleOrder(text: string): string {
  const rules = /(?<=processors: \[.*, )filter\/resource.*(?=, transform\/backend,)/g;
  if (!rules.test(text))
    throw new Error('a configuration of the gateway has no pipeline with the rules on one line');
  return text.replaceAll(rules, RULE_PROCESSORS.join(', '));
}

function configurationPage(): string {
  const code = (word: string | undefined) => (word ? `\`${word}\`` : '');
  const head = ['environment variable', 'in `config.json`', 'meaning', 'default'];
  const rows = CONFIGURATION.map(({ name, key, meaning, default: value }) => {
    return [code(name), code(key), meaning, value];
  });
  const made =
    '<!-- settings: made from scripts/variables.ts by `npm run generate`; do not edit -->\n';
  return between('docs/configuration.md', made, '<!-- end -->', `\n${table(head, rows)}\n\n`);
}

function metricsPage(): string {
  const page = (field: string) => (field ? `\`${field}\`` : '');
  const attributes = (specs: readonly AttributeSpec[]) =>
    table(
      ['attribute', 'type', 'values', 'what it is', 'page field'],
      specs.map((spec) => [`\`${spec.key}\``, spec.type, spec.values, spec.what, page(spec.page)]),
    );
  return `<!-- Made from src/contract/contract.ts by \`npm run generate\`; do not edit. -->

# Metrics

One successful \`lhp generate\` is one OTLP request (\`ExportMetricsServiceRequest\`) with the metrics below, one data point each.
Nothing else is recorded: no exemplars, no host, process or SDK attributes, no free text.

- Scope: \`${SCOPE_NAME}\`, with the package's version.
- Temporality: delta. Histograms are base-2 exponential, one value each, without minimum and maximum.
- Timestamp: a millisecond that no other run of the machine has; start: the start of the run.
- A value that does not fit becomes \`other\` (words, versions) or is left out (numbers). A count that could not be made with
  certainty is left out too: it is \`null\` in \`lhp-otel show\` and absent in the request, while the run itself is counted.

## Instruments

${table(
  ['name', 'kind', 'unit', 'what it is', 'range', 'page field'],
  [
    ...INSTRUMENTS.map(({ name, kind, unit, description, max, page: field }) => [
      `\`${name}\``,
      kind,
      `\`${unit}\``,
      description,
      kind === 'counter' ? '1' : `0 to ${max.toLocaleString('en-US')}`,
      page(field),
    ]),
    [
      `\`${LOST_RUNS.name}\``,
      LOST_RUNS.kind,
      `\`${LOST_RUNS.unit}\``,
      LOST_RUNS.description,
      'from 1; only when there were any',
      '',
    ],
  ],
)}

## Data point attributes

On every point but those of \`${LOST_RUNS.name}\`:

${attributes(POINT_ATTRIBUTES)}

On the points of \`${LOST_RUNS.name}\`:

${attributes([LOSS_REASON_ATTRIBUTE])}

On every point of a run in CI (\`lhp.ci\` is \`true\`), and on no other:

${attributes([CI_SLOT_ATTRIBUTE])}

## Resource attributes

${attributes(RESOURCE_ATTRIBUTES)}

## The event

\`lhp-otel show\` prints a run as the telemetry page does, one JSON object a line, with these keys in this order:
${EVENT_KEYS.map((key) => `\`${key}\``).join(', ')}.
It is read back from the recorded request; \`generation_time_seconds\` is rounded to 2 decimals there.
`;
}
