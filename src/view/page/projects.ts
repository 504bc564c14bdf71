// projects.ts: the names of projects. A recorded run contains only a digest of its project. The
// project in whose folder `lhp-otel view` was started is shown by the name of that folder.
import type { State } from '../api.ts';
import { digest, word } from './format.ts';

let here: State['project'] = null;

export function setProject(project: State['project']): void {
  here = project;
}

/** For use in a sentence. */
export const projectPhrase = (id: string): string =>
  id === here?.id ? projectName(id) : `project ${digest(id)}`;

export const projectName = (id: string): string =>
  id === here?.id ? word(here.folder, 24) : digest(id);
