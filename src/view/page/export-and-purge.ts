// export-and-purge.ts: the section “Your data”: save the runs as a file, or delete them. A purge
// must be confirmed by typing a word.
import type { Run } from '../../spool/run.ts';
import { PURGE, type Purged } from '../api.ts';
import { byId } from './dom.ts';
import { toCsv, toJson } from './export.ts';
import { request } from './fetch.ts';
import { count, plural } from './format.ts';
import { save } from './save.ts';

export interface YourData {
  draw(all: readonly Run[], shown: readonly Run[], delivered: string | null): void;
}

/** @param afterPurge - loads the data of the page again. */
export function startYourData(afterPurge: () => Promise<void>): YourData {
  const dialog = byId<HTMLDialogElement>('purge');
  const typed = byId<HTMLInputElement>('purge-typed');
  const confirm = byId<HTMLButtonElement>('purge-confirm');
  const which = byId<HTMLSelectElement>('export-which');
  let choices: Record<string, readonly Run[]> = {};
  const chosen = () => choices[which.value] ?? [];

  byId('export-json').addEventListener('click', () =>
    save('lhp-otel-runs.json', 'application/json', toJson(chosen())),
  );
  byId('export-csv').addEventListener('click', () =>
    save('lhp-otel-runs.csv', 'text/csv', toCsv(chosen())),
  );
  byId('purge-ask').addEventListener('click', () => {
    typed.value = '';
    confirm.disabled = true;
    dialog.showModal();
  });
  typed.addEventListener('input', () => {
    confirm.disabled = typed.value.trim().toLowerCase() !== PURGE.confirm;
  });
  byId('purge-cancel').addEventListener('click', () => dialog.close());
  byId('purge-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    if (confirm.disabled) return;
    const response = await request('purge', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(PURGE),
    });
    dialog.close();
    if (!response) return;
    byId('purge-result').textContent =
      `${plural(((await response.json()) as Purged).deleted, 'recorded run')} deleted.`;
    await afterPurge();
  });

  return {
    draw(all, shown, delivered) {
      choices = { shown, all };
      byId('export-shown').textContent = `the ${count(shown.length)} shown above`;
      byId('export-all').textContent = `all ${count(all.length)}`;
      byId('purge-words').textContent =
        `This deletes ${plural(all.length, 'recorded run')} from this machine, whether ` +
        'delivered, waiting, kept or given up. It cannot be undone.' +
        (delivered ? ` Runs that were delivered to ${delivered} are not deleted there.` : '');
    },
  };
}
