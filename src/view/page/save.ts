// save.ts: text of the page as a file of the user's. It is made here, so nothing goes over the
// network.
import { h } from './dom.ts';

export function save(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h('a', { href: address, download: name }).click();
  // The browser has taken the bytes when it comes back here.
  setTimeout(() => URL.revokeObjectURL(address));
}
