// glob.ts: matches relative paths against a pattern of lhp.yaml, as lhp does: by Python's fnmatch,
// whose `*` also matches `/`, and with lhp's own rule for `**`. Patterns are untrusted input. A
// regular expression made from one can take exponential time; matching here takes at most the
// length of the pattern times the length of the path.
import type { Deadline } from './deadline.ts';

export interface Matcher {
  matches: (path: string) => boolean;
  /**
   * Every path that matches begins with this text. It is not a folder: `blueprints/**` also matches
   * paths in `blueprints_old/`.
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
  // lhp tries every folder above the file, and finally the base folder, which is called `.`.
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
/** A part of the pattern: a character, a wildcard, or a set of characters. */
type Token = string | typeof STAR | typeof ANY | RegExp;

/**
 * Python's fnmatch.fnmatch on POSIX: case-sensitive, `*` and `?` match any character, `[!…]`
 * negates.
 */
function fnmatch(pattern: string, deadline: Deadline): (text: string) => boolean {
  const tokens = tokensOf(pattern);
  return (text) => matchesAll(tokens, characters(text), deadline);
}

/** The text by code points, as Python counts. Most texts have no surrogate pairs. */
const characters = (text: string): ArrayLike<string> =>
  /[\ud800-\udfff]/.test(text) ? [...text] : text;

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  const chars = [...pattern];
  let closes = true; // after one unclosed bracket, no later bracket is closed
  for (let i = 0; i < chars.length; i += 1) {
    const c = chars[i] as string;
    if (c === '*') {
      if (tokens.at(-1) !== STAR) tokens.push(STAR);
    } else if (c === '?') tokens.push(ANY);
    else if (c === '[' && closes) {
      // A `]` directly after `[` or `[!` belongs to the set.
      const end = chars.indexOf(']', chars[i + 1] === '!' ? i + 3 : i + 2);
      closes = end >= 0;
      tokens.push(closes ? characterSet(chars.slice(i + 1, end).join('')) : c);
      if (closes) i = end;
    } else tokens.push(c);
  }
  return tokens;
}

/** A set of characters as a regular expression, which is applied to one character only. */
function characterSet(set: string): RegExp {
  const negated = set.startsWith('!');
  const body = (negated ? set.slice(1) : set).replace(/[\\\]^[]/g, '\\$&');
  // A reversed range matches nothing in Python, but is an error in JavaScript.
  const ranges = body.replace(/([^\\])-(.)/gu, (range, from: string, to: string) =>
    from <= to ? range : '',
  );
  if (ranges === '') return negated ? /^.$/su : /^(?!)/u;
  return new RegExp(`^[${negated ? '^' : ''}${ranges.replace(/^-|-$/g, '\\-')}]$`, 'su');
}

/** On a mismatch only the last `*` takes one more character; earlier ones never need to. */
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
