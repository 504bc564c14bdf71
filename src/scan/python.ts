// python.ts: values of PyYAML that JavaScript does not have, or prints differently. A value keeps
// its Python type, which lhp's models check (model.ts), and its text from Python's str() and
// repr().
import { defineScalarTag, defineSequenceTag, NOT_RESOLVED, YAMLException } from 'js-yaml';
import { isMap } from './mapping.ts';

/** A number or a date, with its Python type and text. */
export class PythonScalar {
  readonly type: 'int' | 'float' | 'date';
  readonly str: string;
  readonly repr: string;
  constructor(type: PythonScalar['type'], str: string, repr = str) {
    this.type = type;
    this.str = str;
    this.repr = repr;
  }
}

/**
 * Valid YAML that Python cannot convert, such as the date 2024-02-30. PyYAML then raises ValueError
 * or a similar error instead of YAMLError; lhp before 0.7.5 treats the two differently.
 */
export class ConstructionError extends Error {}

/** js-yaml's error for `!!int abc` and the like, where PyYAML raises such an error. */
export const isConstructionError = (error: Error): boolean =>
  error instanceof YAMLException &&
  /^cannot resolve a node with !<tag:yaml.org,2002:(bool|int|float|timestamp)>/.test(error.reason);

/** `=` is YAML 1.1's default value. PyYAML recognizes it, but has no constructor for it. */
export const valueTag = defineScalarTag<never>('tag:yaml.org,2002:value', {
  implicit: true,
  implicitFirstChars: ['='],
  resolve: (text) => {
    if (text === '=') throw new YAMLException('a default value');
    return NOT_RESOLVED;
  },
  identify: () => false,
});

/** A list of pairs: `!!omap` and `!!pairs`. */
export class Tuples {
  readonly pairs: [unknown, unknown][] = [];
}

const tuplesTag = (kind: string) =>
  defineSequenceTag<Tuples>(`tag:yaml.org,2002:${kind}`, {
    create: () => new Tuples(),
    addItem: (tuples, item) => {
      if (!isMap(item) || item.size !== 1) return 'a pair is one key with its value';
      tuples.pairs.push(...item);
      return '';
    },
    identify: () => false,
  });
export const omapTag = tuplesTag('omap');
export const pairsTag = tuplesTag('pairs');
