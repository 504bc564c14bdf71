// yaml.ts: parses YAML as PyYAML does (YAML 1.1), because lhp reads projects with it. Blueprint
// parameters become parts of pipeline names through Python's str(), so a scalar keeps the text that
// Python prints for it. The input is untrusted: depth, merge keys and size are limited, and aliases
// remain references.
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
import { allowMerges, LimitError, type MergeRule, mergeKeyTag, mergingMapTag } from './mapping.ts';
import {
  ConstructionError,
  isConstructionError,
  omapTag,
  PythonScalar,
  pairsTag,
  valueTag,
} from './python.ts';
import { MAX_DEPTH } from './python-text.ts';
import { timestampTag } from './timestamp.ts';

const DIGITS = [...'+-0123456789'];

// The patterns of the YAML 1.1 types that PyYAML has (https://yaml.org/type/). They differ from
// YAML 1.2: `1e3` is a string, `010` is eight, `1:30` is ninety.
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
  // Python refuses more than 4,300 digits by default.
  if (text.length > 4096) throw new LimitError('a number');
  const sign = text.startsWith('-') ? -1n : 1n;
  const digits = text.replace(/^[-+]/, '').replaceAll('_', '');
  if (digits.includes(':'))
    return sign * digits.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n);
  if (/^0[0-7]+$/.test(digits)) return sign * BigInt(`0o${digits.slice(1)}`);
  if (/^0[bx]$/.test(digits)) throw new ConstructionError('a number without digits');
  return sign * BigInt(digits);
}

const FLOAT = new RegExp(
  `^(${[
    '[-+]?[0-9][0-9_]*\\.[0-9_]*([eE][-+][0-9]+)?',
    '\\.[0-9][0-9_]*([eE][-+][0-9]+)?',
    '[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\\.[0-9_]*',
    '[-+]?\\.(inf|Inf|INF)',
    '\\.(nan|NaN|NAN)',
  ].join('|')})$`,
);
const floatTag = defineScalarTag<PythonScalar>('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: [...DIGITS, '.'],
  // With an explicit tag (`!!float 1`), an integer is accepted, too.
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
 * Python's repr() of a float: the shortest digits, as in JavaScript, but with an exponent from 1e16
 * on and below 1e-4.
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

/** All documents of a text ({@link parseAll}), without empty ones, which lhp skips. */
export function parseDocuments(text: string, rule: MergeRule, deadline?: Deadline): unknown[] {
  return parseAll(text, rule, deadline).filter(
    (document) => document !== null && document !== undefined,
  );
}

/**
 * All documents of a text.
 *
 * @param rule - Which mapping of `<<: [*a, *b]` wins.
 * @param deadline - The time limit. A text may have to be parsed many times.
 * @throws YAMLException for invalid YAML, ConstructionError for a value that Python cannot
 *   convert, LimitError beyond a limit.
 */
export function parseAll(text: string, rule: MergeRule, deadline?: Deadline): unknown[] {
  // These characters are line breaks in YAML 1.1 and ordinary text in YAML 1.2.
  let attempt = text.replace(/[\x85\u2028\u2029]/g, '\n');
  for (let repairs = 0; ; repairs += 1) {
    deadline?.check();
    try {
      allowMerges();
      // json: with a duplicate key the last value wins, as in PyYAML; it is not an error.
      return loadAll(attempt, { schema: SCHEMAS[rule], json: true, maxDepth: MAX_DEPTH });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error instanceof RangeError || /exceeded max/.test(error.message))
        throw new LimitError('nesting or merge keys');
      if (repairs === MAX_REPAIRS) throw new LimitError('text that YAML 1.2 refuses');
      const next = error instanceof YAMLException ? repair(attempt, error, repairs === 0) : attempt;
      if (next === attempt)
        throw isConstructionError(error) ? new ConstructionError(error.message) : error;
      attempt = next;
    }
  }
}

// PyYAML accepts three things that YAML 1.2 refuses. Each is repaired by a change of white space at
// the place that the parser reported; then the text is parsed again.
const MAX_REPAIRS = 200;
const INDENTATION = ' '.repeat(4 * MAX_DEPTH);
/** Upper bound for the added indentation, in characters. */
const MAX_ADDED = 32 * 1024 * 1024;

/** Indents every line that begins with a closing bracket; no block can begin with one. */
function indentBrackets(text: string): string {
  const brackets = /^[ \t]*[\]}]/gm;
  let added = 0;
  for (const _ of text.matchAll(brackets)) {
    added += INDENTATION.length;
    if (added > MAX_ADDED) throw new LimitError('text that YAML 1.2 refuses');
  }
  return text.replace(brackets, `${INDENTATION}$&`);
}

function repair(text: string, { reason, mark }: YAMLException, first: boolean): string {
  if (mark === undefined) return text;
  if (/deficient indentation/.test(reason)) {
    // Inside brackets and quotes PyYAML ignores indentation and tabs. Many people write a closing
    // bracket at the beginning of a line. So all such lines are indented first, and then the
    // reported line, one after another.
    const all = first ? indentBrackets(text) : text;
    if (all !== text) return all;
    return withLine(text, mark.line, (wrong) =>
      wrong.includes('\t') ? wrong.replaceAll('\t', ' ') : INDENTATION + wrong,
    );
  }
  // A comment directly after a bracket or a quote.
  return withLine(text, mark.line, (wrong) => wrong.replace(/([\]}"'])#/g, '$1 #'));
}

/**
 * Changes one line (counted from 0) of the text. A list of all lines would take many times the
 * memory.
 */
function withLine(text: string, line: number, change: (line: string) => string): string {
  const breaks = /\r\n|\n|\r/g;
  for (let above = 0; above < line && breaks.exec(text); above += 1);
  const start = breaks.lastIndex;
  const end = breaks.exec(text) ? breaks.lastIndex : text.length;
  return text.slice(0, start) + change(text.slice(start, end)) + text.slice(end);
}
