// scan.ts: counts what a project contains, by the rules of lhp and without running lhp. It finds
// the YAML files, parses them, expands flowgroups and blueprints, adds the monitoring flowgroup,
// and counts the files that lhp wrote. Projects are untrusted input, so the number, size and depth
// of files and the time are limited. A count is `null` where it is not certain: beyond a limit,
// with an unreadable file, or where the project has changed since the run.
import { join, resolve } from 'node:path';
import { type BlueprintRules, expandBlueprints } from './blueprints.ts';
import { ChangedError } from './change-times.ts';
import { discoverYaml } from './discover.ts';
import { type Flowgroup, type FlowgroupRules, flowgroupsOf, RefusedError } from './flowgroups.ts';
import { countInLog, countOutput, type Output } from './generated-files.ts';
import { isMap, LimitError, type MergeRule, mergeRule, type YamlMap } from './mapping.ts';
import { isKnown, modelsOf } from './model.ts';
import { monitoringFlowgroup } from './monitoring.ts';
import { type ProjectFile, projectSettings, readProjectFile } from './project.ts';
import { pythonStr } from './python-text.ts';
import { Snapshot } from './snapshot.ts';
import { parseAll, parseDocuments } from './yaml.ts';

export interface ScanOptions {
  /**
   * Version of the lhp that ran. Its counting rules differ by release. Where the version is
   * unknown, the newest rules apply.
   */
  lhpVersion: string | undefined;
  /** Version of the PyYAML that lhp used. Where it is unknown, the newest rules apply. */
  pyyamlVersion: string | undefined;
  pipelineConfig: string | undefined;
  dryRun: boolean;
}

export interface Scan {
  /** The field `name` of lhp.yaml. */
  projectName: string | undefined;
  flowgroups: number | null;
  templates: number | null;
  flowgroupsUsingTemplates: number | null;
  pipelines: number | null;
  files: number | null;
  /** Why counts are missing. The text contains no names and no paths. */
  uncertain: string | undefined;
}

/**
 * Counts what the project contains.
 *
 * @param written - The output folder as {@link listOutput} read it. It has to be read first,
 *   because the next run of lhp empties the folder.
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
    // The run took place, so it is recorded, but without the counts that are not certain.
    scan.uncertain = isExplained(error) ? error.message : 'a file could not be parsed';
  }
  if (options.dryRun) scan.files = 0;
  else if (!rules.writesAll) scan.files = countInLog(project) ?? null;
  return scan;
}

const isExplained = (error: unknown): error is Error =>
  error instanceof LimitError || error instanceof RefusedError || error instanceof ChangedError;

/** Only the project's name, read as `scanProject` reads it. */
export function projectName(root: string): string | undefined {
  try {
    return nameOf(projectFile(new Reader(new Snapshot(root), true, mergeRule(undefined))));
  } catch {
    return undefined; // a run of this project has no name either
  }
}

function nameOf(file: ProjectFile): string | undefined {
  const project = 'documents' in file ? file.documents[0] : undefined;
  const name = isMap(project) ? project.get('name') : undefined;
  return name === undefined || name === null ? undefined : pythonStr(name);
}

interface Rules extends FlowgroupRules, BlueprintRules {
  monitoring: boolean;
  /** lhp adds the monitoring flowgroup also when it has no views. */
  monitoringAlways: boolean;
  /** lhp skips a file that does not parse. Later versions end with an error. */
  skipsInvalid: boolean;
  /**
   * lhp empties the output folder first, so every file in it is of this run. Earlier versions only
   * write the files that changed.
   */
  writesAll: boolean;
}

/** Read from the source of lhp 0.6.4 to 0.9.3 (docs/adr/0004-scan.md). */
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
    // Every version skips a file that may be an instance and does not parse.
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

/** lhp treats an empty list as if it were not there. */
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
  /** Number of files that lhp may have read and that could not be read here. */
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

  /** All documents of lhp.yaml, including empty ones. */
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
      // A version that skips invalid files has not counted this one either.
      if (!this.#skipsInvalid && !skippable) this.unread += 1;
      return [];
    }
  }
}
