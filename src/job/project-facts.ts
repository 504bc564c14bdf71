// project-facts.ts: what is looked at of a project before the prompt is back, because the next
// command may change it: its lhp.yaml, which stays readable through an open descriptor wherever the
// project goes, and whether there is a bundle.
import { constants, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A descriptor of the project's lhp.yaml; undefined where it cannot be opened. It is the caller's
 * to close.
 */
export function openLhpYaml(root: string): number | undefined {
  try {
    // Not waiting: it may be a FIFO that nobody writes to.
    return openSync(join(root, 'lhp.yaml'), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch {
    return undefined;
  }
}

/** Whether lhp takes the project for a Databricks Asset Bundle. */
export function isBundle(root: string): boolean {
  try {
    return statSync(join(root, 'databricks.yml')).isFile();
  } catch {
    return false; // not there, or not for us to see
  }
}

/** Standard input, where a shell hook has opened lhp.yaml as such. */
export function standardInputFile(): number | undefined {
  try {
    return fstatSync(0).isFile() ? 0 : undefined;
  } catch {
    return undefined; // closed
  }
}
