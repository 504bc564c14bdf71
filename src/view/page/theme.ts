// theme.ts: light or dark: as the system says, until the user chooses. The choice is not stored.
import { byId } from './dom.ts';

/** @param changed - called to redraw what CSS cannot change: the canvases. */
export function startTheme(changed: () => void): void {
  byId('theme').addEventListener('change', ({ target }) => {
    document.documentElement.dataset.theme = (target as HTMLInputElement).value;
    changed();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

const probe = document.createElement('i');

/** The current value of a colour of base.css. A canvas cannot use CSS variables. */
export function color(name: string): string {
  document.body.append(probe);
  probe.style.color = `var(--${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
