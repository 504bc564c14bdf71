// filters.ts: selects which runs are shown, by project, environment and time. The choices are the
// values in the history.
import type { Essentials, Group, Selection } from '../../history/summary.ts';
import { DAY_MS } from '../../system/time.ts';
import { byId, h } from './dom.ts';
import { count, plural, word } from './format.ts';
import { projectName } from './projects.ts';

const ALL = '';
/** Keeps the lists short if a history contains very many values. */
const MAX_CHOICES = 100;

export interface Filters {
  /** Fills the lists, when the history was loaded. */
  offer(all: Essentials, thisProject: string | undefined): void;
  selection(): Selection;
}

export function startFilters(changed: () => void): Filters {
  const project = byId<HTMLSelectElement>('project');
  const environment = byId<HTMLSelectElement>('environment');
  const range = byId<HTMLSelectElement>('range');
  byId('filters').addEventListener('change', changed);
  byId('show-all').addEventListener('click', () => {
    for (const list of [project, environment, range]) list.value = ALL;
    changed();
  });
  const selection = (): Selection => ({
    ...(project.value !== ALL && { project: project.value }),
    ...(environment.value !== ALL && { environment: environment.value }),
    ...(range.value !== ALL && { from: Date.now() - Number(range.value) * DAY_MS }),
  });
  return {
    selection,
    offer({ by }, thisProject) {
      const name = ({ value }: Group) =>
        value === thisProject ? `${projectName(value)} (this project)` : projectName(value);
      fill(project, 'All projects', by.project_id, name);
      fill(environment, 'All environments', by.environment, ({ value }) => word(value));
      // If the page was started in the folder of a project, that project is selected.
      if (by.project_id.some(({ value }) => value === thisProject))
        project.value = thisProject ?? ALL;
    },
  };
}

function fill(
  list: HTMLSelectElement,
  all: string,
  groups: Group[],
  name: (group: Group) => string,
): void {
  const choices = groups
    .slice(0, MAX_CHOICES)
    .map((group) => h('option', { value: group.value }, `${name(group)} · ${count(group.runs)}`));
  list.replaceChildren(h('option', { value: ALL }, all), ...choices);
}

/** How many runs are shown, in a sentence. */
export function selectionInWords(all: Essentials, { runs, by }: Essentials): string {
  const which =
    runs === all.runs ? plural(runs, 'run') : `${count(runs)} of ${plural(all.runs, 'run')}`;
  const mixed = by.project_id.length > 1 || by.environment.length > 1;
  const hint =
    ` of ${plural(by.project_id.length, 'project')} and ` +
    `${plural(by.environment.length, 'environment')}; times and sizes are medians over all of them`;
  return which + (mixed ? hint : '');
}
