// The table of our files (src/system/own-files.ts) is complete: whatever lhp-otel does, each file
// that it writes has a row, and no other source file repeats a name of the table.
import { mkdirSync, readdirSync, readFileSync, statSync, watch, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lhpOtel, type OtlpServer, startOtlpServer } from '../../scripts/harness/otlp-server.ts';
import {
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { SHELL_NAMES } from '../../src/hook/shells.ts';
import { systemHost } from '../../src/system/host.ts';
import {
  COMPILED_BY,
  type Folder,
  filesRemovedBy,
  isNamed,
  isOwnFile,
  OWN_FILES,
  type OwnFileKey,
} from '../../src/system/own-files.ts';
import { resolvePaths } from '../../src/system/paths.ts';
import { writeRedirect } from '../../src/view/redirect.ts';

let box: Sandbox;
let server: OtlpServer;
beforeEach(async () => {
  server = await startOtlpServer();
  const bin = join(projectRoot, 'test', 'fixtures', 'bin');
  box = sandbox({ told: false, path: [bin], env: { DO: ':', LHP_OTEL_LOG: 'debug' } });
});
afterEach(async () => {
  await server.close();
  await idle(box);
  box.dispose();
});

const rows = Object.entries(OWN_FILES) as [OwnFileKey, (typeof OWN_FILES)[OwnFileKey]][];

describe('each file that is written has a row', () => {
  /** The kind of a folder in the sandbox; undefined for one that is not ours. */
  function kindOf(folder: string): Folder | undefined {
    const paths = resolvePaths({ ...systemHost(), env: box.env, home: box.home });
    if (folder === paths.configFolder) return 'config';
    if (dirname(folder) === paths.cache && COMPILED_BY.test(basename(folder))) return 'compiled';
    return (['state', 'spool', 'history', 'attempts'] as const).find(
      (kind) => paths[kind] === folder,
    );
  }
  /** Written only on some machines, for a moment, or outside the sandbox's home. */
  const RARE: readonly OwnFileKey[] = [
    'unfinishedRun',
    'deliverLock',
    'machineId',
    'startFileCopy',
    'viewRedirect',
  ];
  /** `hook --install` and `doctor` start fish, which creates its own folder; they remove it. */
  const isOfFish = (path: string) => /\.local\/share(\/fish.*)?$/.test(path);
  const isStartFile = (path: string) => /^\.(bashrc|zshrc)$|^config\.fish$/.test(basename(path));

  it('by runs, deliveries, the hook, off and on, and a process that is killed', async () => {
    const project = join(box.dir, 'project');
    const temporary = join(box.dir, 'tmp');
    for (const folder of [project, temporary]) mkdirSync(folder);
    writeFileSync(join(project, 'lhp.yaml'), 'name: own files\n');
    // Also files that exist only for a moment; those that the watcher misses are no failure.
    const seen = new Set<string>();
    const watcher = watch(box.home, { recursive: true }, (_, name) => void seen.add(String(name)));
    const ask = async (args: string[], env: Env = {}) => {
      await lhpOtel(box, args, { cwd: project, env: { TMPDIR: temporary, ...env } });
      await idle(box);
      for (const name of readdirSync(box.home, { recursive: true, encoding: 'utf8' }))
        seen.add(name);
    };
    const generate = (env?: Env) => ask(['run', '--', 'lhp', 'generate', '--env', 'dev'], env);

    const endpoint = { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoint };
    await generate();
    await generate(endpoint); // outside CI, where the notice was not shown
    const inCi = { ...endpoint, CI: 'true' };
    for (const status of [400, 200, 503]) {
      server.answers({ status });
      // A 503 is repeated until the time is over.
      const timeout = status === 503 ? { LHP_OTEL_EXPORTER_OTLP_TIMEOUT: '500' } : {};
      await generate({ ...inCi, ...timeout });
    }
    server.answers({ status: 200 });
    for (const shell of SHELL_NAMES) await ask(['hook', '--install', shell]);
    const folder = join(box.home, '.config', 'lhp-otel');
    writeFileSync(join(folder, OWN_FILES.config.name), '{}');
    box.tell(endpoint);
    await generate(endpoint);
    for (const args of [['flush'], ['status'], ['doctor'], ['show'], ['stats']])
      await ask(args, endpoint);
    await ask(['off']);
    watcher.close();

    const files = new Set([...seen].map((name) => join(box.home, name)));
    const unknown = [...files].filter((path) => {
      const kind = kindOf(dirname(path));
      const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
      if (isFolder || isStartFile(path) || isOfFish(path)) return false;
      return !kind || !isOwnFile(kind, basename(path));
    });
    expect(unknown.filter((path) => !isNamed(OWN_FILES.startFileCopy, path))).toEqual([]);
    expect(readdirSync(project)).toEqual(['lhp.yaml']);
    expect(readdirSync(temporary)).toEqual([]);

    // The commands above do write every kind of file.
    const isWritten = ({ folder, name }: (typeof OWN_FILES)[OwnFileKey]) =>
      [...files].some(
        (path) => kindOf(dirname(path)) === folder && isNamed({ name }, basename(path)),
      );
    const missing = rows.flatMap(([key, row]) => (isWritten(row) ? [] : [key]));
    expect(missing.filter((key) => !RARE.includes(key))).toEqual([]);
  });

  it('the address of the local page, which is removed again', () => {
    const redirect = writeRedirect('http://127.0.0.1:1/', { env: { XDG_RUNTIME_DIR: box.dir } });
    const names = readdirSync(box.dir).filter((name) => isNamed(OWN_FILES.viewRedirect, name));
    expect(names).toHaveLength(1);
    redirect?.remove();
    expect(readdirSync(box.dir)).not.toContain(names[0]);
  });
});

describe('the names', () => {
  const source = join(projectRoot, 'src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && name !== join('system', 'own-files.ts'),
  );
  const fixed = rows.flatMap(([, { name }]) => (typeof name === 'string' ? [name] : []));
  it.each(fixed)('%s is a literal of the table only', (name) => {
    const literal = `'${name}'`;
    expect(
      files.filter((file) => readFileSync(join(source, file), 'utf8').includes(literal)),
    ).toEqual([]);
  });
});

describe('which command removes what', () => {
  const removed = (remover: Parameters<typeof filesRemovedBy>[0]) =>
    rows.filter(([, row]) => filesRemovedBy(remover).includes(row)).map(([key]) => key);
  it('off: what would be sent, and the random ids', () =>
    expect(removed('off').sort()).toEqual([
      'attempts',
      'ciSlot',
      'lostRun',
      'machineId',
      'pendingNotice',
      'unfinishedRun',
      'waitingRun',
    ]));
  it('purge: also the history and the debug log', () =>
    expect(removed('purge').filter((key) => !removed('off').includes(key))).toEqual([
      'keptRun',
      'debugLog',
    ]));
  it('purge --all: everything that is not removed by its writer', () =>
    expect(rows.map(([key]) => key).filter((key) => !removed('purge --all').includes(key))).toEqual(
      ['viewRedirect'],
    ));
});
