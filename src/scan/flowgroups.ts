// flowgroups.ts: the documents of one file → the flowgroups they define. The rules are lhp's: one flowgroup a document, or a
// `flowgroups:` array whose entries inherit from the document around them.
import { isMap, type YamlMap } from './mapping.ts';

export interface Flowgroup {
  pipeline: string;
  flowgroup: string;
  /** The template it uses, if any. */
  template: string | undefined;
}

/** What lhp would refuse; from 0.8.7 on that ends its run, before it the file is skipped. */
export class RefusedError extends Error {}

/** A blueprint's instance: it is expanded by blueprints.ts, and its whole file holds no flowgroups. */
export function isInstance(document: unknown): boolean {
  if (!isMap(document)) return false;
  if (document.has('use_blueprint')) return true;
  return typeof document.get('blueprint') === 'string' && !document.has('flowgroups') && !document.has('actions');
}

export function isBlueprint(document: unknown): document is YamlMap {
  return isMap(document) && !document.has('actions') && document.has('parameters') && document.has('flowgroups');
}

/** `blueprints`: whether this version of lhp knows them. */
export function flowgroupsOf(documents: readonly unknown[], blueprints: boolean): Flowgroup[] {
  if (documents.length === 0) throw new RefusedError('empty');
  const found: Flowgroup[] = [];
  const names = new Set<string>();
  const add = (map: unknown, shared?: YamlMap) => {
    const flowgroup = flowgroupOf(map, shared);
    if (names.has(flowgroup.flowgroup)) throw new RefusedError('a name twice');
    names.add(flowgroup.flowgroup);
    found.push(flowgroup);
  };
  let arrays = 0;
  for (const document of documents) {
    if (blueprints && isBlueprint(document)) throw new RefusedError('a blueprint among the pipelines');
    if (blueprints && isInstance(document)) return [];
    if (!isMap(document)) throw new RefusedError('not a mapping');
    const entries = document.get('flowgroups');
    if (!document.has('flowgroups')) add(document);
    else if (!Array.isArray(entries)) throw new RefusedError('flowgroups is not a list');
    else {
      arrays += 1;
      for (const entry of entries) add(entry, document);
    }
  }
  if (arrays > 0 && arrays < documents.length) throw new RefusedError('both syntaxes');
  return found;
}

/** What lhp validates and what versions that skip invalid files depend on. */
function flowgroupOf(map: unknown, shared: YamlMap | undefined): Flowgroup {
  if (!isMap(map)) throw new RefusedError('not a mapping');
  const field = (name: string) => (map.has(name) ? map.get(name) : shared?.get(name));
  const pipeline = field('pipeline');
  const flowgroup = map.get('flowgroup');
  const template = field('use_template') ?? undefined;
  if (typeof pipeline !== 'string' || typeof flowgroup !== 'string') throw new RefusedError('no pipeline or flowgroup');
  if (template !== undefined && typeof template !== 'string') throw new RefusedError('use_template is no string');
  const actions = map.get('actions') ?? [];
  if (!Array.isArray(actions) || !actions.every(isAction)) throw new RefusedError('actions');
  const presets = field('presets') ?? [];
  if (!isTexts(presets)) throw new RefusedError('presets');
  const metadata = field('operational_metadata') ?? false;
  if (typeof metadata !== 'boolean' && !isTexts(metadata)) throw new RefusedError('operational_metadata');
  if (!isMap(map.get('template_parameters') ?? new Map())) throw new RefusedError('template_parameters');
  return { pipeline, flowgroup, template: template || undefined };
}

const isTexts = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string');

function isAction(action: unknown): boolean {
  return (
    isMap(action) &&
    typeof action.get('name') === 'string' &&
    ['load', 'transform', 'write', 'test'].includes(action.get('type') as string)
  );
}
