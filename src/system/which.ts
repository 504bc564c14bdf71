// which.ts: the file behind a program's name, as a shell finds it. Nothing is started.
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, resolve } from 'node:path';
import type { Host } from './host.ts';

export function which(name: string, cwd: string, { env, platform }: Host): string | undefined {
  if (isAbsolute(name)) return name;
  if (/[\\/]/.test(name)) return resolve(cwd, name);
  const endings = platform === 'win32' ? ['.exe', '.cmd', '.bat', ''] : [''];
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    for (const ending of endings) {
      const path = resolve(cwd, folder, name + ending);
      if (isProgram(path)) return path;
    }
  }
  return undefined;
}

/** A file that may be executed; a shell passes over everything else on PATH. */
function isProgram(path: string): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not to be executed
  }
}

/** With its links followed; the path itself where that is not possible. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
