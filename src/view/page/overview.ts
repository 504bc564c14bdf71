// overview.ts: the tiles at the top (on or off, where runs go, how many, how long), and what to do
// if nothing is recorded yet.
import type { Essentials } from '../../history/summary.ts';
import type { Run } from '../../spool/run.ts';
import type { State } from '../api.ts';
import { layerThatSaysOff } from './consent-and-delivery.ts';
import { breakable, byId, h, rich } from './dom.ts';
import { count, day, plural, seconds } from './format.ts';

interface Tile {
  name: string;
  value: string;
  tone?: 'good';
  more: string;
}

export function drawOverview(all: readonly Run[], summary: Essentials, state: State): void {
  const { runs, first, p50, p95 } = summary;
  const off = layerThatSaysOff(state);
  const tiles: Tile[] = [
    recordingTile(off, state),
    endpointTile(all, state),
    {
      name: 'Recorded',
      value: count(runs),
      more: first === null ? 'no run yet' : `since ${day(first)}`,
    },
    { name: 'Median time', value: seconds(p50), more: `95th percentile ${seconds(p95)}` },
  ];
  byId('tiles').replaceChildren(...tiles.map(tileElement));
  byId('empty').hidden = runs > 0;
  byId('history').hidden = runs === 0;
  byId('empty-off').hidden = off === undefined;
  byId('empty-off').replaceChildren(
    rich(
      `Recording is off, because of \`${off}\`. Nothing is recorded until that is changed; ` +
        '“Consent and delivery” below says how.',
    ),
  );
}

function recordingTile(off: string | undefined, { summary }: State): Tile {
  if (off !== undefined) return { name: 'Recording', value: 'Off', more: `because of ${off}` };
  const works = !summary.includes(' but ');
  const more = summary.replace(/^on, /, '');
  return { name: 'Recording', value: 'On', ...(works && { tone: 'good' }), more };
}

function endpointTile(all: readonly Run[], { mode, endpoint }: State): Tile {
  const name = 'Delivered to';
  if (mode === 'off') return { name, value: 'Nobody', more: 'nothing is recorded' };
  if (mode === 'local') return { name, value: 'Nobody', more: 'runs stay on this machine' };
  if (endpoint === null) return { name, value: 'Nobody', more: 'the configuration is wrong' };
  const waiting = all.filter(({ outcome }) => outcome === 'waiting').length;
  const more = waiting > 0 ? `${plural(waiting, 'run')} waiting` : 'nothing is waiting';
  return { name, value: new URL(endpoint).host, more };
}

/** Longer values get a smaller font. */
const MAX_LARGE = 14;

const tileElement = ({ name, value, tone, more }: Tile): HTMLElement =>
  h(
    'div',
    { class: 'tile card' },
    h('dt', {}, name),
    h(
      'dd',
      { class: ['big', tone, value.length > MAX_LARGE && 'long'].filter(Boolean).join(' ') },
      breakable(value),
    ),
    h('dd', { class: 'fine' }, more),
  );
