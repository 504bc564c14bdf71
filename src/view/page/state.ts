// state.ts: consent and delivery: on or off, who decided and how to change it; where runs go, what
// waits, what went wrong.
import { LOSS_REASONS } from '../../contract/contract.ts';
import type { Run } from '../../otlp/decode.ts';
import type { State } from '../api.ts';
import { breakable, byId, h, rich } from './dom.ts';
import { count, plural, time } from './format.ts';
import { LOSSES } from './words.ts';

export const decidedBy = ({ layers }: State): string | undefined =>
  layers.find(({ decided }) => decided)?.name;

export function drawState(runs: readonly Run[], state: State): void {
  const off = decidedBy(state);
  byId('consent-words').replaceChildren(
    rich(
      off === undefined
        ? `Telemetry is ${state.summary}. The first of these that says off wins, and none can switch on over another’s off.`
        : `Recording is off here, because of \`${off}\`. Nothing is recorded and nothing is sent.${runs.length > 0 ? ' What was recorded earlier is still shown.' : ''}`,
    ),
  );
  byId('layers').replaceChildren(
    ...state.layers.map(({ name, off, on, decided }) =>
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
      ),
    ),
  );
  byId('delivery').replaceChildren(
    ...facts(runs, state).flatMap(([name, ...values]) => [
      h('dt', {}, name),
      ...values.map((value) => h('dd', {}, value)),
    ]),
  );
  const wrong = [...state.problems, ...state.warnings];
  byId('problems').replaceChildren(...wrong.map((text) => h('li', {}, text)));
}

type Fact = string | DocumentFragment;

function facts(runs: readonly Run[], state: State): [string, ...Fact[]][] {
  const {
    endpoint,
    endpointSource,
    proxy,
    headers,
    compression,
    timeoutMs,
    oldestWaiting,
    delivery,
    unreadable,
  } = state;
  const became = (outcome: Run['outcome']) => runs.filter((run) => run.outcome === outcome);
  const lost = became('lost');
  const at = (text: string | undefined) => time(Date.parse(text ?? ''));
  const reasons = LOSS_REASONS.map(
    (reason) => [lost.filter((run) => run.reason === reason).length, reason] as const,
  );
  const waiting = became('waiting').length;
  return [
    endpoint
      ? ['Endpoint', breakable(endpoint), `named by ${endpointSource}`]
      : [
          'Endpoint',
          state.problems.length > 0 ? 'none that can be used' : 'none: nothing leaves this machine',
        ],
    ...(endpoint
      ? ([
          ['Headers', headers.length > 0 ? `${headers.join(', ')} (values are not shown)` : 'none'],
          [
            'Request',
            `OTLP over HTTP, JSON, compression ${compression}, at most ${count(timeoutMs / 1000)}\u00a0s`,
          ],
        ] satisfies [string, string][])
      : []),
    ...(proxy ? [['Proxy', proxy] satisfies [string, string]] : []),
    ['Delivered', plural(became('sent').length, 'run')],
    [
      'Waiting',
      plural(waiting, 'run') + (oldestWaiting ? `, the oldest since ${at(oldestWaiting)}` : ''),
    ],
    ['Kept here only', plural(became('local').length, 'run')],
    [
      'Given up',
      plural(lost.length, 'run'),
      ...reasons.flatMap(([number, reason]) =>
        number > 0 ? `${count(number)}: ${LOSSES[reason]}` : [],
      ),
    ],
    ['Last delivery', delivery.lastSuccess ? at(delivery.lastSuccess) : 'none yet'],
    delivery.problem
      ? ['Last problem', delivery.problem, at(delivery.lastFailure)]
      : ['Last problem', 'none'],
    ...(delivery.retryAt
      ? [
          [
            'Next attempt',
            `not before ${at(delivery.retryAt)}, after ${plural(delivery.failures, 'failure')} in a row`,
          ] satisfies [string, string],
        ]
      : []),
    ...(delivery.rejectedPoints
      ? [
          [
            'Refused points',
            `${plural(delivery.rejectedPoints, 'data point')} of accepted requests`,
          ] satisfies [string, string],
        ]
      : []),
    ...(unreadable > 0
      ? [
          [
            'Not shown',
            `${plural(unreadable, 'file')} that ${unreadable === 1 ? 'is' : 'are'} no recorded run`,
          ] satisfies [string, string],
        ]
      : []),
  ];
}
