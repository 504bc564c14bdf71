// oracle-cases.ts: generates YAML texts in which one field has one value, for every field of the
// models of an installed lhp and every kind of value. scripts/lhp_models.py reads the models from
// the package, so new fields of a release are tested without a change here.
import type { Description } from '../../scripts/lhp-models.ts';

/** Every kind of value. A value that fits one field does not fit most others. */
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

/** The field is missing. */
const ABSENT = '(absent)';

export interface Case {
  /** `Model.field` */
  field: string;
  value: string;
  text: string;
}

type Json = string | number | boolean | null | Json[] | JsonMap;
export type JsonMap = { [key: string]: Json };

const PLACEHOLDER = '(the value)';

/** `base` with a placeholder in turn for each field of the model and of the models in it. */
function* placeholders(
  models: Description,
  model: string,
  base: JsonMap,
  seen: Set<string>,
): Generator<[string, JsonMap]> {
  seen.add(model);
  for (const [field, type] of Object.entries(models[model] ?? {})) {
    if (field.startsWith('@')) continue;
    yield [`${model}.${field}`, { ...base, [field]: PLACEHOLDER }];
    const [container] = type;
    const value = base[field] as JsonMap | undefined;
    const [key = ''] = container === '[' || container === '{' ? Object.keys(value ?? {}) : [];
    for (const inner of type.match(/[A-Z]\w+/g) ?? []) {
      const part = key ? value?.[key] : value;
      if (part === undefined || seen.has(inner)) continue;
      for (const [name, made] of placeholders(models, inner, part as JsonMap, seen)) {
        const put = container === '[' ? [made] : container === '{' ? { [key]: made } : made;
        yield [name, { ...base, [field]: put }];
      }
    }
  }
}

/** JSON is also YAML, so a YAML value can replace the placeholder in it. */
const filled = (json: Json, value: string) =>
  value === ABSENT
    ? JSON.stringify(json, (_, inner) => (inner === PLACEHOLDER ? undefined : inner))
    : JSON.stringify(json).replace(`"${PLACEHOLDER}"`, value);

/**
 * A text for each field and value.
 *
 * @param base - A valid document. Each text contains the tested field, all required fields, and the
 *   fields that `beside` names. The texts are short, because PyYAML is slow.
 * @param leave - Models whose own fields are not tested.
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
    return [...placeholders(only, model, Object.fromEntries(kept), seen)].flatMap(([name, json]) =>
      [...VALUES, ABSENT].map((value) => ({ field: name, value, text: filled(json, value) })),
    );
  });
}

/** The model and all models that it contains. */
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
