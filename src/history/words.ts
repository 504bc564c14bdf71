// words.ts: how recorded runs are described. The terminal and the local page share these words, so
// they cannot differ. It uses no Node API.
import type { Outcome } from '../spool/run.ts';
import type { Change } from './changes.ts';
import type { GroupKey, SizeKey } from './summary.ts';

export const OUTCOMES: Record<Outcome, string> = {
  waiting: 'waiting',
  sent: 'delivered',
  local: 'kept on this machine',
  lost: 'given up',
};

/** How durations changed. */
export const VERDICTS: Record<Change['verdict'], string> = {
  slower: 'slower',
  faster: 'faster',
  same: 'no clear difference',
  few: 'too few runs to tell',
};

/** What changed. */
export const LEVELS: Record<Change['changed'][number]['what'], string> = {
  lhp_version: 'lhp',
  python_version: 'Python',
  flowgroups_count: 'flowgroups',
};

export const SIZES: Record<SizeKey, string> = {
  files_generated: 'files',
  flowgroups_count: 'flowgroups',
  pipelines_count: 'pipelines',
  templates_count: 'templates',
};

interface GroupWords {
  title: string;
  /** The word for a value; without it, the value is shown as recorded. */
  value?: (value: string) => string;
}

const either = (yes: string, no: string) => (value: string) => (value === 'true' ? yes : no);

export const GROUPS: Record<GroupKey, GroupWords> = {
  environment: { title: 'Environment' },
  lhp_version: { title: 'lhp' },
  python_version: { title: 'Python' },
  is_ci: { title: 'CI', value: either('in CI', 'not in CI') },
  dry_run: { title: 'Dry run', value: either('dry run', 'real run') },
  project_id: { title: 'Project' },
};
