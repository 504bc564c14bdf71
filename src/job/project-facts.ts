// project-facts.ts: what is read of a project before the prompt is back, because the next command
// may change it: its lhp.yaml, which stays readable through an open descriptor even if the project
// is moved, and whether it is a bundle.
import { constants, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A descriptor of the project's lhp.yaml; undefined where it cannot be opened. The caller closes
 * it.
 */
export function openLhpYaml(root: string): number | undefined {
  try {
    // O_NONBLOCK: opening a FIFO would otherwise wait for a writer.
    return openSync(join(root, 'lhp.yaml'), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch {
    return undefined; // not there, or not readable
  }
}

/** Whether lhp takes the project for a Databricks Asset Bundle. */
export function isBundle(root: string): boolean {
  try {
    const found = statSync(join(root, 'databricks.yml'), { throwIfNoEntry: false });
    return found?.isFile() === true;
  } catch {
    return false; // the folder cannot be read
  }
}

/** The descriptor of standard input where it is a file: a shell hook opens lhp.yaml as such. */
export function standardInputFile(): number | undefined {
  try {
    return fstatSync(0).isFile() ? 0 : undefined;
  } catch {
    return undefined; // closed
  }
}
