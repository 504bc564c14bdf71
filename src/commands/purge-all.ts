// purge-all.ts: `purge --all` removes everything that lhp-otel has written: recorded runs and
// state, the hook in every shell, configuration, compiled code. Only files with a row in
// system/own-files.ts are removed; other files stay and are named, as are files that cannot be
// removed. Links are not followed. A file that says off stays: removing it would switch the user
// on.
import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { userOffFiles } from '../consent/resolve-mode.ts';
import { rcFiles } from '../hook/hook.ts';
import { hasBlock, leftovers, removeBlock } from '../hook/rc-file.ts';
import { errorCode } from '../system/error.ts';
import type { Host } from '../system/host.ts';
import { COMPILED_BY, type Folder, isOwnFile } from '../system/own-files.ts';
import type { Paths } from '../system/paths.ts';
import { list } from '../system/try-read.ts';

export interface Traces {
  /** Shell start files with the hook's lines. */
  hooks: string[];
  /** Our files. */
  files: string[];
  /** Our folders, the inner ones first. They are removed when they are empty. */
  folders: string[];
  /** The files that say that the user is off. */
  kept: string[];
  /** Files in our folders that are not ours. */
  foreign: string[];
  /** What cannot be read, and why. */
  problems: string[];
}

/** Finds everything of ours. Changes nothing. */
export function tracesOf(host: Host, paths: Paths): Traces {
  const traces: Traces = { hooks: [], files: [], folders: [], kept: [], foreign: [], problems: [] };
  for (const rc of rcFiles(host)) {
    attempt(traces.problems, () => {
      if (hasBlock(rc)) traces.hooks.push(rc);
    });
    traces.files.push(...leftovers(rc));
  }
  const folders = ourFolders(paths);
  const inner = new Set([...folders.keys()].filter((path) => folders.has(dirname(path))));
  for (const path of folders.keys())
    if (!inner.has(path)) lookInto(path, folders, traces, userOffFiles(host, paths));
  return traces;
}

/**
 * The paths of our folders, with the kinds of files in each. Two kinds may share one path, because
 * the user can point several XDG variables to one folder.
 */
function ourFolders(paths: Paths): ReadonlyMap<string, readonly Folder[]> {
  const folders = new Map<string, Folder[]>();
  const add = (path: string, ...kinds: Folder[]) =>
    folders.set(path, [...(folders.get(path) ?? []), ...kinds]);
  for (const kind of ['state', 'spool', 'history', 'attempts'] as const) add(paths[kind], kind);
  add(paths.configFolder, 'config');
  add(dirname(paths.cache));
  add(paths.cache);
  for (const name of list(paths.cache))
    if (COMPILED_BY.test(name)) add(join(paths.cache, name), 'compiled');
  return folders;
}

function lookInto(
  folder: string,
  folders: ReadonlyMap<string, readonly Folder[]>,
  traces: Traces,
  keep: readonly string[],
): void {
  attempt(traces.problems, () => {
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (!stats) return;
    if (stats.isSymbolicLink()) throw new Error(`${folder} is a link, which is not followed`);
    if (!stats.isDirectory()) return void traces.foreign.push(folder);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const isOurs = folders.get(folder)?.some((kind) => isOwnFile(kind, entry.name));
      if (folders.has(path)) lookInto(path, folders, traces, keep);
      else if (keep.includes(path)) traces.kept.push(path);
      else if (!entry.isDirectory() && isOurs) traces.files.push(path);
      else traces.foreign.push(path);
    }
    traces.folders.push(folder);
  });
}

/** Removes what was found. Returns what could not be removed, and why. */
export function removeTraces({ hooks, files, folders }: Traces): string[] {
  const problems: string[] = [];
  // The hook first, so that no new shell loads what is being removed.
  for (const rc of hooks) attempt(problems, () => removeBlock(rc));
  for (const file of files) attempt(problems, () => unlinkSync(file), file);
  for (const folder of folders) attempt(problems, () => rmdirSync(folder), folder);
  return problems;
}

/**
 * A file that is already gone is no problem, nor is a folder that is not empty: what is in it was
 * named, or was added since.
 */
function attempt(problems: string[], act: () => void, path?: string): void {
  try {
    act();
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTEMPTY' || code === 'EEXIST') return;
    const message = error instanceof Error ? error.message : String(error);
    problems.push(path === undefined ? message : `${path} cannot be removed (${code})`);
  }
}
