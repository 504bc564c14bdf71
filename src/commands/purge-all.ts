// purge-all.ts: `purge --all`, after which nothing of ours is left: state folder, hook,
// configuration, compiled code. Only what is known by its name is removed; what is not stays, and
// is named, as is what cannot be removed, while the rest goes. A link is never followed. The user's
// `off` outlives it: who has switched off is not switched on by tidying up.
import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { userOffFiles } from '../consent/resolve-mode.ts';
import { rcFiles } from '../hook/hook.ts';
import { hasBlock, leftovers, removeBlock } from '../hook/rc-file.ts';
import { hookFileName, SHELL_NAMES } from '../hook/shells.ts';
import { ATTEMPTED } from '../spool/attempts.ts';
import { KEPT, SPOOLED } from '../spool/spool.ts';
import type { Host } from '../system/host.ts';
import type { Paths } from '../system/paths.ts';
import { list } from '../system/probe.ts';

export interface Traces {
  /** Shell start files with the hook's lines. */
  hooks: string[];
  /** Files of ours. */
  files: string[];
  /** Folders of ours, the inner ones first; they go when they are empty. */
  folders: string[];
  /** What says that the user is off. */
  kept: string[];
  /** In our folders, but not ours. */
  foreign: string[];
  /** What cannot be looked into, and why. */
  problems: string[];
}

/** With what a process that was killed while writing has left of it. */
const named = (names: string) => new RegExp(`^(${names})(\\.[0-9a-z]+\\.tmp)?$`);
const STATE = named(
  'delivery\\.json|notice\\.json|notice\\.pending|machine-id|ci-slot\\.json|deliver\\.lock|debug\\.log',
);
/** Node's own: a folder for each Node, a file for each source, for a moment under a longer name. */
const COMPILED_BY = /^v\d+\.[\w.-]+$/;
const COMPILED = /^[0-9a-f]{8}(\.\w+)?$/;
const HOOKS = SHELL_NAMES.map((name) => hookFileName(name).replaceAll('.', '\\.')).join('|');
const CONFIG = named(`config\\.json|consent\\.json|${HOOKS}`);

/** What there is of ours. Changes nothing. */
export function tracesOf(host: Host, paths: Paths): Traces {
  const traces: Traces = { hooks: [], files: [], folders: [], kept: [], foreign: [], problems: [] };
  for (const rc of rcFiles(host)) {
    attempt(traces.problems, () => {
      if (hasBlock(rc)) traces.hooks.push(rc);
    });
    traces.files.push(...leftovers(rc));
  }
  const names = ourNames(paths);
  const inner = new Set([...names.keys()].filter((folder) => names.has(dirname(folder))));
  for (const folder of names.keys())
    if (!inner.has(folder)) lookInto(folder, names, traces, userOffFiles(host, paths));
  return traces;
}

/**
 * Our folders, and what is ours in each by its name. Two of them may be one: the user chooses where
 * they are.
 */
function ourNames(paths: Paths): ReadonlyMap<string, readonly RegExp[]> {
  const names = new Map<string, RegExp[]>();
  const add = (folder: string, ...ours: RegExp[]) =>
    names.set(folder, [...(names.get(folder) ?? []), ...ours]);
  add(paths.state, STATE);
  add(paths.spool, SPOOLED);
  add(paths.history, KEPT);
  add(paths.attempts, ATTEMPTED);
  add(dirname(paths.config), CONFIG);
  add(dirname(paths.cache));
  add(paths.cache);
  for (const name of list(paths.cache))
    if (COMPILED_BY.test(name)) add(join(paths.cache, name), COMPILED);
  return names;
}

function lookInto(
  folder: string,
  names: ReadonlyMap<string, readonly RegExp[]>,
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
      const ours = names.get(folder)?.some((name) => name.test(entry.name));
      if (names.has(path)) lookInto(path, names, traces, keep);
      else if (keep.includes(path)) traces.kept.push(path);
      else if (!entry.isDirectory() && ours) traces.files.push(path);
      else traces.foreign.push(path);
    }
    traces.folders.push(folder);
  });
}

/** Removes what was found; gives what could not be removed, and why. */
export function removeTraces({ hooks, files, folders }: Traces): string[] {
  const problems: string[] = [];
  // The hook first: no new shell is to load what is going.
  for (const rc of hooks) attempt(problems, () => removeBlock(rc));
  for (const file of files) attempt(problems, () => unlinkSync(file), file);
  for (const folder of folders) attempt(problems, () => rmdirSync(folder), folder);
  return problems;
}

/**
 * What is gone already needs no removal, and a folder that is not empty has something that was
 * named or has come since.
 */
function attempt(problems: string[], act: () => void, path?: string): void {
  try {
    act();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTEMPTY' || code === 'EEXIST') return;
    problems.push(path === undefined ? message : `${path} cannot be removed (${code})`);
  }
}
