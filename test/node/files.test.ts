// Reading files that another user may have created, and writing our own. The other user of the
// machine is a second user id.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secondUser } from '../../scripts/harness/needs.ts';
import { errorCode } from '../../src/system/error.ts';
import {
  appendPrivate,
  ensureFolder,
  isSafeFromOthers,
  makeFolder,
  readRegular,
  writePrivate,
} from '../../src/system/files.ts';
import { printable } from '../../src/system/log.ts';
import { lacking } from '../support/lacking.ts';

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'lhp-otel-files-')));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return errorCode(error);
  }
}

describe('readRegular', () => {
  it('reads a file to its end', () => {
    writeFileSync(join(dir, 'a'), 'x'.repeat(200_000));
    expect(readRegular(join(dir, 'a')).length).toBe(200_000);
    writeFileSync(join(dir, 'empty'), '');
    expect(readRegular(join(dir, 'empty')).length).toBe(0);
  });

  it('reads a file of /proc, whose size is 0', () => {
    expect(readRegular('/proc/self/status').toString()).toContain('Pid:');
  });

  it.each([
    ['a FIFO without a writer', () => void spawnSync('mkfifo', [join(dir, 'x')]), 'EFTYPE'],
    ['a link to a device', () => symlinkSync('/dev/zero', join(dir, 'x')), 'EFTYPE'],
    ['a folder', () => mkdirSync(join(dir, 'x')), 'EFTYPE'],
    ['nothing', () => {}, 'ENOENT'],
    ['a link to itself', () => symlinkSync('x', join(dir, 'x')), 'ELOOP'],
    ['a file that is too large', () => writeFileSync(join(dir, 'x'), 'x'.repeat(101)), 'EFBIG'],
  ])('%s is an error at once', (_what, make, code) => {
    make();
    expect(codeOf(() => readRegular(join(dir, 'x'), { maxBytes: 100 }))).toBe(code);
  });

  it('follows a link unless told not to', () => {
    writeFileSync(join(dir, 'a'), 'text');
    symlinkSync('a', join(dir, 'link'));
    expect(readRegular(join(dir, 'link')).toString()).toBe('text');
    expect(codeOf(() => readRegular(join(dir, 'link'), { follow: false }))).toBe('ELOOP');
  });
});

describe('writePrivate', () => {
  it('does not write through a link with a guessed name', () => {
    const victim = join(dir, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, join(dir, `a.json.${process.pid}.tmp`));
    writePrivate(join(dir, 'a.json'), '{}');
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect(readFileSync(join(dir, 'a.json'), 'utf8')).toBe('{}');
  });

  it('renames a folder of the same name, and keeps what is in it', () => {
    mkdirSync(join(dir, 'a.json', 'b'), { recursive: true });
    writePrivate(join(dir, 'a.json'), '{}');
    expect(readFileSync(join(dir, 'a.json'), 'utf8')).toBe('{}');
    const [, folder = '', ...more] = readdirSync(dir).sort();
    expect([folder, more]).toEqual([expect.stringMatching(/^a\.json\.\w+\.folder$/), []]);
    expect(readdirSync(join(dir, folder))).toEqual(['b']);
  });

  it('leaves no temporary file when it fails', () => {
    // With this length the temporary file has a legal name, and the renamed folder has not.
    const name = 'a'.repeat(241 - String(process.pid).length);
    mkdirSync(join(dir, name, 'b'), { recursive: true });
    expect(codeOf(() => writePrivate(join(dir, name), '{}'))).toBe('ENAMETOOLONG');
    expect(readdirSync(dir)).toEqual([name]);
  });
});

describe('appendPrivate', () => {
  it.each<[string, (path: string) => void]>([
    ['no file', () => {}],
    ['a FIFO', (path) => void spawnSync('mkfifo', [path])],
    ['a link to another file', (path) => symlinkSync(join(dir, 'victim'), path)],
  ])('writes a new file where there is %s', (_what, plant) => {
    writeFileSync(join(dir, 'victim'), 'precious');
    plant(join(dir, 'a'));
    appendPrivate(join(dir, 'a'), '+');
    appendPrivate(join(dir, 'a'), '-');
    expect(readFileSync(join(dir, 'a'), 'utf8')).toBe('+-');
    expect(readFileSync(join(dir, 'victim'), 'utf8')).toBe('precious');
  });
});

describe('ensureFolder', () => {
  it('creates a folder and those above it', () => {
    ensureFolder(join(dir, 'a', 'b'));
    expect(readdirSync(join(dir, 'a'))).toEqual(['b']);
  });

  it.each([0o707, 0o777, 0o702])('refuses mode %o if others can write', (mode) => {
    mkdirSync(join(dir, 'a'));
    chmodSync(join(dir, 'a'), mode);
    expect(codeOf(() => ensureFolder(join(dir, 'a')))).toBe(
      mode & 0o002 ? 'EUNTRUSTED' : undefined,
    );
    expect(codeOf(() => makeFolder(join(dir, 'a')))).toBeUndefined();
  });

  it('allows the user’s own group to write', () => {
    mkdirSync(join(dir, 'a'));
    chmodSync(join(dir, 'a'), 0o770);
    expect(codeOf(() => ensureFolder(join(dir, 'a')))).toBeUndefined();
  });

  it('refuses a file', () => {
    writeFileSync(join(dir, 'a'), '');
    expect(codeOf(() => ensureFolder(join(dir, 'a')))).toBe('EUNTRUSTED');
  });
});

describe('another user of the machine', () => {
  const other = secondUser();
  if (lacking(other)) return;

  it.each<[string, (folder: string) => void]>([
    ['owns the folder', (folder) => chownSync(folder, other.uid, other.gid)],
    [
      'shares its group',
      (folder) => {
        chownSync(folder, 0, other.gid);
        chmodSync(folder, 0o770);
      },
    ],
    [
      'created a link with that name',
      (folder) => {
        rmSync(folder, { recursive: true });
        mkdirSync(`${folder}-elsewhere`);
        spawnSync(
          process.execPath,
          ['-e', 'fs.symlinkSync(...process.argv.slice(1))', `${folder}-elsewhere`, folder],
          {
            uid: other.uid,
          },
        );
      },
    ],
  ])('%s: the folder is refused', (_what, attack) => {
    chmodSync(dir, 0o1777);
    const folder = join(dir, 'lhp-otel');
    mkdirSync(folder);
    attack(folder);
    expect(codeOf(() => ensureFolder(folder))).toBe('EUNTRUSTED');
    expect(isSafeFromOthers(folder)).toBe(false);
  });

  it.each([
    ['owns a folder above', 0o755, true, false],
    ['can write a folder above', 0o777, false, false],
    ['can write a sticky folder above, such as /tmp', 0o1777, false, true],
    ['can only read a folder above', 0o755, false, true],
  ])('%s', (_what, mode, theirs, safe) => {
    const above = join(dir, 'shared');
    mkdirSync(join(above, 'compiled'), { recursive: true });
    chmodSync(above, mode);
    if (theirs) chownSync(above, other.uid, other.gid);
    expect(isSafeFromOthers(join(above, 'compiled'))).toBe(safe);
  });
});

describe('printable', () => {
  it.each([
    ['plain, ümläut, 漢字, 😀', 'plain, ümläut, 漢字, 😀'],
    ['\u001b[31mred\u0007', '\\u{1b}[31mred\\u{7}'],
    ['\u009b2J', '\\u{9b}2J'],
    ['a\u202egnp.exe', 'a\\u{202e}gnp.exe'],
    ['two\nlines\r', 'two\\u{a}lines\\u{d}'],
    ['\u2028\u2066\ufeff\ud800', '\\u{2028}\\u{2066}\\u{feff}\\u{d800}'],
  ])('%j', (text, shown) => expect(printable(text)).toBe(shown));
});
