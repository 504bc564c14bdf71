// settings-files.ts: the files in which a launcher may find variables for its command: environment
// files that its options or variables name, and settings of the project. Only paths; the files are
// read in switches.ts.
import { dirname, resolve } from 'node:path';
import type { Env } from '../system/host.ts';
import { isFolder } from '../system/try-read.ts';
import { folderWith, type Launch } from './command.ts';
import { isTrue, type Launcher, listed, type Settings } from './launchers/launcher.ts';

/**
 * The environment files that are read. Their paths are relative to the folder that the command runs
 * in (uv), or to the project's (PDM).
 */
export function environmentFiles({ cwd, from, given }: Launch, row: Launcher, env: Env): string[] {
  if (given.some(({ option }) => listed(row.noEnvFile, option))) return [];
  const folder = row.folderInProject ? projectFolder(given, row, from, env) : cwd;
  const named = given.flatMap(({ option, value }) =>
    value && listed(row.envFile, option) ? [value] : [],
  );
  // White space separates the files in the variable, unless a backslash stands before it.
  const variable = (row.envFileVariable && env[row.envFileVariable]) || '';
  return [...named, ...variable.split(/(?<!\\)\s+/).filter(Boolean)].map((file) =>
    resolve(folder, file.replaceAll('\\ ', ' ')),
  );
}

/** A settings file that may be there. */
export interface Place {
  path: string;
  /** Other files that it names are relative to this folder. */
  folder: string;
  table?: string;
}

/** The settings of the project in which the launcher may find variables for its command. */
export function settingsFiles(launch: Launch, row: Launcher, env: Env): Place[] {
  const projects = projectsOf(launch, row, env);
  return (row.settings ?? []).flatMap((one) => {
    if (one.unless !== undefined && isTrue(env[one.unless])) return [];
    const folders = one.variable === undefined ? foldersOf(one, projects) : [launch.cwd];
    const file = one.variable === undefined ? one.file : env[one.variable];
    if (!file) return [];
    return folders.map((folder) => ({
      path: resolve(folder, file),
      folder,
      ...(one.table === undefined ? {} : { table: one.table }),
    }));
  });
}

interface Project {
  folder: string;
  /** An option or a variable named it. */
  named: boolean;
}

/**
 * The project that an option or a variable names, else the folder that the command runs in. Whether
 * a relative project belongs to the folder before or after the launcher changed it differs, so both
 * are looked at.
 */
function projectsOf({ cwd, from, given }: Launch, row: Launcher, env: Env): Project[] {
  if (namedProject(given, row, env) === undefined) return [{ folder: cwd, named: false }];
  return [from, cwd].map((start) => ({
    folder: projectFolder(given, row, start, env),
    named: true,
  }));
}

/** The folders in which a settings file is looked for. */
function foldersOf({ file = '', beside }: Settings, projects: readonly Project[]): string[] {
  const folders = projects.map(({ folder, named }) => {
    if (beside === undefined) return folderWith(file, folder);
    return named ? folder : (folderWith(beside, folder) ?? folder);
  });
  return [...new Set(folders.filter((folder) => folder !== undefined))];
}

const namedProject = (given: Launch['given'], row: Launcher, env: Env): string | undefined =>
  given.findLast(({ option }) => listed(row.project, option))?.value ??
  ((row.projectVariable && env[row.projectVariable]) || undefined);

function projectFolder(given: Launch['given'], row: Launcher, from: string, env: Env): string {
  const named = namedProject(given, row, env);
  if (named === undefined) return folderWith('pyproject.toml', from) ?? from;
  const path = resolve(from, named);
  return isFolder(path) ? path : dirname(path);
}
