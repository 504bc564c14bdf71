// start-again.ts: restarts this program without variables that Node must not read. Node has read
// its environment by the time our code runs, and that cannot be undone. `flush` and `doctor`
// restart in the environment of the reporter (reporter-env.ts); every command restarts without
// NODE_DEBUG, for which Node prints the environment of each child process, and with it the
// configured headers.
import { type Env, SET_ASIDE, systemHost } from '../system/host.ts';
import { isLeftOut, isNotPassed, reporterEnv } from './reporter-env.ts';

const PRINTING: readonly string[] = ['NODE_DEBUG', 'NODE_DEBUG_NATIVE'];

/**
 * Returns where nothing has to be left out, and in the second start.
 *
 * @param delivers - Whether the command is `flush` or `doctor`.
 */
export function startAgain(delivers: boolean, env: NodeJS.ProcessEnv): void {
  if (env[SET_ASIDE] !== undefined) {
    if (!delivers) restore(env);
    return;
  }
  const mustGo = delivers ? isNotPassed : isPrinting;
  const names = Object.keys(env).filter((name) => env[name] && mustGo(name));
  if (names.length === 0) return;
  if (typeof process.execve !== 'function') {
    // Windows cannot replace a process. Certificates are checked all the same (agent.ts).
    if (delivers && names.some(isPrinting))
      throw new Error(`${names.filter(isPrinting).join(', ')} would print headers: unset it first`);
    return;
  }
  const kept = delivers ? reporterEnv(env, systemHost().cwd) : env;
  const aside = names.filter(isLeftOut).map((name) => [name, env[name]]);
  const next: Record<string, string> = { [SET_ASIDE]: JSON.stringify(Object.fromEntries(aside)) };
  for (const [name, value] of Object.entries(kept))
    if (value !== undefined && !names.includes(name)) next[name] = value;
  const { execPath, execArgv, argv } = process;
  process.execve(execPath, [execPath, ...execArgv, ...argv.slice(1)], next);
}

const isPrinting = (name: string) => PRINTING.includes(name.toUpperCase());

/** The user's command gets these variables back. Node does not read them a second time. */
function restore(env: NodeJS.ProcessEnv): void {
  const aside = namesAndValues(env[SET_ASIDE]);
  delete env[SET_ASIDE];
  for (const [name, value] of Object.entries(aside)) if (isPrinting(name)) env[name] = value;
}

/** The variables that were set when `doctor` was started, and that were left out. */
export const setAside = (env: Env): Record<string, string> => namesAndValues(env[SET_ASIDE]);

function namesAndValues(text: string | undefined): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    if (typeof parsed !== 'object' || parsed === null) return {};
    return Object.fromEntries(
      Object.entries(parsed).filter(([, value]) => typeof value === 'string'),
    );
  } catch {
    return {}; // set by somebody else
  }
}
