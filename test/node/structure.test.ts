// The house rules of src/: imports flow one way, importing does nothing, and what stands before the
// user's command loads neither OpenTelemetry nor YAML nor HTTP. What comes after it need not be
// compiled each time.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, idle, projectRoot, sandbox } from '../../scripts/harness/sandbox.ts';

const src = join(projectRoot, 'src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const sourceOf = (name: string) => readFileSync(join(src, name), 'utf8');
const withoutTypes = (text: string) => text.replace(/^import type [^;]*;/gm, '');
const importsIn = (text: string, name: string) =>
  [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path]) =>
    join(name, '..', path as string),
  );
const importsOf = (name: string) => importsIn(sourceOf(name), name);

/**
 * The folders and files of src/, from what everything rests on to what a user calls; each imports
 * only what stands before it.
 */
const FLOW =
  'contract system config consent command job wrap scan collect otlp spool deliver history hook ' +
  'library status.ts doctor view commands bin index.ts';
const order = FLOW.split(' ');
const place = (name: string) => order.indexOf(name.split('/')[0] as string);

describe('imports flow one way', () => {
  it('everything has its place', () =>
    expect(order.toSorted()).toEqual(readdirSync(src).toSorted()));

  it.each(files)('%s', (name) => {
    expect(importsOf(name).filter((imported) => place(imported) > place(name))).toEqual([]);
  });

  it('in a folder, too: no file imports itself by way of others', () => {
    const seen = new Set<string>();
    const walk = (name: string, way: string[]): string[] => {
      if (way.includes(name)) return [...way, name];
      if (seen.has(name)) return [];
      seen.add(name);
      return importsOf(name).flatMap((imported) => walk(imported, [...way, name]));
    };
    expect(files.flatMap((name) => walk(name, []))).toEqual([]);
  });

  // The user waits for it; the reporter loads the rest in the background.
  it('what `run` does after the command loads no table of fields', () => {
    const loaded = new Set<string>();
    const load = (name: string) => {
      if (loaded.has(name)) return;
      loaded.add(name);
      for (const imported of importsIn(withoutTypes(sourceOf(name)), name)) load(imported);
    };
    load('wrap/record-in-background.ts');
    expect([...loaded]).toContain('system/own-files.ts');
    expect([...loaded]).not.toContain('contract/fields.ts');
  });
});

/**
 * The modules of Node and the files that the wrapper of a generate has loaded when it ends. Without
 * a project nothing is recorded in the end, so no reporter is left behind.
 */
function loadedBy(lhp: string | undefined): { node: string[]; files: string[] } {
  const box = sandbox();
  const probe = join(box.dir, 'probe.cjs');
  writeFileSync(
    probe,
    `process.on("exit", () => {
       const files = Object.keys(require.cache);
       console.error(JSON.stringify({ node: process.moduleLoadList, files }));
     });`,
  );
  if (lhp !== undefined) writeFileSync(join(box.dir, 'lhp'), lhp, { mode: 0o755 });
  const { stderr } = spawnSync(
    process.execPath,
    ['--require', probe, cli, 'run', '--', './lhp', 'generate', '--env', 'dev'],
    {
      cwd: box.dir,
      env: box.env as NodeJS.ProcessEnv,
      encoding: 'utf8',
    },
  );
  box.dispose();
  const { node, files } = JSON.parse(
    stderr.split('\n').find((line) => line.startsWith('{')) ?? '{}',
  ) as { node?: string[]; files?: string[] };
  return {
    node: node ?? [],
    files: (files ?? [])
      .filter((path) => !path.endsWith('probe.cjs'))
      .map((path) => path.replace(`${projectRoot}/dist/`, '').replace(/-[\w-]{8}\.cjs$/, '')),
  };
}

describe('what stands before the command', () => {
  // A process that becomes its command has no exit to look at; a wrapped generate (of an lhp that
  // is not there) has.
  const { node, files: own } = loadedBy(undefined);

  it('is measured at all', () => expect(node.length).toBeGreaterThan(50));
  it.each([
    'http',
    'https',
    'http2',
    'tls',
    'zlib',
    'dns',
    'crypto',
    'worker_threads',
    'readline',
    'perf_hooks',
    'inspector',
  ])('does not load %s', (name) => expect(node).not.toContain(`NativeModule ${name}`));
  it('loads one small file of its own and no package', () => expect(own).toEqual(['cli.cjs']));
  it('knows the names of the launchers, and not their options', () => {
    const program = readFileSync(cli, 'utf8');
    expect(program).toContain('micromamba');
    expect(program).not.toContain('--exclude-newer-package');
  });
});

describe('what is loaded for a generate that succeeds', () => {
  const { node, files: own } = loadedBy('#!/bin/sh\n');

  it('is one more file, and the helpers of the bundler', () =>
    expect(own.toSorted()).toEqual(['cli.cjs', 'recording', 'rolldown-runtime']));
  // It takes as long as all the rest. It is needed for an endpoint or a certificate only.
  it('is not crypto', () => expect(node).not.toContain('NativeModule crypto'));
});

describe('the compiled code of the reporter', () => {
  const record = async (cache: string) => {
    const box = sandbox({ path: [join(projectRoot, 'test', 'fixtures', 'bin')], env: { DO: ':' } });
    mkdirSync(join(box.dir, 'project'));
    writeFileSync(join(box.dir, 'project', 'lhp.yaml'), 'name: compiled\n');
    const cwd = join(box.dir, 'project');
    const env = { XDG_CACHE_HOME: join(box.dir, cache), NODE_COMPILE_CACHE: undefined };
    const ran = box.run(['run', '--', 'lhp', 'generate', '--env', 'dev'], { cwd, env });
    expect(ran).toMatchObject({ status: 0, stdout: '', stderr: '' });
    await box.recorded(1);
    await idle(box);
    const folder = join(box.dir, cache, 'lhp-otel', 'compiled');
    const kept = existsSync(folder)
      ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
      : [];
    box.dispose();
    return kept;
  };

  it('is kept in the cache folder of the user', async () =>
    expect((await record('cache')).length).toBeGreaterThan(1));
  it('is kept nowhere where that cannot be', async () =>
    expect(await record('project/lhp.yaml')).toEqual([]));
});
