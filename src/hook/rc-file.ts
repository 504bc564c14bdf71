// rc-file.ts: adds a block of lines to an rc file, which belongs to the user, and removes it again
// byte for byte. The file is replaced as a whole and keeps its mode and owner; of a link the target
// is replaced. On an error the file stays as it was, and the message names it.
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '../system/error.ts';
import { makeFolder, readRegular } from '../system/files.ts';
import { OWN_FILES } from '../system/own-files.ts';

/** Larger than any rc file written by hand. */
const MAX_RC_BYTES = 16 * 1024 * 1024;
const BEGIN = '# >>> lhp-otel hook >>>';
const END = '# <<< lhp-otel hook <<<\n';
// The first line of the block records what else was added, so that removing it restores the file.
const MADE = ' (made this file)';
const MADE_FOLDER = ' (made this file and its folder)';
const ENDED = ' (ended the line above)';

export const hasBlock = (rc: string): boolean => blockOf(rc) !== undefined;

/** The lines of the block, or `undefined` if there is none. */
export function blockOf(rc: string): string | undefined {
  const found = findBlock(readRc(rc) ?? '', rc);
  return found && Buffer.from(found.block, 'latin1').toString('utf8');
}

/** Adds the block at the end, or replaces the block that is there. */
export function addBlock(rc: string, lines: string): void {
  const text = readRc(rc);
  const block = latin1(lines);
  const found = findBlock(text ?? '', rc);
  if (found) {
    replaceRc(rc, `${found.before}${found.begin}${block}${END}${found.after}`, text);
    return;
  }
  const made = existsSync(dirname(rc)) ? MADE : MADE_FOLDER;
  const added = text === undefined ? made : /[^\n]$/.test(text) ? ENDED : '';
  replaceRc(
    rc,
    `${text ?? ''}${added === ENDED ? '\n' : ''}${BEGIN}${added}\n${block}${END}`,
    text,
  );
}

/** Removes what `addBlock` added. */
export function removeBlock(rc: string): void {
  const text = readRc(rc);
  const found = findBlock(text ?? '', rc);
  if (!found) return;
  const { begin, after } = found;
  const before = begin.includes(ENDED) ? found.before.slice(0, -1) : found.before;
  const made = begin.includes(MADE) || begin.includes(MADE_FOLDER);
  if (!made || before + after !== '') {
    replaceRc(rc, before + after, text);
    return;
  }
  rmSync(rc);
  if (begin.includes(MADE_FOLDER) && readdirSync(dirname(rc)).length === 0) rmdirSync(dirname(rc));
}

const START_FILE_COPY = OWN_FILES.startFileCopy.name;

/** Temporary files of an interrupted change. */
export function leftovers(rc: string): string[] {
  try {
    const file = realpathSync(rc);
    const ours = (name: string) =>
      name !== basename(file) && name.replace(START_FILE_COPY, '') === basename(file);
    return readdirSync(dirname(file))
      .filter(ours)
      .map((name) => join(dirname(file), name));
  } catch {
    return []; // There is no such file, or its folder cannot be read.
  }
}

/** The bytes of a text, one character each. An rc file need not be UTF-8. */
const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** `undefined` if there is no such file. */
function readRc(rc: string): string | undefined {
  try {
    return readRegular(rc, { maxBytes: MAX_RC_BYTES }).toString('latin1');
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOENT') throw new Error(`${rc} cannot be read (${code})`);
    if (lstatSync(rc, { throwIfNoEntry: false }))
      throw new Error(`${rc} is a link to a file that is not there`);
    return undefined;
  }
}

function findBlock(text: string, rc: string) {
  const start = text.indexOf(BEGIN);
  const end = text.indexOf(END, start);
  if (start < 0) return undefined;
  if (end < 0)
    throw new Error(
      `${rc} has the line "${BEGIN}" without "${END.trim()}"; remove that line first`,
    );
  const inside = text.indexOf('\n', start) + 1;
  return {
    before: text.slice(0, start),
    begin: text.slice(start, inside),
    block: text.slice(inside, end),
    after: text.slice(end + END.length),
  };
}

/** Replaces the file, or the target of a link, by a rename. Mode and owner stay. */
function replaceRc(rc: string, text: string, old: string | undefined): void {
  if (text === old) return;
  const temporary = `${old === undefined ? rc : realpathSync(rc)}.lhp-otel.${process.pid}`;
  let made = false;
  try {
    if (old === undefined) makeFolder(dirname(rc));
    const target = old === undefined ? undefined : statSync(rc);
    writeFileSync(temporary, text, {
      encoding: 'latin1',
      flag: 'wx',
      mode: (target?.mode ?? 0o644) & 0o7777,
    });
    made = true;
    if (target) keepOwner(temporary, target);
    renameSync(temporary, old === undefined ? rc : realpathSync(rc));
  } catch (error) {
    if (made) rmSync(temporary);
    throw new Error(`${rc} cannot be written (${errorCode(error)}); it is as it was`);
  }
}

function keepOwner(
  path: string,
  { uid, gid, mode }: { uid: number; gid: number; mode: number },
): void {
  const made = statSync(path);
  if (made.uid !== uid || made.gid !== gid) chownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777); // The umask applied when the file was created.
}
