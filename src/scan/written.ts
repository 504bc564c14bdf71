// written.ts: how many files lhp says it has written. From 0.9.0 on, by its rule, in the output folder, which is wiped first;
// older versions leave unchanged files untouched and so cannot be counted on disk, but say the number in their own log.
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Flowgroup } from './flowgroups.ts';

/** What lies in the output folder now. */
export interface Output {
  /** `pipeline/flowgroup.py` → modification time in milliseconds. */
  files: Map<string, number>;
  /** Pipelines that were packaged as a wheel: they count as one file, their runner. */
  wheels: Set<string>;
}

const MAX_OUTPUT_FILES = 200_000;

/** The folder is lhp's: `-o` relative to the project root, or `generated/<environment>`. */
export function listOutput(root: string, option: string | undefined, environment: string | undefined): Output {
  const folder = resolve(root, option ?? join('generated', environment ?? ''));
  const output: Output = { files: new Map(), wheels: new Set() };
  const folders = [''];
  for (let inside = folders.pop(); inside !== undefined; inside = folders.pop()) {
    for (const entry of entriesOf(join(folder, inside))) {
      const path = inside ? `${inside}/${entry.name}` : entry.name;
      const wheel = /^_wheels\/(.+)\/dist\/[^/]+\.whl$/.exec(path)?.[1];
      if (entry.isDirectory()) folders.push(path);
      else if (wheel) output.wheels.add(wheel);
      else if (entry.name.endsWith('.py') && output.files.size < MAX_OUTPUT_FILES) {
        output.files.set(path, modified(join(folder, path)));
      }
    }
  }
  return output;
}

/** One file for each flowgroup that has code, one for a wheel; helper copies and hooks are not counted. */
export function countOutput(output: Output, flowgroups: readonly Flowgroup[], since: number): number {
  const counted = new Set<string>();
  for (const { pipeline, flowgroup } of flowgroups) {
    const path = `${pipeline}/${flowgroup}.py`;
    const time = output.files.get(path);
    if (output.wheels.has(pipeline)) counted.add(`${pipeline}/`);
    else if (time !== undefined && time >= since) counted.add(path);
  }
  return counted.size;
}

/** More than one generate of a large project writes; the log itself grows without end. */
const MAX_LOG_BYTES = 4 * 1024 * 1024;

/**
 * What lhp 0.6.4 to 0.8.7 wrote into `.lhp/logs/lhp.log` since the run began (local time): from 0.7.5 on the number itself,
 * before that a line for each file, which counts when its pipeline is completed. `undefined` where there is no such log.
 */
export function countInLog(root: string, since: number): number | undefined {
  const text = tail(join(root, '.lhp', 'logs', 'lhp.log'));
  if (text === undefined) return undefined;
  let completed = 0;
  let pending = 0;
  let seen = false;
  for (const line of text.split('\n')) {
    const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d),(\d{3}) - ([\w.]+) - INFO - (.*)$/.exec(line);
    if (!match) continue;
    const [, date, time, ms, logger, message = ''] = match;
    if (new Date(`${date}T${time}.${ms}`).getTime() < since) continue;
    seen = true;
    const total = /^Generation complete: (\d+) file\(s\) generated/.exec(message)?.[1];
    if (total) return Number(total);
    if (logger !== 'lhp.core.orchestrator') continue;
    if (message.startsWith('Starting pipeline generation by field:')) pending = 0;
    else if (message.startsWith('Generated: ')) pending += 1;
    else if (message.startsWith('Pipeline generation complete:')) {
      completed += pending;
      pending = 0;
    }
  }
  return seen ? completed : undefined;
}

function tail(path: string): string | undefined {
  let file: number | undefined;
  try {
    // Also keeps us from opening what never ends, such as a pipe.
    if (!statSync(path).isFile()) return undefined;
    file = openSync(path, 'r');
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, MAX_LOG_BYTES));
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, size - bytes.length));
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // no output, or not readable
  }
}

function modified(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
