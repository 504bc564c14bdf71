// this-project.ts: which recorded runs are of the project that the user stands in, and how they
// call it: by its folder's name. The name is looked up when something is shown and kept nowhere: no
// recorded run has it.
import { basename } from 'node:path';
import { projectId } from '../collect/identify.ts';
import { projectName } from '../scan/scan.ts';
import type { Host } from '../system/host.ts';
import { projectRoot } from '../system/project-root.ts';

export interface ThisProject {
  /** As its runs are recorded. */
  id: string;
  /** The name of its folder. */
  folder: string;
}

export function thisProject({ cwd }: Host): ThisProject | undefined {
  const root = projectRoot(cwd);
  return root === undefined
    ? undefined
    : { id: projectId(projectName(root)), folder: basename(root) || root };
}

/** How a line calls the project of a run: by its folder, or by the begin of its digest. */
export const projectWord = (id: string, here: ThisProject | undefined): string =>
  id === here?.id ? here.folder : `project ${id.slice(0, 8)}`;
