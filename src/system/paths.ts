// paths.ts: the paths of our files (own-files.ts) and folders. XDG folders on every Unix, also on
// macOS, as lhp does; APPDATA and LOCALAPPDATA on Windows. Nothing is read or written here, and no
// path is inside the user's project.
import { isAbsolute, join } from 'node:path';
import type { Host } from './host.ts';
import { OWN_FILES, type OwnFileKey } from './own-files.ts';

/** The rows of {@link OWN_FILES} with one fixed name, in the configuration and the state folder. */
type FixedFile = {
  [Key in OwnFileKey]: (typeof OWN_FILES)[Key]['name'] extends string ? Key : never;
}[OwnFileKey];

export interface Paths extends Record<FixedFile, string> {
  /** The folder of the user's configuration. */
  configFolder: string;
  /** The operator's configuration. */
  systemConfig: string;
  /** lhp's own consent, which counts here too. */
  lhpTelemetry: string;
  /** The code that V8 has compiled of the reporter. It can be deleted at any time. */
  cache: string;
  /** The folder that holds all that the reporter writes. */
  state: string;
  /** The runs that are recorded and not yet delivered. */
  spool: string;
  /** The runs that were delivered, recorded for this machine only, or given up. */
  history: string;
  /** The notes on deliveries without an answer. */
  attempts: string;
}

export function resolvePaths(host: Host): Paths {
  const config = join(xdgConfig(host), 'lhp-otel');
  const state = join(
    xdg(host, 'XDG_STATE_HOME', 'LOCALAPPDATA', join('.local', 'state')),
    'lhp-otel',
  );
  const lhp = host.env.LHP_CONFIG_DIR || join(xdgConfig(host), 'lhp');
  return {
    ...fixedFiles({ config, state }),
    configFolder: config,
    systemConfig: join(host.systemConfigDir, OWN_FILES.config.name),
    lhpTelemetry: join(lhp, 'telemetry.json'),
    cache: join(xdg(host, 'XDG_CACHE_HOME', 'LOCALAPPDATA', '.cache'), 'lhp-otel', 'compiled'),
    state,
    spool: join(state, 'spool'),
    history: join(state, 'history'),
    attempts: join(state, 'attempts'),
  };
}

function fixedFiles(folders: Record<'config' | 'state', string>): Record<FixedFile, string> {
  const paths = Object.entries(OWN_FILES).flatMap(([key, { folder, name }]) =>
    typeof name === 'string' ? [[key, join(folders[folder], name)]] : [],
  );
  return Object.fromEntries(paths) as Record<FixedFile, string>;
}

/** The folder of all programs' configuration. */
export const xdgConfig = (host: Host): string => xdg(host, 'XDG_CONFIG_HOME', 'APPDATA', '.config');

/** Stands for a missing home: nobody, not even root, can create a file below it. */
const NO_HOME = '/dev/null';

/** A relative value is ignored, as the XDG Base Directory specification says. */
function xdg(
  { env, platform, home }: Host,
  unix: string,
  windows: string,
  fallback: string,
): string {
  const set = env[platform === 'win32' ? windows : unix];
  return set && isAbsolute(set) ? set : join(home ?? NO_HOME, fallback);
}
