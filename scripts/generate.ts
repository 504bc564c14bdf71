// generate.ts: writes the generated files. With --check it writes nothing, and fails if a file is
// not up to date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { dashboardFiles } from '../deploy/generate/dashboards/dashboards.ts';
import { gatewayRules, RULE_PROCESSORS } from '../deploy/generate/gateway-rules.ts';
import { ownCollector, samePort } from '../deploy/generate/own-collector.ts';
import { LAUNCHERS } from '../src/command/launchers.ts';
import { commandLine } from '../src/commands/commands.ts';
import { eventExample, eventTypes, fieldTable, metricsPage } from './contract-pages.ts';
import { manPage } from './man-page.ts';
import { settingsTable } from './variables.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version, engines } = JSON.parse(read('package.json')) as {
  version: string;
  engines: { node: string };
};

const collector = withRuleOrder(gateway());
const files: Record<string, string> = {
  'src/contract/event.ts': eventTypes(),
  'src/system/version.ts': versionFile(),
  'otel-collector.yaml': collector,
  // A copy, because kustomize reads no file outside its folder.
  'deploy/kubernetes/otel-collector.yaml': collector,
  'deploy/stacks/lhp.yaml': ownCollector(collector),
  'deploy/stacks/same-port.yaml': samePort(collector),
  'deploy/collector/ci-queue.yaml': withRuleOrder(read('deploy/collector/ci-queue.yaml')),
  ...dashboardFiles(),
  'docs/metrics.md': metricsPage(),
  'docs/privacy.md': privacyPage(),
  'docs/configuration.md': inMarkdown(
    read('docs/configuration.md'),
    'settings: made from scripts/variables.ts',
    settingsTable(),
  ),
  'docs/lhp-otel.1': manPage(commandLine()),
  'src/command/launcher-names.ts': launcherNames(),
};
await write(process.argv.includes('--check'));

async function write(check: boolean): Promise<void> {
  const pretty = { parser: 'markdown', proseWrap: 'always', printWidth: 100 } as const;
  for (const [path, text] of Object.entries(files))
    if (path.endsWith('.md')) files[path] = await format(text, pretty);
  const stale = Object.entries(files).filter(([path, text]) => read(path) !== text);
  for (const [path, text] of stale) {
    if (check) console.error(`${path} is not up to date: run npm run generate`);
    else {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  }
  const written = stale.map(([path]) => path).join(', ');
  if (!check) console.log(written ? `written: ${written}` : 'all generated files are up to date');
  else if (stale.length > 0) process.exitCode = 1;
  else console.log('all generated files are up to date');
}

/** The text of a file; empty if there is none. */
function read(path: string): string {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return ''; // it is generated now
  }
}

/** The names alone, because the table is too large to load before every command. */
function launcherNames(): string {
  const names = Object.keys(LAUNCHERS).map((name) => `  '${name}',\n`);
  return `// launcher-names.ts: the programs of the table in launchers.ts. \`npm run generate\` makes this file;\n// do not edit it.\nexport const LAUNCHER_NAMES: readonly string[] = [\n${names.join('')}];\n`;
}

function gateway(): string {
  const made =
    '  # ── made from deploy/generate/gateway-rules.ts by `npm run generate`; do not edit ──\n';
  return between(read('otel-collector.yaml'), made, '  # ── end ──', gatewayRules());
}

function privacyPage(): string {
  const source = 'made from src/contract/fields.ts';
  const page = inMarkdown(read('docs/privacy.md'), `fields: ${source}`, fieldTable());
  return inMarkdown(page, `example: ${source}`, eventExample());
}

function inMarkdown(page: string, made: string, text: string): string {
  const mark = `<!-- ${made} by \`npm run generate\`; do not edit -->\n`;
  return between(page, mark, '<!-- end -->', `\n${text}\n\n`);
}

/** A text that is written by hand except for the part between these marks. */
function between(old: string, made: string, end: string, text: string): string {
  const from = old.indexOf(made) + made.length;
  const to = old.indexOf(end, from);
  if (from < made.length || to < from) throw new Error(`no marks around a generated part: ${made}`);
  return old.slice(0, from) + text + old.slice(to);
}

/** The rules in their order, in each pipeline of a configuration of the gateway. */
function withRuleOrder(text: string): string {
  const rules = /(?<=processors: \[.*, )filter\/resource.*(?=, transform\/backend,)/g;
  if (!rules.test(text))
    throw new Error('a configuration of the gateway has no pipeline with the rules on one line');
  return text.replaceAll(rules, RULE_PROCESSORS.join(', '));
}

function versionFile(): string {
  return `// version.ts: made from package.json by \`npm run generate\`; do not edit. The version of the
// package, and the oldest Node that it runs on.
export const version = '${version}';
export const oldestNode = '${engines.node.replace('>=', '')}';
`;
}
