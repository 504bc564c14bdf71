// breakdown.ts: the runs by environment, version, CI: how many, and how long they take.
import type { Essentials, Group, GroupKey } from '../../history/summary.ts';
import { byId, h, table } from './dom.ts';
import { count, plural, seconds, word } from './format.ts';
import { projectName } from './projects.ts';

const yesNo = (yes: string, no: string) => (value: string) => (value === 'true' ? yes : no);

const TABLES: { key: GroupKey; title: string; name: (value: string) => string }[] = [
  { key: 'environment', title: 'Environment', name: word },
  { key: 'lhp_version', title: 'Version of lhp', name: word },
  { key: 'python_version', title: 'Version of Python', name: word },
  { key: 'is_ci', title: 'Where', name: yesNo('in CI', 'not in CI') },
  { key: 'dry_run', title: 'Kind', name: yesNo('dry run', 'files written') },
  { key: 'project_id', title: 'Project', name: projectName },
];
/** The largest; a history with more values than this has a long tail. */
const MAX_ROWS = 8;

export function drawBreakdown({ runs, by }: Essentials): void {
  byId('breakdown').replaceChildren(
    ...TABLES.map(({ key, title, name }) => {
      const groups = by[key];
      const rows = groups
        .slice(0, MAX_ROWS)
        .map((group) => [
          h('bdi', {}, name(group.value)),
          share(group, runs),
          seconds(group.p50),
          seconds(group.p95),
        ]);
      const more = groups.length - MAX_ROWS;
      return h(
        'div',
        { class: 'card', id: `by-${key}` },
        table([title, 'Runs', 'Median', '95th'], rows),
        more > 0 && h('p', { class: 'fine' }, `and ${plural(more, 'value')} more`),
      );
    }),
  );
}

/** The count, with a bar as long as its share. */
function share({ runs }: Group, all: number): HTMLElement {
  const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
  bar.style.inlineSize = `${(runs / all) * 100}%`;
  return h('span', { class: 'share' }, count(runs), h('span', { class: 'track' }, bar));
}
