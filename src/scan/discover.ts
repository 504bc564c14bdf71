// discover.ts: which YAML files belong to the project: every *.yaml and *.yml below a folder,
// narrowed by the patterns of lhp.yaml with the meaning lhp gives them (glob.ts). Folders that are
// symbolic links are not entered (as in lhp), so links cannot make a loop; the number of entries is
// bounded where folders are listed (snapshot.ts).
import { join } from 'node:path';
import { type Matcher, matcher } from './glob.ts';
import { LimitError } from './mapping.ts';
import { Snapshot } from './snapshot.ts';

/** Characters of all patterns together; more than any project has. */
const MAX_PATTERNS = 256 * 1024;

/**
 * Relative paths with `/`, sorted. `patterns` empty or undefined: all. A folder that is not there
 * has none.
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

/** A folder is entered only where a path below it can still match. */
const mayHold = ({ beginning }: Matcher, folder: string) =>
  `${folder}/`.startsWith(beginning) || beginning.startsWith(`${folder}/`);
