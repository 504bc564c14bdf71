// project-root.ts: where the lhp project of a folder begins.
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder with `lhp.yaml`, looked for as lhp does: from here upwards. */
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
