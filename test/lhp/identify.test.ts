// Versions are read from the installation that ran, in every layout in which lhp is installed. Ids
// are the hashes that the telemetry page defines.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lhp } from '../../scripts/harness/needs.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { ciSlot, machineId, projectId } from '../../src/collect/identify.ts';
import { installation } from '../../src/collect/installation.ts';
import { parseCommand } from '../../src/command/command.ts';
import { isCi } from '../../src/config/ci.ts';
import type { Host } from '../../src/system/host.ts';
import { resolvePaths } from '../../src/system/paths.ts';
import { lacking } from '../support/lacking.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lhp-otel-identify-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const hostWith = (env: Host['env']): Host => ({
  env,
  platform: 'linux',
  home: join(dir, 'home'),
  cwd: dir,
  systemConfigDir: join(dir, 'etc'),
  now: Date.now,
});

function put(path: string, text = '', mode = 0o644): string {
  const full = join(dir, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  chmodSync(full, mode);
  return full;
}

/** A venv as `python -m venv` and `uv venv` make it, with an lhp in it. */
function venv(
  name: string,
  version: string,
  python = '3.12',
  config = `home = /usr/bin\nversion = ${python}.1\n`,
): string {
  put(`${name}/pyvenv.cfg`, config);
  put(`base/bin/python${python}`, '', 0o755);
  mkdirSync(join(dir, name, 'bin'), { recursive: true });
  symlinkSync(join(dir, 'base', 'bin', `python${python}`), join(dir, name, 'bin', 'python'));
  put(`${name}/lib/python${python}/site-packages/lakehouse_plumber-${version}.dist-info/METADATA`);
  return put(`${name}/bin/lhp`, `#!${join(dir, name, 'bin', 'python')}\nimport sys\n`, 0o755);
}

const identify = (line: string, env: Host['env'] = {}, cwd = dir) => {
  const generate = parseCommand(`${line} generate -e dev`.split(' '), cwd);
  if (!generate) throw new Error(`not a generate: ${line}`);
  return installation(generate.program, generate.cwd, hostWith(env));
};

describe('the versions of the installation that ran', () => {
  it('lhp on PATH, in a venv', async () => {
    venv('v', '0.9.3');
    expect(await identify('lhp', { PATH: join(dir, 'v', 'bin') })).toEqual({
      lhpVersion: '0.9.3',
      pythonVersion: '3.12',
    });
  });
  it('the first of two lhp on PATH', async () => {
    venv('a', '0.8.7', '3.10');
    venv('b', '0.9.3');
    const PATH = [join(dir, 'a', 'bin'), join(dir, 'b', 'bin')].join(':');
    expect(await identify('lhp', { PATH })).toEqual({ lhpVersion: '0.8.7', pythonVersion: '3.10' });
  });
  it.each(['v/bin/lhp', './v/bin/lhp'])('by a relative path: %s', async (path) => {
    venv('v', '0.9.3');
    expect(await identify(path)).toEqual({ lhpVersion: '0.9.3', pythonVersion: '3.12' });
  });
  it('through a link, as pipx and uv tool make them', async () => {
    const script = venv(
      'tools/lakehouse-plumber',
      '0.9.2',
      '3.13',
      'home = /x\nversion_info = 3.13.0\n',
    );
    mkdirSync(join(dir, 'bin'));
    symlinkSync(script, join(dir, 'bin', 'lhp'));
    expect(await identify('lhp', { PATH: join(dir, 'bin') })).toEqual({
      lhpVersion: '0.9.2',
      pythonVersion: '3.13',
    });
  });
  it('a script of pip whose interpreter path is too long for a first line', async () => {
    venv('v', '0.9.3');
    put(
      'v/bin/lhp',
      `#!/bin/sh\n'''exec' "${join(dir, 'v', 'bin', 'python')}" "$0" "$@"\n' '''\nimport sys\n`,
      0o755,
    );
    expect(await identify('v/bin/lhp')).toEqual({ lhpVersion: '0.9.3', pythonVersion: '3.12' });
  });
  it('without a venv, in the packages of the system’s Python', async () => {
    const python = put('usr/bin/python3.11', '', 0o755);
    put('usr/lib/python3.9/site-packages/lakehouse_plumber-0.1.0.dist-info/METADATA');
    put('usr/lib/python3.11/dist-packages/lakehouse_plumber-0.9.1.dist-info/METADATA');
    put('usr/bin/lhp', `#!${python}\n`, 0o755);
    expect(await identify('usr/bin/lhp')).toEqual({ lhpVersion: '0.9.1', pythonVersion: '3.11' });
  });
  it.each(['PyYAML-6.0.egg-info', 'pyyaml-6.0.dist-info', 'PyYAML-6.0-py3.11.egg-info'])(
    'with the PyYAML beside it: %s',
    async (folder) => {
      venv('v', '0.9.3');
      put(`v/lib/python3.12/site-packages/${folder}/METADATA`);
      put('v/lib/python3.12/site-packages/pyyaml_env_tag-1.1.dist-info/METADATA');
      expect(await identify('v/bin/lhp')).toMatchObject({ pyyamlVersion: '6.0' });
    },
  );
  it('for the user only (pip install --user)', async () => {
    const python = put('usr/bin/python3.11', '', 0o755);
    put('home/.local/lib/python3.11/site-packages/lakehouse_plumber-0.9.0.dist-info/METADATA');
    put('home/.local/bin/lhp', `#!${python}\n`, 0o755);
    expect(await identify('home/.local/bin/lhp')).toEqual({
      lhpVersion: '0.9.0',
      pythonVersion: '3.11',
    });
  });
  it('an interpreter named through env(1)', async () => {
    venv('v', '0.9.3');
    put('v/bin/lhp', '#!/usr/bin/env python\n', 0o755);
    expect(await identify('v/bin/lhp', { PATH: join(dir, 'v', 'bin') })).toEqual({
      lhpVersion: '0.9.3',
      pythonVersion: '3.12',
    });
  });
  it('a pyenv shim: the version of PYENV_VERSION, or the only one that has lhp', async () => {
    const real = (python: string, version: string) => {
      put(`pyenv/versions/${python}.5/bin/python${python}`, '', 0o755);
      put(
        `pyenv/versions/${python}.5/bin/lhp`,
        `#!${join(dir, 'pyenv', 'versions', `${python}.5`, 'bin', `python${python}`)}\n`,
        0o755,
      );
      const packages = `pyenv/versions/${python}.5/lib/python${python}/site-packages`;
      put(`${packages}/lakehouse_plumber-${version}.dist-info/METADATA`);
    };
    put('pyenv/shims/lhp', '#!/usr/bin/env bash\nexec pyenv exec lhp "$@"\n', 0o755);
    real('3.11', '0.9.3');
    const PATH = join(dir, 'pyenv', 'shims');
    expect(await identify('lhp', { PATH })).toEqual({ lhpVersion: '0.9.3', pythonVersion: '3.11' });
    real('3.12', '0.8.7');
    expect(await identify('lhp', { PATH, PYENV_VERSION: '3.12.5' })).toEqual({
      lhpVersion: '0.8.7',
      pythonVersion: '3.12',
    });
  });
  it.each(['v/bin/python -m lhp.cli.main', 'v/bin/python v/bin/lhp', 'python -m lhp.cli.main'])(
    '%s',
    async (line) => {
      venv('v', '0.9.3');
      expect(await identify(line, { PATH: join(dir, 'v', 'bin') })).toEqual({
        lhpVersion: '0.9.3',
        pythonVersion: '3.12',
      });
    },
  );
  it.each(['uv run lhp', 'uv run --frozen python -m lhp.cli.main', 'poetry run lhp'])(
    '%s: the .venv of the project',
    async (line) => {
      venv('p/.venv', '0.9.3');
      put('p/pyproject.toml', '[project]\nname = "p"\n');
      mkdirSync(join(dir, 'p', 'sub'));
      expect(await identify(line, {}, join(dir, 'p', 'sub'))).toEqual({
        lhpVersion: '0.9.3',
        pythonVersion: '3.12',
      });
    },
  );
  it.each([
    // What each installer writes. test/extended/launchers.test.ts runs the installers themselves.
    ['pip, uv, distlib', 'plain', (python: string) => `#!${python}\n`],
    [
      'pip with options, as pipx and Fedora write',
      'plain',
      (python: string) => `#!${python} -sE\n`,
    ],
    [
      'uv, a path with a space',
      'a b',
      (python: string) => `#!/bin/sh\n'''exec' '${python}' "$0" "$@"\n' '''\n`,
    ],
    [
      'pip, a path with a space',
      'a b',
      (python: string) => `#!/bin/sh\n'''exec' "${python}" "$0" "$@"\n' '''\n`,
    ],
    [
      'pip, a long path',
      'x'.repeat(130),
      (python: string) => `#!/bin/sh\n'''exec' ${python} "$0" "$@"\n' '''\n`,
    ],
    [
      'a quote and a space',
      "it's a b",
      (python: string) =>
        `#!/bin/sh\n'''exec' '${python.replaceAll("'", `'"'"'`)}' "$0" "$@"\n' '''\n`,
    ],
    [
      'the other way to quote',
      "it's a b",
      (python: string) =>
        `#!/bin/sh\n'''exec' '${python.replaceAll("'", "'\\''")}' "$0" "$@"\n' '''\n`,
    ],
    [
      'double quotes with an escape',
      'a $b',
      (python: string) => `#!/bin/sh\n'''exec' "${python.replace('$', '\\$')}" "$0" "$@"\n`,
    ],
    [
      'uv venv --relocatable',
      'a b',
      () => `#!/bin/sh\n'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"\n' '''\n`,
    ],
    [
      'one that can be moved, too',
      'a b',
      () => `#!/bin/sh\n'''exec' "$(dirname -- "$0")/python" "$0" "$@"\n' '''\n`,
    ],
    ['env', 'plain', () => '#!/usr/bin/env python\n'],
    ['env with a version', 'plain', () => '#!/usr/bin/env python3.12\n'],
    ['env -S', 'a b', (python: string) => `#!/usr/bin/env -S "${python}" -I\n`],
    ['line ends of Windows', 'plain', (python: string) => `#!${python}\r\n`],
  ])('entry script: %s', async (_, folder, firstLines) => {
    venv(`${folder}/v`, '0.9.3');
    const bin = join(dir, folder, 'v', 'bin');
    symlinkSync('python', join(bin, 'python3.12'));
    put(`${folder}/v/bin/lhp`, `${firstLines(join(bin, 'python'))}import sys\n`, 0o755);
    mkdirSync(join(dir, 'links'));
    symlinkSync(join(bin, 'lhp'), join(dir, 'links', 'lhp'));
    const wanted = { lhpVersion: '0.9.3', pythonVersion: '3.12' };
    expect(await identify('lhp', { PATH: bin })).toEqual(wanted);
    expect(await identify('lhp', { PATH: `${join(dir, 'links')}:${bin}` })).toEqual(wanted);
  });
  it.each([
    '#!/bin/sh\nexec lhp "$@"\n',
    `#!/bin/sh\n'''exec' "$SOMEWHERE/python" "$0" "$@"\n`,
    `#!/bin/sh\n'''exec' \`which python\` "$0" "$@"\n`,
    `#!/bin/sh\n'''exec' /bin/ruby "$0" "$@"\n`,
    '#!/usr/bin/ruby\n',
    'no script\n',
    '',
  ])('a script of another kind says nothing, and is not started: %j', async (text) => {
    venv('v', '0.9.3');
    put('v/bin/lhp', text, 0o755);
    const PATH = join(dir, 'v', 'bin');
    expect(await identify('lhp', { PATH })).toEqual({
      lhpVersion: undefined,
      pythonVersion: undefined,
    });
  });
  it('a FIFO in place of a file is not waited for', async () => {
    venv('v', '0.9.3');
    for (const path of ['v/pyvenv.cfg', 'v/bin/lhp', 'p/pyproject.toml']) {
      rmSync(join(dir, path), { force: true });
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      spawnSync('mkfifo', [join(dir, path)]);
      chmodSync(join(dir, path), 0o755);
    }
    const nothing = { lhpVersion: undefined, pythonVersion: undefined };
    expect(await identify('v/bin/lhp')).toEqual(nothing);
    expect(await identify('uv run lhp', {}, join(dir, 'p'))).toEqual(nothing);
    expect(await identify('poetry run lhp', {}, join(dir, 'p'))).toEqual(nothing);
  });
  it('an lhp on PYTHONPATH or in the folder of `python -m` is not the installed one', async () => {
    venv('v', '0.9.3');
    put('src/lhp/__init__.py');
    const PATH = join(dir, 'v', 'bin');
    const unknown = { lhpVersion: undefined };
    expect(await identify('lhp', { PATH, PYTHONPATH: join(dir, 'src') })).toMatchObject(unknown);
    put('lhp/cli/main.py');
    expect(await identify('python -m lhp.cli.main', { PATH })).toMatchObject(unknown);
    expect(await identify('lhp', { PATH })).toMatchObject({ lhpVersion: '0.9.3' });
  });
  it('variables that env(1) sets are followed', async () => {
    venv('a', '0.8.7', '3.10');
    venv('b', '0.9.3');
    const PATH = join(dir, 'a', 'bin');
    const bin = join(dir, 'b', 'bin');
    expect(await identify(`env PATH=${bin} lhp`, { PATH })).toEqual({
      lhpVersion: '0.9.3',
      pythonVersion: '3.12',
    });
    expect(await identify('env -i lhp', { PATH })).toEqual({
      lhpVersion: undefined,
      pythonVersion: undefined,
    });
    expect(await identify('nice -n 5 timeout 9 lhp', { PATH })).toMatchObject({
      lhpVersion: '0.8.7',
    });
  });
  it('no installation gives no versions', async () => {
    expect(await identify('lhp', { PATH: join(dir, 'bin') })).toEqual({
      lhpVersion: undefined,
      pythonVersion: undefined,
    });
  });
});

describe('environments of launchers that are not on PyPI, as their documentation says', () => {
  const conda = (path: string, version: string, python = '3.12') => {
    put(`${path}/conda-meta/history`);
    put(`${path}/bin/python${python}`, '', 0o755);
    symlinkSync(`python${python}`, join(dir, path, 'bin', 'python'));
    put(
      `${path}/lib/python${python}/site-packages/lakehouse_plumber-${version}.dist-info/METADATA`,
    );
    put(`${path}/bin/lhp`, `#!${join(dir, path, 'bin', 'python')}\n`, 0o755);
  };
  const known = (lhpVersion: string, pythonVersion = '3.12') => ({ lhpVersion, pythonVersion });
  const unknown = { lhpVersion: undefined, pythonVersion: undefined };

  it('conda', async () => {
    conda('root', '0.6.4', '3.10');
    conda('root/envs/lake', '0.9.3');
    conda('elsewhere/envs/lake', '0.8.7');
    conda('elsewhere/envs/far', '0.8.7');
    put('root/condabin/conda', '', 0o755);
    put(
      'home/.conda/environments.txt',
      `${join(dir, 'elsewhere', 'envs', 'far')}\n/gone/envs/lake\n`,
    );
    const PATH = join(dir, 'root', 'condabin');
    expect(await identify('conda run -n lake lhp', { PATH })).toEqual(known('0.9.3'));
    expect(await identify('conda run --name=lake --no-capture-output lhp', { PATH })).toEqual(
      known('0.9.3'),
    );
    expect(await identify('conda run -n far lhp', { PATH })).toEqual(known('0.8.7'));
    expect(await identify('conda run -p root/envs/lake lhp', { PATH })).toEqual(known('0.9.3'));
    expect(await identify('conda run -n base lhp', { PATH })).toEqual(known('0.6.4', '3.10'));
    expect(await identify('conda run lhp', { PATH })).toEqual(known('0.6.4', '3.10'));
    const CONDA_PREFIX = join(dir, 'elsewhere', 'envs', 'lake');
    expect(await identify('conda run lhp', { PATH, CONDA_PREFIX })).toEqual(known('0.8.7'));
    // Two environments have this name, so it is not certain which one ran.
    const two = { PATH, CONDA_ENVS_PATH: join(dir, 'elsewhere', 'envs') };
    expect(await identify('conda run -n lake lhp', two)).toEqual(unknown);
    expect(await identify('conda run -n none lhp', { PATH })).toEqual(unknown);
  });
  it('micromamba', async () => {
    conda('mm/envs/lake', '0.9.3');
    const env = { MAMBA_ROOT_PREFIX: join(dir, 'mm') };
    expect(await identify('micromamba run -n lake lhp', env)).toEqual(known('0.9.3'));
    expect(await identify('micromamba -r mm run -n lake lhp')).toEqual(known('0.9.3'));
    expect(await identify('micromamba run -n other lhp', env)).toEqual(unknown);
  });
  it('pixi', async () => {
    put('p/pixi.toml', '[tasks]\nbuild = "make"\n');
    put('p/sub/.keep');
    conda('p/.pixi/envs/default', '0.9.3');
    conda('p/.pixi/envs/old', '0.8.7');
    const sub = join(dir, 'p', 'sub');
    expect(await identify('pixi run lhp', {}, sub)).toEqual(known('0.9.3'));
    expect(await identify('pixi run -e old lhp', {}, sub)).toEqual(known('0.8.7'));
    expect(await identify('pixi run --manifest-path p/pixi.toml lhp')).toEqual(known('0.9.3'));
    expect(await identify('pixi run --new-option x lhp', {}, sub)).toEqual(unknown);
    // A task can have its own environment.
    put('p/pixi.toml', '[feature.x.tasks]\nlhp = "lhp"\n');
    expect(await identify('pixi run lhp', {}, sub)).toEqual(unknown);
  });
  it('rye', async () => {
    put('r/pyproject.toml', '[project]\nname = "r"\n[tool.rye]\nworkspace = {members = ["m*"]}\n');
    put('r/m1/pyproject.toml', '[project]\nname = "m"\n');
    put('r/x/pyproject.toml', '[project]\nname = "x"\n');
    venv('r/.venv', '0.9.3');
    venv('r/x/.venv', '0.8.7');
    expect(await identify('rye run lhp', {}, join(dir, 'r', 'm1'))).toEqual(known('0.9.3'));
    expect(await identify('rye run lhp', {}, join(dir, 'r', 'x'))).toEqual(known('0.8.7'));
  });
  it('one launcher in another', async () => {
    conda('root/envs/lake', '0.9.3');
    put('root/condabin/conda', '', 0o755);
    put('p/pyproject.toml', '[project]\nname = "p"\n');
    venv('p/.venv', '0.8.7');
    const PATH = join(dir, 'root', 'condabin');
    const p = join(dir, 'p');
    expect(await identify('conda run -n lake poetry run lhp', { PATH }, p)).toEqual(known('0.9.3'));
    expect(await identify('conda run -n lake uv run lhp', { PATH }, p)).toEqual(known('0.8.7'));
  });
});

describe('a real installation', () => {
  const real = lhp('0.9.3');
  if (lacking(real)) return;
  it('gives the versions that its own Python gives', async () => {
    const { stdout } = spawnSync(
      join(dirname(real.path), 'python'),
      ['-c', 'import sys, yaml; print("%d.%d" % sys.version_info[:2], yaml.__version__)'],
      { encoding: 'utf8' },
    );
    const [pythonVersion, pyyamlVersion] = stdout.trim().split(' ');
    expect(await identify(real.path)).toEqual({
      lhpVersion: '0.9.3',
      pythonVersion,
      pyyamlVersion,
    });
  });
});

describe('ids', () => {
  it('the example of a project id in the telemetry page', () => {
    expect(projectId('my_lakehouse')).toBe(
      createHash('sha256').update('my_lakehouse').digest('hex'),
    );
    expect(projectId(undefined)).toBe(createHash('sha256').update('unknown_project').digest('hex'));
  });
  it('the machine id is the hash of the system’s id, and is the same each time', async () => {
    const host = hostWith({});
    const id = await machineId(host, resolvePaths(host));
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await machineId(host, resolvePaths(host))).toBe(id);
    const system = ['/etc/machine-id', '/var/lib/dbus/machine-id'].find(
      (path) => existsSync(path) && readFileSync(path, 'utf8').trim() !== '',
    );
    if (system)
      expect(id).toBe(
        createHash('sha256').update(readFileSync(system, 'utf8').trim()).digest('hex'),
      );
  });
});

describe('the slot of a CI runner', () => {
  const hostOf = () => hostWith({});
  const inFile = (paths: ReturnType<typeof resolvePaths>) => join(paths.state, 'ci-slot.json');

  it('is drawn once for a state folder', () => {
    const paths = resolvePaths(hostOf());
    const slot = ciSlot(paths, 256);
    expect(slot).toMatch(/^[0-9a-f]{2}$/);
    for (let i = 0; i < 20; i += 1) expect(ciSlot(paths, 256)).toBe(slot);
  });

  it('is drawn again without a state folder, and under another host name', () => {
    const paths = resolvePaths(hostOf());
    const drawn = (prepare: () => void) =>
      new Set(
        Array.from({ length: 64 }, () => {
          prepare();
          return ciSlot(paths, 256);
        }),
      ).size;
    // 64 draws of 256 give 57 different ones on average, and fewer than 30 practically never.
    expect(drawn(() => rmSync(inFile(paths), { force: true }))).toBeGreaterThan(30);
    const cached = JSON.stringify({ host: 'digest of another', slot: '00' });
    expect(drawn(() => writeFileSync(inFile(paths), cached))).toBeGreaterThan(30);
    expect(drawn(() => writeFileSync(inFile(paths), 'damaged'))).toBeGreaterThan(30);
  });

  it('is one of the first `count`, also where an older client has kept another', () => {
    const paths = resolvePaths(hostOf());
    ciSlot(paths, 1);
    const kept = readFileSync(inFile(paths), 'utf8');
    const found = Array.from({ length: 100 }, () => {
      writeFileSync(inFile(paths), kept.replace('"00"', '"a7"'));
      return ciSlot(paths, 4);
    });
    expect([...new Set(found)].sort()).toEqual(['00', '01', '02', '03']);
  });
});

describe('CI', () => {
  it.each([
    [{ CI: 'true' }, true],
    [{ CI: '1' }, true],
    [{ CI: 'woodpecker' }, true],
    [{ GITHUB_ACTIONS: 'true' }, true],
    [{ GITLAB_CI: 'true' }, true],
    [{ JENKINS_HOME: '/var/jenkins' }, true],
    [{ TRAVIS: 'true' }, true],
    [{ CIRCLECI: 'true' }, true],
    [{ BITBUCKET_BUILD_NUMBER: '17' }, true],
    [{ AZURE_PIPELINES: 'true' }, true],
    // From ci-info's list; the telemetry page has none of them.
    [{ TF_BUILD: 'True' }, true],
    [{ BUILDKITE: 'true' }, true],
    [{ CI: 'false' }, false],
    [{ CI: '' }, false],
    [{ CI: '0' }, false],
    [{ CI: 'false', GITHUB_ACTIONS: 'true' }, true],
    [{}, false],
  ])('%j → %s', (env, expected) => {
    // ci-info reads its own process's environment, so each case runs in a process of its own.
    const source = join(projectRoot, 'src', 'config', 'ci.ts');
    const program = `import { isCi } from '${source}'; console.log(await isCi(process.env));`;
    const { stdout } = spawnSync(
      process.execPath,
      ['--input-type=module-typescript', '-e', program],
      {
        env: { PATH: process.env.PATH, ...env } as NodeJS.ProcessEnv,
        encoding: 'utf8',
      },
    );
    expect(stdout.trim()).toBe(String(expected));
  });
  it('reads the environment that it is given', async () =>
    expect(await isCi({ GITLAB_CI: 'yes' })).toBe(true));
});
