// written.ts: how many files lhp says it has written. From 0.9.0 on, by its rule, in the output
// folder, which is wiped first; older versions leave unchanged files untouched and so cannot be
// counted on disk, but say the number in their own log.
import { join, resolve } from 'node:path';
import type { Flowgroup } from './flowgroups.ts';
import type { Snapshot } from './snapshot.ts';

/** What the run left in the output folder. */
export interface Output {
  /** `pipeline/flowgroup.py` */
  files: Set<string>;
  /** Pipelines that were packaged as a wheel: they count as one file, their runner. */
  wheels: Set<string>;
}

/**
 * The folder is lhp's: `-o` relative to the project root, or `generated/<environment>`. Undefined
 * where it may have changed since the run, is not of this run, or exceeds the bounds.
 */
export function listOutput(
  project: Snapshot,
  option: string | undefined,
  environment: string | undefined,
): Output | undefined {
  const folder = resolve(project.root, option ?? join('generated', environment ?? ''));
  const output: Output = { files: new Set(), wheels: new Set() };
  const folders = [''];
  try {
    for (let inside = folders.pop(); inside !== undefined; inside = folders.pop()) {
      for (const entry of project.list(join(folder, inside))) {
        const path = inside ? `${inside}/${entry.name}` : entry.name;
        const wheel = /^_wheels\/(.+)\/dist\/[^/]+\.whl$/.exec(path)?.[1];
        if (entry.isDirectory()) folders.push(path);
        else if (wheel) output.wheels.add(wheel);
        else if (entry.name.endsWith('.py')) output.files.add(path);
      }
    }
    project.confirm();
    return project.isOfRun(folder) ? output : undefined;
  } catch {
    return undefined; // changed, or beyond the bounds: then the number is not known
  }
}

/**
 * One file for each flowgroup that has code, one for a wheel; helper copies and hooks are not
 * counted.
 */
export function countOutput(output: Output, flowgroups: readonly Flowgroup[]): number {
  const counted = new Set<string>();
  for (const { pipeline, flowgroup } of flowgroups) {
    const path = `${pipeline}/${flowgroup}.py`;
    if (output.wheels.has(pipeline)) counted.add(`${pipeline}/`);
    else if (output.files.has(path)) counted.add(path);
  }
  return counted.size;
}

/** More than one generate of a large project writes; the log itself grows without end. */
const MAX_LOG_BYTES = 4 * 1024 * 1024;

/**
 * What lhp 0.6.4 to 0.8.7 wrote into `.lhp/logs/lhp.log` in this run: from 0.7.5 on the number
 * itself, before that a line for each file, which counts when its pipeline is completed. Undefined
 * where the log does not end with this run.
 *
 * The log appends, and its times are local ones in a zone that only Python may know. So they are
 * not read: the run is what stands behind the last start of a program in a file that was written
 * during the run and not since.
 */
export function countInLog(project: Snapshot): number | undefined {
  const text = project.writtenTail(join(project.root, '.lhp', 'logs', 'lhp.log'), MAX_LOG_BYTES);
  if (text === undefined || !project.isSameProject()) return undefined;
  let completed = 0;
  let pending = 0;
  let total: number | undefined;
  // A program that does something else, as `lhp validate`, has no pipelines.
  let pipelines = 0;
  let started = false;
  for (const line of text.split('\n')) {
    const match = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - ([\w.]+) - INFO - (.*)$/.exec(line);
    if (!match) continue;
    const [, logger, message = ''] = match;
    const said = /^Generation complete: (\d+) file\(s\) generated/.exec(message)?.[1];
    if (said) total = Number(said);
    if (logger !== 'lhp.core.orchestrator') continue;
    if (message.startsWith('Initialized ActionOrchestrator')) {
      [started, pipelines, completed, pending, total] = [true, 0, 0, 0, undefined];
    } else if (message.startsWith('Starting pipeline generation by field:')) {
      pipelines += 1;
      pending = 0;
    } else if (message.startsWith('Generated: ')) pending += 1;
    else if (message.startsWith('Pipeline generation complete:')) {
      completed += pending;
      pending = 0;
    }
  }
  if (!started) return undefined;
  return total ?? (pipelines > 0 ? completed : undefined);
}
