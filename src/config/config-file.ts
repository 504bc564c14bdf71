// config-file.ts: one config.json as it is: its values, whether it says off, and what is wrong with
// it. Which of two files decides, and what the values mean, is config.ts's.
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { whyUntrusted } from '../system/files.ts';
import { isMissing, readJson, whyUnreadable } from '../system/json.ts';
import { printable } from '../system/log.ts';
import type { Answer } from './setting.ts';

export interface ConfigFile {
  /** Its path. */
  name: string;
  values: Record<string, unknown>;
  /** Whether it says `"enabled": false`, or may have said so, because it cannot be read. */
  off: Answer;
}

/**
 * Absent is empty. What is wrong is added to `problems`.
 *
 * @param ofUser - Whether it must be this user's: another user could name a collector of their own
 *   in it.
 */
export function readConfigFile(
  path: string,
  known: readonly string[],
  problems: string[],
  ofUser: boolean,
): ConfigFile {
  const unreadable = (what: string): ConfigFile => {
    problems.push(`${path}: ${what}`);
    return { name: path, values: {}, off: { problem: `${path}: ${what}` } };
  };
  let content: unknown;
  try {
    content = readJson(path);
  } catch (error) {
    return isMissing(error)
      ? { name: path, values: {}, off: false }
      : unreadable(whyUnreadable(error));
  }
  const foreign = ofUser ? whyForeign(path) : undefined;
  if (foreign !== undefined) return unreadable(foreign);
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    return unreadable('must be a JSON object');
  const values = content as Record<string, unknown>;
  const unknown = Object.keys(values).filter((key) => !known.includes(key));
  if (unknown.length > 0)
    problems.push(
      `${path}: unknown ${unknown.map(printable).join(', ')}; known are ${known.join(', ')}`,
    );
  return { name: path, values, off: offOf(path, values.enabled, problems) };
}

/** Why somebody else may have written the file, in words behind its name. root may. */
function whyForeign(path: string): string | undefined {
  const user = process.geteuid?.();
  if (user === undefined) return undefined; // Windows: folders of the profile are private
  const why = whyUntrusted(dirname(path));
  if (why !== undefined) return `its folder ${why}`;
  const { uid, mode } = statSync(path);
  if (uid !== user && uid !== 0) return `belongs to user ${uid}, and you are ${user}`;
  return (mode & 0o002) === 0
    ? undefined
    : `can be written by others (mode ${(mode & 0o777).toString(8)})`;
}

/** What is neither true nor false was meant to say something. */
function offOf(path: string, enabled: unknown, problems: string[]): Answer {
  if (enabled === undefined || enabled === true) return false;
  if (enabled === false) return true;
  const problem = `enabled in ${path} is ${printable(JSON.stringify(enabled))}; it must be true or false`;
  problems.push(problem);
  return { problem };
}
