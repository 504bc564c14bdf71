// open.ts: the page in the user's browser, by the platform's own opener. The address, which holds
// no secret (redirect.ts), is one argument of a program; no shell reads it.
// Where there is no opener, no display or no browser, nothing happens: the address was printed.
import { spawn } from 'node:child_process';
import { delimiter, isAbsolute } from 'node:path';
import type { Host } from '../system/host.ts';
import { which } from '../system/which.ts';
import { windowsProgram } from '../system/windows.ts';

export function openBrowser(url: string, host: Host): void {
  const [program, ...args] = openerOf(host);
  if (program === undefined) return;
  const child = spawn(program, [...args, url], {
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
    env: { ...host.env, PATH: absoluteFolders(host) },
  });
  child.on('error', () => {}); // there is none
  child.unref();
}

export const canOpenBrowser = (host: Host): boolean => openerOf(host).length > 0;

/** The program by its absolute path, and its arguments. */
export function openerOf(host: Host): string[] {
  const { env, platform } = host;
  if (platform === 'darwin') return ['/usr/bin/open'];
  // `start` is a word of cmd.exe, which would read the address as a command line.
  if (platform === 'win32')
    return [windowsProgram('rundll32.exe', env), 'url.dll,FileProtocolHandler'];
  // Without a display xdg-open tries browsers for terminals; editors that work remotely name an
  // opener of theirs in BROWSER.
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY && !env.BROWSER) return [];
  const opener = which('xdg-open', '/', { ...host, env: { ...env, PATH: absoluteFolders(host) } });
  return opener === undefined ? [] : [opener];
}

/** PATH without relative folders: there a project would say what is started, also by xdg-open. */
const absoluteFolders = ({ env: { PATH = '' } }: Host): string =>
  PATH.split(delimiter).filter(isAbsolute).join(delimiter);
