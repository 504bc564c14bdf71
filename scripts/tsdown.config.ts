import { dirname } from 'node:path';
import { defineConfig, type Rolldown, type UserConfig } from 'tsdown';

// Three programs, a page and a library (docs/adr/0002-hot-path.md). The programs are bundled with
// their dependencies, because to find and read some hundred small files costs several times what
// the work itself costs, and are CommonJS, which Node starts a few milliseconds sooner. The library
// is a module and takes its dependency from its host.
const shared: UserConfig = {
  cwd: dirname(import.meta.dirname),
  outDir: 'dist',
  platform: 'node',
  target: 'node22',
  sourcemap: false,
  clean: false,
};

const program = (name: string, source: string): UserConfig => ({
  ...shared,
  entry: { [name]: source },
  format: 'cjs',
  deps: { alwaysBundle: [/.*/], onlyBundle: false },
  dts: false,
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
  // `import('http')` of a package would make Node load what each of that module's exports needs, a
  // whole HTTP client (undici) among it; `require('http')` does not.
  outputOptions: { dynamicImportInCjs: false },
});

/**
 * Together in one file: what `run` loads before a command that begins with a launcher. The other
 * files of src/command/ are loaded before every command, and stay in cli.cjs.
 */
const LAUNCHERS = /src\/command\/(?!first-word|launcher-names|lhp-options)/;

/**
 * Together in one file, too: what `run` loads while a generate runs, and what the other commands
 * share with it.
 */
const RECORDING = new RegExp(
  'src/(' +
    [
      'wrap/(record-in-background|reporter-env|start-reporter|waiting-reporter)',
      'consent/(?!consent|layers)',
      'config/(?!setting)',
      'contract/(losses|values)',
      'job/',
      'system/(debug-log|files|json|own-files|paths|project-root|time|try-read)',
    ].join('|') +
    ')',
);

/**
 * The bundler's helpers for modules are a file of their own, which each file requires, needed or
 * not. To find and load it takes half a millisecond, so cli.cjs goes without.
 */
const withoutUnusedHelpers: Rolldown.Plugin = {
  name: 'without-unused-helpers',
  renderChunk(code) {
    const [line = '', name = ''] =
      /^const (\w+) = require\('.*rolldown-runtime.*$/m.exec(code) ?? [];
    const isUsed = code.split(name).length > 2;
    return isUsed ? null : code.replace(line, '');
  },
};

const cli = program('cli', 'src/bin/cli.ts');

export default defineConfig([
  {
    ...cli,
    plugins: [withoutUnusedHelpers],
    inputOptions: { preserveEntrySignatures: 'allow-extension' },
    outputOptions: {
      ...cli.outputOptions,
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [
          { name: 'launchers', test: LAUNCHERS },
          { name: 'recording', test: RECORDING },
        ],
      },
    },
  },
  program('reporter', 'src/bin/reporter.ts'),
  { ...program('hook-entry', 'src/bin/hook-entry.ts'), copy: 'src/hook/scripts' },
  {
    // The local page of `lhp-otel view`: one file for the browser, with its chart library, beside
    // what needs no building.
    ...program('page', 'src/view/page/main.ts'),
    outDir: 'dist/view',
    platform: 'browser',
    target: 'es2024',
    format: 'esm',
    minify: { compress: true, mangle: true, codegen: { removeWhitespace: false } },
    copy: ['src/view/page/*.{html,css,svg}', 'node_modules/uplot/dist/uPlot.min.css'],
  },
  { ...shared, entry: { index: 'src/index.ts' }, format: 'esm', fixedExtension: false, dts: true },
]);
