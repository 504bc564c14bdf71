// release-dry-run.ts: npm run release:dry-run [-- FOLDER]. Does what the workflow release.yml does,
// up to the publishing: builds the packages for npm and PyPI once, checks that a second build gives
// the same bytes, that both registries would accept the files, and that each package, installed by
// its own installer into an empty folder, starts and wraps a command. Publishes nothing.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { nodeWheel, twine } from './harness/needs.ts';
import { packTarball, pypiPackages, writeSums } from './harness/package.ts';
import { projectRoot } from './harness/sandbox.ts';
import { ensureNodeWheel, ensureTwine } from './setup/install.mjs';

const work = mkdtempSync(join(tmpdir(), 'lhp-otel-release-'));
const release = resolve(process.argv[2] ?? join(work, 'release'));
const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  version: string;
};

/** Builds into a folder; gives the paths of the tarball and of the packages for PyPI. */
function build(folder: string): [string, ...string[]] {
  mkdirSync(folder, { recursive: true });
  const tarball = packTarball(folder);
  const others = pypiPackages(tarball, folder);
  writeSums(folder, [tarball, ...others]);
  return [tarball, ...others];
}

function checkSame(one: string, other: string): void {
  const sums = [one, other].map((folder) => readFileSync(join(folder, 'SHA256SUMS'), 'utf8'));
  console.log(sums[0]?.trimEnd());
  if (sums[0] !== sums[1]) throw new Error(`a second build gives other bytes:\n${sums[1]}`);
}

function checkAccepted([tarball, ...others]: readonly string[]): void {
  run(twine().path, ['check', '--strict', ...others]);
  // The provenance is made by the workflow, which has an identity.
  const words = ['publish', '--dry-run', '--ignore-scripts', '--access', 'public'];
  run('npm', [...words, '--provenance=false', '--loglevel=error', tarball ?? '']);
}

function checkNpm(tarball: string): void {
  const prefix = join(work, 'npm');
  run('npm', [
    'install',
    '--global',
    '--prefix',
    prefix,
    '--ignore-scripts',
    '--no-audit',
    tarball,
  ]);
  checkProgram(join(prefix, 'bin', 'lhp-otel'), 'installed with npm');
}

function checkPip(wheel: string): void {
  const venv = join(work, 'pip');
  run(process.env.PYTHON || 'python3', ['-m', 'venv', venv]);
  const links = ['--no-index', '--find-links', nodeWheel().path];
  run(join(venv, 'bin', 'pip'), ['install', '-q', '--disable-pip-version-check', ...links, wheel]);
  checkProgram(join(venv, 'bin', 'lhp-otel'), 'installed with pip');
}

function checkProgram(program: string, installed: string): void {
  const text = run(program, ['--version']);
  if (!text.startsWith(`lhp-otel ${version}\n${installed}, `))
    throw new Error(`${program} --version prints:\n${text}`);
  if (run(program, ['run', '--', 'echo', 'wrapped']) !== 'wrapped\n')
    throw new Error(`${program} run does not run the command`);
  console.log(text.trimEnd());
}

/** Runs a program for a new user, and gives its output. */
function run(file: string, words: string[]): string {
  const home = join(work, 'home');
  mkdirSync(home, { recursive: true });
  const { status, stdout, stderr, error } = spawnSync(file, words, {
    cwd: work,
    encoding: 'utf8',
    env: {
      ...process.env,
      HOME: home,
      XDG_STATE_HOME: undefined,
      XDG_CONFIG_HOME: undefined,
      XDG_CACHE_HOME: undefined,
      npm_config_userconfig: process.env.npm_config_userconfig ?? join(homedir(), '.npmrc'),
      npm_config_cache: process.env.npm_config_cache ?? join(homedir(), '.npm'),
    },
  });
  if (status !== 0)
    throw new Error(`${file} ${words[0]} ended with ${status}: ${stdout}${stderr}`, {
      cause: error,
    });
  return stdout;
}

const step = (title: string) => console.log(`\n== ${title}`);

try {
  await ensureTwine();
  await ensureNodeWheel();
  step('build the packages, twice');
  const [tarball, ...others] = build(release);
  build(join(work, 'again'));
  checkSame(release, join(work, 'again'));
  step('would npm and PyPI accept them?');
  checkAccepted([tarball, ...others]);
  console.log('yes');
  step('install the tarball with npm');
  checkNpm(tarball);
  step('install the wheel with pip');
  checkPip(others.find((path) => path.endsWith('-any.whl')) ?? '');
  console.log('\nNothing was published.');
} finally {
  rmSync(work, { recursive: true, force: true });
}
