// python.ts: what PyYAML makes of a node and JavaScript has no value for, or another one. A value
// keeps its Python type, because lhp's models ask for it (model.ts), and how str() prints it
// (yaml.ts).
import { defineScalarTag, defineSequenceTag, NOT_RESOLVED, YAMLException } from 'js-yaml';
import { isMap } from './mapping.ts';

/** A number or a date: its type, and how Python prints it. */
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
 * A scalar that is YAML and that Python has no value for, such as the date 2024-02-30. PyYAML then
 * lets a ValueError (or its like) through, not its own error, and lhp before 0.7.5 tells them
 * apart.
 */
export class ConstructionError extends Error {}

/** js-yaml's word for `!!int abc` and what else PyYAML's constructors end with such an error. */
export const isConstructionError = (error: Error): boolean =>
  error instanceof YAMLException &&
  /^cannot resolve a node with !<tag:yaml.org,2002:(bool|int|float|timestamp)>/.test(error.reason);

/** `=` is YAML 1.1's default value, which PyYAML resolves and then has no constructor for. */
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

/** repr() of Python's bytes. */
export function pythonBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `b${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
}
