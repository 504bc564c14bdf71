// environment-folders.ts: where Python environments can be, by the table of launchers.
import { join } from 'node:path';
import { list } from '../system/try-read.ts';
import { type Launcher, wordsOf } from './launchers/launcher.ts';
import { launches } from './launchers.ts';

const rows = launches().map(([, row]) => row);

/** Variables that name an environment: those of venv and conda, and those of the launchers. */
export const ENVIRONMENT_VARIABLES: readonly string[] = [
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
  ...new Set(rows.flatMap((row) => row.environmentVariable ?? [])),
];

/**
 * The folders of a project that can be environments.
 *
 * @param launchers - whose environments; by default those of all launchers.
 */
export function environmentsIn(project: string, launchers: readonly Launcher[] = rows): string[] {
  const names = new Set(launchers.flatMap((row) => wordsOf(row.environmentFolders)));
  return [...names].flatMap((name) => {
    if (!name.endsWith('/*')) return [join(project, name)];
    const parent = join(project, name.slice(0, -2));
    return list(parent).map((child) => join(parent, child));
  });
}
