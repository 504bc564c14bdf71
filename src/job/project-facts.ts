// project-facts.ts: what is read of a project before the prompt is back, because the next command
// may change it: its lhp.yaml, which stays readable through an open descriptor even if the project
// is moved, and whether it is a bundle.
import { constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { isFile } from '../system/try-read.ts';

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
export const isBundle = (root: string): boolean => isFile(join(root, 'databricks.yml'));

/** The descriptor of standard input where it is a file: a shell hook opens lhp.yaml as such. */
export function standardInputFile(): number | undefined {
  try {
    return fstatSync(0).isFile() ? 0 : undefined;
  } catch {
    return undefined; // closed
  }
}
