// discover.ts: lists the YAML files of a project: every *.yaml and *.yml below a folder that the
// patterns of lhp.yaml select (glob.ts). As in lhp, folders that are symbolic links are not
// entered, so links cannot form a loop. snapshot.ts limits the number of entries.
import { join } from 'node:path';
import { type Matcher, matcher } from './glob.ts';
import { LimitError } from './mapping.ts';
import { Snapshot } from './snapshot.ts';

/** Upper bound for the length of all patterns together, in characters. */
const MAX_PATTERNS = 256 * 1024;

/**
 * The selected files as sorted paths relative to `base`, with `/` between folders. The list is
 * empty where the folder does not exist.
 *
 * @param patterns - Empty or undefined selects all files.
 */
export function discoverYaml(
  base: string,
  patterns: readonly string[] | undefined,
  project: Snapshot = new Snapshot(base),
): string[] {
  const { deadline } = project;
  if (patterns && patterns.join('').length > MAX_PATTERNS)
    throw new LimitError('length of patterns');
  const matchers = patterns?.length
    ? patterns.map((pattern) => matcher(pattern, deadline))
    : undefined;
  const found: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of project.list(join(base, folder))) {
      deadline.step(1 + (matchers?.length ?? 0));
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory()) {
        if (!matchers || matchers.some((one) => mayHold(one, path))) folders.push(path);
      } else if (
        /\.ya?ml$/.test(entry.name) &&
        (!matchers || matchers.some(({ matches }) => matches(path)))
      ) {
        found.push(path);
      }
    }
  }
  return found.sort();
}

/** Whether a path below this folder can match. */
const mayHold = ({ beginning }: Matcher, folder: string) =>
  `${folder}/`.startsWith(beginning) || beginning.startsWith(`${folder}/`);
