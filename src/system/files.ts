// files.ts: how files are read that somebody else may have put there, and how our own come onto the
// disk: private to the user, each as a whole, in folders that nobody else can write.
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

/** No file that is read as a whole is larger; a project's files have a limit of their own. */
const MAX_BYTES = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

export interface ReadOptions {
  /** A larger file is an error (EFBIG). Default 1 MiB. */
  maxBytes?: number;
  /** Whether a symbolic link is followed; where not, it is an error (ELOOP). Default true. */
  follow?: boolean;
}

/**
 * The bytes of a regular file. Anything else is an error at once (EFTYPE): a FIFO without a writer
 * would make the reader wait forever, and a device might never end. Throws a system error with a
 * `code`.
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

/** Until the end of the file: its size is 0 in /proc, and may grow while it is read. */
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
 * A folder of ours with all above it, 0700. Throws with code EUNTRUSTED where it is there and
 * another user owns it or may write it: what lies in it is then not ours, and what we put there
 * would not stay ours.
 */
export function ensureFolder(path: string): void {
  makeFolder(path);
  const why = whyUntrusted(path);
  if (why !== undefined) throw systemError('EUNTRUSTED', `${path} ${why}`);
}

/**
 * A folder with all above it. Not by `mkdir` with `recursive`: on a file system that cannot hold it
 * and says "not there" (/proc) Node 24 tries for ever.
 */
export function makeFolder(path: string): void {
  if (makes(path)) return;
  makeFolder(dirname(path));
  if (!makes(path)) throw systemError('ENOENT', `${path} cannot be made`);
}

/** Whether the folder is there now; not where the one above it is missing. */
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

/**
 * Why a folder of ours is not to be used, in words behind its name; `undefined` where it may be.
 */
export function whyUntrusted(path: string): string | undefined {
  const user = process.geteuid?.();
  if (user === undefined) return undefined; // Windows: folders of the profile are private
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

/** The group counts only where it is not the user's own: many systems give each user one. */
function othersWrite({ mode, gid }: Stats): boolean {
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== process.getegid?.());
}

/**
 * Whether nobody but this user and root can put anything into the folder or another one in its
 * place. For code that would be executed (the compile cache). False where it is not there.
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
    return false;
  }
}

/**
 * Appends to a file of ours, which is created where it is missing. What is there under its name and
 * is no file (a link, a FIFO of a restored folder) makes way.
 */
export function appendPrivate(path: string, text: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) unlinkSync(path);
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
}

/** Replaces a file as a whole. */
export function writePrivate(path: string, text: string): void {
  ensureFolder(dirname(path));
  // Created exclusively: under a name that can be guessed, somebody could have put a link to
  // another file.
  const temporary = `${path}.${process.pid}${Math.random().toString(36).slice(2, 10)}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    chmodSync(temporary, 0o600);
    renameSync(temporary, path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') rmSync(temporary, { force: true });
    throw error;
  }
}
