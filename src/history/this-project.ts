// this-project.ts: which recorded runs belong to the project of the working directory. A recorded
// run contains only a digest of its project. For this one project the digest can be computed, and
// the project is shown by the name of its folder. That name is stored nowhere.
import { basename } from 'node:path';
import { projectId } from '../collect/identify.ts';
import { projectName } from '../scan/scan.ts';
import type { Host } from '../system/host.ts';
import { projectRoot } from '../system/project-root.ts';

export interface ThisProject {
  /** The digest in its recorded runs. */
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

/** The name of a run's project: the folder, or the first digits of the digest. */
export const projectWord = (id: string, here: ThisProject | undefined): string =>
  id === here?.id ? here.folder : `project ${id.slice(0, 8)}`;
