// project.ts: the settings that lhp takes from lhp.yaml. A field of a wrong type (`version: 1.0`,
// an unquoted date) makes lhp ignore the whole file and continue without its patterns, blueprints
// and monitoring. An invalid section ends the run. The difference comes from lhp's loader: it
// ignores pydantic's ValueError, but some sections have parsers that raise another error instead.
import { YAMLException } from 'js-yaml';
import { RefusedError } from './flowgroups.ts';
import { isMap, LimitError, type YamlMap } from './mapping.ts';
import { boolOf, isKnown, listOf, type Models, order, textOf } from './model.ts';
import { ConstructionError, PythonScalar, Tuples } from './python.ts';
import { pythonStr } from './python-text.ts';

/** The documents of lhp.yaml, including empty ones, or the error that reading it gave. */
export type ProjectFile = { documents: readonly unknown[] } | { error: unknown };

export function readProjectFile(read: () => readonly unknown[]): ProjectFile {
  try {
    return { documents: read() };
  } catch (error) {
    return { error };
  }
}

/** Where lhp ignores the file, its defaults apply, as with an empty file. */
const DROPPED: YamlMap = new Map();

/**
 * The settings that a version of lhp takes from lhp.yaml.
 *
 * @throws RefusedError where the file ends lhp's run; LimitError where the behavior is not known.
 */
export function projectSettings(
  file: ProjectFile,
  version: string | undefined,
  models: Models,
): YamlMap {
  if ('error' in file) return unreadable(file.error, version);
  const [project] = file.documents;
  if (file.documents.length !== 1) throw new RefusedError('lhp.yaml is not one document');
  if (isNothing(project)) return DROPPED;
  if (!isMap(project)) throw new RefusedError('lhp.yaml is not a mapping');
  const wrong = wrongValue(project, models);
  if (wrong === undefined) return project;
  if (!isKnown(version)) throw new LimitError('a wrong type, and a version that nobody has read');
  // lhp searches the error message, which contains the value, for these words.
  if (pythonStr(wrong.value).includes('Invalid YAML'))
    throw new RefusedError('lhp.yaml has a wrong type');
  return DROPPED;
}

function unreadable(error: unknown, version: string | undefined): YamlMap {
  const noYaml = error instanceof YAMLException;
  // ConstructionError: a date that does not exist. TypeError: TextDecoder, for invalid UTF-8.
  if (!noYaml && !(error instanceof ConstructionError || error instanceof TypeError)) throw error;
  // Invalid YAML ended the run before 0.7.5 and ends it since 0.9.0; the others since 0.9.0 only.
  const dropped =
    order(version) >= order(noYaml ? '0.7.5' : '0.6.4') && order(version) < order('0.9.0');
  if (!isKnown(version) || !dropped) throw new RefusedError('lhp.yaml could not be parsed');
  return DROPPED;
}

/** Values that are false in Python. lhp treats them as an empty file. */
function isNothing(value: unknown): boolean {
  if (value instanceof PythonScalar) return value.type !== 'date' && Number(value.str) === 0;
  if (isMap(value) || value instanceof Set) return value.size === 0;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Tuples) return value.pairs.length === 0;
  return value === undefined || value === null || value === false || value === '';
}

/** The first wrong value in the order in which lhp checks: the first one decides. */
function wrongValue(project: YamlMap, models: Models): { value: unknown } | undefined {
  const knows = (field: string) => models.fieldFits('ProjectConfig', field, null) !== undefined;
  const section = (field: string) =>
    project.has(field) && knows(field) ? { value: project.get(field) } : undefined;
  const wrong =
    wrongMetadata(section('operational_metadata'), models) ??
    onlyPatterns([section('include'), section('blueprint_include'), section('instance_include')]) ??
    wrongMonitoring(section('event_log'), section('monitoring'), models);
  if (wrong) return wrong;
  for (const [field, model] of WRAPPED) {
    const found = section(field);
    if (!found || (field === 'uc_tagging' && found.value === null)) continue;
    if (!isMap(found.value) || !models.fits(model, found.value))
      throw new RefusedError(`${field} in lhp.yaml`);
  }
  for (const [field, value] of project) {
    const own = typeof field === 'string' && !SECTIONS.includes(field);
    if (own && models.fieldFits('ProjectConfig', field, value) === false) return { value };
  }
  return undefined;
}

/** Sections whose parsers turn every error into one that ends the run. */
const WRAPPED = [
  ['test_reporting', 'TestReportingConfig'],
  ['uc_tagging', 'UCTaggingConfig'],
  ['wheel', 'WheelConfig'],
  ['sandbox', 'SandboxConfig'],
] as const;
const SECTIONS = [
  ...[
    'operational_metadata',
    'include',
    'blueprint_include',
    'instance_include',
    'event_log',
    'monitoring',
  ],
  ...WRAPPED.map(([field]): string => field),
];

type Section = { value: unknown } | undefined;

function onlyPatterns(lists: readonly Section[]): undefined {
  const isPattern = (value: unknown) =>
    typeof value === 'string' &&
    value !== '' &&
    !value.includes('***/') &&
    !value.includes('[unclosed');
  for (const list of lists) {
    if (list && !listOf(list.value)?.every(isPattern))
      throw new RefusedError('patterns in lhp.yaml');
  }
}

/**
 * An invalid column or preset ends the run. An invalid name of one, and invalid `defaults`, make
 * lhp ignore the file.
 */
function wrongMetadata(section: Section, models: Models): Section {
  if (!section) return undefined;
  const refused = new RefusedError('operational_metadata in lhp.yaml');
  if (!isMap(section.value)) throw refused;
  const parts = (
    field: string,
    model: string,
    isShort: (value: unknown) => boolean,
    short: string,
  ) => {
    const found = (section.value as YamlMap).has(field)
      ? (section.value as YamlMap).get(field)
      : new Map();
    if (!isMap(found)) throw refused;
    for (const value of found.values()) {
      const full = isShort(value) ? new Map([[short, value]]) : value;
      const missing = model === 'MetadataColumnConfig' ? ['expression', ''] : ['columns', []];
      if (!isMap(full) || !models.fits(model, new Map([missing as [unknown, unknown], ...full])))
        throw refused;
    }
    return found;
  };
  const columns = parts(
    'columns',
    'MetadataColumnConfig',
    (value) => typeof value === 'string',
    'expression',
  );
  const presets = parts('presets', 'MetadataPresetConfig', Array.isArray, 'columns');
  const name = [...columns.keys(), ...presets.keys()].find((key) => textOf(key) === undefined);
  if (name !== undefined) return { value: name };
  const defaults = section.value.get('defaults');
  const fits =
    isNothing(defaults) ||
    models.fieldFits('ProjectOperationalMetadataConfig', 'defaults', defaults);
  return fits === false ? { value: defaults } : undefined;
}

/**
 * A wrong type in monitoring's views makes lhp ignore the file. Any other error in monitoring or in
 * the event log ends the run.
 */
function wrongMonitoring(eventLog: Section, monitoring: Section, models: Models): Section {
  const refused = new RefusedError('event_log or monitoring in lhp.yaml');
  if (eventLog && !(isMap(eventLog.value) && models.fits('EventLogConfig', eventLog.value)))
    throw refused;
  const log = eventLog?.value as YamlMap | undefined;
  const logs = log !== undefined && isOn(log);
  if (logs && !(textOf(log.get('catalog')) && textOf(log.get('schema')))) throw refused;
  if (!monitoring) return undefined;
  const map = monitoring.value ?? new Map();
  const views = isMap(map) ? listOf(map.get('materialized_views') ?? []) : undefined;
  if (!isMap(map) || !views?.every(isMap)) throw refused;
  const named = views.map((view) => new Map([['name', ''], ...view]));
  const wrong = named.find((view) => !models.fits('MonitoringMaterializedViewConfig', view));
  if (wrong) return { value: wrong };
  if (!models.fits('MonitoringConfig', new Map([...map, ['materialized_views', null]])))
    throw refused;
  const complete = ['checkpoint_path', 'job_config_path'].every(
    (field) =>
      models.fieldFits('MonitoringConfig', field, null) === undefined || textOf(map.get(field)),
  );
  if (isOn(map) && !(logs && complete && named.every((view) => textOf(view.get('name')))))
    throw refused;
  return undefined;
}

const isOn = (section: YamlMap) =>
  boolOf(section.has('enabled') ? section.get('enabled') : true) === true;
