// config-file.ts: reads one config.json: its values, whether it says off, and what is wrong with
// it. config.ts decides which of the files applies and what the values mean.
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
  /** Whether it says `"enabled": false`, or may say so, because it cannot be read. */
  off: Answer;
}

/**
 * Reads a config.json. A missing file is an empty one.
 *
 * @param known - The keys that are allowed.
 * @param problems - What is wrong is added here, a sentence each.
 * @param ofUser - Whether the file must belong to this user: another user could name their own
 *   collector in it.
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
  const values: Record<string, unknown> = { ...content };
  const unknown = Object.keys(values).filter((key) => !known.includes(key));
  if (unknown.length > 0)
    problems.push(
      `${path}: unknown ${unknown.map(printable).join(', ')}; known are ${known.join(', ')}`,
    );
  return { name: path, values, off: offOf(path, values.enabled, problems) };
}

/**
 * Why a user other than root and this one may have written the file, in words that follow its name.
 */
function whyForeign(path: string): string | undefined {
  const user = process.geteuid?.();
  if (user === undefined) return undefined; // Windows: the folders of a profile are private
  const why = whyUntrusted(dirname(path));
  if (why !== undefined) return `its folder ${why}`;
  const { uid, mode } = statSync(path);
  if (uid !== user && uid !== 0) return `belongs to user ${uid}, and you are ${user}`;
  return (mode & 0o002) === 0
    ? undefined
    : `can be written by others (mode ${(mode & 0o777).toString(8)})`;
}

/** A value that is neither true nor false may mean off. */
function offOf(path: string, enabled: unknown, problems: string[]): Answer {
  if (enabled === undefined || enabled === true) return false;
  if (enabled === false) return true;
  const value = printable(JSON.stringify(enabled));
  const problem = `enabled in ${path} is ${value}; it must be true or false`;
  problems.push(problem);
  return { problem };
}
