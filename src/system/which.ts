// which.ts: finds the file of a program as a shell does. Starts nothing.
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

/** An executable file; a shell ignores everything else in PATH. */
function isProgram(path: string): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // missing, or not executable
  }
}

/** The path with all links resolved; unchanged where they cannot be resolved. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // missing, or a loop of links
  }
}
