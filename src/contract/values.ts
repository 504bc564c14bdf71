// values.ts: the types of value that can leave a machine. Each field of the contract (fields.ts)
// has one of them. `fold` turns anything into a value of its type, and no value reaches a request
// in another way: a text that matches none of the patterns below becomes `other`, so that a secret,
// a path or a name cannot be recorded by accident.

/** Recorded in place of a text that does not match its pattern. */
export const OTHER = 'other';

const DIGEST = /^[0-9a-f]{64}$/;
// At most three numbers: with four, an IPv4 address would match.
const VERSION = /^\d{1,4}(\.\d{1,4}){1,2}((a|b|rc|\.post|\.dev)\d{1,4}){0,2}$/;
const PYTHON_VERSION = /^\d\.\d{1,2}$/;
const ENVIRONMENT = /^[a-z0-9][a-z0-9_-]{0,31}$/;
// More than any project has: lhp itself takes about 30 s for 4,000 flowgroups.
const MAX_COUNT = 1_000_000;
// One week. A longer duration means that the clock was changed during the run.
const MAX_SECONDS = 604_800;

const fold = (pattern: RegExp, text: unknown): string =>
  typeof text === 'string' && pattern.test(text) ? text : OTHER;

// The parameters are `unknown` because a host in plain JavaScript can pass anything.

/** A version of lhp, or `other`. */
export const foldVersion = (text: unknown): string => fold(VERSION, text);

/** A version of Python as `major.minor`, or `other`. */
export const foldPythonVersion = (text: unknown): string => fold(PYTHON_VERSION, text);

/** An environment's name in lower case, or `other`. */
export const foldEnvironment = (text: unknown): string =>
  fold(ENVIRONMENT, typeof text === 'string' ? text.toLowerCase() : text);

/** A whole number from 0 to 1,000,000. Any other value is unknown: `null`. */
export const foldCount = (value: unknown): number | null =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_COUNT
    ? (value as number)
    : null;

/**
 * Seconds from 0 to one week; a number outside this range becomes the nearest one inside it, and
 * anything else becomes 0.
 */
export const foldSeconds = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value)
    ? Math.min(Math.max(value, 0), MAX_SECONDS)
    : 0;

interface ValueType {
  fold(value: unknown): string | number | boolean | null;
  /** What a host of the library must give, and what is recorded if it gives anything else. */
  expected?: string;
  otherwise?: string;
}

interface AttributeType extends ValueType {
  type: 'string' | 'boolean';
  /** The values that can occur, in Markdown. */
  values: string;
  /** Of a string: what it must match. */
  pattern?: RegExp;
  /** Whether `other` is one of the documented values, which the gateway accepts. */
  orOther: boolean;
  fold(value: unknown): string | boolean;
}

interface NumberType extends ValueType {
  type: 'number';
  /** The largest value that is recorded; the smallest is 0. */
  max: number;
  /** Whether the number can be unknown: `null`. */
  unknown: boolean;
  /** What the number is, with its unit and range. */
  words: string;
  fold(value: unknown): number | null;
}

const AS_OTHER = `recorded as "${OTHER}"`;

/** The types of the values of attributes. */
export const ATTRIBUTE_TYPES = {
  flag: {
    type: 'boolean',
    values: '`true` or `false`',
    orOther: false,
    fold: (value) => value === true,
    expected: 'true or false',
    otherwise: 'recorded as false',
  },
  digest: {
    type: 'string',
    values: '64 hex digits',
    pattern: DIGEST,
    // The collectors give digests only. `other` would mean a fault, and the gateway refuses it.
    orOther: false,
    fold: (value) => fold(DIGEST, value),
  },
  version: {
    type: 'string',
    values: 'a version number',
    pattern: VERSION,
    orOther: true,
    fold: foldVersion,
    expected: 'a version number like 1.2.3',
    otherwise: AS_OTHER,
  },
  pythonVersion: {
    type: 'string',
    values: '`major.minor`',
    pattern: PYTHON_VERSION,
    orOther: true,
    fold: foldPythonVersion,
    expected: 'like 3.12',
    otherwise: AS_OTHER,
  },
  environment: {
    type: 'string',
    values: '1 to 32 of `a-z`, `0-9`, `_` and `-`, the first a letter or a digit',
    pattern: ENVIRONMENT,
    orOther: true,
    fold: foldEnvironment,
    expected: 'letters, digits, _ and -, at most 32',
    otherwise: AS_OTHER,
  },
} as const satisfies Record<string, AttributeType>;

/** The types of the values of instruments. */
export const NUMBER_TYPES = {
  /** The run itself. */
  run: {
    type: 'number',
    max: 1,
    unknown: false,
    words: 'Always `lhp_generate`, which counts 1',
    fold: () => 1,
  },
  count: {
    type: 'number',
    max: MAX_COUNT,
    unknown: true,
    words: 'A whole number from 0 to 1,000,000; `null` if it is not known',
    fold: foldCount,
    expected: `a whole number from 0 to ${MAX_COUNT}`,
    otherwise: 'not recorded',
  },
  seconds: {
    type: 'number',
    max: MAX_SECONDS,
    unknown: false,
    words: 'Seconds from 0 to 604,800 (a week), rounded to 2 decimals',
    fold: foldSeconds,
    expected: 'seconds from 0 to a week',
    otherwise: 'recorded as the nearest that is',
  },
} as const satisfies Record<string, NumberType>;

export const VALUE_TYPES = { ...ATTRIBUTE_TYPES, ...NUMBER_TYPES };
