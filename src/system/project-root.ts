// project-root.ts: finds the lhp project that a folder belongs to.
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nearest folder with an `lhp.yaml`, from `cwd` upwards, as lhp finds it. */
export function projectRoot(cwd: string): string | undefined {
  try {
    for (let folder = realpathSync(cwd); ; folder = dirname(folder)) {
      if (existsSync(join(folder, 'lhp.yaml'))) return folder;
      if (folder === dirname(folder)) return undefined;
    }
  } catch {
    return undefined; // the folder is gone
  }
}
