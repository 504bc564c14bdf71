// mapping.ts: YAML mappings and the merge key `<<`, with PyYAML's precedence. A mapping's own keys
// win over merged keys, and a later `<<` wins over an earlier one. Which mapping wins within one
// `<<: [*a, *b]` depends on the version of PyYAML. The number of merged keys is limited, because a
// few aliases can multiply to any number of copies.
import { defineMappingTag, defineScalarTag, NOT_RESOLVED, realMapTag } from 'js-yaml';

/** A Map, because keys of an object can change its prototype. */
export type YamlMap = ReadonlyMap<unknown, unknown>;

export const isMap = (value: unknown): value is YamlMap => value instanceof Map;

/** The project exceeds a limit of the scan, or lhp's behavior is not known. */
export class LimitError extends Error {}

/**
 * Which mapping of `<<: [*a, *b]` wins where both have a key. PyYAML up to 6.0.3 takes the first,
 * as the YAML type repository says (https://yaml.org/type/merge.html). PyYAML 6.0.4 takes the last.
 */
export type MergeRule = 'first' | 'last';

export const mergeRule = (pyyamlVersion: string | undefined): MergeRule =>
  /^([0-5]\.|6\.0(\.[0-3])?$)/.test(pyyamlVersion ?? '') ? 'first' : 'last';

const MAX_MERGED = 200_000;
let left = 0;
/** Starts the count of merged keys for one text. */
export const allowMerges = (): void => {
  left = MAX_MERGED;
};

/** A key with its value. Merges share the object and do not copy it. */
interface Pair {
  key: unknown;
  value: unknown;
}
interface Merged {
  /** In the order of the merges: the last pair of a key wins. */
  pairs: Map<unknown, Pair>;
  own: Set<unknown>;
}

/** What merges need to know of a mapping. Most mappings take no part in a merge. */
const merged = new WeakMap<YamlMap, Merged>();
const complete = new WeakMap<YamlMap, readonly Pair[]>();

function pairsOf(map: YamlMap): readonly Pair[] {
  const known = complete.get(map);
  if (known) return known;
  const { pairs, own = map.keys() } = merged.get(map) ?? {};
  const all = [
    ...(pairs?.values() ?? []),
    ...[...own].map((key) => ({ key, value: map.get(key) })),
  ];
  complete.set(map, all);
  return all;
}

function merge(target: Map<unknown, unknown>, sources: readonly YamlMap[], rule: MergeRule): void {
  const into = merged.get(target) ?? { pairs: new Map(), own: new Set(target.keys()) };
  merged.set(target, into);
  for (const source of rule === 'first' ? sources.toReversed() : sources) {
    left -= 1;
    for (const pair of pairsOf(source)) {
      left -= 1;
      if (left < 0) throw new LimitError('nesting or merge keys');
      // PyYAML 6.0.4 takes each key once, but compares keys by identity. In Python equal strings of
      // one character are the same object; other equal strings are not.
      const place =
        rule === 'last' && typeof pair.key === 'string' && [...pair.key].length < 2
          ? pair.key
          : pair;
      if (rule === 'last' && into.pairs.has(place)) continue;
      into.pairs.delete(place);
      into.pairs.set(place, pair);
      if (!into.own.has(pair.key)) target.set(pair.key, pair.value);
    }
  }
}

const MERGE = Symbol('<<');

/** `<<` without quotes. The tag has another name than YAML's, so that js-yaml does not merge. */
export const mergeKeyTag = defineScalarTag<typeof MERGE>('tag:yaml.org,2002:merge-key', {
  implicit: true,
  implicitFirstChars: ['<'],
  resolve: (text) => (text === '<<' ? MERGE : NOT_RESOLVED),
  identify: () => false,
});

export const mergingMapTag = (rule: MergeRule) =>
  defineMappingTag<Map<unknown, unknown>>('tag:yaml.org,2002:map', {
    ...realMapTag,
    addPair: (map, key, value) => {
      if (key === MERGE) {
        const sources = Array.isArray(value) ? (value as unknown[]) : [value];
        if (!sources.every(isMap)) return 'only mappings can be merged';
        merge(map, sources, rule);
      } else if (Array.isArray(key) || isMap(key) || key instanceof Set || value === MERGE) {
        return 'a key that Python cannot look up, or `<<` as a value';
      } else {
        merged.get(map)?.own.add(key);
        map.set(key, value);
      }
      return '';
    },
  });
