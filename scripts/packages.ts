// packages.ts: npm run packages [-- FOLDER]. Builds what a release publishes: the package for npm,
// and from it the packages for PyPI, so that all of them have the same dist/. scripts/wheel/ has
// what only PyPI's packages contain. Prints size and SHA-256 of each file, and writes SHA256SUMS.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packTarball, pypiPackages, writeSums } from './harness/package.ts';
import { projectRoot } from './harness/sandbox.ts';

const folder = resolve(process.argv[2] ?? join(projectRoot, 'release'));
mkdirSync(folder, { recursive: true });
const tarball = packTarball(folder);
const others = pypiPackages(tarball, folder);
for (const { name, bytes, sha256 } of writeSums(folder, [tarball, ...others]))
  console.log(`${sha256}  ${name}  ${(bytes / 1e6).toFixed(2)} MB`);
