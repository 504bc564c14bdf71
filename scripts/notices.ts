// notices.ts: lists the packages that are bundled into dist/: their licences in
// dist/THIRD-PARTY-NOTICES.txt, as the licences require, and a CycloneDX SBOM in dist/sbom.cdx.json
// for vulnerability scanners. Bundled packages are not dependencies of an installed lhp-otel, so no
// other file names them. The names are read from the bundles, so that no package is missed.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

// The bundler marks the begin of each module: //#region node_modules/<package>/…
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
  throw new Error(
    'no bundled packages found in dist/: the bundler may mark modules in another way now',
  );
// Minifying removes some of the marks, so the dependencies of a package that was found are listed,
// too. (Iterating over a set includes what is added meanwhile.)
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
  const text = texts.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
  return `${name} ${version} (${license})\n\n${text}\n`;
});
const heading = 'lhp-otel bundles these packages into its programs and its page.\n\n';
const notices = heading + parts.join(`\n${'─'.repeat(80)}\n\n`);
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), notices);

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
const names = bundled.map((one) => one.name).join(', ');
console.log(`licences and SBOM of ${bundled.length} bundled packages: ${names}`);
