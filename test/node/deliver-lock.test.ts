// The lock of delivery: a process takes over the lock of an owner that was killed, but never the
// lock of a new owner.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { takeLock } from '../../src/deliver/lock.ts';
import { systemHost } from '../../src/system/host.ts';
import { type Paths, resolvePaths } from '../../src/system/paths.ts';

let home: string;
let paths: Paths;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lhp-otel-lock-'));
  paths = resolvePaths({ ...systemHost(), env: {}, home });
  expect(takeLock(paths)).toBeDefined();
  writeFileSync(paths.deliverLock, ENDED);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(home, { recursive: true });
});

const ENDED = '123456';
/** Answers as for a process that does not exist. `before` runs before the answer. */
const noSuchProcess = (before: () => void) =>
  vi.spyOn(process, 'kill').mockImplementation(() => {
    before();
    throw Object.assign(new Error('no such process'), { code: 'ESRCH' });
  });

it('the lock of a process that was killed is taken over', () => {
  noSuchProcess(() => {});
  expect(takeLock(paths)).toBeDefined();
  expect(readFileSync(paths.deliverLock, 'utf8')).toBe(String(process.pid));
});

it('an owner that ends while it is looked for has released its lock: the next one keeps it', () => {
  // The owner releases the lock and ends, and another process takes the lock.
  noSuchProcess(() => writeFileSync(paths.deliverLock, '654321'));
  expect(takeLock(paths)).toBeUndefined();
  expect(readFileSync(paths.deliverLock, 'utf8')).toBe('654321');
});

it('an owner that ends while it is looked for has released its lock: nobody has it', () => {
  noSuchProcess(() => rmSync(paths.deliverLock));
  expect(takeLock(paths)).toBeUndefined();
});

// Of several processes that find the lock of one that was killed, only one may take it over.
it('a stale lock that another process takes over meanwhile: that one keeps it', () => {
  const other = `${paths.deliverLock}.other`;
  noSuchProcess(() => {
    writeFileSync(other, ENDED);
    utimesSync(other, 1, 1);
    renameSync(other, paths.deliverLock);
  });
  expect(takeLock(paths)).toBeUndefined();
  expect(readFileSync(paths.deliverLock, 'utf8')).toBe(ENDED);
  expect(readdirSync(dirname(paths.deliverLock))).toEqual([basename(paths.deliverLock)]);
});
