// resolve-mode.ts: the consent and the configuration of this user for one project, read from disk:
// the answer that the wrapper, the reporter and every command need. Also writes the user's choice.
import { existsSync, lstatSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Config, loadConfig } from '../config/config.ts';
import type { Answer } from '../config/setting.ts';
import { errorCode } from '../system/error.ts';
import { writePrivate } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { isMissing, readJson, whyUnreadable } from '../system/json.ts';
import { type Paths, resolvePaths } from '../system/paths.ts';
import { type Consent, resolveConsent } from './consent.ts';
import type { StoredLayer } from './layers.ts';

/**
 * `off`: nothing happens. `local`: recorded on this machine only. `send`: delivered to the
 * configured endpoint.
 */
export type Mode = 'off' | 'local' | 'send';

const PROJECT_OPT_OUT: StoredLayer = '.lhp_do_not_track';

export interface Decision {
  consent: Consent;
  mode: Mode;
  paths: Paths;
  /** Undefined where an earlier layer said off: then no configuration is read. */
  config: Config | undefined;
}

/** @param root - The project's folder, where there is one. */
export function resolveMode(host: Host, root: string | undefined): Decision {
  const paths = resolvePaths(host);
  let config: Config | undefined;
  const configured = () => {
    config ??= loadConfig(host, paths);
    return config;
  };
  const consent = resolveConsent(host.env, {
    '.lhp_do_not_track': () => root !== undefined && hasProjectOptOut(root),
    'lhp-otel off': () => saysDisabled(paths.consent),
    'user configuration': () => configured().off.user,
    'lhp telemetry off': () => saysDisabled(paths.lhpTelemetry),
    'operator configuration': () => configured().off.operator,
  });
  const mode = !consent.enabled ? 'off' : configured().configured ? 'send' : 'local';
  return { consent, mode, paths, config };
}

/**
 * Anything with that name opts out, even a link to nothing. A folder that cannot be read may hold
 * one.
 */
function hasProjectOptOut(folder: string): boolean {
  try {
    return lstatSync(join(folder, PROJECT_OPT_OUT), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return errorCode(error) !== 'ENOTDIR';
  }
}

/** Whether a small JSON file says `enabled: false`. */
function saysDisabled(path: string): Answer {
  try {
    const stored = readJson(path);
    return (
      typeof stored === 'object' &&
      stored !== null &&
      'enabled' in stored &&
      stored.enabled === false
    );
  } catch (error) {
    return isMissing(error) ? false : { problem: `${path}: ${whyUnreadable(error)}` };
  }
}

/** The files of this user that say off, or that cannot be read and so mean off. */
export function userOffFiles(host: Host, paths: Paths): string[] {
  return [
    ...(saysDisabled(paths.consent) === false ? [] : [paths.consent]),
    ...(loadConfig(host, paths).off.user === false ? [] : [paths.config]),
  ];
}

/**
 * The nearest folder with a project's opt-out, from `start` upwards, or else `start`. For a host of
 * the library, whose project need not have an `lhp.yaml`.
 */
export function optOutFolder(start: string): string {
  const first = existsSync(start) ? realpathSync(start) : resolve(start);
  for (let folder = first; ; folder = dirname(folder)) {
    if (hasProjectOptOut(folder)) return folder;
    if (folder === dirname(folder)) return first;
  }
}

/** Stores the user's choice. Throws where it cannot be written: `off` must not fail silently. */
export function setUserChoice(paths: Paths, enabled: boolean): void {
  if (enabled) rmSync(paths.consent, { force: true });
  else writePrivate(paths.consent, `${JSON.stringify({ enabled: false })}\n`);
}
