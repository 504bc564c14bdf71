// scan.ts: a project on disk → the counts that lhp itself would report for it, without running lhp:
// discover → parse → flowgroups → blueprints → monitoring → files written. Projects are untrusted
// input: number, size, depth and time are bounded. Where a bound, an unreadable file or a change
// since the run makes a count uncertain, it is left out (`null`).
import { join, resolve } from 'node:path';
import { type BlueprintRules, expandBlueprints } from './blueprints.ts';
import { discoverYaml } from './discover.ts';
import { type Flowgroup, type FlowgroupRules, flowgroupsOf, RefusedError } from './flowgroups.ts';
import { countInLog, countOutput, type Output } from './generated-files.ts';
import { isMap, LimitError, type MergeRule, mergeRule, type YamlMap } from './mapping.ts';
import { isKnown, modelsOf } from './model.ts';
import { monitoringFlowgroup } from './monitoring.ts';
import { type ProjectFile, projectSettings, readProjectFile } from './project.ts';
import { ChangedError, Snapshot } from './snapshot.ts';
import { parseAll, parseDocuments, pythonStr } from './yaml.ts';

export interface ScanOptions {
  /**
   * Version of the lhp that ran, as installed; its counting rules changed over time. Unknown counts
   * as the newest.
   */
  lhpVersion: string | undefined;
  /** Version of the PyYAML that read the project; unknown counts as the newest. */
  pyyamlVersion: string | undefined;
  pipelineConfig: string | undefined;
  dryRun: boolean;
}

export interface Scan {
  /** `name` in lhp.yaml. */
  projectName: string | undefined;
  flowgroups: number | null;
  templates: number | null;
  flowgroupsUsingTemplates: number | null;
  pipelines: number | null;
  files: number | null;
  /** Why counts are missing, in words without names or paths. */
  uncertain: string | undefined;
}

/**
 * `written` is what {@link listOutput} saw before anything else was done: the next run of lhp wipes
 * it.
 */
export function scanProject(
  project: Snapshot,
  options: ScanOptions,
  written: Output | undefined,
): Scan {
  const rules = rulesOf(options.lhpVersion);
  const scan: Scan = {
    projectName: undefined,
    flowgroups: null,
    templates: null,
    flowgroupsUsingTemplates: null,
    pipelines: null,
    files: null,
    uncertain: undefined,
  };
  try {
    const reader = new Reader(project, rules.skipsInvalid, mergeRule(options.pyyamlVersion));
    const lhpYaml = projectFile(reader);
    scan.projectName = nameOf(lhpYaml);
    const settings = projectSettings(lhpYaml, options.lhpVersion, rules.models);
    const flowgroups = findFlowgroups(settings, options, rules, reader);
    if (reader.unread > 0) throw new LimitError('a file could not be read');
    project.confirm();
    scan.flowgroups = flowgroups.length;
    scan.flowgroupsUsingTemplates = flowgroups.filter(
      ({ template }) => template !== undefined,
    ).length;
    scan.templates = new Set(flowgroups.flatMap(({ template }) => template ?? [])).size;
    scan.pipelines = new Set(flowgroups.map(({ pipeline }) => pipeline)).size;
    if (rules.writesAll && written) scan.files = countOutput(written, flowgroups);
  } catch (error) {
    // Whatever is wrong with the project: the run took place and is recorded, without the counts
    // that are not certain.
    scan.uncertain = isExplained(error) ? error.message : 'a file could not be parsed';
  }
  if (options.dryRun) scan.files = 0;
  else if (!rules.writesAll) scan.files = countInLog(project) ?? null;
  return scan;
}

const isExplained = (error: unknown): error is Error =>
  error instanceof LimitError || error instanceof RefusedError || error instanceof ChangedError;

/** The project's name alone, as `scanProject` finds it. */
export function projectName(root: string): string | undefined {
  try {
    return nameOf(projectFile(new Reader(new Snapshot(root), true, mergeRule(undefined))));
  } catch {
    return undefined; // as a run of this project would be recorded
  }
}

function nameOf(file: ProjectFile): string | undefined {
  const project = 'documents' in file ? file.documents[0] : undefined;
  const name = isMap(project) ? project.get('name') : undefined;
  return name === undefined || name === null ? undefined : pythonStr(name);
}

interface Rules extends FlowgroupRules, BlueprintRules {
  monitoring: boolean;
  /** The monitoring flowgroup is there even without views. */
  monitoringAlways: boolean;
  /** A file that does not parse is skipped; later versions end there. */
  skipsInvalid: boolean;
  /**
   * The output folder is wiped first, so all that is in it is this run's; before, only what changed
   * is written.
   */
  writesAll: boolean;
}

/** From the wheels of the versions 0.6.4 to 0.9.3 (docs/adr/0004-scan.md). */
export function rulesOf(version: string | undefined): Rules {
  const [major = 0, minor = 0, patch = 0] = (version ?? '999')
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  const since = (wanted: readonly [number, number, number]) =>
    major !== wanted[0]
      ? major > wanted[0]
      : minor !== wanted[1]
        ? minor > wanted[1]
        : patch >= wanted[2];
  return {
    blueprints: since([0, 8, 6]),
    monitoring: since([0, 7, 6]),
    monitoringAlways: !since([0, 8, 2]),
    skipsInvalid: !since([0, 8, 7]) && isKnown(version),
    writesAll: since([0, 9, 0]),
    needsBlueprints: !since([0, 9, 0]),
    models: modelsOf(version),
  };
}

function findFlowgroups(
  lhpYaml: YamlMap,
  options: ScanOptions,
  rules: Rules,
  reader: Reader,
): Flowgroup[] {
  const { project } = reader;
  const { root } = project;
  const pipelines = join(root, 'pipelines');
  const found: Flowgroup[] = [];
  for (const path of discoverYaml(pipelines, patternsOf(lhpYaml, 'include'), project)) {
    found.push(
      ...reader.read(join(pipelines, path), (documents) => flowgroupsOf(documents, rules)),
    );
  }
  if (rules.blueprints) {
    const files = (key: string, fallback: string, skippable: boolean) =>
      discoverYaml(
        root,
        patternsOf(lhpYaml, key) ?? [`${fallback}/**/*.yaml`, `${fallback}/**/*.yml`],
        project,
      ).map((path) => reader.read(join(root, path), (documents) => documents, skippable));
    const blueprints = files('blueprint_include', 'blueprints', false);
    // A file that might be an instance and does not parse is passed over by every version.
    const instances = files('instance_include', 'pipelines', true);
    for (const one of expandBlueprints(blueprints, instances, rules, project.deadline))
      found.push(one);
  }
  if (rules.monitoring && lhpYaml.has('monitoring')) {
    const configs = options.pipelineConfig
      ? reader.read(resolve(root, options.pipelineConfig), (documents) => documents)
      : [];
    const names = new Set(found.map(({ pipeline }) => pipeline));
    const extra = monitoringFlowgroup(lhpYaml, names, configs, rules.monitoringAlways);
    if (extra) found.push(extra);
  }
  return found;
}

const projectFile = (reader: Reader): ProjectFile => readProjectFile(() => reader.lhpYaml());

/** An empty list is no list, as in lhp. */
function patternsOf(project: YamlMap, key: string): string[] | undefined {
  const patterns = project.get(key);
  return Array.isArray(patterns) &&
    patterns.length > 0 &&
    patterns.every((pattern) => typeof pattern === 'string')
    ? patterns
    : undefined;
}

/** Reads and parses each file once. */
class Reader {
  readonly project: Snapshot;
  /** Files that lhp may have read and we could not. */
  unread = 0;
  readonly #skipsInvalid: boolean;
  readonly #mergeRule: MergeRule;
  readonly #documents = new Map<string, unknown[]>();

  constructor(project: Snapshot, skipsInvalid: boolean, rule: MergeRule) {
    this.project = project;
    this.#skipsInvalid = skipsInvalid;
    this.#mergeRule = rule;
  }

  read<T>(path: string, use: (documents: unknown[]) => T[], skippable = false): T[] {
    return this.#use(() => {
      let documents = this.#documents.get(path);
      if (!documents) {
        documents = this.#parse(this.project.text(path));
        this.#documents.set(path, documents);
      }
      return use(documents);
    }, skippable);
  }

  /** All documents of lhp.yaml, also empty ones. */
  lhpYaml(): unknown[] {
    return parseAll(this.project.lhpYaml(), this.#mergeRule, this.project.deadline);
  }

  #parse(text: string): unknown[] {
    return parseDocuments(text, this.#mergeRule, this.project.deadline);
  }

  #use<T>(read: () => T[], skippable: boolean): T[] {
    try {
      return read();
    } catch (error) {
      if (error instanceof LimitError || error instanceof ChangedError) throw error;
      // A version that skips such a file has not counted it either.
      if (!this.#skipsInvalid && !skippable) this.unread += 1;
      return [];
    }
  }
}
