// notices.ts: what is bundled into dist/: the licences, as these ask for
// (dist/THIRD-PARTY-NOTICES.txt), and a list for programs that look for known faults
// (dist/sbom.cdx.json, CycloneDX). The packages are no dependencies of an installed lhp-otel, so
// that nothing else says it. Both are read from the bundles themselves, and cannot miss one.
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
if (packages.size === 0)
  throw new Error('no bundled packages found in dist/: has the bundler changed its marks?');
// It strips some marks, though: what a found package depends on counts as bundled, too. (A set is
// walked to what is added meanwhile.)
for (const name of packages) {
  const { dependencies = {} } = JSON.parse(
    readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'),
  ) as {
    dependencies?: Record<string, string>;
  };
  for (const dependency of Object.keys(dependencies)) packages.add(dependency);
}

interface Bundled {
  name: string;
  version: string;
  license: string;
}
const bundled = [...packages]
  .sort()
  .map(
    (name) =>
      JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as Bundled,
  );

const parts = bundled.map(({ name, version, license }) => {
  const folder = join(root, 'node_modules', name);
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  if (texts.length === 0) throw new Error(`${name} has no licence file`);
  return `${name} ${version} (${license})\n\n${texts.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n')}\n`;
});
writeFileSync(
  join(dist, 'THIRD-PARTY-NOTICES.txt'),
  `lhp-otel bundles these packages into its programs and its page.\n\n${parts.join(`\n${'─'.repeat(80)}\n\n`)}`,
);

const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Bundled;
const purl = (of: Bundled | { name: string; version: string }) =>
  `pkg:npm/${of.name.replace('@', '%40')}@${of.version}`;
const sbom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: { component: { type: 'application', name, version, purl: purl({ name, version }) } },
  components: bundled.map((one) => ({
    type: 'library',
    name: one.name,
    version: one.version,
    licenses: [{ license: { id: one.license } }],
    purl: purl(one),
  })),
};
writeFileSync(join(dist, 'sbom.cdx.json'), `${JSON.stringify(sbom, null, 2)}\n`);
console.log(
  `licences and SBOM of ${bundled.length} bundled packages: ${bundled.map((one) => one.name).join(', ')}`,
);
