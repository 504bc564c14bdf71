// open.ts: the page in the user's browser, by the platform's own opener. The address, which holds no secret (redirect.ts), is one
// argument of a program; no shell reads it.
// Where there is no opener, no display or no browser, nothing happens: the address was printed.
import { spawn } from 'node:child_process';
import type { Deps } from '../system/deps.ts';

export function openBrowser(url: string, { env, platform }: Deps): void {
  const [program, ...args] = openerOf(env, platform);
  if (program === undefined) return;
  const child = spawn(program, [...args, url], { detached: true, stdio: 'ignore', windowsHide: true });
  child.on('error', () => {}); // there is none
  child.unref();
}

export const canOpenBrowser = ({ env, platform }: Deps): boolean => openerOf(env, platform).length > 0;

function openerOf(env: Deps['env'], platform: Deps['platform']): string[] {
  if (platform === 'darwin') return ['open'];
  // `start` is a word of cmd.exe, which would read the address as a command line.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  // Without a display xdg-open tries browsers for terminals; editors that work remotely name an opener of theirs in BROWSER.
  return env.DISPLAY || env.WAYLAND_DISPLAY || env.BROWSER ? ['xdg-open'] : [];
}
