import { defineConfig, type UserConfig } from 'tsdown';

// Three programs and a library (docs/adr/0002-hot-path.md). The programs are bundled with their dependencies, because to find
// and read some hundred small files costs several times what the work itself costs, and are CommonJS, which Node starts a
// few milliseconds sooner. The library is a module and takes its dependency from its host.
const shared: UserConfig = { outDir: 'dist', platform: 'node', target: 'node22', sourcemap: false, clean: false };

const program = (name: string, source: string): UserConfig => ({
  ...shared,
  entry: { [name]: source },
  format: 'cjs',
  deps: { alwaysBundle: [/.*/], onlyBundle: false },
  dts: false,
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
});

export default defineConfig([
  program('cli', 'src/cli.ts'),
  program('reporter', 'src/reporter.ts'),
  { ...program('finished', 'src/finished.ts'), copy: 'src/hook' },
  { ...shared, entry: { index: 'src/index.ts' }, format: 'esm', fixedExtension: false, dts: true },
]);
