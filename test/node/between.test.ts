// Opt-outs that a launcher sets for lhp: `env NAME=value`, an environment file, settings. They are
// seen before the command starts, and nothing is recorded against them. If it cannot be known
// whether one is set, nothing is recorded either.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { parseCommand } from '../../src/command/command.ts';
import { switchBetween } from '../../src/command/switches.ts';

const boxes: Sandbox[] = [];
afterAll(async () => {
  for (const box of boxes) {
    await idle(box);
    box.dispose();
  }
});

function place(files: Record<string, string> = {}) {
  const box = sandbox({ path: [join(projectRoot, 'test', 'fixtures', 'bin')], env: { DO: ':' } });
  boxes.push(box);
  const project = join(box.dir, 'project');
  for (const [name, text] of Object.entries({ 'lhp.yaml': 'name: between\n', ...files })) {
    mkdirSync(dirname(join(project, name)), { recursive: true });
    writeFileSync(join(project, name), text);
  }
  return { box, project };
}

/** What is found for a command line: the opt-out, `unknown`, or nothing. */
function said(
  { box, project }: ReturnType<typeof place>,
  command: string,
  env: Env = {},
): string | undefined {
  const outer = { ...box.env, ...env };
  const generate = parseCommand([...command.split(' '), 'generate'], project, outer);
  if (!generate) throw new Error(`no generate: ${command}`);
  const host = {
    env: outer,
    platform: 'linux' as const,
    home: box.home,
    cwd: project,
    systemConfigDir: box.dir,
    now: Date.now,
  };
  const between = switchBetween(generate.program.launches, host);
  return between && ('layer' in between ? between.layer : 'unknown');
}

describe('variables in the command line', () => {
  const where = place();
  it.each([
    ['env DO_NOT_TRACK=1 lhp', 'DO_NOT_TRACK'],
    ['env A=1 LHP_TELEMETRY=off lhp', 'LHP_TELEMETRY'],
    ['env LHP_DISABLE_ANALYTICS=yes lhp', 'LHP_DISABLE_ANALYTICS'],
    ['env OTEL_SDK_DISABLED=true lhp', 'OTEL_SDK_DISABLED'],
    ['env PYTEST_CURRENT_TEST=x lhp', 'PYTEST_CURRENT_TEST'],
    ['nice env -- DO_NOT_TRACK=1 timeout 9 lhp', 'DO_NOT_TRACK'],
    ['uv run env DO_NOT_TRACK=1 lhp', 'DO_NOT_TRACK'],
    ['genv DO_NOT_TRACK=1 lhp', 'DO_NOT_TRACK'],
    ['env -i DO_NOT_TRACK=1 lhp', 'DO_NOT_TRACK'],
    ['pdm run --env DO_NOT_TRACK=1 lhp', 'DO_NOT_TRACK'],
    ['micromamba run -e DO_NOT_TRACK=1 -p env lhp', 'DO_NOT_TRACK'],
    ['env DO_NOT_TRACK=0 lhp', undefined],
    ['env DO_NOT_TRACK= LHP_TELEMETRY= lhp', undefined],
    ['env LHP_TELEMETRY=on lhp', undefined],
    ['env A=DO_NOT_TRACK lhp', undefined],
    ['nice lhp', undefined],
    // These variables move the folder in which lhp keeps its own `telemetry off`.
    ['env LHP_CONFIG_DIR=/other lhp', 'unknown'],
    ['env XDG_CONFIG_HOME=/other lhp', 'unknown'],
    ['env HOME=/other lhp', 'unknown'],
    ['env -u LHP_CONFIG_DIR lhp', 'unknown'],
    ['env -i lhp', 'unknown'],
    ['uv run --new-env-option DO_NOT_TRACK=1 lhp', 'unknown'],
    ['uv run --set DO_NOT_TRACK=1 lhp', 'unknown'],
    ['uv run --set=DO_NOT_TRACK=1 lhp', 'unknown'],
    ['uv run --dotenv opt lhp', 'unknown'],
  ])('%s: %s', (command, expected) => expect(said(where, command)).toBe(expected));

  it('with LHP_OTEL_UPSTREAM=off, LHP_TELEMETRY is no opt-out', () => {
    expect(said(where, 'env LHP_TELEMETRY=off lhp', { LHP_OTEL_UPSTREAM: 'off' })).toBeUndefined();
    expect(said(where, 'env LHP_OTEL_UPSTREAM=off LHP_TELEMETRY=off lhp')).toBe('LHP_TELEMETRY');
  });
});

describe('an environment file', () => {
  it.each([
    ['DO_NOT_TRACK=1\n', 'DO_NOT_TRACK'],
    ['LHP_TELEMETRY=off\n', 'LHP_TELEMETRY'],
    ['A=1\nexport LHP_TELEMETRY="off"\n', 'LHP_TELEMETRY'],
    ["DO_NOT_TRACK = '1' # why\r\n", 'DO_NOT_TRACK'],
    ['LHP_TELEMETRY: off\n', 'LHP_TELEMETRY'],
    ['\ufeffDO_NOT_TRACK=1', 'DO_NOT_TRACK'],
    ['DO_NOT_TRACK=0\nDO_NOT_TRACK=1\n', 'DO_NOT_TRACK'],
    ['DO_NOT_TRACK=$OTHER\n', 'unknown'],
    ['DO_NOT_TRACK="$(cat x)"\n', 'unknown'],
    ['DO_NOT_TRACK="1\n2"\n', 'unknown'],
    ['LHP_CONFIG_DIR=/other\n', 'unknown'],
    ['DO_NOT_TRACK=0\n', undefined],
    ['DO_NOT_TRACK=\n', undefined],
    ['LHP_TELEMETRY=on\n', undefined],
    ['# DO_NOT_TRACK=1\n', undefined],
    ['MY_DO_NOT_TRACK=1\nDO_NOT_TRACK_ME=1\n', undefined],
    ['', undefined],
  ])('%j: %s', (text, expected) => {
    expect(said(place({ 'opt.env': text }), 'uv run --env-file opt.env lhp')).toBe(expected);
  });

  const files = {
    'opt.env': 'DO_NOT_TRACK=1\n',
    'sub/opt.env': 'A=1\n',
    'sub/.env': 'LHP_TELEMETRY=off\n',
    'pyproject.toml': '[project]\n',
  };
  const where = place(files);
  it.each<[string, Env, string | undefined]>([
    ['uv run --env-file=opt.env lhp', {}, 'DO_NOT_TRACK'],
    ['uv run --env-file sub/opt.env --env-file opt.env lhp', {}, 'DO_NOT_TRACK'],
    ['uv run --env-file sub/opt.env lhp', {}, undefined],
    ['uv run --directory sub --env-file opt.env lhp', {}, undefined],
    ['uv run --directory sub --env-file ../opt.env lhp', {}, 'DO_NOT_TRACK'],
    ['uv run --env-file opt.env --no-env-file lhp', {}, undefined],
    ['uv run lhp', { UV_ENV_FILE: 'opt.env' }, 'DO_NOT_TRACK'],
    ['uv run lhp', { UV_ENV_FILE: 'sub/opt.env opt.env' }, 'DO_NOT_TRACK'],
    ['uvx --env-file opt.env --from lakehouse-plumber lhp', {}, 'DO_NOT_TRACK'],
    ['uvx --from lakehouse-plumber lhp', { UV_ENV_FILE: 'opt.env' }, 'DO_NOT_TRACK'],
    ['timeout 9 uv run --env-file opt.env nice lhp', {}, 'DO_NOT_TRACK'],
    ['pdm run --env-file opt.env lhp', {}, 'DO_NOT_TRACK'],
    ['pdm run --env-f opt.env lhp', {}, 'DO_NOT_TRACK'],
    ['rye run --env-file opt.env lhp', {}, 'DO_NOT_TRACK'],
    ['poetry -C sub run lhp', {}, 'LHP_TELEMETRY'],
    ['pipenv run lhp', { PIPENV_DOTENV_LOCATION: 'opt.env' }, 'DO_NOT_TRACK'],
    ['uv run --env-file gone.env lhp', {}, undefined],
    ['uv run --env-file sub lhp', {}, 'unknown'],
  ])('%s %j: %s', (command, env, expected) => expect(said(where, command, env)).toBe(expected));

  it('a FIFO is not waited for, and no more than 1 MiB is read', () => {
    const { box, project } = place({ 'large.env': ' '.repeat(2 * 1024 * 1024) });
    spawnSync('mkfifo', [join(project, 'fifo.env')]);
    expect(said({ box, project }, 'uv run --env-file fifo.env lhp')).toBe('unknown');
    expect(said({ box, project }, 'uv run --env-file large.env lhp')).toBe('unknown');
    expect(said({ box, project }, 'uv run --env-file /dev/zero lhp')).toBe('unknown');
  });
});

describe('settings of a project', () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    [
      'pdm run lhp',
      { 'pyproject.toml': '[tool.pdm.scripts]\n_.env = {DO_NOT_TRACK = "1"}\n' },
      'DO_NOT_TRACK',
    ],
    [
      'pdm run lhp',
      { 'pyproject.toml': '[tool.pdm.scripts._.env]\nLHP_TELEMETRY = "off"\n' },
      'LHP_TELEMETRY',
    ],
    [
      'pdm run lhp',
      { 'pyproject.toml': '[tool.pdm]\nscripts._.env_file = "a"\n', a: 'DO_NOT_TRACK=1' },
      'DO_NOT_TRACK',
    ],
    [
      'pdm run lhp',
      {
        'pyproject.toml': '[tool.pdm.scripts]\n_.env_file = {override = "a"}\n',
        a: 'DO_NOT_TRACK=1',
      },
      'DO_NOT_TRACK',
    ],
    ['pdm run lhp', { 'pyproject.toml': '[tool.pytest_env]\nDO_NOT_TRACK = "1"\n' }, undefined],
    [
      'uv run lhp',
      { 'pyproject.toml': '[tool.pdm.scripts._.env]\nDO_NOT_TRACK = "1"\n' },
      undefined,
    ],
    [
      'hatch run lhp',
      { 'hatch.toml': '[envs.default.env-vars]\nDO_NOT_TRACK = "1"\n' },
      'DO_NOT_TRACK',
    ],
    [
      'hatch run x:lhp',
      { 'pyproject.toml': '[tool.hatch.envs.x]\nenv-vars = { A = "1", LHP_TELEMETRY = "off" }\n' },
      'LHP_TELEMETRY',
    ],
    ['hatch run lhp', { 'pyproject.toml': '[project]\nname = "p"\n' }, undefined],
    ['pixi run lhp', { 'pixi.toml': '[activation.env]\nDO_NOT_TRACK = "1"\n' }, 'DO_NOT_TRACK'],
    [
      'pixi run lhp',
      {
        'pixi.toml': '[activation]\nscripts = [\n  "on.sh",\n]\n',
        'on.sh': 'export DO_NOT_TRACK=1\n',
      },
      'DO_NOT_TRACK',
    ],
    [
      'pixi run lhp',
      {
        'pixi.toml': '[project]\n',
        '.pixi/envs/default/etc/conda/activate.d/a.sh': 'export DO_NOT_TRACK="1"\n',
      },
      'DO_NOT_TRACK',
    ],
    ['pipenv run lhp', { Pipfile: '', '.env': 'DO_NOT_TRACK=1' }, 'DO_NOT_TRACK'],
    [
      'rye run lhp',
      {
        'pyproject.toml': '[tool.rye.scripts]\nlhp = {cmd = "lhp", env-file = "a"}\n',
        a: 'DO_NOT_TRACK=1',
      },
      'DO_NOT_TRACK',
    ],
    [
      'conda run -p env lhp',
      { 'env/conda-meta/state': '{"version": 1, "env_vars": {"DO_NOT_TRACK": "1"}}' },
      'DO_NOT_TRACK',
    ],
    [
      'conda run -p env lhp',
      { 'env/conda-meta/state': '{\n "env_vars": {\n  "LHP_TELEMETRY": "off"\n }\n}\n' },
      'LHP_TELEMETRY',
    ],
    ['conda run -p env lhp', { 'env/conda-meta/state': '{"env_vars": {"A": "1"}}' }, undefined],
    [
      'micromamba run -p env lhp',
      { 'env/conda-meta/h': '', 'env/etc/conda/activate.d/x.sh': 'export DO_NOT_TRACK=1\n' },
      'DO_NOT_TRACK',
    ],
    ['conda run -n gone lhp', {}, 'unknown'],
  ])('%s %j: %s', (command, files, expected) => expect(said(place(files), command)).toBe(expected));
});

describe('a run', () => {
  const files = {
    'off.env': 'DO_NOT_TRACK=1\n',
    'on.env': 'A=1\n',
    'lhp-off.env': 'LHP_TELEMETRY=off\n',
  };
  it.each<[number, string, Env]>([
    [1, 'uv run --env-file on.env lhp', {}],
    [0, 'uv run --env-file off.env lhp', {}],
    [0, 'uv run --env-file lhp-off.env lhp', {}],
    [0, 'uv run lhp', { UV_ENV_FILE: 'off.env' }],
    [1, 'env A=1 lhp', {}],
    [0, 'env DO_NOT_TRACK=1 lhp', {}],
    [0, 'nice env LHP_TELEMETRY=off lhp', {}],
    // Removing an opt-out switches nothing on.
    [0, 'env -u DO_NOT_TRACK lhp', { DO_NOT_TRACK: '1' }],
    [0, 'env DO_NOT_TRACK=0 lhp', { DO_NOT_TRACK: '1' }],
    [1, 'env -u DO_NOT_TRACK lhp', {}],
  ])('%d recorded: %s %j', async (count, command, env) => {
    const { box, project } = place(files);
    const before = existsSync(join(box.home, '.cache'));
    const done = box.run(['run', '--', ...command.split(' '), 'generate'], { cwd: project, env });
    expect(done).toMatchObject({ status: 0, stdout: '', stderr: '' });
    if (count > 0) await box.recorded(count);
    await idle(box);
    expect(box.runFiles()).toHaveLength(count);
    if (count === 0)
      expect([existsSync(box.stateDir), existsSync(join(box.home, '.cache'))]).toEqual([
        false,
        before,
      ]);
  });

  it('says why, with -v', () => {
    const { box, project } = place({ ...files, 'what.env': 'DO_NOT_TRACK=$X\n' });
    const told = (command: string) =>
      box.run(['run', '--', ...command.split(' '), '-v', 'generate'], { cwd: project }).stderr;
    expect(told('uv run --env-file off.env lhp')).toContain(
      'telemetry is off (DO_NOT_TRACK): nothing recorded',
    );
    expect(told('uv run --env-file what.env lhp')).toContain(
      'the value of DO_NOT_TRACK may say off to lhp: nothing',
    );
  });

  it('is no generate if one of its words is a program', async () => {
    const { box, project } = place();
    const bin = join(project, '.venv', 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'value'), '');
    chmodSync(join(bin, 'value'), 0o755);
    const run = (...words: string[]) =>
      box.run(['run', '--', ...words, 'lhp', '-v', 'generate'], { cwd: project });
    expect(run('uv', 'run', '--new-option', 'value').stderr).toContain(
      'whether this was a generate cannot be told',
    );
    run('uv', 'run', '--new-option', 'other');
    await box.recorded(1);
    await idle(box);
    expect(box.runFiles()).toHaveLength(1);
  });

  it('show --preview says the same', () => {
    const { box, project } = place(files);
    const shown = (env: string) =>
      box.run(['show', '--preview', '--', 'uv', 'run', '--env-file', env, 'lhp', 'generate'], {
        cwd: project,
      });
    expect(shown('off.env')).toMatchObject({ status: 1, stdout: '' });
    expect(shown('off.env').stderr).toContain(
      'telemetry is off (DO_NOT_TRACK): nothing would be recorded',
    );
    expect(shown('on.env').status).toBe(0);
  });
});
