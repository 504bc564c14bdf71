// snapshot.ts: reads the files and folders of a project as they were when lhp ran. The reporter
// reads the project after the command has returned: the next command may edit, move or delete it,
// switch to another branch, or generate again. What may have changed since the run is no evidence:
// reading it throws a ChangedError, and the counts that depend on it are `null`. change-times.ts
// has the rules.
import {
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { errorCode } from '../system/error.ts';
import { readRegular } from '../system/files.ts';
import { ChangedError, isAsLeft, isAsRead, isOfRun, type RunTimes } from './change-times.ts';
import { Deadline } from './deadline.ts';
import { LimitError } from './mapping.ts';

/** A project with its virtual environments has about 50,000 entries. */
const MAX_ENTRIES = 500_000;
const MAX_DEPTH = 100;
const MAX_FILE_BYTES = 8 * 1024 * 1024;
const MAX_TOTAL_BYTES = 128 * 1024 * 1024;

export interface SnapshotOptions {
  /** Without it the project is read as it is now, as a preview does. */
  run?: RunTimes | undefined;
  /**
   * A descriptor of lhp.yaml, opened when the run ended. It stays readable when the project is
   * moved or deleted.
   */
  lhpYaml?: number | undefined;
  /** The folder in which lhp was started. Its tools write caches there (`.ruff_cache`). */
  cwd?: string | undefined;
  deadline?: Deadline;
}

/** A project, read once. */
export class Snapshot {
  readonly root: string;
  readonly deadline: Deadline;
  readonly #run: RunTimes | undefined;
  readonly #lhpYaml: number | undefined;
  readonly #cwd: string | undefined;
  readonly #pipelines: string;
  /** The folders that were listed. They must be unchanged at the end. */
  readonly #seen = new Map<string, BigIntStats>();
  #entries = 0;
  #bytes = 0;

  constructor(
    root: string,
    { run, lhpYaml, cwd, deadline = new Deadline() }: SnapshotOptions = {},
  ) {
    this.root = root;
    this.deadline = deadline;
    this.#run = run;
    this.#lhpYaml = lhpYaml;
    this.#cwd = cwd;
    this.#pipelines = join(root, 'pipelines');
  }

  /** A folder's entries. A folder that is missing or not readable has none, as in Python's glob. */
  list(folder: string): Dirent[] {
    this.deadline.check();
    if (folder.split(sep).length > this.root.split(sep).length + MAX_DEPTH)
      throw new LimitError('depth of folders');
    const entries = this.#entriesOf(folder);
    // Checked after the folder was read: if it is unchanged now, it was unchanged then.
    const onlyRead = isBelow(folder, this.#pipelines) && !this.#isForCaches(folder);
    const stats = this.#unchanged(folder, onlyRead ? 'read' : 'left');
    if (stats) this.#seen.set(folder, stats);
    else this.#wasAbsent(folder);
    return entries;
  }

  /**
   * The text of a file that lhp read. Throws where it is not a regular file, too large, or not
   * UTF-8.
   */
  text(path: string): string {
    this.deadline.check();
    try {
      return this.#decoded(readRegular(path, { maxBytes: MAX_FILE_BYTES }));
    } catch (error) {
      throw errorCode(error) === 'EFBIG' ? new LimitError('size of a file') : error;
    } finally {
      // Also where the file could not be read: lhp may have read it before it changed.
      this.#unchanged(path, 'read');
    }
  }

  /** The text of lhp.yaml, from the descriptor if there is one. */
  lhpYaml(): string {
    if (this.#lhpYaml === undefined) return this.text(join(this.root, 'lhp.yaml'));
    const bytes = readOpen(this.#lhpYaml, fstatSync(this.#lhpYaml).size, 0);
    const stats = fstatSync(this.#lhpYaml, { bigint: true });
    // A replaced, moved or deleted file has a new change time, but keeps its modification time.
    const contentIsOld = !this.#isInPlace() && isAsRead(this.#run, stats.mtimeNs);
    if (!contentIsOld && !isAsRead(this.#run, stats.ctimeNs)) throw new ChangedError();
    return this.#decoded(bytes);
  }

  /** Whether lhp changed this listed folder during the run, or the folder does not exist. */
  isOfRun(folder: string): boolean {
    const stats = this.#seen.get(folder);
    return !this.#run || stats === undefined || isOfRun(this.#run, stats.ctimeNs);
  }

  /** The end of a file, or undefined where it is not certain that lhp wrote it during the run. */
  writtenTail(path: string, maxBytes: number): string | undefined {
    let file: number | undefined;
    try {
      file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      const { size } = fstatSync(file);
      const length = Math.min(size, maxBytes);
      const bytes = readOpen(file, length, size - length);
      const stats = fstatSync(file, { bigint: true });
      const written =
        this.#run && isOfRun(this.#run, stats.ctimeNs) && isAsLeft(this.#run, stats.ctimeNs);
      return written ? bytes.toString('utf8') : undefined;
    } catch {
      return undefined; // missing, or not readable
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  /**
   * Throws a ChangedError where the root is another folder than during the run, or where a folder
   * has changed since it was listed.
   */
  confirm(): void {
    if (!this.#run) return;
    if (!this.isSameProject()) throw new ChangedError();
    for (const [path, before] of this.#seen) {
      this.deadline.step();
      const now = statSync(path, { bigint: true, throwIfNoEntry: false });
      if (!now || !isSame(now, before) || now.ctimeNs !== before.ctimeNs) throw new ChangedError();
    }
  }

  /** Whether the root is still the folder of the run, and no other folder has taken its name. */
  isSameProject(): boolean {
    if (!this.#run) return true;
    try {
      return this.#lhpYaml === undefined
        ? this.#unchanged(this.root, 'left') !== undefined
        : this.#isInPlace();
    } catch {
      return false; // it has changed, or its path cannot be followed any more
    }
  }

  #isForCaches(folder: string): boolean {
    return (
      this.#cwd !== undefined && isBelow(this.#cwd, this.#pipelines) && isBelow(folder, this.#cwd)
    );
  }

  #entriesOf(folder: string): Dirent[] {
    const found: Dirent[] = [];
    try {
      const open = opendirSync(folder, { bufferSize: 256 });
      try {
        for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
          this.#entries += 1;
          if (this.#entries > MAX_ENTRIES) throw new LimitError('number of files');
          this.deadline.step();
          found.push(entry);
        }
      } finally {
        open.closeSync();
      }
    } catch (error) {
      if (error instanceof LimitError) throw error;
      return []; // missing, or not readable
    }
    return found;
  }

  /** Throws a ChangedError where the file, or a link that leads to it, has changed. */
  #unchanged(path: string, since: 'read' | 'left'): BigIntStats | undefined {
    const link = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    const stats = link?.isSymbolicLink()
      ? statSync(path, { bigint: true, throwIfNoEntry: false })
      : link;
    for (const one of [link, stats]) {
      if (
        one &&
        !(since === 'read' ? isAsRead(this.#run, one.ctimeNs) : isAsLeft(this.#run, one.ctimeNs))
      )
        throw new ChangedError();
    }
    return stats;
  }

  /** A missing file was missing during the run if its parent folder has not changed since. */
  #wasAbsent(path: string): void {
    const above = dirname(path);
    const stats = this.#unchanged(above, 'left');
    if (stats) this.#seen.set(above, stats);
    else if (above !== path) this.#wasAbsent(above);
  }

  /** Whether the path of lhp.yaml still leads to the file of the run. */
  #isInPlace(): boolean {
    const here = statSync(join(this.root, 'lhp.yaml'), { bigint: true, throwIfNoEntry: false });
    return here !== undefined && isSame(here, fstatSync(this.#lhpYaml ?? -1, { bigint: true }));
  }

  #decoded(bytes: Buffer): string {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_TOTAL_BYTES) throw new LimitError('size of a file');
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  }
}

const isSame = (a: BigIntStats, b: BigIntStats) => a.dev === b.dev && a.ino === b.ino;
const isBelow = (path: string, folder: string) => path === folder || path.startsWith(folder + sep);

/** Reads at a given position; the descriptor's own position is not used, it may be shared. */
function readOpen(file: number, length: number, from: number): Buffer {
  if (!fstatSync(file).isFile()) throw new TypeError('not a file');
  if (length > MAX_FILE_BYTES) throw new LimitError('size of a file');
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, from));
}
