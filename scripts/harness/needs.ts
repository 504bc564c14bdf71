// needs.ts: what a machine lacks is said, not hidden. A test that needs a program it cannot have is
// skipped with the reason; with CI=true the same lack is a failure.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'vitest';
import {
  cacheDir,
  collectorPath,
  cortexPath,
  kubernetesTools,
  lhpPath,
  prometheusPath,
  promtoolPath,
  pythonToolsPath,
  victoriaMetricsPath,
  vmalertPath,
} from '../setup.mjs';

const missing: Record<string, string> = existsSync(join(cacheDir, 'missing.json'))
  ? JSON.parse(readFileSync(join(cacheDir, 'missing.json'), 'utf8'))
  : {};

/** The real lhp of this version, or undefined with the reason on record. */
export const lhp = (version: string) => needed(`lhp ${version}`, lhpPath(version));
/** uv, and beside it the other real launchers: pipx, poetry, hatch, pdm, pipenv. */
export const pythonTools = () => needed('launchers of Python', pythonToolsPath());
/** The real OpenTelemetry Collector. */
export const collector = () => needed('collector', collectorPath());
/** The real Prometheus. */
export const prometheus = () => needed('prometheus', prometheusPath());
/** Its tool, which checks and tests rules. */
export const promtool = () => needed('prometheus', promtoolPath());
/** The browser of the tests of the local page. */
export const chromium = () => program('chromium');
/** The real Cortex. */
export const cortex = () => needed('cortex', cortexPath());
/** The real VictoriaMetrics. */
export const victoriaMetrics = () => needed('victoriametrics', victoriaMetricsPath());
/** What evaluates alert rules for it. */
export const vmalert = () => needed('victoriametrics', vmalertPath());
/** A folder with kustomize, kubeconform and swagger.json. */
export const kubernetes = () => needed('kubernetes tools', kubernetesTools());
/** A program on PATH, e.g. strace. */
export const program = (name: string) =>
  needed(
    name,
    (process.env.PATH ?? '')
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find(existsSync) ?? '',
  );

/** A second user id, to attack with: only root can start a process as another user. */
export const secondUser = (): Need & { uid: number; gid: number } => ({
  path: '',
  uid: 65_534,
  gid: 65_534,
  ...(process.getuid?.() === 0 ? {} : { lacks: 'a second user needs root' }),
});

export interface Need {
  path: string;
  /** Why it is not here; undefined when it is. */
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
 * `describe` body guard: registers one skipped test that carries the reason (a failing one with
 * CI=true).
 */
export function lacking(...needs: Need[]): boolean {
  const reasons = needs.flatMap((need) => need.lacks ?? []);
  if (reasons.length === 0) return false;
  const why = reasons.join('; ');
  if (process.env.CI === 'true') test(`needs: ${why}`, () => Promise.reject(new Error(why)));
  else test.skip(`skipped: ${why}`, () => {});
  return true;
}
