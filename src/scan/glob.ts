// glob.ts: one pattern of lhp.yaml as a test on a relative path, with the meaning lhp gives it:
// Python's fnmatch, where `*` also crosses `/`, and a `**` of its own. Patterns are untrusted
// input, and a regular expression made of one can take longer than anybody waits. Here a test takes
// at most the length of the pattern times the length of the path.
import type { Deadline } from './deadline.ts';

export interface Matcher {
  matches: (path: string) => boolean;
  /**
   * How every path that matches begins, as text and not by folders: `blueprints/**` also matches in
   * blueprints_old/.
   */
  beginning: string;
}

/** The text before the first wildcard. */
const fixed = (pattern: string) => pattern.slice(0, /[*?[]|$/.exec(pattern)?.index);

export function matcher(pattern: string, deadline: Deadline): Matcher {
  const glob = (text: string) => fnmatch(text, deadline);
  const whole = glob(pattern);
  if (!pattern.includes('**')) {
    if (/[*?]/.test(pattern)) return { matches: whole, beginning: fixed(pattern) };
    return {
      matches: (path) => path.slice(path.lastIndexOf('/') + 1) === pattern || whole(path),
      beginning: '',
    };
  }
  const [before = '', after = '', ...more] = pattern.split('**');
  if (more.length > 0) return { matches: () => false, beginning: pattern };
  const suffix = glob(after.replace(/^\/+/, ''));
  const prefix = before.replace(/\/+$/, '');
  if (!prefix)
    return { matches: (path) => suffix(path.slice(path.lastIndexOf('/') + 1)), beginning: '' };
  const parent = glob(`${prefix}*`);
  // lhp tries every folder above the file, and at last the one that all paths are relative to,
  // which is called `.`.
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

const STAR = Symbol('*');
const ANY = Symbol('?');
/** One character of the pattern: itself, one of the wildcards, or a set. */
type Token = string | typeof STAR | typeof ANY | RegExp;

/**
 * Python's fnmatch.fnmatch on POSIX: case-sensitive, `*` and `?` match any character, `[!…]`
 * negates.
 */
function fnmatch(pattern: string, deadline: Deadline): (text: string) => boolean {
  const tokens = tokensOf(pattern);
  return (text) => matchesAll(tokens, characters(text), deadline);
}

/** By code points, as Python counts; most texts have no other characters than code units. */
const characters = (text: string): ArrayLike<string> =>
  /[\ud800-\udfff]/.test(text) ? [...text] : text;

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  const chars = [...pattern];
  let closes = true; // a bracket that is not closed has none behind it that is
  for (let i = 0; i < chars.length; i += 1) {
    const c = chars[i] as string;
    if (c === '*') {
      if (tokens.at(-1) !== STAR) tokens.push(STAR);
    } else if (c === '?') tokens.push(ANY);
    else if (c === '[' && closes) {
      // A `]` right behind the bracket (or its `!`) belongs to the set.
      const end = chars.indexOf(']', chars[i + 1] === '!' ? i + 3 : i + 2);
      closes = end >= 0;
      tokens.push(closes ? characterSet(chars.slice(i + 1, end).join('')) : c);
      if (closes) i = end;
    } else tokens.push(c);
  }
  return tokens;
}

/** A set as a regular expression for one character, which cannot take long. */
function characterSet(set: string): RegExp {
  const negated = set.startsWith('!');
  const body = (negated ? set.slice(1) : set).replace(/[\\\]^[]/g, '\\$&');
  // A range that runs backwards matches nothing in Python and is an error here.
  const ranges = body.replace(/([^\\])-(.)/gu, (range, from: string, to: string) =>
    from <= to ? range : '',
  );
  if (ranges === '') return negated ? /^.$/su : /^(?!)/u;
  return new RegExp(`^[${negated ? '^' : ''}${ranges.replace(/^-|-$/g, '\\-')}]$`, 'su');
}

/**
 * Where the text goes another way than the pattern, only the last star can take more of it: earlier
 * ones need not.
 */
function matchesAll(
  tokens: readonly Token[],
  text: ArrayLike<string>,
  deadline: Deadline,
): boolean {
  let token = 0;
  let star = -1;
  let starEnd = 0;
  for (let at = 0; at < text.length; ) {
    deadline.step();
    const wanted = tokens[token];
    if (wanted === STAR) {
      star = token;
      starEnd = at;
      token += 1;
    } else if (wanted !== undefined && matchesOne(wanted, text[at] as string)) {
      token += 1;
      at += 1;
    } else if (star >= 0) {
      token = star + 1;
      starEnd += 1;
      at = starEnd;
    } else return false;
  }
  return tokens.slice(token).every((left) => left === STAR);
}

function matchesOne(token: Exclude<Token, typeof STAR>, character: string): boolean {
  if (typeof token === 'string') return token === character;
  return token === ANY || token.test(character);
}
