// start-again.ts: what Node has read of the environment when it started cannot be taken back. So
// where a variable is set that must not count, this process becomes the same program once more,
// without it: `flush` and `doctor` in the environment of the reporter (reporter-env.ts), and every
// command without NODE_DEBUG, at which Node prints the environment of what it starts, and with it
// the configured headers.
import { type Env, SET_ASIDE, systemHost } from '../system/host.ts';
import { isLeftOut, isNotPassed, reporterEnv } from './reporter-env.ts';

const PRINTING: readonly string[] = ['NODE_DEBUG', 'NODE_DEBUG_NATIVE'];

/**
 * Comes back where there is nothing to leave out, or in the second start.
 * @param delivers - the command is `flush` or `doctor`.
 */
export function startAgain(delivers: boolean, env: NodeJS.ProcessEnv): void {
  if (env[SET_ASIDE] !== undefined) {
    if (!delivers) giveBack(env);
    return;
  }
  const without = delivers ? isNotPassed : isPrinting;
  const wrong = Object.keys(env).filter((name) => env[name] && without(name));
  if (wrong.length === 0) return;
  if (typeof process.execve !== 'function') {
    // Windows. Without it certificates are checked all the same (post.ts).
    if (delivers && wrong.some(isPrinting))
      throw new Error(`${wrong.filter(isPrinting).join(', ')} would print headers: unset it first`);
    return;
  }
  const kept = delivers ? reporterEnv(env, systemHost().cwd) : env;
  const aside = wrong.filter(isLeftOut).map((name) => [name, env[name]]);
  const next: Record<string, string> = { [SET_ASIDE]: JSON.stringify(Object.fromEntries(aside)) };
  for (const [name, value] of Object.entries(kept))
    if (value !== undefined && !wrong.includes(name)) next[name] = value;
  const { execPath, execArgv, argv } = process;
  process.execve(execPath, [execPath, ...execArgv, ...argv.slice(1)], next);
}

const isPrinting = (name: string) => PRINTING.includes(name.toUpperCase());

/** The command that is run gets its variables as they were; Node does not look at them again. */
function giveBack(env: NodeJS.ProcessEnv): void {
  const aside = namesAndValues(env[SET_ASIDE]);
  delete env[SET_ASIDE];
  for (const [name, value] of Object.entries(aside)) if (isPrinting(name)) env[name] = value;
}

/** The variables that `doctor` was started with and that do not count. */
export const setAside = (env: Env): Record<string, string> => namesAndValues(env[SET_ASIDE]);

function namesAndValues(text: string | undefined): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    if (typeof parsed !== 'object' || parsed === null) return {};
    return Object.fromEntries(
      Object.entries(parsed).filter(([, value]) => typeof value === 'string'),
    );
  } catch {
    return {}; // not ours
  }
}
