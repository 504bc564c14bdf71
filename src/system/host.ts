// host.ts: the world as a parameter. Everything that the other files want to know of the machine
// comes from here, so that importing them does nothing and tests can hand in a world of their own.
import { homedir } from 'node:os';

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * What Node was started with and was set aside (wrap/start-again.ts): names and values, as JSON.
 */
export const SET_ASIDE = 'LHP_OTEL_SET_ASIDE';

/** The file with more authorities that Node reads, and how its name travels where Node must not. */
export const EXTRA_AUTHORITIES = 'NODE_EXTRA_CA_CERTS';
export const OUR_EXTRA_AUTHORITIES = 'LHP_OTEL_EXTRA_CA_CERTS';

export interface Host {
  env: Env;
  platform: NodeJS.Platform;
  /** The user's home folder, or `undefined` when there is none. */
  home: string | undefined;
  cwd: string;
  /** Where the operator's configuration is; a constant of the platform, no variable can move it. */
  systemConfigDir: string;
}

export function systemHost(): Host {
  return {
    env: process.env,
    platform: process.platform,
    home: attempt(homedir),
    cwd: attempt(() => process.cwd()) ?? '/',
    systemConfigDir:
      process.platform === 'win32'
        ? `${process.env.ProgramData ?? 'C:\\ProgramData'}\\lhp-otel`
        : '/etc/lhp-otel',
  };
}

/** The value, or `undefined` where the system has none (no home, a deleted working folder). */
function attempt(read: () => string): string | undefined {
  try {
    return read() || undefined;
  } catch {
    return undefined;
  }
}
