// overview.ts: the answer at a glance: is it on, where does it go, how many runs, how long; and
// what to do while there are none.

import type { Essentials } from '../../history/summary.ts';
import type { Run } from '../../otlp/decode.ts';
import type { State } from '../api.ts';
import { breakable, byId, h, rich } from './dom.ts';
import { count, day, plural, seconds } from './format.ts';
import { decidedBy } from './state.ts';

export function drawOverview(
  all: readonly Run[],
  { runs, first, p50, p95 }: Essentials,
  state: State,
): void {
  const off = decidedBy(state);
  const waiting = all.filter(({ outcome }) => outcome === 'waiting').length;
  const host = state.endpoint === null ? undefined : new URL(state.endpoint).host;
  const tiles: [string, string, string, string][] = [
    off === undefined
      ? [
          'Recording',
          'On',
          state.summary.includes(' but ') ? '' : 'good',
          state.summary.replace(/^on, /, ''),
        ]
      : ['Recording', 'Off', '', `because of ${off}`],
    state.mode === 'send' && host
      ? [
          'Delivered to',
          host,
          '',
          waiting > 0 ? `${plural(waiting, 'run')} waiting` : 'nothing is waiting',
        ]
      : [
          'Delivered to',
          'Nobody',
          '',
          state.mode === 'send' ? 'the configuration is wrong' : 'it stays on this machine',
        ],
    ['Recorded', count(runs), '', first === null ? 'no run yet' : `since ${day(first)}`],
    ['Median time', seconds(p50), '', `95th percentile ${seconds(p95)}`],
  ];
  byId('tiles').replaceChildren(
    ...tiles.map(([name, value, tone, more]) =>
      h(
        'div',
        { class: 'tile card' },
        h('dt', {}, name),
        h('dd', { class: `big ${tone}${value.length > 14 ? ' long' : ''}` }, breakable(value)),
        h('dd', { class: 'fine' }, more),
      ),
    ),
  );
  byId('empty').hidden = runs > 0;
  byId('history').hidden = runs === 0;
  byId('empty-off').hidden = off === undefined;
  byId('empty-off').replaceChildren(
    rich(
      `First of all: recording is off, because of \`${off}\`. Nothing will be recorded until that is changed; how is said below.`,
    ),
  );
}
