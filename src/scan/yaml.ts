// yaml.ts: text → values, with PyYAML's meaning (YAML 1.1), because that is what lhp reads projects
// with. A blueprint's parameters flow into pipeline names through Python's str(), so a scalar keeps
// what Python would print of it. Untrusted input: depth, merge keys and size are bounded; aliases
// stay references and are never multiplied out.
import {
  binaryTag,
  CORE_SCHEMA,
  defineScalarTag,
  loadAll,
  NOT_RESOLVED,
  nullYaml11Tag,
  setTag,
  YAMLException,
} from 'js-yaml';
import type { Deadline } from './deadline.ts';
import {
  allowMerges,
  isMap,
  LimitError,
  type MergeRule,
  mergeKeyTag,
  mergingMapTag,
} from './mapping.ts';
import {
  ConstructionError,
  isConstructionError,
  omapTag,
  PythonScalar,
  pairsTag,
  pythonBytes,
  Tuples,
  valueTag,
} from './python.ts';
import { timestampTag } from './timestamp.ts';

/** Deeper than any real project; lhp's own parser gives up in the same region. */
const MAX_DEPTH = 200;
const MAX_TEXT = 65_536;

const DIGITS = [...'+-0123456789'];

// The patterns are those of the YAML 1.1 types that PyYAML resolves (https://yaml.org/type/), which
// are narrower than YAML 1.2's: `1e3` is a string, `010` is eight, `1:30` is ninety.
const boolTag = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
  implicit: true,
  implicitFirstChars: [...'yYnNtTfFoO'],
  resolve: (text) =>
    /^(yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)
      ? true
      : /^(no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)
        ? false
        : NOT_RESOLVED,
  identify: () => false,
});

const INT = /^[-+]?(0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+)$/;
const intTag = defineScalarTag<PythonScalar>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: DIGITS,
  resolve: (text) =>
    INT.test(text) ? new PythonScalar('int', integer(text).toString()) : NOT_RESOLVED,
  identify: () => false,
});

function integer(text: string): bigint {
  // Python stops at 4,300 digits, or where it was told to.
  if (text.length > 4096) throw new LimitError('a number');
  const sign = text.startsWith('-') ? -1n : 1n;
  const digits = text.replace(/^[-+]/, '').replaceAll('_', '');
  if (digits.includes(':'))
    return sign * digits.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n);
  if (/^0[0-7]+$/.test(digits)) return sign * BigInt(`0o${digits.slice(1)}`);
  if (/^0[bx]$/.test(digits)) throw new ConstructionError('a number without digits');
  return sign * BigInt(digits);
}

const FLOAT =
  /^([-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$/;
const floatTag = defineScalarTag<PythonScalar>('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: [...DIGITS, '.'],
  // With a tag of its own (`!!float 1`) a whole number will do.
  resolve: (text, explicit) =>
    FLOAT.test(text) || (explicit && /^[-+]?\d[\d_]*$/.test(text))
      ? new PythonScalar('float', pythonFloat(float(text.toLowerCase())))
      : NOT_RESOLVED,
  identify: () => false,
});

function float(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.replace(/^[-+]/, '').replaceAll('_', '');
  if (digits === '.inf') return sign * Number.POSITIVE_INFINITY;
  if (digits === '.nan') return Number.NaN;
  if (digits.includes(':'))
    return sign * digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return sign * Number(digits);
}

/**
 * repr() of a Python float: shortest digits as in JavaScript, but with an exponent from 1e16 on and
 * below 1e-4.
 */
function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4))
    return value.toExponential().replace(/e([-+])(\d)$/, 'e$10$2');
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.]/.test(text) ? text : `${text}.0`;
}

const schema = (rule: MergeRule) =>
  CORE_SCHEMA.withTags(
    [nullYaml11Tag, boolTag, intTag, floatTag, timestampTag, mergeKeyTag, valueTag],
    [mergingMapTag(rule), setTag, omapTag, pairsTag, binaryTag],
  );
const SCHEMAS: Record<MergeRule, ReturnType<typeof schema>> = {
  first: schema('first'),
  last: schema('last'),
};

/** All documents of a text as {@link parseAll} reads them; empty ones are left out, as lhp does. */
export function parseDocuments(text: string, rule: MergeRule, deadline?: Deadline): unknown[] {
  return parseAll(text, rule, deadline).filter(
    (document) => document !== null && document !== undefined,
  );
}

/**
 * All documents of a text. Throws on what is not YAML (YAMLException), on a value that Python
 * cannot make (ConstructionError) and on exceeded limits (LimitError).
 *
 * @param rule - Whose value a key has that several mappings of one `<<: [*a, *b]` have.
 * @param deadline - By when it has to end: a text may have to be parsed again and again.
 */
export function parseAll(text: string, rule: MergeRule, deadline?: Deadline): unknown[] {
  // Line breaks in YAML 1.1, and text in YAML 1.2.
  let attempt = text.replace(/[\x85\u2028\u2029]/g, '\n');
  for (let mended = 0; ; mended += 1) {
    deadline?.check();
    try {
      allowMerges();
      // json: a key that is given twice is no error, the last one counts (PyYAML).
      return loadAll(attempt, { schema: SCHEMAS[rule], json: true, maxDepth: MAX_DEPTH });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error instanceof RangeError || /exceeded max/.test(error.message))
        throw new LimitError('nesting or merge keys');
      if (mended === MAX_MENDED) throw new LimitError('text that YAML 1.2 refuses');
      const next = error instanceof YAMLException ? mend(attempt, error, mended === 0) : attempt;
      if (next === attempt)
        throw isConstructionError(error) ? new ConstructionError(error.message) : error;
      attempt = next;
    }
  }
}

// Three things that PyYAML reads and YAML 1.2 refuses. In all of them white space that means
// nothing is changed where the parser complained, and the text is parsed again.
const MAX_MENDED = 200;
const INDENTATION = ' '.repeat(4 * MAX_DEPTH);
/** Characters of indentation for all lines that begin with a bracket. */
const MAX_ADDED = 32 * 1024 * 1024;

/** All lines that begin with a bracket: no block can begin so. */
function indentBrackets(text: string): string {
  const brackets = /^[ \t]*[\]}]/gm;
  let added = 0;
  for (const _ of text.matchAll(brackets)) {
    added += INDENTATION.length;
    if (added > MAX_ADDED) throw new LimitError('text that YAML 1.2 refuses');
  }
  return text.replace(brackets, `${INDENTATION}$&`);
}

function mend(text: string, { reason, mark }: YAMLException, first: boolean): string {
  if (mark === undefined) return text;
  if (/deficient indentation/.test(reason)) {
    // Inside brackets and quotes PyYAML looks at neither indentation nor tabs, and many write a
    // closing bracket at the beginning of a line: first all lines that begin with one (no block can
    // begin so), then line by line.
    const all = first ? indentBrackets(text) : text;
    if (all !== text) return all;
    return withLine(text, mark.line, (wrong) =>
      wrong.includes('\t') ? wrong.replaceAll('\t', ' ') : INDENTATION + wrong,
    );
  }
  // A comment right behind a bracket or quote.
  return withLine(text, mark.line, (wrong) => wrong.replace(/([\]}"'])#/g, '$1 #'));
}

/**
 * The text with one of its lines changed (counted from 0); a list of all of them would be many
 * times as large.
 */
function withLine(text: string, line: number, change: (line: string) => string): string {
  const breaks = /\r\n|\n|\r/g;
  for (let above = 0; above < line && breaks.exec(text); above += 1);
  const start = breaks.lastIndex;
  const end = breaks.exec(text) ? breaks.lastIndex : text.length;
  return text.slice(0, start) + change(text.slice(start, end)) + text.slice(end);
}

/** Python's str() of a value from YAML. */
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
      // An alias can make a small file mean a huge value: stop while it is still small.
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
  // Python orders a set of texts anew in each process.
  if (value instanceof Set && value.size > 1) throw new LimitError('a set as text');
  if (value instanceof Set) return value.size === 0 ? 'set()' : `{${parts(value, inner)}}`;
  if (isMap(value))
    return `{${parts(value, ([key, item]: [unknown, unknown]) => `${inner(key)}: ${inner(item)}`)}}`;
  throw new LimitError('a value of an unknown kind');
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    // What Python's str.isprintable() denies: controls, format characters, and every space but the
    // plain one.
    .replace(/[\p{C}\p{Z}]/gu, (c) => (c === ' ' ? c : escapeOf(c.codePointAt(0) ?? 0)));
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
