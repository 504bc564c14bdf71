// files.ts: reads files that another user may have created, and writes our own: private to the
// user, replaced as a whole, in folders that only the user can write. The user and group ids are
// those of this process, because the kernel checks those.
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './error.ts';

/** The largest file that is read without another limit. */
const MAX_BYTES = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

export interface ReadOptions {
  /** A larger file is an error (EFBIG). Default 1 MiB. */
  maxBytes?: number;
  /** Whether a symbolic link is followed; without, a link is an error (ELOOP). Default true. */
  follow?: boolean;
}

/**
 * The bytes of a regular file. Anything else is an error (EFTYPE), without waiting: a FIFO may have
 * no writer, and a device may have no end.
 *
 * @throws A system error with a `code`.
 */
export function readRegular(
  path: string,
  { maxBytes = MAX_BYTES, follow = true }: ReadOptions = {},
): Buffer {
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants;
  const file = openSync(path, O_RDONLY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw systemError('EFTYPE', `${path} is not a regular file`);
    if (stats.size > maxBytes)
      throw systemError('EFBIG', `${path} has more than ${maxBytes} bytes`);
    return readAll(file, path, stats.size, maxBytes);
  } finally {
    closeSync(file);
  }
}

/** Reads to the end: a file in /proc has size 0, and a file may grow while it is read. */
function readAll(file: number, path: string, size: number, maxBytes: number): Buffer {
  const chunks: Buffer[] = [];
  for (let length = 0; ; ) {
    const chunk = Buffer.allocUnsafe(size > length ? size - length + 1 : CHUNK_BYTES);
    const bytes = readSync(file, chunk);
    if (bytes === 0) return Buffer.concat(chunks, length);
    length += bytes;
    if (length > maxBytes) throw systemError('EFBIG', `${path} has more than ${maxBytes} bytes`);
    chunks.push(chunk.subarray(0, bytes));
  }
}

const systemError = (code: string, message: string): Error =>
  Object.assign(new Error(message), { code });

/**
 * Creates one of our folders, and those above it, with mode 0700.
 *
 * @throws EUNTRUSTED where another user owns the folder or can write it: that user could then have
 *   created or could replace the files in it.
 */
export function ensureFolder(path: string): void {
  makeFolder(path);
  const why = whyUntrusted(path);
  if (why !== undefined) throw systemError('EUNTRUSTED', `${path} ${why}`);
}

/**
 * Creates a folder and those above it. Not `mkdir` with `recursive`: Node 24 never returns from it
 * on a file system that answers ENOENT to a new folder (/proc).
 */
export function makeFolder(path: string): void {
  if (makes(path)) return;
  makeFolder(dirname(path));
  if (!makes(path)) throw systemError('ENOENT', `${path} cannot be made`);
}

/** False where the folder above is missing; true where the folder exists now. */
function makes(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') return true;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    return false;
  }
}

/** Why one of our folders must not be used, in words that follow its name. */
export function whyUntrusted(path: string): string | undefined {
  const user = process.geteuid?.();
  if (user === undefined) return undefined; // Windows: the folders of a profile are private
  const link = lstatSync(path);
  if (link.isSymbolicLink() && link.uid !== user && link.uid !== 0) return ownedBy(link, user);
  const stats = statSync(path);
  if (!stats.isDirectory()) return 'is not a folder';
  if (stats.uid !== user) return ownedBy(stats, user);
  return othersWrite(stats)
    ? `can be written by others (mode ${(stats.mode & 0o777).toString(8)})`
    : undefined;
}

const ownedBy = ({ uid }: Stats, user: number) => `belongs to user ${uid}, and you are ${user}`;

/** Many systems give each user a group of their own: that group does not count as others. */
function othersWrite({ mode, gid }: Stats): boolean {
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== process.getegid?.());
}

/**
 * Whether only this user and root can add files to the folder or replace it: for code that Node
 * executes (the compile cache). False where the folder does not exist.
 */
export function isSafeFromOthers(path: string): boolean {
  try {
    if (whyUntrusted(path) !== undefined) return false;
    const user = process.geteuid?.();
    for (let above = dirname(path); user !== undefined; above = dirname(above)) {
      const stats = statSync(above);
      const sticky = (stats.mode & 0o1000) !== 0;
      if ((stats.uid !== user && stats.uid !== 0) || (othersWrite(stats) && !sticky)) return false;
      if (above === dirname(above)) break;
    }
    return true;
  } catch {
    return false; // missing, or not readable
  }
}

/**
 * Appends to one of our files, and creates it where it is missing. Anything else under its name (a
 * link, a FIFO in a folder that was restored) is removed, and a folder is renamed.
 */
export function appendPrivate(path: string, text: string): void {
  if (isFolder(path)) setAside(path);
  else if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) unlinkSync(path);
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
}

/**
 * Renames one of our files, and replaces what has the new name. A folder of that name, which only
 * somebody else can have created, is renamed first, because a file cannot replace it.
 */
export function moveOver(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isFolder(to)) throw error;
    setAside(to);
    renameSync(from, to);
  }
}

const isFolder = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Renames a folder to a name that is none of ours: what is in it stays, and `purge` names it. */
const setAside = (folder: string): void => renameSync(folder, `${folder}.${randomName()}.folder`);

/** A name of its own beside a file of ours; `purge` finds what a killed process leaves there. */
export const temporaryName = (path: string): string => `${path}.${randomName()}.tmp`;

const randomName = () => `${process.pid}${Math.random().toString(36).slice(2, 10)}`;

/** Writes one of our files, replacing it as a whole. */
export function writePrivate(path: string, text: string): void {
  ensureFolder(dirname(path));
  // Created exclusively: another process could have created a link with this name.
  const temporary = temporaryName(path);
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    chmodSync(temporary, 0o600);
    moveOver(temporary, path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') rmSync(temporary, { force: true });
    throw error;
  }
}

/** False where nothing was removed. A folder is never ours, whatever its name, and stays. */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'EPERM'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}
