// generated-files.ts: counts the files that lhp generated. Since 0.9.0 lhp empties the output
// folder first, so the files are counted there. Earlier versions leave unchanged files alone; their
// number is read from lhp's own log.
import { join, resolve } from 'node:path';
import type { Flowgroup } from './flowgroups.ts';
import type { Snapshot } from './snapshot.ts';

/** The contents of the output folder after the run. */
export interface Output {
  /** `pipeline/flowgroup.py` */
  files: Set<string>;
  /** Pipelines that lhp packaged as a wheel. Each counts as one file, its runner. */
  wheels: Set<string>;
}

/**
 * Lists the output folder: the option `-o`, relative to the project root, or
 * `generated/<environment>`. Undefined where the folder may have changed since the run, belongs to
 * another run, or exceeds a limit.
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
    return undefined; // changed, or beyond a limit: the number is not known
  }
}

/**
 * One file for each flowgroup with generated code, one file for each wheel. Copied helpers and
 * hooks do not count.
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

/** One generate of a large project writes less. The log as a whole grows without limit. */
const MAX_LOG_BYTES = 4 * 1024 * 1024;

/**
 * Reads the number of files from `.lhp/logs/lhp.log`, for lhp 0.6.4 to 0.8.7. Since 0.7.5 the log
 * has the number. Earlier versions log a line for each file, which counts when its pipeline is
 * complete. Undefined where the log does not end with this run.
 *
 * The log's times are local, in a time zone that only Python may know, so they are not used. The
 * run's part begins with the last start of a program, in a log that was written during the run and
 * not since.
 */
export function countInLog(project: Snapshot): number | undefined {
  const text = project.writtenTail(join(project.root, '.lhp', 'logs', 'lhp.log'), MAX_LOG_BYTES);
  if (text === undefined || !project.isSameProject()) return undefined;
  let completed = 0;
  let pending = 0;
  let total: number | undefined;
  // Other commands, such as `lhp validate`, log no pipelines.
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
