// flowgroups.ts: finds the flowgroups in the documents of one file, by lhp's rules. A document is
// one flowgroup, or it has an array `flowgroups:` whose entries inherit fields from the document.
import { isMap, type YamlMap } from './mapping.ts';
import { listOf, type Models, textOf } from './model.ts';

export interface Flowgroup {
  pipeline: string;
  flowgroup: string;
  /** The template it uses, if any. */
  template: string | undefined;
}

/** lhp refuses this input. Since 0.8.7 that ends its run; earlier versions skip the file. */
export class RefusedError extends Error {}

/** An instance of a blueprint (blueprints.ts). Its file contains no flowgroups of its own. */
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

/** How a version of lhp reads the file of a flowgroup. */
export interface FlowgroupRules {
  /** The version has blueprints. */
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
    // lhp does not compare empty names.
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

/** The entries of the array. Python iterates over any empty value, too. */
function entriesOf(value: unknown): readonly unknown[] {
  const list = listOf(value);
  if (list) return list;
  const size = isMap(value) || value instanceof Set ? value.size : undefined;
  const length =
    typeof value === 'string' || value instanceof Uint8Array ? value.length : undefined;
  if ((size ?? length) !== 0) throw new RefusedError('flowgroups is not a list');
  return [];
}

/** The fields that an entry of `flowgroups:` inherits from its document. */
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
