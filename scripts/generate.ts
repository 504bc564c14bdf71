// generate.ts: writes the generated files. With --check it writes nothing, and fails if a file is
// not up to date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { deployFiles } from '../deploy/generate/files.ts';
import { between } from '../deploy/generate/text.ts';
import { LAUNCHERS } from '../src/command/launchers.ts';
import { commandLine } from '../src/commands/commands.ts';
import { eventExample, eventTypes, fieldTable, metricsPage } from './contract-pages.ts';
import { manPage } from './man-page.ts';
import { OPT_OUT_PAGES } from './opt-out-pages.ts';
import { settingsTable } from './variables.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version, engines } = JSON.parse(read('package.json')) as {
  version: string;
  engines: { node: string };
};

const files: Record<string, string> = {
  'src/contract/event.ts': eventTypes(),
  'src/system/version.ts': versionFile(),
  ...deployFiles(read),
  'docs/metrics.md': metricsPage(),
  'docs/privacy.md': privacyPage(),
  'docs/configuration.md': inMarkdown(
    'docs/configuration.md',
    read('docs/configuration.md'),
    'settings: made from scripts/variables.ts',
    settingsTable(),
  ),
  'docs/lhp-otel.1': manPage(commandLine()),
  'src/command/launcher-names.ts': launcherNames(),
};
for (const [path, withLayers] of Object.entries(OPT_OUT_PAGES))
  files[path] = withLayers(files[path] ?? read(path));
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
  return `\
// launcher-names.ts: the programs of the table in launchers.ts, made by \`npm run generate\`; do
// not edit.
export const LAUNCHER_NAMES: readonly string[] = [
${names.join('')}];
`;
}

function privacyPage(): string {
  const path = 'docs/privacy.md';
  const source = 'made from src/contract/fields.ts';
  const page = inMarkdown(path, read(path), `fields: ${source}`, fieldTable());
  return inMarkdown(path, page, `example: ${source}`, eventExample());
}

function inMarkdown(path: string, page: string, made: string, text: string): string {
  const mark = `<!-- ${made} by \`npm run generate\`; do not edit -->\n`;
  return between(path, page, [mark, '<!-- end -->'], `\n${text}\n\n`);
}

function versionFile(): string {
  return `\
// version.ts: made from package.json by \`npm run generate\`; do not edit. The version of the
// package, and the oldest Node that it runs on.
export const version = '${version}';
export const oldestNode = '${engines.node.replace('>=', '')}';
`;
}
