// save.ts: lets the user save a text as a file. The file is made in the browser, without a request.
import { h } from './dom.ts';

export function save(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h('a', { href: address, download: name }).click();
  // By then the browser has read the text.
  setTimeout(() => URL.revokeObjectURL(address));
}
