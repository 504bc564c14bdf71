// check-facts.ts: which values of a host are not recorded as they were given, as lines for the
// host's developer. A value itself is never printed: it may be anything.
import { HOST_KEYS } from '../contract/contract.ts';
import { FIELDS } from '../contract/fields.ts';
import { OTHER, VALUE_TYPES } from '../contract/values.ts';
import { printable } from '../system/log.ts';

/** One line for each such value. */
export function unfitting(facts: object): string[] {
  return Object.entries(facts).flatMap(([name, value]: [string, unknown]) => {
    if (name !== 'project_name' && !isHostKey(name))
      return [`${printable(name).slice(0, 64)} is no field: not recorded`];
    if (value === undefined) return [];
    if (name === 'project_name')
      return typeof value === 'string'
        ? []
        : ['project_name must be text: recorded as unknown_project'];
    const { type, fold, expected, otherwise } = VALUE_TYPES[FIELDS[name].value];
    const fits =
      type === 'string'
        ? value === OTHER || fold(value) !== OTHER
        : value !== null && fold(value) === value;
    return fits ? [] : [`${name} must be ${expected}: ${otherwise}`];
  });
}

const isHostKey = (name: string): name is (typeof HOST_KEYS)[number] =>
  HOST_KEYS.includes(name as (typeof HOST_KEYS)[number]);
