// breakdown.ts: one table for each field by which runs are grouped: how many runs, how long they
// take.
import { type Essentials, GROUP_KEYS, type Group, type GroupKey } from '../../history/summary.ts';
import { GROUPS } from '../../history/words.ts';
import { byId, h, table } from './dom.ts';
import { count, plural, seconds, word } from './format.ts';
import { projectName } from './projects.ts';

/** Rows of a table; the largest groups are shown. */
const MAX_ROWS = 8;

export function drawBreakdown({ runs, by }: Essentials): void {
  byId('breakdown').replaceChildren(
    ...GROUP_KEYS.map((key) => {
      const groups = by[key];
      const rows = groups
        .slice(0, MAX_ROWS)
        .map((group) => [
          h('bdi', {}, nameOf(key, group.value)),
          share(group, runs),
          seconds(group.p50),
          seconds(group.p95),
        ]);
      const more = groups.length - MAX_ROWS;
      return h(
        'div',
        { class: 'card', id: `by-${key}` },
        table([GROUPS[key].title, 'Runs', 'Median', '95th'], rows),
        more > 0 && h('p', { class: 'fine' }, `and ${plural(more, 'value')} more`),
      );
    }),
  );
}

const nameOf = (key: GroupKey, value: string): string =>
  key === 'project_id' ? projectName(value) : word(GROUPS[key].value?.(value) ?? value);

/** The count, above a bar that is as long as its share of all runs. */
function share({ runs }: Group, all: number): HTMLElement {
  const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
  bar.style.inlineSize = `${(runs / all) * 100}%`;
  return h('span', { class: 'share' }, count(runs), h('span', { class: 'track' }, bar));
}
