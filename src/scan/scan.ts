// scan.ts: a project on disk → the counts that lhp itself would report for it, without running lhp: discover → parse →
// flowgroups → blueprints → monitoring → files written. Projects are untrusted input: number, size, depth and time are
// bounded. Where a bound or an unreadable file makes a count uncertain it is left out (`null`), never guessed.
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expandBlueprints } from './blueprints.ts';
import { discoverYaml } from './discover.ts';
import { type Flowgroup, flowgroupsOf, RefusedError } from './flowgroups.ts';
import { isMap, LimitError, type MergeRule, mergeRule, type YamlMap } from './mapping.ts';
import { monitoringFlowgroup } from './monitoring.ts';
import { countInLog, countOutput, type Output } from './written.ts';
import { parseDocuments, pythonStr } from './yaml.ts';

export interface ScanOptions {
  /** Version of the lhp that ran, as installed; its counting rules changed over time. Unknown counts as the newest. */
  lhpVersion: string | undefined;
  /** Version of the PyYAML that read the project; unknown counts as the newest. */
  pyyamlVersion: string | undefined;
  pipelineConfig: string | undefined;
  dryRun: boolean;
  noBundle: boolean;
  /** Start of the run in milliseconds since the epoch: versions that write only what changed are counted by it. */
  startedAt: number;
}

export interface Scan {
  /** `name` in lhp.yaml. */
  projectName: string | undefined;
  flowgroups: number | null;
  templates: number | null;
  flowgroupsUsingTemplates: number | null;
  pipelines: number | null;
  files: number | null;
  bundle: boolean;
  /** Why counts are missing, in words without names or paths. */
  uncertain: string | undefined;
}

const MAX_FILE_BYTES = 8 * 1024 * 1024;
const MAX_TOTAL_BYTES = 128 * 1024 * 1024;
const MAX_MILLISECONDS = 20_000;

/** `written` is what {@link listOutput} saw before anything else was done: the next run of lhp wipes it. */
export function scanProject(root: string, options: ScanOptions, written: Output): Scan {
  const rules = rulesOf(options.lhpVersion);
  const scan: Scan = {
    projectName: undefined,
    flowgroups: null,
    templates: null,
    flowgroupsUsingTemplates: null,
    pipelines: null,
    files: options.dryRun ? 0 : null,
    bundle: !options.noBundle && isFile(join(root, 'databricks.yml')),
    uncertain: undefined,
  };
  try {
    const reader = new Reader(rules.skipsInvalid, mergeRule(options.pyyamlVersion));
    const project = projectFile(reader, root);
    scan.projectName = nameOf(project);
    const flowgroups = findFlowgroups(root, project, options, rules, reader);
    if (reader.unread > 0) throw new LimitError('a file could not be read');
    scan.flowgroups = flowgroups.length;
    scan.flowgroupsUsingTemplates = flowgroups.filter(({ template }) => template !== undefined).length;
    scan.templates = new Set(flowgroups.flatMap(({ template }) => template ?? [])).size;
    scan.pipelines = new Set(flowgroups.map(({ pipeline }) => pipeline)).size;
    if (!options.dryRun) scan.files = countWritten(root, written, flowgroups, rules, options.startedAt);
  } catch (error) {
    // Whatever is wrong with the project: the run took place and is recorded, without the counts that are not certain.
    scan.uncertain =
      error instanceof LimitError || error instanceof RefusedError ? error.message : 'a file could not be parsed';
  }
  return scan;
}

/** The project's name alone, as `scanProject` finds it. */
export function projectName(root: string): string | undefined {
  try {
    return nameOf(projectFile(new Reader(true, mergeRule(undefined)), root));
  } catch {
    return undefined; // as a run of this project would be recorded
  }
}

function nameOf(project: YamlMap): string | undefined {
  const name = project.get('name');
  return name === undefined || name === null ? undefined : pythonStr(name);
}

interface Rules {
  blueprints: boolean;
  monitoring: boolean;
  /** The monitoring flowgroup is there even without views. */
  monitoringAlways: boolean;
  /** A file that does not parse is skipped; later versions end there. */
  skipsInvalid: boolean;
  /** The output folder is wiped first, so all that is in it is this run's; before, only what changed is written. */
  writesAll: boolean;
}

/** From the wheels of the versions 0.6.4 to 0.9.3 (docs/adr/0004-scan.md). */
function rulesOf(version: string | undefined): Rules {
  const [major = 0, minor = 0, patch = 0] = (version ?? '999').split('.').map((part) => Number.parseInt(part, 10));
  const since = (wanted: readonly [number, number, number]) =>
    major !== wanted[0] ? major > wanted[0] : minor !== wanted[1] ? minor > wanted[1] : patch >= wanted[2];
  return {
    blueprints: since([0, 8, 6]),
    monitoring: since([0, 7, 6]),
    monitoringAlways: !since([0, 8, 2]),
    skipsInvalid: !since([0, 8, 7]),
    writesAll: since([0, 9, 0]),
  };
}

function countWritten(root: string, written: Output, flowgroups: Flowgroup[], rules: Rules, startedAt: number): number {
  if (rules.writesAll) return countOutput(written, flowgroups, 0);
  return countInLog(root, startedAt) ?? countOutput(written, flowgroups, startedAt);
}

function findFlowgroups(
  root: string,
  project: YamlMap,
  options: ScanOptions,
  rules: Rules,
  reader: Reader,
): Flowgroup[] {
  const pipelines = join(root, 'pipelines');
  const found: Flowgroup[] = [];
  for (const path of discoverYaml(pipelines, patternsOf(project, 'include'))) {
    found.push(...reader.read(join(pipelines, path), (documents) => flowgroupsOf(documents, rules.blueprints)));
  }
  if (rules.blueprints) {
    const files = (key: string, fallback: string, skippable: boolean) =>
      discoverYaml(root, patternsOf(project, key) ?? [`${fallback}/**/*.yaml`, `${fallback}/**/*.yml`]).map((path) =>
        reader.read(join(root, path), (documents) => documents, skippable),
      );
    const blueprints = files('blueprint_include', 'blueprints', false);
    // A file that might be an instance and does not parse is passed over by every version.
    const instances = files('instance_include', 'pipelines', true);
    found.push(...expandBlueprints(blueprints, instances));
  }
  if (rules.monitoring && project.has('monitoring')) {
    const configs = options.pipelineConfig
      ? reader.read(resolve(root, options.pipelineConfig), (documents) => documents)
      : [];
    const names = new Set(found.map(({ pipeline }) => pipeline));
    const extra = monitoringFlowgroup(project, names, configs, rules.monitoringAlways);
    if (extra) found.push(extra);
  }
  return found;
}

function projectFile(reader: Reader, root: string): YamlMap {
  const [project] = reader.read(join(root, 'lhp.yaml'), (documents) => documents);
  if (project !== undefined && !isMap(project)) throw new RefusedError('lhp.yaml is not a mapping');
  return project ?? new Map();
}

/** An empty list is no list, as in lhp. */
function patternsOf(project: YamlMap, key: string): string[] | undefined {
  const patterns = project.get(key);
  return Array.isArray(patterns) && patterns.length > 0 && patterns.every((pattern) => typeof pattern === 'string')
    ? patterns
    : undefined;
}

/** Reads each file once, within bounds. */
class Reader {
  /** Files that lhp may have read and we could not. */
  unread = 0;
  readonly #skipsInvalid: boolean;
  readonly #mergeRule: MergeRule;
  readonly #documents = new Map<string, unknown[]>();
  readonly #deadline = performance.now() + MAX_MILLISECONDS;
  #bytes = 0;

  constructor(skipsInvalid: boolean, rule: MergeRule) {
    this.#skipsInvalid = skipsInvalid;
    this.#mergeRule = rule;
  }

  read<T>(path: string, use: (documents: unknown[]) => T[], skippable = false): T[] {
    try {
      let documents = this.#documents.get(path);
      if (!documents) {
        documents = parseDocuments(this.#text(path), this.#mergeRule);
        this.#documents.set(path, documents);
      }
      return use(documents);
    } catch (error) {
      if (error instanceof LimitError) throw error;
      // A version that skips such a file has not counted it either.
      if (!this.#skipsInvalid && !skippable) this.unread += 1;
      return [];
    }
  }

  #text(path: string): string {
    if (performance.now() > this.#deadline) throw new LimitError('time');
    // Also keeps us from opening what never ends, such as a pipe.
    const stats = statSync(path);
    if (!stats.isFile()) throw new RefusedError('not a file');
    this.#bytes += stats.size;
    if (stats.size > MAX_FILE_BYTES || this.#bytes > MAX_TOTAL_BYTES) throw new LimitError('size of a file');
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
