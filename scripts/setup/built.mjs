// built.mjs: remembers what dist/ was built from, so that a test run does not build it again while
// neither the sources nor dist/ itself have changed.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './programs.mjs';

/** What `npm run build` reads and writes. The lock file stands for the packages. */
const FILES = [
  ...['src', 'scripts/tsdown.config.ts', 'scripts/notices.ts', 'tsconfig.json'],
  ...['package.json', 'package-lock.json', 'dist'],
];
/** Not in dist/, which is published. */
const MARKER = join(root, 'node_modules', '.lhp-otel-built');

/** The files at a path of the repository, in a fixed order; none where there is nothing. */
function filesAt(path) {
  const at = join(root, path);
  if (!existsSync(at)) return [];
  if (!statSync(at).isDirectory()) return [path];
  return readdirSync(at)
    .sort()
    .flatMap((name) => filesAt(join(path, name)));
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const path of FILES.flatMap(filesAt)) {
    const bytes = readFileSync(join(root, path));
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/** Whether dist/ is what the last build has written, of the same sources. */
export const isBuilt = () => existsSync(MARKER) && readFileSync(MARKER, 'utf8') === fingerprint();

/** Called after a build. */
export const noteBuilt = () => writeFileSync(MARKER, fingerprint());
