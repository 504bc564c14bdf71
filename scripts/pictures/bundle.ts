// bundle.ts: checks the types of the page of the pictures (page/) and bundles it with Grafana's
// components, which are in the user's cache folder and not among the packages of this repository.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { projectRoot } from '../harness/sandbox.ts';

const PAGE = join(import.meta.dirname, 'page');

/** The parts of esbuild that are used; the package is in the cache folder, too. */
interface Resolution {
  path: string;
  importer: string;
  resolveDir: string;
  pluginData: unknown;
}
interface Build {
  onResolve(filter: { filter: RegExp }, answer: (asked: Resolution) => object | undefined): void;
  onLoad(
    filter: { filter: RegExp; namespace: string },
    answer: (asked: Resolution) => object | Promise<object>,
  ): void;
  resolve(path: string, options: object): Promise<{ path: string }>;
}
interface Esbuild {
  build(options: object): Promise<unknown>;
}

/** Packages for maps and code editors, which no panel here needs. */
const UNUSED = /^(monaco-editor|@monaco-editor\/react|ol)(\/|$)/;
/**
 * Packages that the bundler of Grafana imports by other rules: their default export is
 * `module.exports.default`.
 */
const DEFAULTS = new RegExp(
  `^(${[
    'react-custom-scrollbars-2',
    'react-highlight-words',
    'react-loading-skeleton',
    'calculate-size',
    'micro-memoize',
    '@rc-component/(slider|tooltip|cascader|drawer|picker)',
  ].join('|')})$`,
);

const unused = {
  name: 'unused',
  setup: (build: Build) => {
    build.onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'unused' }));
    build.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: `module.exports = new Proxy({}, {
        get: (_, key) => key === "__esModule" ? false : class {},
      });`,
      loader: 'js',
    }));
  },
};

const defaults = {
  name: 'defaults',
  setup: (build: Build) => {
    build.onResolve({ filter: DEFAULTS }, ({ path, importer, resolveDir, pluginData }) =>
      pluginData !== 'real' && importer.endsWith('.mjs')
        ? { path, namespace: 'defaults', pluginData: resolveDir }
        : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'defaults' }, async ({ path, pluginData }) => {
      const options = { resolveDir: pluginData, kind: 'require-call', pluginData: 'real' };
      const real = JSON.stringify((await build.resolve(path, options)).path);
      return {
        contents: `const m = require(${real});
          module.exports = m && m.__esModule && m.default ? Object.assign(m.default, m) : m;`,
        loader: 'js',
        resolveDir: pluginData,
      };
    });
  },
};

/**
 * The folder with `main.js` and `main.css`, built if the page has changed.
 *
 * @param packages - the folder in which Grafana's components are installed.
 */
export async function bundledPage(packages: string): Promise<string> {
  const files = readdirSync(PAGE).sort();
  const hash = createHash('sha256');
  for (const file of [join('..', 'bundle.ts'), ...files])
    hash.update(readFileSync(join(PAGE, file)));
  const out = join(packages, 'pages', hash.digest('hex').slice(0, 12));
  if (existsSync(join(out, 'main.js'))) return out;
  mkdirSync(out, { recursive: true });
  checkTypes(packages, out);
  const { build } = createRequire(join(packages, 'package.json'))('esbuild') as Esbuild;
  await build({
    entryPoints: [join(PAGE, 'main.tsx')],
    outdir: out,
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    minify: true,
    nodePaths: [join(packages, 'node_modules')],
    loader: { '.svg': 'dataurl', '.woff2': 'dataurl' },
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    plugins: [unused, defaults],
    logLevel: 'error',
  });
  return out;
}

/** @throws Error with the compiler's output. */
function checkTypes(packages: string, out: string): void {
  const modules = join(packages, 'node_modules');
  const config = join(out, 'tsconfig.json');
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(PAGE, 'tsconfig.json'),
      compilerOptions: { paths: { '*': [`${modules}/@types/*`, `${modules}/*`] } },
      include: [PAGE],
    }),
  );
  const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', config], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the types of the pictures' page:\n${stdout}`);
}
