// run-dialog.ts: one run: each recorded field with an explanation, and the request. The request is
// fetched as the bytes of its file and shown unchanged, and the fields are read from these bytes.
import { EVENT_KEYS, type GenerateEvent, onTheWire } from '../../contract/contract.ts';
import { FIELDS } from '../../contract/fields.ts';
import { eventOf, type OtlpRequest } from '../../otlp/decode.ts';
import type { Run } from '../../spool/run.ts';
import { byId, h, rich } from './dom.ts';
import { request } from './fetch.ts';
import { count, seconds, time } from './format.ts';
import { save } from './save.ts';
import { eventSentence, outcomeSentence } from './sentences.ts';

export function startRunDialog(): (run: Run) => void {
  const dialog = byId<HTMLDialogElement>('run');
  const requestText = byId('run-request');
  const form = byId<HTMLSelectElement>('run-form');
  let exact = '';
  let name = '';

  function showRequest(): void {
    requestText.textContent = form.value === 'exact' ? exact : indented(exact);
  }

  form.addEventListener('change', showRequest);
  byId('run-close').addEventListener('click', () => dialog.close());
  byId('run-save').addEventListener('click', () => save(name, 'application/json', exact));

  return async (run) => {
    const response = await request(`otlp/${run.timestamp}`);
    if (!response) return;
    exact = await response.text();
    name = `${run.timestamp}.json`;
    byId('run-title').textContent = `Run of ${time(run.timestamp)}`;
    byId('run-outcome').textContent = outcomeSentence(run);
    const event = eventOf(JSON.parse(exact) as OtlpRequest);
    byId('run-words').textContent = eventSentence(event);
    byId('run-size').textContent =
      `${count(new TextEncoder().encode(exact).length)} bytes, as in the file`;
    byId('run-fields').replaceChildren(...EVENT_KEYS.map((key) => fieldOf(key, event)));
    showRequest();
    dialog.showModal();
    dialog.scrollTop = 0;
  };
}

function fieldOf(key: keyof GenerateEvent, event: GenerateEvent): HTMLElement {
  const { page, what, why, how } = FIELDS[key];
  const value = event[key];
  const shown =
    key === 'generation_time_seconds'
      ? seconds(Number(value))
      : value === null
        ? 'could not be counted'
        : String(value);
  const fact = (name: string, text: string) => [h('dt', {}, name), h('dd', {}, rich(text))];
  return h(
    'div',
    { class: 'field' },
    h('h4', {}, page, ' ', h('code', {}, key)),
    h('p', { class: shown.length > 24 ? 'value long' : 'value' }, h('bdi', {}, shown)),
    h(
      'dl',
      {},
      ...fact('What', what),
      ...fact('Why', why),
      ...fact('How', how),
      ...fact('Sent as', onTheWire(key)),
    ),
  );
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // not JSON
  }
}
