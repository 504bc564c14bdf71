// open.ts: opens the page in the user's browser with the opener of the platform. The URL contains
// no secret (redirect.ts) and is passed as an argument, not through a shell. If there is no opener,
// no display or no browser, nothing happens: the address was printed before.
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
  child.on('error', () => {}); // the opener cannot be started
  child.unref();
}

export const canOpenBrowser = (host: Host): boolean => openerOf(host).length > 0;

/** The absolute path of the opener and its arguments; empty if there is none. */
export function openerOf(host: Host): string[] {
  const { env, platform } = host;
  if (platform === 'darwin') return ['/usr/bin/open'];
  // Not `start`: cmd.exe would parse the URL as a command line.
  if (platform === 'win32')
    return [windowsProgram('rundll32.exe', env), 'url.dll,FileProtocolHandler'];
  // Without a display xdg-open would start a terminal browser. Editors that work remotely set
  // BROWSER to an opener of their own.
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY && !env.BROWSER) return [];
  const opener = which('xdg-open', '/', { ...host, env: { ...env, PATH: absoluteFolders(host) } });
  return opener === undefined ? [] : [opener];
}

/** PATH without relative folders, so that a project cannot provide the opener or the browser. */
const absoluteFolders = ({ env: { PATH = '' } }: Host): string =>
  PATH.split(delimiter).filter(isAbsolute).join(delimiter);
