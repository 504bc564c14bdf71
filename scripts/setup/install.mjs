// install.mjs: installs the programs of programs.mjs into the cache folder of the user, once. Each
// is made beside its place and moved there when it is complete, so that an interrupted installation
// is never taken for a finished one.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  COLLECTOR,
  CORTEX,
  collectorPath,
  cortexPath,
  GRAFANA_COMPONENTS,
  grafanaComponents,
  inVenv,
  KUBECONFORM,
  KUBERNETES,
  KUSTOMIZE,
  kubernetesTools,
  lhpPath,
  lhpRequirements,
  lhpVenv,
  moduleFolder,
  NODE_WHEEL,
  nodeWheelFolder,
  operatorObjects,
  PROMETHEUS,
  PROMETHEUS_OPERATOR,
  PYTHON_TOOLS,
  prometheusPath,
  pythonToolsPath,
  pythonToolsVenv,
  TWINE,
  twinePath,
  twineVenv,
  VICTORIAMETRICS,
  victoriaMetricsPath,
} from './programs.mjs';
import { run, step } from './step.mjs';

/** Builds take minutes of all cores, and tests can run at the same time: see `run`. */
const background = true;

/** A virtual environment with one version of the real lhp from PyPI. Resolves with its path. */
export async function ensureLhp(version) {
  await installFromPyPI(`lhp ${version}`, lhpVenv(version), 'lhp', lhpRequirements(version));
  return lhpPath(version);
}

/** The launchers that start lhp in an environment (190 MB). Resolves with the path of uv. */
export async function ensurePythonTools() {
  await installFromPyPI('launchers of Python', pythonToolsVenv(), 'uv', PYTHON_TOOLS);
  return pythonToolsPath();
}

/** twine. Resolves with its path. */
export async function ensureTwine() {
  await installFromPyPI('twine', twineVenv(), 'twine', [TWINE]);
  return twinePath();
}

/** The wheel with Node (61 MB), not installed. Resolves with its folder. */
export const ensureNodeWheel = () =>
  make(`${NODE_WHEEL}: downloading from PyPI`, nodeWheelFolder(), async (folder) => {
    const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check'];
    const python = process.env.PYTHON || 'python3';
    await run(python, [...pip, '--no-deps', '--only-binary=:all:', '-d', folder, NODE_WHEEL]);
    return folder;
  });

// A virtual environment contains its own path, so it cannot be moved to its place when complete:
// one that failed is removed.
async function installFromPyPI(title, venv, program, requirements) {
  if (existsSync(inVenv(venv, program))) return;
  await step(`${title}: installing from PyPI`, async () => {
    rmSync(venv, { recursive: true, force: true });
    mkdirSync(dirname(venv), { recursive: true });
    const pip = ['install', '--quiet', '--disable-pip-version-check', ...requirements];
    try {
      await run(process.env.PYTHON || 'python3', ['-m', 'venv', venv]);
      await run(inVenv(venv, 'pip'), pip);
    } catch (error) {
      rmSync(venv, { recursive: true, force: true });
      throw error;
    }
  });
}

/**
 * Makes `path` by `work`, which is given a temporary folder and resolves with what to move there.
 */
async function make(title, path, work) {
  if (existsSync(path)) return path;
  const folder = `${path}.build`;
  await step(title, async () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    renameSync(await work(folder), path);
    rmSync(folder, { recursive: true, force: true });
  });
  return path;
}

/**
 * The real collector, built from Go modules with the parts that test/collector/builder.yaml names.
 */
export const ensureCollector = () =>
  make('OpenTelemetry Collector: building', collectorPath(), async (folder) => {
    cpSync(COLLECTOR.config, join(folder, 'builder.yaml'));
    const args = ['run', COLLECTOR.builder, '--config', 'builder.yaml'];
    await run('go', args, { cwd: folder, background });
    return join(folder, 'out', 'otelcol');
  });

/** The real Prometheus and promtool. Resolves with the path of Prometheus. */
export const ensurePrometheus = () =>
  ensureModule('Prometheus and promtool', PROMETHEUS, prometheusPath());

/** The real VictoriaMetrics and vmalert. Resolves with the path of VictoriaMetrics. */
export const ensureVictoriaMetrics = () =>
  ensureModule('VictoriaMetrics and vmalert', VICTORIAMETRICS, victoriaMetricsPath());

/** The real Cortex. Resolves with its path. */
export const ensureCortex = () => ensureModule('Cortex', CORTEX, cortexPath());

async function ensureModule(title, module, path) {
  await make(`${title}: building`, moduleFolder(module), async (folder) => {
    await build(module, folder);
    return folder;
  });
  return path;
}

/**
 * What renders and checks the manifests: two programs built from Go modules, and the OpenAPI file
 * of Kubernetes out of a third. Resolves with their folder.
 */
export async function ensureKubernetesTools() {
  await make('objects of the Prometheus Operator: copying', operatorObjects(), async (folder) => {
    const module = await downloaded(PROMETHEUS_OPERATOR);
    for (const kind of ['servicemonitors', 'prometheusrules']) {
      const name = `monitoring.coreos.com_${kind}.yaml`;
      cpSync(join(module, 'example', 'prometheus-operator-crd', name), join(folder, name));
    }
    return folder;
  });
  return make('kustomize and kubeconform: building', kubernetesTools(), async (folder) => {
    await build(KUSTOMIZE, folder);
    await build(KUBECONFORM, folder);
    const api = join(await downloaded(KUBERNETES), 'api', 'openapi-spec', 'swagger.json');
    cpSync(api, join(folder, 'swagger.json'));
    return folder;
  });
}

/**
 * Grafana's components, from npm, for the pictures of the dashboards. No package's install script
 * runs. Resolves with their folder.
 */
export const ensureGrafanaComponents = () =>
  make("Grafana's components: installing 660 MB from npm", grafanaComponents(), async (folder) => {
    const manifest = { private: true, ...GRAFANA_COMPONENTS };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', ...flags], { cwd: folder, shell: process.platform === 'win32' });
    return folder;
  });

/**
 * Builds programs of a Go module in the module's own folder, where its go.mod and go.sum apply as
 * published: `go install` refuses a module with replacements, as that of Cortex.
 */
async function build({ module, version, programs, tags, ldflags }, folder) {
  const cwd = await downloaded(`${module}@${version}`);
  const flags = ['-mod=readonly', '-trimpath', `-ldflags=${ldflags}`, '-o', `${folder}/`];
  const packages = programs.map((program) => `./${program}`);
  const args = ['build', ...(tags ? ['-tags', tags] : []), ...flags, ...packages];
  // A module's go.work names folders that are not published with it.
  const env = { ...process.env, GOWORK: 'off' };
  await run('go', args, { cwd, env, background });
  if (readdirSync(folder).length === 0) throw new Error(`go ${args.join(' ')} built nothing`);
}

/** The folder in which the Go command keeps a module, downloaded if need be. */
async function downloaded(module) {
  return JSON.parse(await run('go', ['mod', 'download', '-json', module], { background })).Dir;
}
