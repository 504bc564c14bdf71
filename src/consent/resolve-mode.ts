// decide.ts: consent and configuration of this user for one project, read from disk: the two
// answers that the wrapper, the reporter and every command need. Also the one place that writes the
// user's choice.
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

/**
 * `off`: nothing happens. `local`: recorded on this machine only. `send`: delivered to the
 * configured endpoint.
 */
export type Mode = 'off' | 'local' | 'send';

/** Beside `lhp.yaml`: the opt-out of a project. */
const OPT_OUT = '.lhp_do_not_track';

export interface Decision {
  consent: Consent;
  mode: Mode;
  paths: Paths;
  /** Read only where no layer before the operator's said off. */
  config: Config | undefined;
}

export function resolveMode(host: Host, root: string | undefined): Decision {
  const paths = resolvePaths(host);
  let config: Config | undefined;
  const configured = () => {
    config ??= loadConfig(host, paths);
    return config;
  };
  const consent = resolveConsent(host.env, {
    projectOptOut: () => root !== undefined && hasOptOut(root),
    userOff: () => switchedOff(paths.consent),
    userConfigOff: () => configured().off.user,
    // Read as lhp reads it: what cannot be read counts as absent.
    lhpOff: () => switchedOff(paths.lhpTelemetry) === true,
    operatorOff: () => configured().off.operator,
  });
  const mode = !consent.enabled ? 'off' : configured().configured ? 'send' : 'local';
  return { consent, mode, paths, config };
}

/**
 * Whatever is there under that name, a link to nothing too. A folder that cannot be looked into may
 * have it.
 */
function hasOptOut(folder: string): boolean {
  try {
    return lstatSync(join(folder, OPT_OUT), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return errorCode(error) !== 'ENOTDIR';
  }
}

/** `enabled: false` in a small JSON file. */
function switchedOff(path: string): Answer {
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

/** The files in which the user is off. */
export function userOffFiles(host: Host, paths: Paths): string[] {
  return [
    ...(switchedOff(paths.consent) === false ? [] : [paths.consent]),
    ...(loadConfig(host, paths).off.user === false ? [] : [paths.config]),
  ];
}

/**
 * The nearest folder with an opt-out, from here upwards: for a host of the library, whose project
 * need not have an `lhp.yaml`. The folder itself where there is none.
 */
export function optOutFolder(start: string): string {
  const first = existsSync(start) ? realpathSync(start) : resolve(start);
  for (let folder = first; ; folder = dirname(folder)) {
    if (hasOptOut(folder)) return folder;
    if (folder === dirname(folder)) return first;
  }
}

/**
 * Keeps the user's choice. Throws where it cannot be written: who asked for `off` must hear that it
 * did not take.
 */
export function setUserChoice(paths: Paths, enabled: boolean): void {
  if (enabled) rmSync(paths.consent, { force: true });
  else writePrivate(paths.consent, `${JSON.stringify({ enabled: false })}\n`);
}
