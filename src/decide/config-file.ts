// config-file.ts: one config.json as it is: its values, whether it says off, and what is wrong with it. Which
// of two files decides, and what the values mean, is config.ts's.
import { isMissing, readJson, whyUnreadable } from '../system/json.ts';
import { printable } from '../system/printable.ts';
import type { Answer } from './consent.ts';

export interface ConfigFile {
  /** Its path. */
  name: string;
  values: Record<string, unknown>;
  /** Whether it says `"enabled": false`, or may have said so, because it cannot be read. */
  off: Answer;
}

/** Absent is empty. What is wrong is added to `problems`. */
export function readConfigFile(path: string, known: readonly string[], problems: string[]): ConfigFile {
  const unreadable = (what: string): ConfigFile => {
    problems.push(`${path}: ${what}`);
    return { name: path, values: {}, off: { problem: `${path}: ${what}` } };
  };
  let content: unknown;
  try {
    content = readJson(path);
  } catch (error) {
    return isMissing(error) ? { name: path, values: {}, off: false } : unreadable(whyUnreadable(error));
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    return unreadable('must be a JSON object');
  const values = content as Record<string, unknown>;
  const unknown = Object.keys(values).filter((key) => !known.includes(key));
  if (unknown.length > 0)
    problems.push(`${path}: unknown ${unknown.map(printable).join(', ')}; known are ${known.join(', ')}`);
  return { name: path, values, off: offOf(path, values.enabled, problems) };
}

/** What is neither true nor false was meant to say something. */
function offOf(path: string, enabled: unknown, problems: string[]): Answer {
  if (enabled === undefined || enabled === true) return false;
  if (enabled === false) return true;
  const problem = `enabled in ${path} is ${printable(JSON.stringify(enabled))}; it must be true or false`;
  problems.push(problem);
  return { problem };
}
