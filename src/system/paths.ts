// paths.ts: where things are kept. XDG folders on every Unix (also on macOS, as lhp itself does),
// APPDATA on Windows. Nothing here touches the disk. Nothing of ours is ever inside the user's
// project.
import { isAbsolute, join } from 'node:path';
import type { Host } from './host.ts';

export interface Paths {
  /** The user's configuration: `config.json`. */
  config: string;
  /** The user's choice of `lhp-otel off`. */
  consent: string;
  /** The operator's configuration. */
  systemConfig: string;
  /** lhp's own consent, which counts here too. */
  lhpTelemetry: string;
  /** What V8 has compiled of the reporter; can be deleted at any time. */
  cache: string;
  /** Everything that the reporter writes. */
  state: string;
  /** Recorded and not yet delivered; one file is one OTLP request. */
  spool: string;
  /** Recorded and either delivered, kept local, or given up. */
  history: string;
  /** What is known of posts without an answer. */
  attempts: string;
}

/** In the state folder: the notice that a shell hook shows at the next run. */
export const PENDING_NOTICE = 'notice.pending';

export function resolvePaths(host: Host): Paths {
  const config = join(xdgConfig(host), 'lhp-otel');
  const state = join(
    xdg(host, 'XDG_STATE_HOME', 'LOCALAPPDATA', join('.local', 'state')),
    'lhp-otel',
  );
  const lhp = host.env.LHP_CONFIG_DIR || join(xdgConfig(host), 'lhp');
  return {
    config: join(config, 'config.json'),
    consent: join(config, 'consent.json'),
    systemConfig: join(host.systemConfigDir, 'config.json'),
    lhpTelemetry: join(lhp, 'telemetry.json'),
    cache: join(xdg(host, 'XDG_CACHE_HOME', 'LOCALAPPDATA', '.cache'), 'lhp-otel', 'compiled'),
    state,
    spool: join(state, 'spool'),
    history: join(state, 'history'),
    attempts: join(state, 'attempts'),
  };
}

/** The folder of every program's configuration. */
export const xdgConfig = (host: Host): string => xdg(host, 'XDG_CONFIG_HOME', 'APPDATA', '.config');

/** Nothing can be made below it, not even by root. */
const NO_HOME = '/dev/null';

/** The XDG Base Directory specification says to ignore a relative value. */
function xdg(
  { env, platform, home }: Host,
  unix: string,
  windows: string,
  fallback: string,
): string {
  const set = env[platform === 'win32' ? windows : unix];
  return set && isAbsolute(set) ? set : join(home ?? NO_HOME, fallback);
}
