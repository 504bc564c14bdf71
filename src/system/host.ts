// host.ts: the machine as a parameter: environment, clock, folders. Code that takes a Host reads
// none of them directly, so importing it does nothing, and a test passes a machine of its own. What
// concerns this very process (its user id, its standard streams, its end) is asked from `process`
// where it is needed: a value passed in could only be wrong.
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Carries the variables that wrap/start-again.ts removed, names and values as JSON, into the second
 * start.
 */
export const SET_ASIDE = 'LHP_OTEL_SET_ASIDE';

/** Carries the environment to whole-environment.ts: as the kernel has it, in base64. */
export const WHOLE_ENVIRONMENT = 'LHP_OTEL_ENVIRONMENT';

/**
 * Node reads this variable itself when TLS is loaded; under the second name it reaches our code
 * without Node reading it.
 */
export const EXTRA_AUTHORITIES = 'NODE_EXTRA_CA_CERTS';
export const OUR_EXTRA_AUTHORITIES = 'LHP_OTEL_EXTRA_CA_CERTS';

export interface Host {
  env: Env;
  platform: NodeJS.Platform;
  /** The user's home folder, or `undefined` when there is none. */
  home: string | undefined;
  cwd: string;
  /** The folder of the operator's configuration: fixed for a platform, no variable changes it. */
  systemConfigDir: string;
  /** The wall clock: milliseconds since the epoch. */
  now(): number;
}

export function systemHost(): Host {
  return {
    env: process.env,
    platform: process.platform,
    // Looked up when it is needed, which is not before the user's command.
    get home() {
      return attempt(() => nodeModule('node:os').homedir());
    },
    cwd: attempt(() => process.cwd()) ?? '/',
    systemConfigDir:
      process.platform === 'win32'
        ? `${process.env.ProgramData ?? 'C:\\ProgramData'}\\lhp-otel`
        : '/etc/lhp-otel',
    now: Date.now,
  };
}

/** The value, or `undefined` where the system has none (no home, a deleted working folder). */
function attempt(read: () => string): string | undefined {
  try {
    return read() || undefined;
  } catch {
    return undefined; // the system call failed
  }
}

/**
 * Loads a module of Node when it is needed, at once; `import()` would need the helpers of the
 * bundler, which are one more file to load before the user's command. A Node before 20.16, on which
 * `run` must work all the same, has no `getBuiltinModule`; there our programs are CommonJS.
 */
export const nodeModule = ((name: string) =>
  process.getBuiltinModule?.(name) ??
  process.mainModule?.require(name)) as typeof process.getBuiltinModule;
