// Which command lines are a generate of lhp, and what their options say. What is not recognised passes through unrecorded.
import { describe, expect, it } from 'vitest';
import { parseCommand } from '../src/wrap/command.ts';

const words = (line: string) => line.split(' ').filter(Boolean);
const parse = (line: string) => parseCommand(words(line), '/home/u/p');

describe('a generate', () => {
  it.each([
    ['lhp generate --env dev', 'lhp', 'lhp'],
    ['lhp -v generate --env dev', 'lhp', 'lhp'],
    ['lhp --verbose --no-progress --log-file generate -e dev', 'lhp', 'lhp'],
    ['./venv/bin/lhp generate -e dev', 'lhp', './venv/bin/lhp'],
    ['/opt/lhp/bin/lhp generate -e dev', 'lhp', '/opt/lhp/bin/lhp'],
    ['lhp.exe generate -e dev', 'lhp', 'lhp.exe'],
    ['python -m lhp generate -e dev', 'python', 'python -m lhp'],
    ['python3.12 -X utf8 -u -m lhp generate -e dev', 'python', 'python3.12 -X utf8 -u -m lhp'],
    ['python3 -mlhp generate -e dev', 'python', 'python3 -mlhp'],
    ['python -Im lhp.cli.main generate -e dev', 'python', 'python -Im lhp.cli.main'],
    ['/venv/bin/python /venv/bin/lhp generate -e dev', 'python', '/venv/bin/python /venv/bin/lhp'],
    ['uv run lhp generate -e dev', 'launcher', 'uv run lhp'],
    ['uv run --with rich --frozen lhp generate -e dev', 'launcher', 'uv run --with rich --frozen lhp'],
    ['uv --project x run -p 3.12 -- lhp generate -e dev', 'launcher', 'uv --project x run -p 3.12 -- lhp'],
    ['uv run python -m lhp generate -e dev', 'launcher', 'uv run python -m lhp'],
    ['uv run -m lhp generate -e dev', 'launcher', 'uv run -m lhp'],
    ['poetry run lhp generate -e dev', 'launcher', 'poetry run lhp'],
    ['poetry -C sub run python -m lhp generate -e dev', 'launcher', 'poetry -C sub run python -m lhp'],
  ])('%s', (line, kind, command) => {
    expect(parse(line)).toMatchObject({ environment: 'dev', program: { kind, command: words(command) } });
  });
});

describe('no generate', () => {
  it.each([
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
    'python -m lhp validate',
    'uv lhp generate',
    'uv pip run lhp generate',
    'uv run echo lhp generate',
    'poetry install lhp generate',
    'poetry run poetry run lhp generate',
    // Its assignments may hold an opt-out that we would not see.
    'env DO_NOT_TRACK=1 lhp generate',
    'sh -c lhp generate',
    '',
  ])('%s', (line) => expect(parse(line)).toBeUndefined());
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
    ['uv run -C build=1 lhp generate -e dev', '/home/u/p'],
    ['poetry -C sub run lhp generate -e dev', '/home/u/p/sub'],
    ['poetry --directory sub run lhp generate -e dev', '/home/u/p/sub'],
    ['poetry --project sub run lhp generate -e dev', '/home/u/p'],
  ])('%s runs in %s', (line, cwd) => expect(parse(line)?.cwd).toBe(cwd));
});
