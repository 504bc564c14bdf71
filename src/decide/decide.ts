// decide.ts: consent and configuration of this user for one project, read from disk: the two answers that the wrapper, the
// reporter and every command need. Also the one place that writes the user's choice.
import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Deps } from '../system/deps.ts';
import { writePrivate } from '../system/files.ts';
import { type Paths, pathsOf } from '../system/paths.ts';
import { type Config, loadConfig } from './config.ts';
import { type Consent, resolveConsent } from './consent.ts';

/** `off`: nothing happens. `local`: recorded on this machine only. `send`: delivered to the configured endpoint. */
export type Mode = 'off' | 'local' | 'send';

export interface Decision {
  consent: Consent;
  mode: Mode;
  paths: Paths;
  /** Read only where no layer before the operator's said off. */
  config: Config | undefined;
}

export function decide(deps: Deps, root: string | undefined): Decision {
  const paths = pathsOf(deps);
  let config: Config | undefined;
  const configured = () => {
    config ??= loadConfig(deps, paths);
    return config;
  };
  const consent = resolveConsent(deps.env, {
    projectOptOut: () => root !== undefined && existsSync(join(root, '.lhp_do_not_track')),
    userOff: () => switchedOff(paths.consent, true) || configured().disabledBy === 'user',
    lhpOff: () => switchedOff(paths.lhpTelemetry, false),
    operatorOff: () => configured().disabledBy === 'operator',
  });
  const mode = !consent.enabled ? 'off' : configured().configured ? 'send' : 'local';
  return { consent, mode, paths, config };
}

/**
 * `enabled: false` in a small JSON file. Our own file means off when it is there and cannot be read; lhp's is read as lhp
 * reads it, where an unreadable file counts as absent.
 */
function switchedOff(path: string, unreadableMeansOff: boolean): boolean {
  try {
    const stored: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof stored === 'object' && stored !== null && 'enabled' in stored && stored.enabled === false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return unreadableMeansOff && code !== 'ENOENT' && code !== 'ENOTDIR';
  }
}

/** The files in which the user is off. */
export function userOffFiles(deps: Deps, paths: Paths): string[] {
  return [
    ...(switchedOff(paths.consent, true) ? [paths.consent] : []),
    ...(loadConfig(deps, paths).disabledBy === 'user' ? [paths.config] : []),
  ];
}

/** The folder with `lhp.yaml`, looked for as lhp does: from here upwards. */
export function projectRoot(cwd: string): string | undefined {
  try {
    for (let folder = realpathSync(cwd); ; folder = dirname(folder)) {
      if (existsSync(join(folder, 'lhp.yaml'))) return folder;
      if (folder === dirname(folder)) return undefined;
    }
  } catch {
    return undefined; // the folder is gone
  }
}

/** Keeps the user's choice. Throws where it cannot be written: who asked for `off` must hear that it did not take. */
export function setUserChoice(paths: Paths, enabled: boolean): void {
  if (enabled) rmSync(paths.consent, { force: true });
  else writePrivate(paths.consent, `${JSON.stringify({ enabled: false })}\n`);
}
