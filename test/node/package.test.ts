// The package as it is installed: bundled packages are listed and not installed a second time, the
// example runs in a project that has no other package, and a host that bundles the library is told
// which files it has to copy.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'tsdown';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packageTarball } from '../../scripts/harness/package.ts';
import { type Env, projectRoot, type Sandbox, sandbox } from '../../scripts/harness/sandbox.ts';
import { SCOPE_VERSION } from '../../src/contract/contract.ts';

const dist = join(projectRoot, 'dist');
const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
let box: Sandbox;
/** A project in which the packed package is the only one. */
let host: string;

beforeAll(() => {
  box = sandbox();
  host = join(box.dir, 'host');
  const installed = join(host, 'node_modules', 'lhp-otel');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xf', packageTarball(box.dir), '-C', installed, '--strip-components=1']);
});
afterAll(() => box.dispose());

function node(file: string, env: Env = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    cwd: host,
    env: { ...box.env, ...env } as NodeJS.ProcessEnv,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

it('its version is one that the gateway accepts', () =>
  expect(manifest.version).toMatch(SCOPE_VERSION));

it('its only dependency is the OpenTelemetry API, as an optional peer', () => {
  expect(manifest.dependencies).toBeUndefined();
  expect(manifest.peerDependencies).toEqual({
    '@opentelemetry/api': expect.stringMatching(/^\^1\.\d+\.0$/),
  });
  // The command does not need it, and npm would download it with each installation of the command.
  expect(manifest.peerDependenciesMeta).toEqual({ '@opentelemetry/api': { optional: true } });
});

it('npm packs the documents that package.json names, and from dist/ only what is built', () => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string; mode: number }[] }];
  const paths = files.map(({ path }) => path);
  const named = (manifest.files as string[]).filter((path) => path !== 'dist');
  const others = paths.filter((path) => !path.startsWith('dist/'));
  expect(others.toSorted()).toEqual([...named, 'LICENSE', 'README.md', 'package.json'].toSorted());
  const built = paths.filter((path) => path.startsWith('dist/'));
  const allowed = [
    /^dist\/([\w-]+\.cjs|index\.(js|d\.ts))$/,
    /^dist\/(scripts\/hook\.(sh|fish)|view\/[\w.-]+\.(css|html|js|svg))$/,
    /^dist\/(sbom\.cdx\.json|THIRD-PARTY-NOTICES\.txt)$/,
  ];
  expect(built.filter((path) => !allowed.some((kind) => kind.test(path)))).toEqual([]);
  for (const name of ['cli.cjs', 'reporter.cjs', 'hook-entry.cjs', 'index.js', 'view/page.html'])
    expect(built).toContain(`dist/${name}`);
  expect(built).toContain('dist/sbom.cdx.json');
  expect(built).toContain('dist/THIRD-PARTY-NOTICES.txt');
});

it('bundled packages are in the notices and in the SBOM, with their versions', () => {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.c?js$/.test(name),
  );
  const marks = files.flatMap((name) => [
    ...readFileSync(join(dist, name), 'utf8').matchAll(
      /#region node_modules\/((?:@[^/\s]+\/)?[^/\s]+)/g,
    ),
  ]);
  const names = new Set(marks.map(([, name]) => name as string));
  const sbom = JSON.parse(
    readFileSync(join(host, 'node_modules/lhp-otel/dist/sbom.cdx.json'), 'utf8'),
  );
  const notices = readFileSync(
    join(host, 'node_modules/lhp-otel/dist/THIRD-PARTY-NOTICES.txt'),
    'utf8',
  );
  expect(names.size).toBeGreaterThan(8);
  for (const name of names) {
    const { version } = JSON.parse(
      readFileSync(join(projectRoot, 'node_modules', name, 'package.json'), 'utf8'),
    );
    expect(notices).toContain(`${name} ${version} (`);
    expect(sbom.components).toContainEqual(expect.objectContaining({ name, version }));
  }
});

it('the example runs in a project that has no other package, and is recorded', async () => {
  copyFileSync(join(projectRoot, 'docs', 'examples', 'generate.ts'), join(host, 'generate.ts'));
  expect(node('generate.ts')).toEqual({ status: 0, stdout: '3 files written\n', stderr: '' });
  expect(await box.recorded(1)).toMatchObject([{ files_generated: 3, environment: 'dev' }]);
});

it('bundled by the host, it records if the *.cjs files are copied, else says so', async () => {
  const entry = join(host, 'main.mjs');
  writeFileSync(
    entry,
    `import { recordGenerate } from 'lhp-otel';\nconsole.log(recordGenerate({}));\n`,
  );
  const outDir = join(host, 'bundle');
  await build({
    entry: { main: entry },
    cwd: host,
    outDir,
    format: 'esm',
    platform: 'node',
    dts: false,
    clean: false,
    config: false,
    logLevel: 'silent',
    deps: { alwaysBundle: [/.*/] },
  });
  const [name = ''] = readdirSync(outDir).filter((file) => file.startsWith('main'));
  const bundle = join(outDir, name);
  expect(readFileSync(bundle, 'utf8')).not.toContain("from 'lhp-otel'");
  expect(node(bundle)).toEqual({ status: 0, stdout: 'false\n', stderr: '' });
  const { stdout, stderr } = node(bundle, { LHP_OTEL_LOG: 'debug' });
  expect(stdout).toBe('false\n');
  expect(stderr).toMatch(
    /^lhp-otel: not recorded: reporter\.cjs is not beside the library; .*\*\.cjs.*\n$/,
  );
  const before = box.runFiles().length;
  for (const file of readdirSync(dist).filter((each) => each.endsWith('.cjs')))
    cpSync(join(dist, file), join(outDir, file));
  expect(node(bundle)).toEqual({ status: 0, stdout: 'true\n', stderr: '' });
  expect(await box.recorded(before + 1)).toHaveLength(before + 1);
});
