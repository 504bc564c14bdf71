// oracle-cases.ts: texts in which one field has one value, for every field of the models of an
// installed lhp and values of every kind that YAML has. The models are the package's own
// (scripts/lhp_models.py), so a field that a release adds is tried without anybody writing it down.
import type { Description } from '../../scripts/lhp-models.ts';

/** Every kind of value: what is right for one field is wrong for most others. */
const VALUES = [
  ...[
    'text',
    '""',
    '"5"',
    '"yes"',
    '"Off"',
    '5',
    '0',
    '1',
    '-3',
    '1.0',
    '1.5',
    '.inf',
    'true',
    'no',
  ],
  ...[
    'null',
    '2024-01-31',
    '2024-01-31 10:00:00',
    '2024-02-30',
    '=',
    '!!binary aGk=',
    '!!binary /w==',
  ],
  ...['[]', '[text]', '[5]', '[null]', '[text, 5]', '[[text]]', '[{a: b}]', '[{1: b}]'],
  ...[
    '{}',
    '{a: b}',
    '{a: 5}',
    '{1: b}',
    '{a: {b: c}}',
    '!!omap []',
    '!!omap [a: b]',
    '!!binary ""',
  ],
  ...[
    '!!set {text}',
    '!!set {5}',
    '{name: text}',
    '[{name: text, type: load}]',
    '[{name: x, type: copy}]',
  ],
  ...['{type: sink}', '1_0'],
];

/** No value at all: what is required is missing. */
const ABSENT = '(absent)';

export interface Case {
  /** `Model.field` */
  field: string;
  value: string;
  text: string;
}

type Json = string | number | boolean | null | Json[] | JsonMap;
export type JsonMap = { [key: string]: Json };

const HOLE = '(the value)';

/** `base` with a hole for each field of a model, and of the models that it contains. */
function* holes(
  models: Description,
  model: string,
  base: JsonMap,
  seen: Set<string>,
): Generator<[string, JsonMap]> {
  seen.add(model);
  for (const [field, type] of Object.entries(models[model] ?? {})) {
    if (field.startsWith('@')) continue;
    yield [`${model}.${field}`, { ...base, [field]: HOLE }];
    const [container] = type;
    const value = base[field] as JsonMap | undefined;
    const [key = ''] = container === '[' || container === '{' ? Object.keys(value ?? {}) : [];
    for (const inner of type.match(/[A-Z]\w+/g) ?? []) {
      const part = key ? value?.[key] : value;
      if (part === undefined || seen.has(inner)) continue;
      for (const [name, made] of holes(models, inner, part as JsonMap, seen)) {
        const put = container === '[' ? [made] : container === '{' ? { [key]: made } : made;
        yield [name, { ...base, [field]: put }];
      }
    }
  }
}

/** JSON is YAML, and a value of YAML can stand in it. */
const filled = (json: Json, value: string) =>
  value === ABSENT
    ? JSON.stringify(json, (_, inner) => (inner === HOLE ? undefined : inner))
    : JSON.stringify(json).replace(`"${HOLE}"`, value);

/**
 * A text for each field and value.
 *
 * @param base - What is right. Of it each text has the field itself, what cannot be left out, and
 *   what `beside` names: short texts, because PyYAML is slow.
 * @param leave - Models that are not gone into.
 */
export function casesOf(
  models: Description,
  model: string,
  base: JsonMap,
  {
    beside = () => [],
    leave = [],
  }: { beside?: (field: string) => string[]; leave?: readonly string[] } = {},
): Case[] {
  const fields = models[model] ?? {};
  const seen = new Set(leave);
  return Object.keys(fields).flatMap((field) => {
    const kept = Object.entries(base).filter(
      ([name]) =>
        name in fields &&
        (name === field || fields[name]?.endsWith('!') || beside(field).includes(name)),
    );
    const only = { ...models, [model]: { [field]: fields[field] as string } };
    return [...holes(only, model, Object.fromEntries(kept), seen)].flatMap(([name, json]) =>
      [...VALUES, ABSENT].map((value) => ({ field: name, value, text: filled(json, value) })),
    );
  });
}

/** The models that lhp reads a file of this kind as. */
export function reachable(
  models: Description,
  model: string,
  found = new Set<string>(),
): Set<string> {
  found.add(model);
  for (const type of Object.values(models[model] ?? {})) {
    for (const inner of type.match(/[A-Z]\w+/g) ?? [])
      if (!found.has(inner)) reachable(models, inner, found);
  }
  return found;
}
