// model.ts: decides whether a value has the type that lhp's models give a field (models.ts), by
// pydantic's rules. Pydantic accepts `on` and 1 as a boolean and "5" as a number, but no number as
// a string. One field of a wrong type makes lhp ignore or skip the whole file, or end (project.ts,
// flowgroups.ts).
import { isMap, LimitError, type YamlMap } from './mapping.ts';
import { MODELS, RELEASES } from './models.ts';
import { PythonScalar, Tuples } from './python.ts';

/** `undefined` where releases of pydantic differ, or where it is not known. */
type Verdict = boolean | undefined;
type Check = (value: unknown) => Verdict;

/** One release's models. */
export interface Models {
  /** Whether the value fits the model. Throws a LimitError where that is not known. */
  fits(model: string, value: unknown): boolean;
  /** Like `fits`, where lhp passes the keys as Python keyword arguments: they must be strings. */
  called(model: string, map: YamlMap): boolean;
  /** Whether the value fits the field. Undefined where the model has no such field. */
  fieldFits(model: string, field: string, value: unknown): boolean | undefined;
}

/** A version as a number: 1.2.3 is 1002003. Anything else counts as newer than all versions. */
export const order = (version: string | undefined): number =>
  /^\d+\.\d+\.\d+/.test(version ?? '')
    ? (version as string)
        .split('.', 3)
        .reduce((sum, part) => sum * 1000 + Number.parseInt(part, 10), 0)
    : Number.POSITIVE_INFINITY;

/** Whether it is known what this release does with a wrong type. */
export const isKnown = (version: string | undefined): boolean => RELEASES.includes(version ?? '');

export function modelsOf(version: string | undefined): Models {
  const fields = typesOf(version);
  const checks = new Map<string, Check>();
  const check = (type: string): Check => {
    const known =
      checks.get(type) ??
      compile(type, (model) => modelCheck(fields.get(model) ?? new Map(), check));
    checks.set(type, known);
    return known;
  };
  const certain = (type: string, value: unknown) => {
    const verdict = check(type)(value);
    if (verdict === undefined) throw new LimitError('a value that may fit or not');
    return verdict;
  };
  return {
    fits: certain,
    called: (model, map) =>
      [...map.keys()].every((key) => typeof key === 'string') && certain(model, map),
    fieldFits: (model, field, value) => {
      const type = fields.get(model)?.get(field);
      return type === undefined ? undefined : certain(type.replace(/!$/, ''), value);
    },
  };
}

type Fields = ReadonlyMap<string, string>;

/** The types of this version, by model and field. A field `@…` is a check beyond types. */
export function typesOf(version: string | undefined): ReadonlyMap<string, Fields> {
  // For a version older than the table, its oldest release is the best guess.
  const now = Math.max(order(version), order(RELEASES[0]));
  const models = new Map<string, Map<string, string>>();
  for (const line of MODELS.trim().split('\n')) {
    const [since, name = '', type = ''] = line.split(' ');
    const [model = '', field = ''] = name.split('.');
    if (order(since) > now) continue;
    const fields = models.get(model) ?? new Map<string, string>();
    models.set(model, fields);
    if (type === '-') fields.delete(field);
    else fields.set(field, type);
  }
  return models;
}

/** The value is a mapping with all required fields. Keys that the model does not have are fine. */
function modelCheck(fields: Fields, check: (type: string) => Check): Check {
  const checks = new Map<unknown, Check>();
  const needed: string[] = [];
  for (const [field, type] of fields) {
    if (field.startsWith('@')) continue;
    if (type.endsWith('!')) needed.push(field);
    checks.set(field, check(type.replace(/!$/, '')));
  }
  return remembering((value) => {
    if (!isMap(value) || !needed.every((field) => value.has(field))) return false;
    return all(value, ([field, item]) => {
      const known = checks.get(field);
      return known ? known(item) : true;
    });
  });
}

/** Compiles a type as models.ts writes it into a check. */
function compile(type: string, model: (name: string) => Check): Check {
  const parts = alternatives(type);
  if (parts.length > 1) {
    const checks = parts.map((part) => compile(part, model));
    return (value) => {
      const verdicts = checks.map((check) => check(value));
      return verdicts.includes(true) || (verdicts.includes(undefined) ? undefined : false);
    };
  }
  if (type.startsWith('[')) return listCheck(compile(type.slice(1, -1), model));
  if (type.startsWith('{')) return mapCheck(compile(type.slice(1, -1), model));
  if (type.startsWith('=')) return wordCheck(type.slice(1).split(','));
  if (type.startsWith('int')) return intCheck(/\((\d*)\.\.(\d*)\)/.exec(type));
  return SCALARS[type] ?? lazily(() => model(type));
}

/** Models contain each other, so a model is compiled at its first use. */
function lazily(make: () => Check): Check {
  let made: Check | undefined;
  return (value) => {
    made ??= make();
    return made(value);
  };
}

/** `str|[str|{any}]|null` → `str`, `[str|{any}]`, `null` */
function alternatives(type: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const c of type) {
    if (c === '[' || c === '{') depth += 1;
    if (c === ']' || c === '}') depth -= 1;
    if (c === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts;
}

/**
 * Caches the result by object, because aliases can refer to one mapping a million times. Small
 * objects are checked again, which costs less than the cache.
 */
function remembering(check: Check, isSmall: (value: object) => boolean = () => false): Check {
  const seen = new WeakMap<object, { verdict: Verdict }>();
  return (value) => {
    if (typeof value !== 'object' || value === null || isSmall(value)) return check(value);
    const known = seen.get(value) ?? { verdict: check(value) };
    seen.set(value, known);
    return known.verdict;
  };
}

function all<T>(items: Iterable<T>, check: (item: T) => Verdict): Verdict {
  let result: Verdict = true;
  for (const item of items) {
    const verdict = check(item);
    if (verdict === false) return false;
    result &&= verdict;
  }
  return result;
}

/** The items of a value that is a list in Python. Pairs (`!!omap`, `!!pairs`) fit no type here. */
export const listOf = (value: unknown): readonly unknown[] | undefined =>
  Array.isArray(value)
    ? value
    : value instanceof Tuples
      ? value.pairs.map(() => undefined)
      : undefined;

const isSmall = (value: object) =>
  (Array.isArray(value) ? value.length : isMap(value) ? value.size : 9) < 9;

/** pydantic accepts a set as a list. */
const listCheck = (check: Check): Check =>
  remembering((value) => {
    const items = value instanceof Set ? value : listOf(value);
    if (items === undefined) return false;
    return value instanceof Tuples ? value.pairs.length === 0 : all(items, check);
  }, isSmall);

const mapCheck = (check: Check): Check =>
  remembering(
    (value) => isMap(value) && all(value, ([key, item]) => both(textCheck(key), check(item))),
    isSmall,
  );

const both = (a: Verdict, b: Verdict): Verdict => (a === false || b === false ? false : a && b);

/** The string that pydantic accepts the value as. Bytes are accepted if they are UTF-8. */
export function textOf(value: unknown): string | undefined {
  // Python allows lone surrogates in a string.
  if (typeof value === 'string') return value.isWellFormed() ? value : undefined;
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return undefined; // not UTF-8
  }
}

/** PyYAML 6.0.4 refuses lone surrogates, some releases of pydantic do, others accept them. */
const textCheck: Check = (value) =>
  textOf(value) !== undefined || (typeof value === 'string' ? undefined : false);

const wordCheck =
  (words: readonly string[]): Check =>
  (value) => {
    const text = textOf(value);
    return text !== undefined && words.includes(text);
  };

/** The boolean that pydantic converts the value to; undefined where it refuses. */
export function boolOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const number =
    value instanceof PythonScalar && value.type !== 'date' ? Number(value.str) : undefined;
  if (number !== undefined) return number === 1 ? true : number === 0 ? false : undefined;
  const text = textOf(value) ?? '';
  return /^(1|on|t|true|y|yes)$/i.test(text)
    ? true
    : /^(0|off|f|false|n|no)$/i.test(text)
      ? false
      : undefined;
}

function intCheck(bounds: RegExpExecArray | null): Check {
  const [, least, greatest] = bounds ?? [];
  const within = (value: number) =>
    !(least && value < Number(least)) && !(greatest && value > Number(greatest));
  return (value) => {
    if (typeof value === 'boolean') return within(Number(value));
    if (value instanceof PythonScalar) {
      if (value.type === 'date') return false;
      const number = Number(value.str.replace('inf', 'Infinity'));
      if (value.type === 'float' && !Number.isInteger(number)) return false;
      // The largest integer that a float may stand for differs between releases of pydantic.
      return value.type === 'int' || Math.abs(number) < 2 ** 53 ? within(number) : undefined;
    }
    const text = textOf(value);
    if (text === undefined || !/\d/.test(text)) return false;
    return /^[+-]?\d{1,15}$/.test(text) ? within(Number(text)) : undefined;
  };
}

const SCALARS: Readonly<Record<string, Check>> = {
  str: textCheck,
  bool: (value) => boolOf(value) !== undefined,
  null: (value) => value === null || value === undefined,
  any: () => true,
};
