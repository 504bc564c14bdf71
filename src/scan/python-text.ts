// python-text.ts: the text that Python's str() and repr() give for a parsed value. lhp makes parts
// of pipeline names from blueprint parameters in this way.
import { isMap, LimitError } from './mapping.ts';
import { PythonScalar, Tuples } from './python.ts';

/** No real project is as deep; lhp's parser fails at a similar depth. */
export const MAX_DEPTH = 200;
/** Upper bound for the text of one value, in UTF-16 code units. */
const MAX_TEXT = 65_536;

/** Python's str() of a parsed value. Throws a LimitError where the text is too long. */
export function pythonStr(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof PythonScalar) return value.str;
  return bounded(pythonRepr(value, 0));
}

function pythonRepr(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw new LimitError('nesting');
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return quoted(value);
  if (value instanceof PythonScalar) return value.repr;
  const parts = (items: Iterable<unknown>, show: (item: never) => string) => {
    const shown: string[] = [];
    let size = 0;
    for (const item of items) {
      const text = show(item as never);
      size += text.length;
      // Aliases can turn a small file into a huge text, so the loop ends early.
      if (size > MAX_TEXT) throw new LimitError('a parameter value');
      shown.push(text);
    }
    return shown.join(', ');
  };
  const inner = (item: unknown) => pythonRepr(item, depth + 1);
  if (Array.isArray(value)) return `[${parts(value, inner)}]`;
  if (value instanceof Uint8Array) return pythonBytes(value);
  if (value instanceof Tuples)
    return `[${parts(value.pairs, ([a, b]: [unknown, unknown]) => `(${inner(a)}, ${inner(b)})`)}]`;
  // The order of a set of strings differs in each Python process.
  if (value instanceof Set && value.size > 1) throw new LimitError('a set as text');
  if (value instanceof Set) return value.size === 0 ? 'set()' : `{${parts(value, inner)}}`;
  if (isMap(value)) {
    const entry = ([key, item]: [unknown, unknown]) => `${inner(key)}: ${inner(item)}`;
    return `{${parts(value, entry)}}`;
  }
  throw new LimitError('a value of an unknown kind');
}

function quoted(text: string): string {
  // Python escapes what str.isprintable() refuses: control and format characters, and every space
  // except U+0020.
  return quotedText(text, /[\p{C}\p{Z}]/gu, (c) =>
    c === ' ' ? c : escapeOf(c.codePointAt(0) ?? 0),
  );
}

/** A Python literal. Characters that match `special` are written as `escapedBy` gives them. */
function quotedText(text: string, special: RegExp, escapedBy: (c: string) => string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replace(special, escapedBy);
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
}

function escapeOf(code: number): string {
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

function bounded(text: string): string {
  if (text.length > MAX_TEXT) throw new LimitError('a parameter value');
  return text;
}

/** Python's repr() of bytes. */
function pythonBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  return `b${quotedText(text, /[^ -~]/g, (c) => escapeOf(c.charCodeAt(0)))}`;
}
