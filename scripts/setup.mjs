// setup.mjs: everything the README's two commands need, on a machine with only Node 20+, Python
// 3.11 and (for the tests) Go. Plain JavaScript, because it runs before anything is installed. Each
// step is skipped when its result is already there.
//   --build     node packages, and the package built into dist/
//   --servers   also the real programs of the tests: lhp in private venvs, the OpenTelemetry Collector built from Go modules
//   --run FILE  then this program, by the project's own Node: the shell of npm run still knows only the system's
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const cacheDir = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'lhp-otel-dev',
);

/**
 * The lhp versions that the tests run: the newest, and the ones whose telemetry page and rules
 * differ.
 */
export const LHP_VERSIONS = ['0.9.3', '0.8.7', '0.6.4'];
/**
 * lhp takes any; 6.0.4 reads merge keys in another way than the ones before, so both kinds are
 * there.
 */
const pyyaml = (version) => (version === LHP_VERSIONS[0] ? '6.0.4' : '6.0.3');
const COLLECTOR_CONFIG = join(root, 'test', 'collector', 'builder.yaml');
const PROMETHEUS = 'github.com/prometheus/prometheus/cmd';
const PROMETHEUS_VERSION = 'v0.316.0'; // 3.16
const CORTEX = 'github.com/cortexproject/cortex';
const CORTEX_VERSION = 'v1.21.1';
/** Its own Makefile's; without slicelabels it starts, and crashes at the first sample. */
const CORTEX_TAGS = 'netgo slicelabels';
const VICTORIAMETRICS = 'github.com/VictoriaMetrics/VictoriaMetrics/app';
const VICTORIAMETRICS_VERSION = 'v1.151.0';
const KUSTOMIZE = 'sigs.k8s.io/kustomize/kustomize/v5@v5.8.2';
const KUBECONFORM = 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0';
const KUBERNETES = 'k8s.io/kubernetes@v1.36.3';
const COLLECTOR_BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.161.0';

const venvBin = process.platform === 'win32' ? 'Scripts' : 'bin';

/** Where `lhp` of this version is, once `ensureLhp` has made it. */
export const lhpPath = (version) =>
  join(cacheDir, 'lhp', `${version}-pyyaml-${pyyaml(version)}`, venvBin, 'lhp');

/** The launchers that test/launchers.test.ts starts. conda and pixi are not on PyPI. */
const PYTHON_TOOLS = [
  'uv==0.13.9',
  'pipx==1.18.4',
  'poetry==2.5.1',
  'hatch==1.18.2',
  'pdm==2.29.4',
  'pipenv==2026.10.3',
];

/** Where uv is, beside the other launchers, once `ensurePythonTools` has made their venv. */
export function pythonToolsPath() {
  const versions = createHash('sha256').update(PYTHON_TOOLS.join()).digest('hex').slice(0, 12);
  return join(cacheDir, 'python-tools', versions, venvBin, 'uv');
}

/**
 * Where the collector is, once `ensureCollector` has built it; the name changes with the list of
 * its parts.
 */
export function collectorPath() {
  const parts = createHash('sha256')
    .update(readFileSync(COLLECTOR_CONFIG))
    .digest('hex')
    .slice(0, 12);
  return join(cacheDir, 'servers', `otelcol-${parts}`);
}

/** Where Prometheus and its promtool are, once `ensurePrometheus` has built them. */
export const prometheusPath = () => join(cacheDir, 'servers', `prometheus-${PROMETHEUS_VERSION}`);
export const promtoolPath = () => join(cacheDir, 'servers', `promtool-${PROMETHEUS_VERSION}`);

/** Where Cortex is, once `ensureCortex` has built it. */
export const cortexPath = () => join(cacheDir, 'servers', `cortex-${CORTEX_VERSION}`);

/** Where VictoriaMetrics and its vmalert are, once `ensureVictoriaMetrics` has built them. */
export const victoriaMetricsPath = () =>
  join(cacheDir, 'servers', `victoria-metrics-${VICTORIAMETRICS_VERSION}`);
export const vmalertPath = () => join(cacheDir, 'servers', `vmalert-${VICTORIAMETRICS_VERSION}`);
/**
 * Where kustomize, kubeconform and Kubernetes' own description of its objects are, once
 * `ensureKubernetesTools` has made them.
 */
export const kubernetesTools = () =>
  join(
    cacheDir,
    'servers',
    `kubernetes-${[KUSTOMIZE, KUBECONFORM, KUBERNETES].map((one) => one.split('@v')[1]).join('-')}`,
  );

function say(text) {
  process.stderr.write(`[setup] ${text}\n`);
}

function must(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.error) throw new Error(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${result.status ?? result.signal}`);
}

function ensurePackages() {
  const marker = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return;
  say('installing node packages');
  // Not npm ci: it refuses a lock file without the optional packages of other platforms, which not
  // every registry has.
  must('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    shell: process.platform === 'win32',
  });
}

function build() {
  // The project's own Node (a development dependency) builds and runs it: the system's may be older
  // than the package needs.
  const env = {
    ...process.env,
    PATH: join(root, 'node_modules', '.bin') + delimiter + process.env.PATH,
  };
  const result = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    env,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (result.status !== 0)
    throw new Error(`npm run build failed:\n${result.stdout}${result.stderr}`);
}

/**
 * A private venv with one version of the real lhp from PyPI; made beside its place and moved there
 * whole.
 */
export function ensureLhp(version) {
  const bin = lhpPath(version);
  if (existsSync(bin)) return bin;
  const venv = dirname(dirname(bin));
  installFromPyPI(venv, [`lakehouse-plumber==${version}`, `PyYAML==${pyyaml(version)}`]);
  return bin;
}

/**
 * The launchers that start lhp in an environment, in a venv of their own (half a minute, 190 MB).
 */
export function ensurePythonTools() {
  const bin = pythonToolsPath();
  if (!existsSync(bin)) installFromPyPI(dirname(dirname(bin)), PYTHON_TOOLS);
  return bin;
}

function installFromPyPI(venv, requirements) {
  say(`installing ${requirements.join(', ')} into ${venv}`);
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(dirname(venv), { recursive: true });
  must(process.env.PYTHON || 'python3', ['-m', 'venv', venv]);
  try {
    must(join(venv, venvBin, 'pip'), [
      'install',
      '--quiet',
      '--disable-pip-version-check',
      ...requirements,
    ]);
  } catch (error) {
    rmSync(venv, { recursive: true, force: true });
    throw error;
  }
}

/**
 * The real collector, built once from Go modules with the parts that test/collector/builder.yaml
 * names.
 */
export function ensureCollector() {
  const bin = collectorPath();
  if (existsSync(bin)) return bin;
  const work = `${bin}.build`;
  say(`building the OpenTelemetry Collector into ${bin} (once, 3 to 6 minutes)`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  cpSync(COLLECTOR_CONFIG, join(work, 'builder.yaml'));
  must('go', ['run', COLLECTOR_BUILDER, '--config', 'builder.yaml'], { cwd: work });
  renameSync(join(work, 'out', 'otelcol'), bin);
  rmSync(work, { recursive: true, force: true });
  say('collector built');
  return bin;
}

/** Programs of a Go module that `go install` takes as it is: [name, where it shall be]. */
function installed(programs, module, version, minutes) {
  if (programs.every(([, path]) => existsSync(path))) return;
  const folder = dirname(programs[0][1]);
  const work = `${programs[0][1]}.build`;
  say(
    `building ${programs.map(([name]) => name).join(' and ')} into ${folder} (once, ${minutes} minutes)`,
  );
  mkdirSync(work, { recursive: true });
  for (const [name, path] of programs) {
    must('go', ['install', `${module}/${name}@${version}`], {
      env: { ...process.env, GOBIN: work },
    });
    renameSync(join(work, name), path);
    say(`${name} built`);
  }
  rmSync(work, { recursive: true, force: true });
}

/** The real Prometheus and promtool, built once from Go modules. */
export function ensurePrometheus() {
  const programs = [
    ['prometheus', prometheusPath()],
    ['promtool', promtoolPath()],
  ];
  installed(programs, PROMETHEUS, PROMETHEUS_VERSION, '4 to 10');
  return prometheusPath();
}

/** The real VictoriaMetrics and vmalert, built once from their Go module. */
export function ensureVictoriaMetrics() {
  const programs = [
    ['victoria-metrics', victoriaMetricsPath()],
    ['vmalert', vmalertPath()],
  ];
  installed(programs, VICTORIAMETRICS, VICTORIAMETRICS_VERSION, '1 to 3');
  return victoriaMetricsPath();
}

/**
 * The real Cortex, built once from its Go module: in the module's own folder, because `go install`
 * refuses a module that replaces others, and there its go.mod and go.sum count as they stand.
 */
export function ensureCortex() {
  const bin = cortexPath();
  if (existsSync(bin)) return bin;
  say(`building Cortex into ${bin} (once, 3 to 10 minutes)`);
  mkdirSync(dirname(bin), { recursive: true });
  const args = [
    '-mod=readonly',
    '-trimpath',
    '-tags',
    CORTEX_TAGS,
    '-ldflags=-s -w',
    '-o',
    `${bin}.build`,
    './cmd/cortex',
  ];
  must('go', ['build', ...args], { cwd: moduleFolder(`${CORTEX}@${CORTEX_VERSION}`) });
  renameSync(`${bin}.build`, bin);
  say('cortex built');
  return bin;
}

/**
 * What renders and checks the manifests: two small programs built from Go modules, and the API's
 * OpenAPI file out of a third.
 */
export function ensureKubernetesTools() {
  const folder = kubernetesTools();
  if (existsSync(folder)) return folder;
  const work = `${folder}.build`;
  say(`building kustomize and kubeconform into ${folder} (once, 1 minute)`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const one of [KUSTOMIZE, KUBECONFORM])
    must('go', ['install', one], { env: { ...process.env, GOBIN: work } });
  cpSync(
    join(moduleFolder(KUBERNETES), 'api', 'openapi-spec', 'swagger.json'),
    join(work, 'swagger.json'),
  );
  renameSync(work, folder);
  return folder;
}

/** Where the Go command keeps a module, downloaded if need be. */
function moduleFolder(module) {
  const { status, stdout, stderr } = spawnSync('go', ['mod', 'download', '-json', module], {
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(`go mod download ${module} ended with ${status}: ${stdout}${stderr}`);
  return JSON.parse(stdout).Dir;
}

function runProgram(args) {
  const node = join(
    root,
    'node_modules',
    'node',
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  return spawnSync(node, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

function main(flags) {
  ensurePackages();
  if (flags.includes('--build')) build();
  if (flags.includes('--servers')) ensureServers();
}

function ensureServers() {
  // What cannot be had here is written down: the tests that need it are reported as skipped with
  // this reason.
  const missing = {};
  for (const version of LHP_VERSIONS) {
    try {
      ensureLhp(version);
    } catch (error) {
      missing[`lhp ${version}`] = error.message;
    }
  }
  for (const [what, ensure] of [
    ['launchers of Python', ensurePythonTools],
    ['collector', ensureCollector],
    ['prometheus', ensurePrometheus],
    ['cortex', ensureCortex],
    ['victoriametrics', ensureVictoriaMetrics],
    ['kubernetes tools', ensureKubernetesTools],
  ]) {
    try {
      ensure();
    } catch (error) {
      missing[what] = error.message;
    }
  }
  mkdirSync(cacheDir, { recursive: true });
  writeFileSync(join(cacheDir, 'missing.json'), JSON.stringify(missing));
  for (const [what, why] of Object.entries(missing)) say(`not available: ${what}: ${why}`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const args = process.argv.slice(2);
    const run = args.indexOf('--run');
    main(run < 0 ? args : args.slice(0, run));
    if (run >= 0) process.exit(runProgram(args.slice(run + 1)));
  } catch (error) {
    say(error.message);
    process.exit(1);
  }
}
