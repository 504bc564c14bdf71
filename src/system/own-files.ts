// own-files.ts: every file that lhp-otel writes is one row here. Paths, `off`, `purge` and
// `purge --all` are derived from the rows, and so is the list of files in the manual page. A file
// without a row is not ours: no command removes it, and test/node/own-files.test.ts fails where one
// is written.
import { LOSS_REASONS } from '../contract/losses.ts';

/**
 * The folders that hold our files. `purge --all` removes those that are ours and empty; a home, a
 * folder for temporary files and the folder of a shell's start file are not ours.
 */
export type Folder =
  | 'config'
  | 'state'
  | 'spool'
  | 'history'
  | 'attempts'
  | 'compiled'
  | 'beside the start file of a shell'
  | 'for temporary files';

/** The commands that remove files, each with everything that those before it remove. */
const REMOVERS = ['off', 'purge', 'purge --all'] as const;
export type Remover = (typeof REMOVERS)[number];

export interface OwnFile {
  folder: Folder;
  /** The name, or the form of names that hold a time or another variable part. */
  name: string | RegExp;
  /** For people: what is in it. */
  holds: string;
  /** The first of the commands that removes it; `itself`: the program that writes it. */
  removedBy: Remover | 'itself';
  /** Whether it is a recorded run, which the commands count. */
  isRun?: true;
  /** The name in the manual page; without it the file is of no use to anybody but lhp-otel. */
  shown?: string;
}

const MS = '(?<ms>\\d{13})';
const REASON = `(?<reason>${LOSS_REASONS.join('|')})`;

export const OWN_FILES = {
  config: {
    folder: 'config',
    name: 'config.json',
    holds: 'The configuration of the user.',
    shown: 'config.json',
    removedBy: 'purge --all',
  },
  consent: {
    folder: 'config',
    name: 'consent.json',
    holds: 'The choice of `lhp-otel off`.',
    shown: 'consent.json',
    removedBy: 'purge --all',
  },
  hook: {
    folder: 'config',
    name: /^hook\.[a-z\d]+$/,
    holds: 'The shell hook, where it is installed.',
    shown: 'hook.*',
    removedBy: 'purge --all',
  },
  // The order of the rows is the order of removal. A lost run goes before the run that counts it:
  // the other way round a reporter would count it again.
  waitingRun: {
    folder: 'spool',
    name: new RegExp(`^${MS}\\.json$`),
    holds: 'A recorded run that waits to be delivered.',
    shown: '*.json',
    removedBy: 'off',
    isRun: true,
  },
  unfinishedRun: {
    folder: 'spool',
    name: new RegExp(`^${MS}\\.tmp$`),
    holds: 'A run that is being written.',
    removedBy: 'off',
  },
  lostRun: {
    folder: 'history',
    name: new RegExp(`^${MS}\\.lost-${REASON}(?:\\.in-(?<countedIn>\\d{13}))?\\.json$`),
    holds: 'A run that was given up, why, and the run that counts it.',
    shown: '*.lost-*.json',
    removedBy: 'off',
    isRun: true,
  },
  attempts: {
    folder: 'attempts',
    name: new RegExp(`^${MS}$`),
    holds: 'The attempts to deliver a run that got no answer.',
    removedBy: 'off',
  },
  machineId: {
    folder: 'state',
    name: 'machine-id',
    holds: 'A random machine id, where the machine has none.',
    shown: 'machine-id',
    removedBy: 'off',
  },
  ciSlot: {
    folder: 'state',
    name: 'ci-slot.json',
    holds: 'The random slot of this CI runner.',
    removedBy: 'off',
  },
  pendingNotice: {
    folder: 'state',
    name: 'notice.pending',
    holds: 'A notice for the shell hook to show.',
    removedBy: 'off',
  },
  keptRun: {
    folder: 'history',
    name: new RegExp(`^${MS}\\.(?<outcome>sent|local)\\.json$`),
    holds: 'A run that was delivered, or recorded for this machine only.',
    shown: '*.sent.json, *.local.json',
    removedBy: 'purge',
    isRun: true,
  },
  debugLog: {
    folder: 'state',
    name: 'debug.log',
    holds: 'The debug log (`LHP_OTEL_LOG=debug`).',
    shown: 'debug.log',
    removedBy: 'purge',
  },
  shownNotice: {
    folder: 'state',
    name: 'notice.json',
    holds: 'The endpoints, as digests, whose notice was shown.',
    removedBy: 'purge --all',
  },
  deliveryState: {
    folder: 'state',
    name: 'delivery.json',
    holds: 'The result of the last deliveries, and when to try again.',
    shown: 'delivery.json',
    removedBy: 'purge --all',
  },
  deliverLock: {
    folder: 'state',
    name: 'deliver.lock',
    holds: 'The id of the process that is delivering.',
    removedBy: 'purge --all',
  },
  // Node writes it, under a longer name first. Node's subfolders are COMPILED_BY.
  compiledCode: {
    folder: 'compiled',
    name: /^[0-9a-f]{8}(\.\w+)?$/,
    holds: 'What Node has compiled of the reporter.',
    removedBy: 'purge --all',
  },
  startFileCopy: {
    folder: 'beside the start file of a shell',
    name: /\.lhp-otel\.\d+$/,
    holds: 'The start file while `hook --install` writes it.',
    removedBy: 'purge --all',
  },
  viewRedirect: {
    folder: 'for temporary files',
    name: /^lhp-otel-view-\w{6}$/,
    holds: 'The one-time address of the local page, for the browser.',
    removedBy: 'itself',
  },
} as const satisfies Record<string, OwnFile>;

export type OwnFileKey = keyof typeof OWN_FILES;

/** Where Node keeps the code that it has compiled: a folder for each version of Node. */
export const COMPILED_BY = /^v\d+\.[\w.-]+$/;

/** What `writePrivate` leaves behind the name of a file where its process was killed. */
export const TEMPORARY = /\.[0-9a-z]+\.tmp$/;

/** The rows that a command removes. */
export function filesRemovedBy(remover: Remover): readonly OwnFile[] {
  const included: readonly string[] = REMOVERS.slice(0, REMOVERS.indexOf(remover) + 1);
  const rows: readonly OwnFile[] = Object.values(OWN_FILES);
  // What `off` removes first, then what `purge` adds to it.
  return included.flatMap((each) => rows.filter(({ removedBy }) => removedBy === each));
}

/** Whether a name belongs to a row. */
export const isNamed = ({ name }: Pick<OwnFile, 'name'>, fileName: string): boolean =>
  typeof name === 'string' ? name === fileName : name.test(fileName);

/** Whether the file is ours by its name, or was left by a process that was killed in writing it. */
export function isOwnFile(folder: Folder, fileName: string): boolean {
  const rows = Object.values(OWN_FILES).filter((row) => row.folder === folder);
  const isOurs = (name: string) => rows.some((row) => isNamed(row, name));
  const replaced = folder === 'state' || folder === 'config';
  return isOurs(fileName) || (replaced && isOurs(fileName.replace(TEMPORARY, '')));
}
