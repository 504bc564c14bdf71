// run-list.ts: the table of runs, in pages: ten thousand rows at once would make the browser slow.

import { OUTCOMES } from '../../history/words.ts';
import type { Run } from '../../spool/run.ts';
import { byId, h } from './dom.ts';
import { count, plural, seconds, time, word } from './format.ts';
import { projectName } from './projects.ts';

const PAGE_SIZE = 25;

type Order = 'newest' | 'oldest' | 'slowest';
const ORDERS: Record<Order, (a: Run, b: Run) => number> = {
  newest: (a, b) => b.timestamp - a.timestamp,
  oldest: (a, b) => a.timestamp - b.timestamp,
  slowest: (a, b) =>
    b.event.generation_time_seconds - a.event.generation_time_seconds || b.timestamp - a.timestamp,
};

export interface RunList {
  draw(runs: readonly Run[]): void;
}

export function startRunList(open: (run: Run) => void): RunList {
  const rows = byId('run-rows');
  const place = byId('run-place');
  const order = byId<HTMLSelectElement>('run-order');
  const steps = {
    first: byId<HTMLButtonElement>('run-first'),
    back: byId<HTMLButtonElement>('run-back'),
    on: byId<HTMLButtonElement>('run-on'),
    last: byId<HTMLButtonElement>('run-last'),
  };
  let given: readonly Run[] = [];
  let sorted: Run[] = [];
  let page = 0;
  const lastPage = () => Math.max(Math.ceil(sorted.length / PAGE_SIZE) - 1, 0);

  function sort(): void {
    sorted = given.toSorted(ORDERS[order.value as Order]);
    turn(0);
  }

  function turn(to: number): void {
    page = Math.min(Math.max(to, 0), lastPage());
    const from = page * PAGE_SIZE;
    const members = sorted.slice(from, from + PAGE_SIZE);
    rows.replaceChildren(...members.map((run) => rowOf(run, open)));
    place.textContent =
      members.length > 0
        ? `${count(from + 1)} to ${count(from + members.length)} of ${plural(sorted.length, 'run')}`
        : 'no run';
    // Not `disabled`, because a disabled button loses the keyboard focus.
    for (const [step, dead] of [
      ['first', page === 0],
      ['back', page === 0],
      ['on', page === lastPage()],
      ['last', page === lastPage()],
    ] as const)
      steps[step].setAttribute('aria-disabled', String(dead));
  }

  steps.first.addEventListener('click', () => turn(0));
  steps.back.addEventListener('click', () => turn(page - 1));
  steps.on.addEventListener('click', () => turn(page + 1));
  steps.last.addEventListener('click', () => turn(lastPage()));
  order.addEventListener('change', sort);
  return {
    draw(runs) {
      given = runs;
      sort();
    },
  };
}

function rowOf(run: Run, open: (run: Run) => void): HTMLTableRowElement {
  const { timestamp, outcome, event } = run;
  const button = h('button', { type: 'button', class: 'link' }, time(timestamp));
  button.addEventListener('click', () => open(run));
  const wide = { class: 'wide' };
  const outcomeLabel = h('span', { class: `outcome ${outcome}` }, OUTCOMES[outcome]);
  return h(
    'tr',
    {},
    // In a narrow window the outcome is shown here instead of in its own column.
    h('th', { scope: 'row' }, button, h('span', { class: 'narrow' }, outcomeLabel.cloneNode(true))),
    h('td', wide, h('bdi', {}, projectName(event.project_id))),
    h(
      'td',
      {},
      h('bdi', {}, word(event.environment, 20)),
      event.dry_run && h('span', { class: 'tag' }, 'dry'),
      event.is_ci && h('span', { class: 'tag' }, 'CI'),
    ),
    h('td', wide, h('bdi', {}, word(event.lhp_version, 16))),
    h('td', { class: 'number' }, seconds(event.generation_time_seconds)),
    h('td', { class: 'number wide' }, count(event.flowgroups_count)),
    h('td', { class: 'number wide' }, count(event.files_generated)),
    h('td', wide, outcomeLabel),
  );
}
