// notices.ts: the licences of everything that is bundled into dist/, as their licences ask for: dist/THIRD-PARTY-NOTICES.txt.
// The list is read from the bundles themselves, so it cannot miss one.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

// The bundler marks where each module begins: //#region node_modules/<package>/…
const packages = new Set<string>();
for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (!/\.c?js$/.test(name)) continue;
  for (const [, found] of readFileSync(join(dist, name), 'utf8').matchAll(
    /^\s*\/\/#region node_modules\/((?:@[^/\s]+\/)?[^/\s]+)/gm,
  )) {
    if (found) packages.add(found);
  }
}
if (packages.size === 0) throw new Error('no bundled packages found in dist/: has the bundler changed its marks?');
// It strips some marks, though: what a found package depends on counts as bundled, too. (A set is walked to what is added meanwhile.)
for (const name of packages) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  for (const dependency of Object.keys(dependencies)) packages.add(dependency);
}

const parts = [...packages].sort().map((name) => {
  const folder = join(root, 'node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string;
    license: string;
  };
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  if (texts.length === 0) throw new Error(`${name} has no licence file`);
  return `${name} ${version} (${license})\n\n${texts.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n')}\n`;
});
writeFileSync(
  join(dist, 'THIRD-PARTY-NOTICES.txt'),
  `lhp-otel bundles these packages into its programs and its page.\n\n${parts.join(`\n${'─'.repeat(80)}\n\n`)}`,
);
console.log(`licence notices of ${parts.length} bundled packages: ${[...packages].sort().join(', ')}`);
