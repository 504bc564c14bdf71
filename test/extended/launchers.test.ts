// @module-tag extended
// Real launchers of Python environments start a stand-in lhp that prints its version, its Python,
// its folder and the opt-out that it sees. What we read from the command line and from files must
// be equal. A version may be `undefined` only in the cases that say so.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pythonTools } from '../../scripts/harness/needs.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { installation } from '../../src/collect/installation.ts';
import { parseCommand } from '../../src/command/command.ts';
import { switchBetween } from '../../src/command/switches.ts';
import type { Host } from '../../src/system/host.ts';
import { lacking } from '../support/lacking.ts';

const tools = pythonTools();

/** The folder, the command, variables, and what cannot be read from files. */
type Case = [
  where: string,
  command: string,
  env?: Record<string, string>,
  unknown?: 'unknown' | 'python unknown',
];

describe('real launchers', () => {
  if (lacking(tools)) return;
  const bin = dirname(tools.path);
  // A path with a space, for which entry scripts have another form.
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'lhp-otel-launch ers-')));
  afterAll(() => {
    for (const folder of [dir, wheels]) rmSync(folder, { recursive: true, force: true });
  });
  const home = join(dir, 'home');
  // In a list of folders a space separates two folders, so this path has none.
  const wheels = mkdtempSync(join(tmpdir(), 'lhp-otel-wheels-'));
  mkdirSync(home);
  const base: Record<string, string> = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: home,
    LANG: 'C.UTF-8',
    UV_OFFLINE: '1',
    UV_FIND_LINKS: wheels,
    UV_PYTHON_DOWNLOADS: 'never',
    PIP_NO_INDEX: '1',
    PIP_FIND_LINKS: wheels,
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    HATCH_ENV_TYPE_VIRTUAL_UV_PATH: tools.path,
  };
  const execute = (command: string[], cwd: string, env: Record<string, string> = {}) => {
    const [file = '', ...args] = command;
    const done = spawnSync(file, args, { cwd, env: { ...base, ...env }, encoding: 'utf8' });
    if (done.error) throw done.error;
    return done;
  };
  const must = (command: string, cwd = dir, env: Record<string, string> = {}) => {
    const done = execute(
      command.split(' ').map((word) => word.replaceAll('~', ' ')),
      cwd,
      env,
    );
    if (done.status !== 0) throw new Error(`${command}: ${done.stdout}${done.stderr}`);
    return done.stdout.trim();
  };
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  const install = (prefix: string, version: string) => {
    const python = `${prefix.replaceAll(' ', '~')}/bin/python`;
    return must(`uv pip install -q --python ${python} lakehouse-plumber==${version}`);
  };
  const environment = (path: string, version: string) => {
    must(`uv venv -q ${join(dir, path).replaceAll(' ', '~')}`);
    install(join(dir, path), version);
  };
  const project = (path: string, name: string, more = '') =>
    put(
      `${path}/pyproject.toml`,
      `[project]\nname = "${name}"\nversion = "1"\nrequires-python = ">=3.9"\n${more}`,
    );
  spawnSync('python3', [
    join(projectRoot, 'test/support/stand_in_wheel.py'),
    wheels,
    '0.9.3',
    '0.8.7',
    '0.6.4',
  ]);
  environment('active', '0.6.4');
  const active = { VIRTUAL_ENV: join(dir, 'active') };

  const check = async ([where, command, env = {}, unknown]: Case) => {
    const cwd = join(dir, where);
    const words = [...command.split(' '), 'generate', '-e', 'dev'];
    const done = execute(words, cwd, env);
    const line = done.stdout.split('\n').find((one) => one.startsWith('{"lhp"'));
    expect(line, `${done.stdout}${done.stderr}`).toBeDefined();
    const truth = JSON.parse(line ?? '') as {
      lhp: string;
      python: string;
      cwd: string;
      off: string | null;
    };
    const host: Host = {
      env: { ...base, ...env },
      platform: 'linux',
      home,
      cwd,
      systemConfigDir: dir,
      now: Date.now,
    };
    const generate = parseCommand(words, cwd, host.env);
    if (!generate) throw new Error('not recognized');
    expect(generate.cwd).toBe(truth.cwd);
    expect(switchBetween(generate.program.launches, host) !== undefined).toBe(truth.off !== null);
    const { lhpVersion, pythonVersion } = await installation(generate.program, generate.cwd, host);
    expect({ lhpVersion, pythonVersion }).toEqual({
      lhpVersion: unknown === 'unknown' ? undefined : truth.lhp,
      pythonVersion: unknown ? undefined : truth.python,
    });
  };

  describe('uv', () => {
    project(
      'uv',
      'root',
      '[tool.uv]\npackage = false\n' +
        '[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/out"]\n',
    );
    for (const name of ['member', 'out'])
      project(`uv/packages/${name}`, name, '[tool.uv]\npackage = false\n');
    project('uv/apart', 'apart', '[tool.uv]\npackage = false\n');
    project('uv/unmanaged', 'unmanaged', '[tool.uv]\nmanaged = false\n');
    project('uv/packages/member/deep/inner', 'inner', '[tool.uv]\npackage = false\n');
    put('uv/noproject/pyproject.toml', '[tool.black]\nline-length = 100\n');
    put('uv/sub/opt.env', 'DO_NOT_TRACK=1\n');
    put('uv/opt.env', '# nothing\nA=1\n');
    put('bare/.keep', '');
    for (const [path, version] of [
      ['uv/.venv', '0.9.3'],
      ['uv/packages/member/.venv', '0.8.7'],
      ['uv/packages/out/.venv', '0.8.7'],
      ['uv/packages/member/deep/inner/.venv', '0.8.7'],
      ['uv/apart/.venv', '0.8.7'],
      ['uv/unmanaged/.venv', '0.8.7'],
      ['uv/noproject/.venv', '0.8.7'],
      ['uv/envs/other', '0.6.4'],
    ] as const)
      environment(path, version);
    it.each<Case>([
      ['uv', 'uv run --no-sync lhp'],
      ['uv/sub', 'uv run --no-sync lhp'],
      ['uv/sub', 'uv run --no-sync python -m lhp.cli.main'],
      ['uv/sub', 'uv run --no-sync -m lhp.cli.main'],
      ['uv/packages/member', 'uv run --no-sync lhp'],
      ['uv/packages/out', 'uv run --no-sync lhp'],
      ['uv/packages/member/deep/inner', 'uv run --no-sync lhp'],
      ['uv/apart', 'uv run --no-sync lhp'],
      ['uv/unmanaged', 'uv run --no-sync lhp'],
      ['uv/noproject', 'uv run --no-sync lhp'],
      ['uv', 'uv run --no-sync --package member lhp'],
      ['uv/sub', 'uv run --no-sync --project ../apart lhp'],
      ['uv/sub', 'uv --project=../apart run --no-sync lhp'],
      ['uv/sub', 'uv run --no-sync lhp', { UV_PROJECT: '../apart' }],
      ['uv/sub', 'uv run --no-sync --directory ../apart lhp'],
      ['uv/sub', 'uv --directory=../apart run --no-sync lhp'],
      ['uv/sub', 'uv run --no-sync lhp', { UV_WORKING_DIR: '../apart' }],
      ['uv/sub', 'uv run --no-sync lhp', { UV_PROJECT_ENVIRONMENT: 'envs/other' }],
      ['uv/packages/member', 'uv run --no-sync lhp', { UV_PROJECT_ENVIRONMENT: 'envs/other' }],
      ['uv', 'uv run --no-sync lhp', active],
      ['uv', 'uv run --no-sync --active lhp', active],
      ['uv', 'uv run --no-project lhp', active],
      ['uv/apart', 'uv run --no-project lhp'],
      ['uv', 'uv run --no-sync --env-file sub/opt.env lhp'],
      ['uv/sub', 'uv run --no-sync --env-file opt.env lhp'],
      ['uv/sub', 'uv run --no-sync --directory .. --env-file opt.env lhp'],
      ['uv/sub', 'uv run --no-sync --env-file ../opt.env lhp'],
      ['uv/sub', 'uv run --no-sync --env-file opt.env --no-env-file lhp'],
      ['uv/sub', 'uv run --no-sync lhp', { UV_ENV_FILE: 'opt.env' }],
      ['uv/sub', 'uv run --no-sync lhp', { UV_ENV_FILE: '../opt.env opt.env' }],
      ['uv/sub', 'env -C ../apart uv run --no-sync lhp'],
      ['uv/sub', 'env DO_NOT_TRACK=1 uv run --no-sync lhp'],
      ['uv/sub', 'uv run --no-sync env DO_NOT_TRACK=1 lhp'],
      ['uv/sub', 'uv run --no-sync nice -n 1 timeout 60 lhp'],
      ['bare', 'uv run --no-project --with lakehouse-plumber lhp', {}, 'unknown'],
      ['bare', 'uvx --from lakehouse-plumber==0.8.7 lhp', {}, 'python unknown'],
      ['bare', 'uvx --from lakehouse-plumber@0.8.7 lhp', {}, 'python unknown'],
      ['bare', 'uv tool run --from lakehouse-plumber lhp', {}, 'unknown'],
    ])('%s: %s %s', (...one) => check(one));
    it('an installed tool', async () => {
      must('uv tool install -q lakehouse-plumber==0.8.7');
      const PATH = `${join(home, '.local', 'bin')}:${base.PATH}`;
      await check(['bare', 'lhp', { PATH }]);
      await check(['bare', 'uvx --from lakehouse-plumber lhp']);
      await check(['bare', 'uvx --isolated --from lakehouse-plumber lhp', {}, 'unknown']);
      must('uv tool uninstall -q lakehouse-plumber');
    });
  });

  describe('pipx', () => {
    it('an installed tool, and one for a single run', async () => {
      put('px/.keep', '');
      must('pipx install -q lakehouse-plumber==0.8.7');
      await check(['px', 'lhp', { PATH: `${join(home, '.local', 'bin')}:${base.PATH}` }]);
      await check(['px', 'pipx run --spec lakehouse-plumber==0.9.3 lhp', {}, 'python unknown']);
      await check(['px', 'pipx run --spec lakehouse-plumber lhp', {}, 'unknown']);
      must('pipx uninstall -q lakehouse-plumber');
    });
  });

  describe('poetry', () => {
    const poetry = '[tool.poetry]\npackage-mode = false\n';
    project('po', 'My.Proj_x', poetry);
    put('po/sub/.keep', '');
    project('inside', 'inside', poetry);
    environment('inside/.venv', '0.8.7');
    project('tomled', 'tomled', poetry);
    put('tomled/poetry.toml', '[virtualenvs]\npath = "envs"\n');
    put('plugin/.env', 'DO_NOT_TRACK=1\n');
    must('poetry run python -V', join(dir, 'po'));
    install(must('poetry env info -p', join(dir, 'po')), '0.9.3');
    it.each<Case>([
      ['po', 'poetry run lhp'],
      ['po/sub', 'poetry run python -m lhp.cli.main'],
      ['po/sub', 'poetry -C .. run lhp'],
      ['po/sub', 'poetry -C.. run lhp'],
      ['bare', 'poetry -P ../po run lhp'],
      ['po', 'poetry run lhp', active],
      ['inside', 'poetry run lhp'],
      ['inside', 'poetry run lhp', { CONDA_PREFIX: active.VIRTUAL_ENV, CONDA_DEFAULT_ENV: 'x' }],
      ['inside', 'poetry run lhp', { CONDA_PREFIX: active.VIRTUAL_ENV, CONDA_DEFAULT_ENV: 'base' }],
      ['inside', 'poetry run lhp', { POETRY_VIRTUALENVS_CREATE: 'false' }],
    ])('%s: %s %s', (...one) => check(one));
    it('a project with its own poetry.toml', async () => {
      must('poetry run python -V', join(dir, 'tomled'));
      install(join(dir, 'tomled', must('poetry env info -p', join(dir, 'tomled'))), '0.8.7');
      await check(['tomled', 'poetry run lhp']);
      // There is an lhp on PATH, too, and it is not certain which one ran.
      await check([
        'tomled',
        'poetry run lhp',
        { PATH: `${join(dir, 'active', 'bin')}:${base.PATH}` },
        'unknown',
      ]);
    });
  });

  describe('hatch', () => {
    const hatchEnvironment = (name: string, version: string, more = '') =>
      `[tool.hatch.envs.${name}]\nskip-install = true\ninstaller = "uv"\n${more}` +
      `dependencies = ["lakehouse-plumber==${version}"]\n`;
    project(
      'hat',
      'Hat.proj_x',
      hatchEnvironment('default', '0.9.3') +
        hatchEnvironment('old', '0.8.7') +
        hatchEnvironment('off', '0.8.7', 'path = "own"\n') +
        '[tool.other]\nenv = ["DO_NOT_TRACK=1"]\n',
    );
    put('hat/sub/.keep', '');
    project(
      'hatoff',
      'hatoff',
      hatchEnvironment('default', '0.8.7') +
        '[tool.hatch.envs.default.env-vars]\nDO_NOT_TRACK = "1"\n',
    );
    it.each<Case>([
      ['hat', 'hatch run lhp'],
      ['hat/sub', 'hatch run old:lhp'],
      ['hat/sub', 'hatch -e old run lhp'],
      ['hat/sub', 'hatch env run -e old -- lhp'],
      ['hat/sub', 'hatch run off:lhp'],
      ['hat', 'hatch run lhp', { HATCH_ENV: 'old' }],
      ['hatoff', 'hatch run lhp'],
    ])('%s: %s %s', (...one) => check(one));
  });

  describe('pdm', () => {
    for (const name of ['pd', 'pdoff', 'pdfile']) {
      const scripts = {
        pd: '',
        pdoff: '[tool.pdm.scripts]\n_.env = {DO_NOT_TRACK = "1"}\n',
        pdfile: '[tool.pdm.scripts]\n_.env_file = "opt.env"\n',
      }[name];
      project(name, name, `[tool.pdm]\ndistribution = false\n${scripts}`);
      put(`${name}/sub/.keep`, '');
      put(`${name}/opt.env`, 'DO_NOT_TRACK=1\n');
      environment(`${name}/.venv`, '0.9.3');
    }
    it.each<Case>([
      ['pd', 'pdm run lhp', active],
      ['pd', 'pdm run lhp'],
      ['bare', 'pdm run -p ../pd lhp'],
      ['pd/sub', 'pdm run --working-dir sub lhp'],
      ['pd', 'pdm run lhp', { ...active, PDM_IGNORE_SAVED_PYTHON: '1' }],
      ['pd/sub', 'pdm run --env DO_NOT_TRACK=1 lhp'],
      ['pd/sub', 'pdm run --env-file opt.env lhp'],
      ['pdoff', 'pdm run lhp'],
      ['pdfile/sub', 'pdm run lhp'],
    ])('%s: %s %s', (...one) => check(one));
  });

  describe('pipenv', () => {
    for (const name of ['pe', 'peoff']) put(`${name}/Pipfile`, '[packages]\n');
    put('pe/sub/.keep', '');
    put('peoff/.env', 'DO_NOT_TRACK=1\n');
    for (const name of ['pe', 'peoff']) {
      must('pipenv --python 3', join(dir, name));
      install(must('pipenv --venv', join(dir, name)), '0.9.3');
    }
    put('pein/Pipfile', '[packages]\n');
    environment('pein/.venv', '0.8.7');
    it.each<Case>([
      ['pe/sub', 'pipenv run lhp'],
      ['pe/sub', 'pipenv --quiet run -- lhp'],
      ['pe', 'pipenv run lhp', active],
      ['pe', 'pipenv run lhp', { ...active, PIPENV_IGNORE_VIRTUALENVS: '1' }],
      ['pein', 'pipenv run lhp'],
      ['peoff', 'pipenv run lhp'],
      ['peoff', 'pipenv run lhp', { PIPENV_DONT_LOAD_ENV: '1' }],
      ['pe', 'pipenv run lhp', { PIPENV_DOTENV_LOCATION: '../peoff/.env' }],
    ])('%s: %s %s', (...one) => check(one));
  });
});
