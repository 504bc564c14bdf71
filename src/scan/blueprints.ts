// blueprints.ts: blueprints × instances → flowgroups. Only what decides the counts is resolved: the pipeline and flowgroup
// names, in which `%{name}` stands for a parameter of the instance or a variable of the blueprint.
import type { Deadline } from './deadline.ts';
import { type Flowgroup, isBlueprint, isInstance, RefusedError } from './flowgroups.ts';
import { isMap, LimitError, type YamlMap } from './mapping.ts';
import { pythonStr } from './yaml.ts';

/** lhp expands variables in variables this often. */
const MAX_ROUNDS = 10;
const MAX_NAME = 65_536;
/** More than any project; a bound on blueprints times instances. */
const MAX_EXPANDED = 200_000;

/** The arguments are the documents of each file, as discovered; a file that is no instance is passed over. */
export function expandBlueprints(
  blueprintFiles: readonly unknown[][],
  candidates: readonly unknown[][],
  deadline: Deadline,
): Flowgroup[] {
  const blueprints = new Map<unknown, YamlMap>();
  for (const documents of blueprintFiles) {
    const blueprint = documents[0];
    if (documents.length !== 1 || !isBlueprint(blueprint)) throw new RefusedError('not a blueprint');
    blueprints.set(blueprint.get('name'), blueprint);
  }
  const found: Flowgroup[] = [];
  for (const [instance] of candidates) {
    if (!isInstance(instance)) continue;
    const map = instance as YamlMap;
    const blueprint = blueprints.get(map.get('use_blueprint') ?? map.get('blueprint'));
    if (!blueprint) throw new RefusedError('an unknown blueprint');
    const parameters = parametersOf(blueprint, map);
    for (const spec of list(blueprint.get('flowgroups'))) {
      found.push(expand(spec, parameters, deadline));
      if (found.length > MAX_EXPANDED) throw new LimitError('number of blueprint instances');
    }
  }
  return found;
}

/** Defaults first, then what the instance gives, under `parameters:` or (the older form) beside `blueprint:`. */
function parametersOf(blueprint: YamlMap, instance: YamlMap): Map<string, string> {
  const values = new Map<string, string>();
  for (const parameter of list(blueprint.get('parameters') ?? [])) {
    const fallback = parameter.get('default') ?? null;
    if (fallback !== null) values.set(pythonStr(parameter.get('name')), pythonStr(fallback));
  }
  const given = instance.has('use_blueprint') ? (instance.get('parameters') ?? new Map()) : instance;
  if (!isMap(given)) throw new RefusedError('parameters is not a mapping');
  for (const [name, value] of given) {
    if (given !== instance || name !== 'blueprint') values.set(pythonStr(name), pythonStr(value));
  }
  return values;
}

function expand(spec: YamlMap, parameters: ReadonlyMap<string, string>, deadline: Deadline): Flowgroup {
  deadline.step(1 + parameters.size);
  const variables = new Map(parameters);
  const own = spec.get('variables');
  if (isMap(own)) for (const [name, value] of own) variables.set(pythonStr(name), pythonStr(value));
  expandInPlace(variables, deadline);
  const name = (field: string) => {
    const template = spec.get(field);
    if (typeof template !== 'string') throw new RefusedError(`${field} of a blueprint`);
    return substitute(template, variables);
  };
  const template = spec.get('use_template');
  return {
    pipeline: name('pipeline'),
    flowgroup: name('flowgroup'),
    template: typeof template === 'string' && template ? template : undefined,
  };
}

/** Variables may name each other; each round works on what the round before made, in order. */
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

function list(value: unknown): YamlMap[] {
  if (!Array.isArray(value) || !value.every(isMap)) throw new RefusedError('not a list of mappings');
  return value;
}
