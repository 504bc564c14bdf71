// Which command lines are a generate of lhp, and with which options. A command line that is not
// recognized runs unrecorded.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sandbox } from '../../scripts/harness/sandbox.ts';
import { RULES } from '../../src/collect/environment/rules.ts';
import { parseCommand } from '../../src/command/command.ts';
import { LAUNCHER_NAMES } from '../../src/command/launcher-names.ts';
import { wordsOf } from '../../src/command/launchers/launcher.ts';
import { LAUNCHERS, launches } from '../../src/command/launchers.ts';
import { isDoubtful } from '../../src/command/programs.ts';

const words = (line: string) => line.split(' ').filter(Boolean);
const parse = (line: string) => parseCommand(words(line), '/home/u/p');

/** A command line, the launchers before lhp, and lhp's name or path. */
const RECORDED: [string, string[], string][] = [
  ['lhp generate -e dev', [], 'lhp'],
  ['lhp -v generate -e dev', [], 'lhp'],
  ['lhp --verbose --no-progress --log-file generate -e dev', [], 'lhp'],
  ['./venv/bin/lhp generate -e dev', [], './venv/bin/lhp'],
  ['/opt/lhp/bin/lhp generate -e dev', [], '/opt/lhp/bin/lhp'],
  ['lhp.exe generate -e dev', [], 'lhp.exe'],
  ['python -m lhp.cli.main generate -e dev', [], 'python'],
  ['python3.12 -X utf8 -u -m lhp.cli.main generate -e dev', [], 'python3.12'],
  ['python3 -mlhp.cli.main generate -e dev', [], 'python3'],
  ['python -Im lhp.cli.main generate -e dev', [], 'python'],
  ['/venv/bin/python /venv/bin/lhp generate -e dev', [], '/venv/bin/python'],
  // wrappers
  ['nice lhp generate -e dev', ['nice'], 'lhp'],
  ['nice -n 5 lhp generate -e dev', ['nice'], 'lhp'],
  ['nice -n5 lhp generate -e dev', ['nice'], 'lhp'],
  ['nice -5 lhp generate -e dev', ['nice'], 'lhp'],
  ['/usr/bin/nice --adjustment=5 lhp generate -e dev', ['nice'], 'lhp'],
  ['nice --adj 5 lhp generate -e dev', ['nice'], 'lhp'],
  ['gnice -n 5 lhp generate -e dev', ['gnice'], 'lhp'],
  ['ionice -c3 lhp generate -e dev', ['ionice'], 'lhp'],
  ['ionice -c 2 -n 7 lhp generate -e dev', ['ionice'], 'lhp'],
  ['chrt --idle 0 lhp generate -e dev', ['chrt'], 'lhp'],
  ['taskset -c 0-3 lhp generate -e dev', ['taskset'], 'lhp'],
  ['taskset 0xf lhp generate -e dev', ['taskset'], 'lhp'],
  ['timeout 60 lhp generate -e dev', ['timeout'], 'lhp'],
  ['timeout -k 5 --signal=INT 1.5m lhp generate -e dev', ['timeout'], 'lhp'],
  ['gtimeout --foreground 60 lhp generate -e dev', ['gtimeout'], 'lhp'],
  ['nohup lhp generate -e dev', ['nohup'], 'lhp'],
  ['stdbuf -oL lhp generate -e dev', ['stdbuf'], 'lhp'],
  ['stdbuf -o L -e 0 lhp generate -e dev', ['stdbuf'], 'lhp'],
  ['setsid lhp generate -e dev', ['setsid'], 'lhp'],
  ['setsid --wait lhp generate -e dev', ['setsid'], 'lhp'],
  ['env lhp generate -e dev', ['env'], 'lhp'],
  ['env A=1 B=two lhp generate -e dev', ['env'], 'lhp'],
  ['env -i PATH=/bin lhp generate -e dev', ['env'], 'lhp'],
  ['env - PATH=/bin lhp generate -e dev', ['env'], 'lhp'],
  ['env -u A --unset=B C=1 lhp generate -e dev', ['env'], 'lhp'],
  ['env -- A=1 lhp generate -e dev', ['env'], 'lhp'],
  ['time lhp generate -e dev', ['time'], 'lhp'],
  ['/usr/bin/time -f %e -o out lhp generate -e dev', ['time'], 'lhp'],
  ['time -p lhp generate -e dev', ['time'], 'lhp'],
  ['caffeinate -i lhp generate -e dev', ['caffeinate'], 'lhp'],
  ['prlimit --nofile=1024 lhp generate -e dev', ['prlimit'], 'lhp'],
  ['numactl -N 0 lhp generate -e dev', ['numactl'], 'lhp'],
  // launchers
  ['uv run lhp generate -e dev', ['uv run'], 'lhp'],
  ['uv run --with rich --frozen lhp generate -e dev', ['uv run'], 'lhp'],
  ['uv run -qv --no-sync lhp generate -e dev', ['uv run'], 'lhp'],
  ['uv --project x run -p 3.12 -- lhp generate -e dev', ['uv run'], 'lhp'],
  ['uv run --exclude-newer-package x=2026-11-01 lhp generate -e dev', ['uv run'], 'lhp'],
  ['uv run -wrich lhp generate -e dev', ['uv run'], 'lhp'],
  ['uv run python -m lhp.cli.main generate -e dev', ['uv run'], 'python'],
  ['uv run -m lhp.cli.main generate -e dev', ['uv run'], 'python'],
  ['uv run --module --frozen lhp.cli.main generate -e dev', ['uv run'], 'python'],
  ['uv run -m -- lhp.cli.main generate -e dev', ['uv run'], 'python'],
  ['uvx --from lakehouse-plumber lhp generate -e dev', ['uvx'], 'lhp'],
  ['uvx --from lakehouse-plumber==0.9.3 --with rich lhp generate -e dev', ['uvx'], 'lhp'],
  ['uv tool run --from lakehouse-plumber lhp generate -e dev', ['uv tool run'], 'lhp'],
  [
    'uv --quiet tool --offline run --from lakehouse-plumber lhp generate -e dev',
    ['uv tool run'],
    'lhp',
  ],
  ['pipx run --spec lakehouse-plumber lhp generate -e dev', ['pipx run'], 'lhp'],
  ['pipx run --spec lakehouse-plumber -- lhp generate -e dev', ['pipx run'], 'lhp'],
  ['poetry run lhp generate -e dev', ['poetry run'], 'lhp'],
  ['poetry -C sub run python -m lhp.cli.main generate -e dev', ['poetry run'], 'python'],
  ['poetry run -vvv -C .. lhp generate -e dev', ['poetry run'], 'lhp'],
  ['poetry --no-plugins run -- lhp generate -e dev', ['poetry run'], 'lhp'],
  ['hatch run lhp generate -e dev', ['hatch run'], 'lhp'],
  ['hatch run old:lhp generate -e dev', ['hatch run'], 'lhp'],
  ['hatch run +py=3.12 test:lhp generate -e dev', ['hatch run'], 'lhp'],
  ['hatch -e old run lhp generate -e dev', ['hatch run'], 'lhp'],
  ['hatch env run -e old -- lhp generate -e dev', ['hatch env run'], 'lhp'],
  ['pdm run lhp generate -e dev', ['pdm run'], 'lhp'],
  ['pdm run -p .. -s lhp generate -e dev', ['pdm run'], 'lhp'],
  ['pdm run --env A=1 lhp generate -e dev', ['pdm run'], 'lhp'],
  ['pipenv run lhp generate -e dev', ['pipenv run'], 'lhp'],
  ['pipenv --quiet run -- lhp generate -e dev', ['pipenv run'], 'lhp'],
  ['pixi run lhp generate -e dev', ['pixi run'], 'lhp'],
  [
    'pixi run --manifest-path p/pixi.toml -e prod --frozen lhp generate -e dev',
    ['pixi run'],
    'lhp',
  ],
  ['conda run -n lake lhp generate -e dev', ['conda run'], 'lhp'],
  ['conda run --no-capture-output -p /opt/lake lhp generate -e dev', ['conda run'], 'lhp'],
  ['mamba run -n lake lhp generate -e dev', ['mamba run'], 'lhp'],
  ['micromamba run -n lake lhp generate -e dev', ['micromamba run'], 'lhp'],
  ['micromamba -r /opt/mamba run -n lake lhp generate -e dev', ['micromamba run'], 'lhp'],
  ['rye run lhp generate -e dev', ['rye run'], 'lhp'],
  ['python -m uv run lhp generate -e dev', ['uv run'], 'lhp'],
  ['python3 -m poetry run lhp generate -e dev', ['poetry run'], 'lhp'],
  ['python3 -m pipx run --spec lakehouse-plumber lhp generate -e dev', ['pipx run'], 'lhp'],
  // both
  ['timeout 60 uv run lhp generate -e dev', ['timeout', 'uv run'], 'lhp'],
  ['env A=1 nice -n 5 timeout 60 lhp generate -e dev', ['env', 'nice', 'timeout'], 'lhp'],
  ['uv run nice lhp generate -e dev', ['uv run', 'nice'], 'lhp'],
  ['conda run -n x poetry run lhp generate -e dev', ['conda run', 'poetry run'], 'lhp'],
];

/** Lines with options that the table does not list, and the words that must be no program then. */
const UNKNOWN_OPTIONS: [string, string[]][] = [
  ['uv run --new-flag lhp generate -e dev', ['generate']],
  ['uv run --new-option value lhp generate -e dev', ['value']],
  ['uv run --new-option=value lhp generate -e dev', []],
  ['uv run --new-option x=2026-11-01 lhp generate -e dev', ['x=2026-11-01']],
  ['uv run -Z lhp generate -e dev', ['generate']],
  ['uv run -Z value lhp generate -e dev', ['value']],
  ['uv run --new value --newer other lhp generate -e dev', ['value', 'other']],
  ['uv --new-option value run lhp generate -e dev', []],
  ['uv --new-flag run lhp generate -e dev', []],
  ['uvx --new-flag --from lakehouse-plumber lhp generate -e dev', []],
  ['uvx --from lakehouse-plumber --new-flag lhp generate -e dev', ['generate']],
  ['uvx --new 2026-11-01 --from lakehouse-plumber lhp generate -e dev', ['2026-11-01']],
  ['poetry run --new-option value lhp generate -e dev', ['value']],
  ['hatch run --new-flag lhp generate -e dev', ['generate']],
  ['pdm run --new-option value lhp generate -e dev', ['value']],
  ['pixi run --new-option value lhp generate -e dev', ['value']],
  ['conda run --new-option value -n x lhp generate -e dev', ['value']],
  ['timeout --new-flag 60 lhp generate -e dev', []],
  ['nice --new-option value lhp generate -e dev', ['value']],
];

const NOT_RECORDED = [
  'lhp',
  'lhp generate --help',
  'lhp generate -h',
  'lhp generate --env dev --help',
  'lhp --help generate',
  'lhp --version generate',
  'lhp -vh generate',
  'lhp validate --env dev',
  'lhp validate generate',
  'lhp list generate',
  'echo lhp generate',
  'lhp-foo generate',
  'lhpx generate',
  'python script.py lhp generate',
  'python -c lhp generate',
  'python -m other lhp generate',
  'python -m lhp.cli.main validate',
  'python -m pytest lhp generate',
  'uv lhp generate',
  'uv pip run lhp generate',
  'uv run echo lhp generate',
  'uv run pytest -k lhp generate',
  'uv run pytest lhp generate',
  'uv run --with lhp generate-docs',
  'uv run --with lhp generate',
  'uv run --package lhp generate',
  'uv run --extra lhp generate',
  'uv run -- echo lhp generate',
  'uv run --frozen mytool lhp generate',
  'uv run script.py lhp generate',
  'uv run -m pytest lhp generate',
  'uv run --script lhp generate',
  'uv run -s lhp generate',
  'uv run --help lhp generate',
  'uv run -h lhp generate',
  'uv --version run lhp generate',
  'uv run lhp validate',
  'uv run lhp',
  'uv run',
  'uv run --',
  'uv add run lhp generate',
  'uv --new add run lhp generate',
  'uv help run lhp generate',
  'uv tool install lhp generate',
  'uv run --with x --new-option',
  'uvx lhp-tools lhp generate',
  'uvx --new-option value lhp generate',
  'uvx --isolated mytool lhp generate',
  'uvx --from lakehouse-plumber lhp validate',
  'pipx run cowsay lhp generate',
  'pipx install lhp generate',
  'pipx run --new-option value lhp generate',
  'poetry install lhp generate',
  'poetry add run lhp generate',
  'poetry run pytest lhp generate',
  'poetry run --help lhp generate',
  'hatch run test:pytest lhp generate',
  'hatch -p other run lhp generate',
  'hatch shell lhp generate',
  'pdm run --list lhp generate',
  'pdm run pytest lhp generate',
  'pdm lhp generate',
  'pixi run --dry-run lhp generate',
  'pixi run build lhp generate',
  'conda run -n lhp generate',
  'conda install lhp generate',
  'micromamba run --detach lhp generate',
  'make generate',
  'make lhp generate',
  'just lhp generate',
  'tox -e lhp generate',
  'npm run lhp generate',
  'sudo lhp generate',
  'doas lhp generate',
  'xargs lhp generate',
  'watch lhp generate',
  'unshare -r lhp generate',
  'docker run image lhp generate',
  'sh -c lhp generate',
  'bash lhp generate',
  'env -S lhp generate',
  'env --split-string lhp generate',
  'env --help lhp generate',
  'env A=1',
  'env A=lhp generate',
  'nice -n lhp generate',
  'nice --version lhp generate',
  'timeout 60',
  'timeout lhp generate-docs',
  'timeout -s lhp generate',
  'time -o lhp generate',
  'setsid --fork lhp generate',
  'setsid -f lhp generate',
  'taskset -p lhp generate',
  'taskset -cp 0 lhp generate',
  'ionice -p 1 lhp generate',
  'chrt -p 1 lhp generate',
  'stdbuf -o lhp generate',
  'prlimit --pid 1 lhp generate',
  'nohup echo lhp generate',
  'timeout 60 uv run echo lhp generate',
  '',
];

describe('a generate', () => {
  it.each(RECORDED)('%s', (line, launches, file) => {
    const generate = parse(line);
    expect(generate).toMatchObject({ environment: 'dev', program: { file } });
    expect(generate?.program.launches.map(({ name }) => name)).toEqual(launches);
    expect(generate?.doubts).toBeUndefined();
  });
  it.each(UNKNOWN_OPTIONS)('with an unlisted option: %s', (line, doubts) => {
    const generate = parse(line);
    expect(generate).toMatchObject({ environment: 'dev', program: { file: 'lhp' } });
    expect(generate?.doubts ?? []).toEqual(doubts);
  });
});

describe('no generate', () => {
  it.each(NOT_RECORDED)('%s', (line) => expect(parse(line)).toBeUndefined());
  it('many unlisted options are read in bounded time', () => {
    expect(parse(`uv run ${'--new value '.repeat(2000)}lhp generate`)).toBeUndefined();
  });
});

describe('a word that could be the command', () => {
  const box = sandbox();
  afterAll(() => box.dispose());
  const program = (path: string) => {
    mkdirSync(dirname(join(box.dir, path)), { recursive: true });
    writeFileSync(join(box.dir, path), '', { mode: 0o755 });
  };
  program('bin/onpath');
  program('p/.venv/bin/invenv');
  program('p/.pixi/envs/default/bin/inpixi');
  program('p/sub/run.py');
  program('active/bin/inactive');
  writeFileSync(join(box.dir, 'bin', 'data'), '');
  const cwd = join(box.dir, 'p', 'sub');
  const env = { PATH: join(box.dir, 'bin'), VIRTUAL_ENV: join(box.dir, 'active') };
  const host = {
    env,
    platform: 'linux' as const,
    home: box.dir,
    cwd,
    systemConfigDir: box.dir,
    now: Date.now,
  };

  it.each([
    ['uv run --new onpath lhp generate', true],
    ['uv run --new invenv lhp generate', true],
    ['uv run --new inpixi lhp generate', true],
    ['uv run --new inactive lhp generate', true],
    ['uv run --new run.py lhp generate', true],
    ['uv run --new ./run.py lhp generate', true],
    ['uv run --new value lhp generate', false],
    ['uv run --new data lhp generate', false],
    ['uv run --new a=onpath lhp generate', false],
    ['uv run --new 3.12 lhp generate', false],
    ['uv run --new https://onpath lhp generate', false],
    ['uv run --new lhp generate', false],
    ['uv run lhp generate', false],
  ])('%s: %s', (line, doubtful) => {
    const generate = parseCommand(words(line), cwd);
    expect(generate && isDoubtful(generate, host)).toBe(doubtful);
  });
});

describe('options', () => {
  const base = {
    environment: 'dev',
    output: undefined,
    pipelineConfig: undefined,
    dryRun: false,
    noBundle: false,
    verbose: false,
  };
  it.each([
    ['-e dev', {}],
    ['-edev', {}],
    ['--env=dev', {}],
    ['--env dev', {}],
    ['--env test --env dev', {}],
    ['-se dev', {}],
    ['-e dev -p e -o out', { output: 'out' }],
    ['-e dev -oout --output=last', { output: 'last' }],
    ['-e dev -pc config.yaml', { pipelineConfig: 'config.yaml' }],
    ['-pc=config.yaml -e dev', { pipelineConfig: 'config.yaml' }],
    ['-e dev --pipeline-config config.yaml', { pipelineConfig: 'config.yaml' }],
    ['-e dev -p -v', {}],
    ['-e dev --pipeline --no-bundle', {}],
    ['-e dev --max-workers 4 --dry-run', { dryRun: true }],
    ['-e dev --no-bundle', { noBundle: true }],
    ['-e dev -v', { verbose: true }],
    ['-e dev -sv', { verbose: true }],
    ['-e dev --include-tests --strict --no-format --sandbox', {}],
    ['-e dev -- --no-bundle', {}],
    ['-e=dev', { environment: '=dev' }],
    ['', { environment: undefined }],
    ['-e', { environment: undefined }],
  ])('lhp generate %s', (options, expected) => {
    expect(parse(`lhp generate ${options}`)).toMatchObject({ ...base, ...expected });
  });

  it.each([
    ['uv run --directory sub lhp generate -e dev', '/home/u/p/sub'],
    ['uv --directory=/abs run lhp generate -e dev', '/abs'],
    ['uv --directory=sub run lhp generate -e dev', '/home/u/p/sub'],
    ['uv run --project ../other lhp generate -e dev', '/home/u/p'],
    ['uv run -C build=1 lhp generate -e dev', '/home/u/p'],
    ['uvx --directory sub --from x lhp generate -e dev', '/home/u/p/sub'],
    ['poetry -C sub run lhp generate -e dev', '/home/u/p/sub'],
    ['poetry -C .. run lhp generate -e dev', '/home/u'],
    ['poetry -C.. run lhp generate -e dev', '/home/u'],
    ['poetry --directory sub run lhp generate -e dev', '/home/u/p/sub'],
    ['poetry --project sub run lhp generate -e dev', '/home/u/p'],
    ['env -C sub lhp generate -e dev', '/home/u/p/sub'],
    ['env --chdir=.. env -C sub lhp generate -e dev', '/home/u/sub'],
    ['env -C .. uv run --directory sub lhp generate -e dev', '/home/u/sub'],
    ['conda run --cwd sub -n x lhp generate -e dev', '/home/u/p/sub'],
    ['pdm run -p .. --working-dir sub lhp generate -e dev', '/home/u/sub'],
    ['pdm run -p .. lhp generate -e dev', '/home/u/p'],
    ['nice lhp generate -e dev', '/home/u/p'],
  ])('%s runs in %s', (line, cwd) => expect(parse(line)?.cwd).toBe(cwd));

  it('a variable of the launcher names the folder if no option does', () => {
    const env = { UV_WORKING_DIR: 'sub' };
    const cwdOf = (line: string) => parseCommand(words(line), '/home/u/p', env)?.cwd;
    expect(cwdOf('uv run lhp generate')).toBe('/home/u/p/sub');
    expect(cwdOf('uv run --directory other lhp generate')).toBe('/home/u/p/other');
    expect(cwdOf('poetry run lhp generate')).toBe('/home/u/p');
  });
});

describe('the table of launchers', () => {
  it('has the names that are known before it is loaded (npm run generate)', () =>
    expect(LAUNCHER_NAMES.toSorted()).toEqual(Object.keys(LAUNCHERS).toSorted()));
  it('names a rule of src/collect/environment, and every rule is used', () => {
    const named = launches().flatMap(([, row]) => row.environment ?? []);
    expect([...new Set(named)].toSorted()).toEqual(Object.keys(RULES).toSorted());
  });
  it.each(launches())('%s: a generate behind it is recognized', (name, row) => {
    const fetched = row.package ? `${row.package} lakehouse-plumber ` : '';
    const operand = row.operand ? '1 ' : '';
    const generate = parse(`${name} ${fetched}${operand}lhp generate -e dev`);
    expect(generate).toMatchObject({ environment: 'dev', program: { file: 'lhp' } });
    expect(generate?.program.launches.map((launch) => launch.name)).toEqual([name]);
  });
  it.each(launches())('%s: no option is in two lists', (_, row) => {
    const lists = [row.flags, row.values, row.refused].flatMap((list) => wordsOf(list));
    expect(lists.filter((option, at) => lists.indexOf(option) !== at)).toEqual([]);
  });
});
