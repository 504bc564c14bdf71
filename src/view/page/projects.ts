// projects.ts: how the page calls a project. A recorded run knows a digest only; the project in
// whose folder the page was started is called by that folder's name, which the command has looked
// up and no run has.
import type { State } from '../api.ts';
import { digest, word } from './format.ts';

let here: State['project'] = null;

export function setProject(project: State['project']): void {
  here = project;
}

/** In a sentence. */
export const projectPhrase = (id: string): string =>
  id === here?.id ? projectName(id) : `project ${digest(id)}`;

export const projectName = (id: string): string =>
  id === here?.id ? word(here.folder, 24) : digest(id);
