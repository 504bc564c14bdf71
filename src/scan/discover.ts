// discover.ts: which YAML files belong to the project: every *.yaml and *.yml below a folder, narrowed by the patterns of
// lhp.yaml with the meaning lhp gives them (Python's fnmatch, where `*` also crosses `/`, and a `**` of its own).
// Folders that are symbolic links are not entered (as in lhp), so links cannot make a loop; the number of entries is bounded.
import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LimitError } from './mapping.ts';

/** A project with its virtual environments has some 50,000 entries. */
const MAX_ENTRIES = 500_000;

/** Relative paths with `/`, sorted. `patterns` empty or undefined: all. A folder that is not there has none. */
export function discoverYaml(base: string, patterns: readonly string[] | undefined): string[] {
  const matchers = patterns?.length ? patterns.map(matcher) : undefined;
  const found: string[] = [];
  const folders = [''];
  let entries = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of list(join(base, folder))) {
      entries += 1;
      if (entries > MAX_ENTRIES) throw new LimitError('number of files');
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory()) {
        if (!matchers || matchers.some((one) => mayHold(one, path))) folders.push(path);
      } else if (/\.ya?ml$/.test(entry.name) && (!matchers || matchers.some(({ matches }) => matches(path)))) {
        found.push(path);
      }
    }
  }
  return found.sort();
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // not there, or not readable: Python's glob passes over it too
  }
}

interface Matcher {
  matches: (path: string) => boolean;
  /** How every path that matches begins, as text and not by folders: `blueprints/**` also matches in blueprints_old/. */
  beginning: string;
}

/** A folder is entered only where a path below it can still match. */
const mayHold = ({ beginning }: Matcher, folder: string) =>
  `${folder}/`.startsWith(beginning) || beginning.startsWith(`${folder}/`);

/** The text before the first wildcard. */
const fixed = (pattern: string) => pattern.slice(0, /[*?[]|$/.exec(pattern)?.index);

/** One pattern of lhp.yaml as a test on a relative path. */
function matcher(pattern: string): Matcher {
  const whole = fnmatch(pattern);
  if (!pattern.includes('**')) {
    if (/[*?]/.test(pattern)) return { matches: whole, beginning: fixed(pattern) };
    return { matches: (path) => path.slice(path.lastIndexOf('/') + 1) === pattern || whole(path), beginning: '' };
  }
  const [before = '', after = '', ...more] = pattern.split('**');
  if (more.length > 0) return { matches: () => false, beginning: pattern };
  const suffix = fnmatch(after.replace(/^\/+/, ''));
  const prefix = before.replace(/\/+$/, '');
  if (!prefix) return { matches: (path) => suffix(path.slice(path.lastIndexOf('/') + 1)), beginning: '' };
  const parent = fnmatch(`${prefix}*`);
  // lhp tries every folder above the file, and at last the one that all paths are relative to, which is called `.`.
  const everywhere = parent('.');
  const matches = (path: string) => {
    if (parent(path) && suffix('.')) return true;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      if (parent(path.slice(0, slash)) && suffix(path.slice(slash + 1))) return true;
    }
    return (everywhere && suffix(path)) || whole(path);
  };
  return { matches, beginning: everywhere ? '' : fixed(prefix) };
}

/** Python's fnmatch.fnmatch on POSIX: case-sensitive, `*` and `?` match any character, `[!…]` negates. */
function fnmatch(pattern: string): (text: string) => boolean {
  let source = '';
  for (let i = 0; i < pattern.length; i += 1) {
    const c = pattern[i] as string;
    if (c === '*') {
      if (!source.endsWith('.*')) source += '.*';
    } else if (c === '?') source += '.';
    else if (c === '[') {
      // A `]` right behind the bracket (or its `!`) belongs to the set.
      const end = pattern.indexOf(']', pattern[i + 1] === '!' ? i + 3 : i + 2);
      if (end < 0) source += '\\[';
      else {
        source += characterSet(pattern.slice(i + 1, end));
        i = end;
      }
    } else source += c.replace(/[\\^$.|+(){}\]/]/g, '\\$&');
  }
  const regex = new RegExp(`^${source}$`, 'su');
  return (text) => regex.test(text);
}

function characterSet(set: string): string {
  const negated = set.startsWith('!');
  const body = (negated ? set.slice(1) : set).replace(/[\\\]^[]/g, '\\$&');
  // A range that runs backwards matches nothing in Python and is an error here.
  const ranges = body.replace(/([^\\])-(.)/gu, (range, from: string, to: string) => (from <= to ? range : ''));
  if (ranges === '') return negated ? '.' : '(?!)';
  return `[${negated ? '^' : ''}${ranges.replace(/^-|-$/g, '\\-')}]`;
}
