// snapshot.ts: the files and folders of a project, as far as they still are what they were when lhp
// ran. The reporter reads a project when the user has the prompt back: the next command may edit,
// move or delete it, switch to another branch, or generate again. What may have changed says
// nothing about the run: it ends the look with a ChangedError, and the counts that depend on it are
// left out.
//
// The evidence is the change time (ctime), which no program can set. It moves with the content of a
// file, with the entries of a folder, and with the name of either (rename). What lhp only reads
// must not be newer than the start of the run, what lhp may write not newer than its end.
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
import { Deadline } from './deadline.ts';
import { LimitError } from './mapping.ts';

/** When the run was, in milliseconds since the epoch. */
export interface RunTimes {
  startedAt: number;
  endedAt: number;
}

/** Something may have changed since the run. */
export class ChangedError extends Error {
  constructor() {
    super('the project has changed since the run');
  }
}

/**
 * lhp's Python has to start before it reads anything, and the start is known to some milliseconds.
 */
const STARTING_MS = 50;
/** Kernels stamp files by a clock that is behind by up to one tick, which is 10 ms at most. */
const TICK_MS = 10;
/**
 * A stamp of whole seconds comes from a file system that knows no less; FAT counts in steps of two.
 */
const COARSE_MS = 2_000;
const SECOND_NS = 1_000_000_000n;

/** The latest moment that a time stamp can stand for, but for the tick. */
const latest = (ns: bigint): number =>
  Number(ns / 1000n) / 1000 + (ns % SECOND_NS === 0n ? COARSE_MS : 0);

/** A project with its virtual environments has some 50,000 entries. */
const MAX_ENTRIES = 500_000;
const MAX_DEPTH = 100;
const MAX_FILE_BYTES = 8 * 1024 * 1024;
const MAX_TOTAL_BYTES = 128 * 1024 * 1024;

export interface SnapshotOptions {
  /** Without it the project is looked at as it is now, as a preview does. */
  run?: RunTimes | undefined;
  /**
   * A descriptor of the lhp.yaml of the run, opened when the run ended: it stays readable wherever
   * the project goes.
   */
  lhpYaml?: number | undefined;
  /** The folder that lhp was started in: its tools leave their caches there (`.ruff_cache`). */
  cwd?: string | undefined;
  deadline?: Deadline;
}

/** One look at a project. */
export class Snapshot {
  readonly root: string;
  readonly deadline: Deadline;
  readonly #run: RunTimes | undefined;
  readonly #lhpYaml: number | undefined;
  readonly #cwd: string | undefined;
  readonly #pipelines: string;
  /** What was looked at and has to be the same at the end. */
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

  /** A folder's entries; none where it is not there or not readable, as for Python's glob. */
  list(folder: string): Dirent[] {
    this.deadline.check();
    if (folder.split(sep).length > this.root.split(sep).length + MAX_DEPTH)
      throw new LimitError('depth of folders');
    const entries = this.#entriesOf(folder);
    // Looked at afterwards: what has not changed by now had not changed when it was read.
    const onlyRead = isBelow(folder, this.#pipelines) && !this.#isForCaches(folder);
    const stats = this.#unchanged(folder, onlyRead ? 'read' : 'left');
    if (stats) this.#seen.set(folder, stats);
    else this.#wasAbsent(folder);
    return entries;
  }

  /**
   * The text of a file that lhp has read. Throws where it is no regular file, too large, or not
   * UTF-8.
   */
  text(path: string): string {
    this.deadline.check();
    try {
      return this.#decoded(readRegular(path, { maxBytes: MAX_FILE_BYTES }));
    } catch (error) {
      throw errorCode(error) === 'EFBIG' ? new LimitError('size of a file') : error;
    } finally {
      // Also of a file that could not be read: lhp may have read it before it was changed.
      this.#unchanged(path, 'read');
    }
  }

  /** The text of lhp.yaml, from the descriptor if there is one. */
  lhpYaml(): string {
    if (this.#lhpYaml === undefined) return this.text(join(this.root, 'lhp.yaml'));
    const bytes = readOpen(this.#lhpYaml, fstatSync(this.#lhpYaml).size, 0);
    const stats = fstatSync(this.#lhpYaml, { bigint: true });
    // Replaced, moved or deleted: that moves its change time, too, and leaves the time of its
    // content.
    const contentIsOld = !this.#isInPlace() && this.#isAsRead(stats.mtimeNs);
    if (!contentIsOld && !this.#isAsRead(stats.ctimeNs)) throw new ChangedError();
    return this.#decoded(bytes);
  }

  /** Of a folder that was listed: whether lhp wrote into it, or left none of that name. */
  isOfRun(folder: string): boolean {
    const stats = this.#seen.get(folder);
    return !this.#run || stats === undefined || latest(stats.ctimeNs) > this.#run.startedAt;
  }

  /**
   * The end of a file that lhp wrote during the run, or undefined where that cannot be said of it.
   */
  writtenTail(path: string, maxBytes: number): string | undefined {
    let file: number | undefined;
    try {
      file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      const { size } = fstatSync(file);
      const length = Math.min(size, maxBytes);
      const bytes = readOpen(file, length, size - length);
      const stats = fstatSync(file, { bigint: true });
      const written =
        this.#run && latest(stats.ctimeNs) > this.#run.startedAt && this.#isAsLeft(stats);
      return written ? bytes.toString('utf8') : undefined;
    } catch {
      return undefined; // not there, or not readable
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  /**
   * Throws where the path leads elsewhere than it did during the run, or a folder has changed since
   * it was listed.
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

  /** Whether the root is the folder of the run, also if another one has its name now. */
  isSameProject(): boolean {
    if (!this.#run) return true;
    return this.#lhpYaml === undefined
      ? this.#unchanged(this.root, 'left') !== undefined
      : this.#isInPlace();
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
      return []; // not there, or not readable
    }
    return found;
  }

  /**
   * What is there, and the link that leads to it, must not have changed since lhp read or left it.
   */
  #unchanged(path: string, since: 'read' | 'left'): BigIntStats | undefined {
    const link = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    const stats = link?.isSymbolicLink()
      ? statSync(path, { bigint: true, throwIfNoEntry: false })
      : link;
    for (const one of [link, stats]) {
      if (one && !(since === 'read' ? this.#isAsRead(one.ctimeNs) : this.#isAsLeft(one)))
        throw new ChangedError();
    }
    return stats;
  }

  /**
   * What is not there was not there during the run if the folder that would hold it has not changed
   * since.
   */
  #wasAbsent(path: string): void {
    const above = dirname(path);
    const stats = this.#unchanged(above, 'left');
    if (stats) this.#seen.set(above, stats);
    else if (above !== path) this.#wasAbsent(above);
  }

  #isAsRead(changed: bigint): boolean {
    return !this.#run || latest(changed) <= this.#run.startedAt + STARTING_MS;
  }

  #isAsLeft({ ctimeNs }: BigIntStats): boolean {
    return !this.#run || latest(ctimeNs) <= this.#run.endedAt - TICK_MS;
  }

  /**
   * Whether the path of lhp.yaml still leads to the one of the run, and so the root to the project
   * of the run.
   */
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

/** From a descriptor, which others may have read from: its own position counts for nothing. */
function readOpen(file: number, length: number, from: number): Buffer {
  if (!fstatSync(file).isFile()) throw new TypeError('not a file');
  if (length > MAX_FILE_BYTES) throw new LimitError('size of a file');
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, from));
}
