// blueprints.ts: expands each instance of a blueprint into flowgroups. Only pipeline and flowgroup
// names are resolved, because only they decide the counts. In them `%{name}` stands for a parameter
// of the instance or a variable of the blueprint.
import type { Deadline } from './deadline.ts';
import { type Flowgroup, isBlueprint, isInstance, RefusedError } from './flowgroups.ts';
import { isMap, LimitError, type YamlMap } from './mapping.ts';
import { boolOf, listOf, type Models, textOf } from './model.ts';
import { pythonStr } from './python-text.ts';

/** lhp expands variables within variables at most this often. */
const MAX_ROUNDS = 10;
const MAX_NAME = 65_536;
/** Upper bound for blueprints times instances; no real project has as many. */
const MAX_EXPANDED = 200_000;

export interface BlueprintRules {
  models: Models;
  /**
   * Without any blueprint lhp ignores instances. Later versions end with an error, because the
   * instance's blueprint is missing.
   */
  needsBlueprints: boolean;
}

/**
 * Expands all instances. Files that are not instances are skipped.
 *
 * @param blueprintFiles - The documents of each blueprint file.
 * @param candidates - The documents of each file that may be an instance.
 * @throws RefusedError for what ends a run of lhp in every version.
 */
export function expandBlueprints(
  blueprintFiles: readonly unknown[][],
  candidates: readonly unknown[][],
  rules: BlueprintRules,
  deadline: Deadline,
): Flowgroup[] {
  const { models } = rules;
  const blueprints = new Map<unknown, YamlMap>();
  for (const documents of blueprintFiles) {
    const blueprint = documents[0];
    if (documents.length !== 1 || !isBlueprint(blueprint))
      throw new RefusedError('not a blueprint');
    if (!models.called('Blueprint', blueprint)) throw new RefusedError('a field of a wrong type');
    blueprints.set(textOf(blueprint.get('name')), blueprint);
  }
  if (blueprints.size === 0 && rules.needsBlueprints) return [];
  const found: Flowgroup[] = [];
  for (const [instance] of candidates) {
    if (!isInstance(instance)) continue;
    const map = instance as YamlMap;
    const blueprint = blueprints.get(map.get('use_blueprint') ?? map.get('blueprint'));
    if (!blueprint) throw new RefusedError('an unknown blueprint');
    onlyKnownKeys(map, models);
    const parameters = parametersOf(blueprint, map);
    for (const spec of list(blueprint.get('flowgroups'))) {
      found.push(expand(spec, parameters, deadline));
      if (found.length > MAX_EXPANDED) throw new LimitError('number of blueprint instances');
    }
  }
  return found;
}

/** Only the newer form (`use_blueprint`) is checked; the older one may have any key. */
function onlyKnownKeys(instance: YamlMap, models: Models): void {
  if (!instance.has('use_blueprint')) return;
  for (const key of instance.keys()) {
    if (!['use_blueprint', 'parameters', 'overrides'].includes(key as string))
      throw new RefusedError('another key');
  }
  if (!models.fits('BlueprintInstance', instance))
    throw new RefusedError('a field of a wrong type');
}

/**
 * The blueprint's defaults, overridden by the instance's values. The newer form has them below
 * `parameters:`, the older one beside `blueprint:`.
 */
function parametersOf(blueprint: YamlMap, instance: YamlMap): Map<string, string> {
  const values = new Map<string, string>();
  const wanted = new Set<string>();
  const names = new Set<string>();
  for (const parameter of list(blueprint.get('parameters'))) {
    const name = textOf(parameter.get('name')) ?? '';
    names.add(name);
    if (boolOf(parameter.get('required') ?? false)) wanted.add(name);
    const fallback = parameter.get('default') ?? null;
    if (fallback !== null) values.set(name, pythonStr(fallback));
  }
  const given = instance.has('use_blueprint')
    ? (instance.get('parameters') ?? new Map())
    : instance;
  if (!isMap(given)) throw new RefusedError('parameters is not a mapping');
  for (const [key, value] of given) {
    if (given === instance && key === 'blueprint') continue;
    const name = textOf(key);
    if (name === undefined || !names.has(name)) throw new RefusedError('an unknown parameter');
    wanted.delete(name);
    values.set(name, pythonStr(value));
  }
  if (wanted.size > 0) throw new RefusedError('a parameter is missing');
  return values;
}

function expand(
  spec: YamlMap,
  parameters: ReadonlyMap<string, string>,
  deadline: Deadline,
): Flowgroup {
  deadline.step(1 + parameters.size);
  const variables = new Map(parameters);
  const own = spec.get('variables');
  if (isMap(own))
    for (const [name, value] of own) variables.set(textOf(name) ?? '', textOf(value) ?? '');
  expandInPlace(variables, deadline);
  const name = (field: string) => {
    const template = textOf(spec.get(field));
    if (template === undefined) throw new RefusedError(`${field} of a blueprint`);
    return substitute(template, variables);
  };
  return {
    pipeline: name('pipeline'),
    flowgroup: name('flowgroup'),
    template: textOf(spec.get('use_template')) || undefined,
  };
}

/** Variables may contain each other. Each round expands the results of the round before. */
function expandInPlace(variables: Map<string, string>, deadline: Deadline): void {
  for (let round = 0, changed = true; changed && round < MAX_ROUNDS; round += 1) {
    changed = false;
    for (const [name, value] of variables) {
      deadline.step(1 + value.length);
      const expanded = substitute(value, variables);
      if (expanded === value) continue;
      variables.set(name, expanded);
      changed = true;
    }
  }
}

function substitute(text: string, variables: ReadonlyMap<string, string>): string {
  if (!text.includes('%{')) return text;
  let size = text.length;
  return text.replace(/%\{([\p{L}\p{N}_]+)\}/gu, (whole, name: string) => {
    const value = variables.get(name) ?? whole;
    size += value.length;
    if (size > MAX_NAME) throw new LimitError('a name made by a blueprint');
    return value;
  });
}

/** The mappings of a list. An absent value and an empty set are an empty list. */
function list(value: unknown): readonly YamlMap[] {
  const items = listOf(value) ?? [];
  if (!items.every(isMap)) throw new RefusedError('not a list of mappings');
  return items;
}
