// theme.ts: light or dark: the system's choice, until the user makes another. Kept nowhere.
import { byId } from './dom.ts';

/** `changed` draws again what CSS does not reach. */
export function startTheme(changed: () => void): void {
  byId('theme').addEventListener('change', ({ target }) => {
    document.documentElement.dataset.theme = (target as HTMLInputElement).value;
    changed();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

const probe = document.createElement('i');

/** A colour of base.css as it is now, for the canvas, which knows no names. */
export function color(name: string): string {
  document.body.append(probe);
  probe.style.color = `var(--${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
