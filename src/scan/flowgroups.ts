// flowgroups.ts: the documents of one file → the flowgroups they define. The rules are lhp's: one
// flowgroup a document, or a `flowgroups:` array whose entries inherit from the document around
// them.
import { isMap, type YamlMap } from './mapping.ts';
import { listOf, type Models, textOf } from './model.ts';

export interface Flowgroup {
  pipeline: string;
  flowgroup: string;
  /** The template it uses, if any. */
  template: string | undefined;
}

/** What lhp would refuse; from 0.8.7 on that ends its run, before it the file is skipped. */
export class RefusedError extends Error {}

/**
 * A blueprint's instance: it is expanded by blueprints.ts, and its whole file holds no flowgroups.
 */
export function isInstance(document: unknown): boolean {
  if (!isMap(document)) return false;
  if (document.has('use_blueprint')) return true;
  return (
    typeof document.get('blueprint') === 'string' &&
    !document.has('flowgroups') &&
    !document.has('actions')
  );
}

export function isBlueprint(document: unknown): document is YamlMap {
  return (
    isMap(document) &&
    !document.has('actions') &&
    document.has('parameters') &&
    document.has('flowgroups')
  );
}

/** What a version of lhp decides about a flowgroup's file. */
export interface FlowgroupRules {
  /** It knows blueprints. */
  blueprints: boolean;
  models: Models;
}

export function flowgroupsOf(documents: readonly unknown[], rules: FlowgroupRules): Flowgroup[] {
  if (documents.length === 0) throw new RefusedError('empty');
  const found: Flowgroup[] = [];
  const names = new Set<string>();
  const add = (map: unknown, shared?: YamlMap) => {
    const flowgroup = flowgroupOf(map, shared, rules.models);
    if (names.has(flowgroup.flowgroup)) throw new RefusedError('a name twice');
    // Only a name that says something is remembered.
    if (flowgroup.flowgroup) names.add(flowgroup.flowgroup);
    found.push(flowgroup);
  };
  let arrays = 0;
  for (const document of documents) {
    if (rules.blueprints && isBlueprint(document))
      throw new RefusedError('a blueprint among the pipelines');
    if (rules.blueprints && isInstance(document)) return [];
    if (!isMap(document)) throw new RefusedError('not a mapping');
    if (!document.has('flowgroups')) add(document);
    else {
      arrays += 1;
      for (const entry of entriesOf(document.get('flowgroups'))) add(entry, document);
    }
  }
  if (arrays > 0 && arrays < documents.length) throw new RefusedError('both syntaxes');
  return found;
}

/** Python walks through whatever can be walked through: also through nothing at all. */
function entriesOf(value: unknown): readonly unknown[] {
  const list = listOf(value);
  if (list) return list;
  const size = isMap(value) || value instanceof Set ? value.size : undefined;
  const length =
    typeof value === 'string' || value instanceof Uint8Array ? value.length : undefined;
  if ((size ?? length) !== 0) throw new RefusedError('flowgroups is not a list');
  return [];
}

/** What an entry of a `flowgroups:` array takes from the document around it. */
const INHERITED = ['pipeline', 'use_template', 'presets', 'operational_metadata', 'job_name'];

function flowgroupOf(map: unknown, shared: YamlMap | undefined, models: Models): Flowgroup {
  if (!isMap(map)) throw new RefusedError('not a mapping');
  const fields = new Map(map);
  for (const name of INHERITED) {
    if (!map.has(name) && shared?.has(name)) fields.set(name, shared.get(name));
  }
  if (!models.called('FlowGroup', fields)) throw new RefusedError('a field of a wrong type');
  return {
    pipeline: textOf(fields.get('pipeline')) ?? '',
    flowgroup: textOf(fields.get('flowgroup')) ?? '',
    template: textOf(fields.get('use_template')) || undefined,
  };
}
