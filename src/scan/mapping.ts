// mapping.ts: mappings, and what `<<` puts into them, as PyYAML does it: own keys count before
// merged ones, a later `<<` before an earlier one, and within the list of one `<<` it depends on
// the version of PyYAML. Used by yaml.ts only; bounded, because a few aliases can ask for any
// number of copies.
import { defineMappingTag, defineScalarTag, NOT_RESOLVED, realMapTag } from 'js-yaml';

/** A mapping with the keys that were written; no prototype to pollute. */
export type YamlMap = ReadonlyMap<unknown, unknown>;

export const isMap = (value: unknown): value is YamlMap => value instanceof Map;

/** A value that exceeds what we are ready to look at. */
export class LimitError extends Error {}

/**
 * Whose value a key has that several mappings of one `<<: [*a, *b]` have: the first one's, as the
 * YAML type repository says (https://yaml.org/type/merge.html) and PyYAML did until 6.0.3; or the
 * last one's, as 6.0.4 does.
 */
export type MergeRule = 'first' | 'last';

export const mergeRule = (pyyamlVersion: string | undefined): MergeRule =>
  /^([0-5]\.|6\.0(\.[0-3])?$)/.test(pyyamlVersion ?? '') ? 'first' : 'last';

const MAX_MERGED = 200_000;
let left = 0;
/** For one text. */
export const allowMerges = (): void => {
  left = MAX_MERGED;
};

/** A pair on its way through merges; the same object wherever it gets. */
interface Pair {
  key: unknown;
  value: unknown;
}
interface Merged {
  /** In their order: the last one of a key counts. */
  pairs: Map<unknown, Pair>;
  own: Set<unknown>;
}

/**
 * Most mappings have no part in merges, so what is known of those that have is kept beside them.
 */
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
      // PyYAML 6.0.4 takes no key twice, but knows keys by their place in Python's memory, and all
      // texts of one letter that are equal have the same.
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

/** `<<` without quotes. Under a name of its own, or js-yaml would merge. */
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
