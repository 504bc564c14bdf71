// opt-out-pages.ts: the opt-out layers in the documents, from the rows of src/consent/layers.ts:
// the list in README.md and the table in docs/privacy.md. The text around them is written by hand.
import { LAYER_ROWS } from '../src/consent/layers.ts';

export const OPT_OUT_PAGES: Readonly<Record<string, (page: string) => string>> = {
  'README.md': (page) =>
    replaced(page, LIST, LAYER_ROWS.map(({ off }, index) => `${index + 1}. ${off}`).join('\n')),
  'docs/privacy.md': (page) => replaced(page, TABLE, table()),
};

const LIST = /^1\. .*LHP_DISABLE_ANALYTICS.*\n(?:(?:\d+\.| +) ?.*\n)+/m;
const TABLE = /^\| layer +\|.*\n(?:\|.*\n)+/m;

function table(): string {
  const rows = LAYER_ROWS.map(({ name, who, off, on }) => [`\`${name}\``, who, off, on]);
  const lines = [
    ['layer', 'who', 'to switch off', 'to take it back'],
    ['---', '---', '---', '---'],
  ];
  return [...lines, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function replaced(page: string, old: RegExp, text: string): string {
  if (!old.test(page)) throw new Error(`a page has lost its list of opt-out layers (${old})`);
  return page.replace(old, () => `${text}\n`);
}
