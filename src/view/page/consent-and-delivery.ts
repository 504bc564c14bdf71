// consent-and-delivery.ts: the section that says whether runs are recorded, what decided that and
// how to change it, where runs go, what is waiting, and what went wrong.
import { LOSS_REASONS, LOSSES } from '../../contract/contract.ts';
import { OUTCOMES } from '../../history/words.ts';
import type { Outcome, Run } from '../../spool/run.ts';
import { SECOND_MS } from '../../system/time.ts';
import type { State } from '../api.ts';
import { breakable, byId, h, rich } from './dom.ts';
import { count, plural, time } from './format.ts';

/** The name of the layer that says off, if one does. */
export const layerThatSaysOff = ({ layers }: State): string | undefined =>
  layers.find(({ decided }) => decided)?.name;

export function drawConsentAndDelivery(runs: readonly Run[], state: State): void {
  byId('consent-words').replaceChildren(rich(consentInWords(runs, state)));
  byId('layers').replaceChildren(...state.layers.map(layerRow));
  byId('delivery').replaceChildren(
    ...[...endpointFacts(state), ...runFacts(runs, state), ...deliveryFacts(state)].flatMap(
      ([name, ...values]) => [h('dt', {}, name), ...values.map((value) => h('dd', {}, value))],
    ),
  );
  const problems = [...state.problems, ...state.warnings];
  byId('problems').replaceChildren(...problems.map((text) => h('li', {}, text)));
}

function consentInWords(runs: readonly Run[], state: State): string {
  const off = layerThatSaysOff(state);
  if (off === undefined)
    return (
      `Telemetry is ${state.summary}. The first of these layers that says off decides; no ` +
      'layer can switch on what another one has switched off.'
    );
  const earlier = runs.length > 0 ? ' Runs that were recorded earlier are still shown.' : '';
  return (
    `Recording is off here, because of \`${off}\`. Nothing is recorded and nothing is ` +
    `sent.${earlier}`
  );
}

const layerRow = ({ name, off, on, decided }: State['layers'][number]): HTMLElement =>
  h(
    'tr',
    { class: decided ? 'decided' : undefined },
    h(
      'th',
      { scope: 'row' },
      h('code', {}, name),
      decided && h('span', { class: 'tag' }, 'says off'),
    ),
    h('td', { 'data-label': 'off' }, rich(off)),
    h('td', { 'data-label': 'on again' }, rich(on)),
  );

/** A name, its value, and more about it in smaller text. */
type Fact = [name: string, ...(string | DocumentFragment)[]];

function endpointFacts(state: State): Fact[] {
  const { endpoint, endpointSource, proxy, headers, compression, timeoutMs, problems } = state;
  if (!endpoint)
    return [
      [
        'Endpoint',
        problems.length > 0 ? 'none that can be used' : 'none: nothing leaves this machine',
      ],
    ];
  return [
    ['Endpoint', breakable(endpoint), `from ${endpointSource}`],
    ['Headers', headers.length > 0 ? `${headers.join(', ')} (values hidden)` : 'none'],
    [
      'Request',
      `OTLP over HTTP, JSON, compression ${compression}, ` +
        `timeout ${count(timeoutMs / SECOND_MS)}\u00a0s`,
    ],
    ...optional('Proxy', proxy),
  ];
}

function runFacts(runs: readonly Run[], { oldestWaiting, unreadable }: State): Fact[] {
  const number = (outcome: Outcome) => runs.filter((run) => run.outcome === outcome).length;
  const name = (outcome: Outcome) =>
    OUTCOMES[outcome].replace(/^./, (first) => first.toUpperCase());
  const since = oldestWaiting ? `, the oldest since ${at(oldestWaiting)}` : '';
  const losses = LOSS_REASONS.flatMap((reason) => {
    const lost = runs.filter((run) => run.outcome === 'lost' && run.reason === reason).length;
    return lost > 0 ? `${count(lost)}: ${LOSSES[reason]}` : [];
  });
  return [
    [name('waiting'), plural(number('waiting'), 'run') + since],
    [name('sent'), plural(number('sent'), 'run')],
    [name('local'), plural(number('local'), 'run')],
    [name('lost'), plural(number('lost'), 'run'), ...losses],
    ...optional(
      'Not shown',
      unreadable > 0 &&
        `${plural(unreadable, 'file')} that ` +
          `${unreadable === 1 ? 'is not a recorded run' : 'are not recorded runs'}`,
    ),
  ];
}

function deliveryFacts({ delivery }: State): Fact[] {
  const { lastSuccess, lastFailure, problem, retryAt, failures, rejectedPoints = 0 } = delivery;
  return [
    ['Last delivery', lastSuccess ? at(lastSuccess) : 'never'],
    problem ? ['Last problem', problem, at(lastFailure)] : ['Last problem', 'none'],
    ...optional(
      'Next attempt',
      retryAt && `not before ${at(retryAt)}, after ${plural(failures, 'failure')} in a row`,
    ),
    ...optional(
      'Rejected',
      rejectedPoints > 0 && `${plural(rejectedPoints, 'data point')} of accepted requests`,
    ),
  ];
}

/** A fact that is left out if it has no value. */
const optional = (name: string, value: string | false | null | undefined): Fact[] =>
  value ? [[name, value]] : [];

const at = (text: string | undefined) => time(Date.parse(text ?? ''));
