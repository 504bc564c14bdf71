// The rules of the repository: which room may import which outside src/, how wide a line may be,
// what lies at the root, and that each benchmark has a document. Biome holds the length of files
// and functions (biome.json), structure.test.ts the rooms of src/.
import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { EXTENDED } from '../support/tags.ts';

const git = spawnSync('git', ['ls-files', '-z'], { cwd: projectRoot, encoding: 'utf8' });
const tracked = git.stdout
  .split('\0')
  .filter((path) => lstatSync(join(projectRoot, path), { throwIfNoEntry: false })?.isFile());
const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const below = (...rooms: string[]) =>
  tracked.filter((path) => rooms.some((room) => path.startsWith(`${room}/`)));

it('git knows the files', () => expect(tracked.length).toBeGreaterThan(100));

describe('imports between rooms', () => {
  /** A room, and what none of its files imports: paths from the root, or the name of a package. */
  it.each([
    ['src', ['scripts', 'test', 'deploy', 'vitest']],
    ['deploy/generate', ['scripts/bench', 'test', 'vitest']],
    ['scripts/setup', ['scripts/bench', 'scripts/harness', 'src', 'test', 'vitest']],
    ['scripts/harness', ['scripts/bench', 'test', 'vitest']],
    ['scripts/fleet', ['scripts/bench', 'test', 'vitest']],
    ['scripts/pictures', ['scripts/bench', 'test', 'vitest']],
    ['scripts/bench', ['test', 'vitest']],
    ['test', ['scripts/bench']],
  ])('%s imports nothing from %j', (room, others) => {
    const found = below(room)
      .filter((path) => /\.(ts|mjs)$/.test(path) && !path.startsWith('test/fixtures/'))
      .flatMap((path) => importsOf(path).map((imported) => [path, imported] as const))
      .filter(([, imported]) => others.some((it) => `${imported}/`.startsWith(`${it}/`)));
    expect(found).toEqual([]);
  });

  function importsOf(path: string): string[] {
    const names = read(path).matchAll(/(?:from|import\()\s*'([^']+)'/g);
    return [...names].map(([, name = '']) =>
      name.startsWith('.') ? relative('.', join(dirname(path), name)) : name,
    );
  }
});

describe('files', () => {
  it('at most 24 entries at the root', () => {
    const entries = new Set(tracked.map((path) => path.split('/')[0]));
    expect(entries.size).toBeLessThanOrEqual(24);
  });

  it('package-lock.json names no host', () =>
    expect(read('package-lock.json')).not.toContain('"resolved"'));

  const MAX_COLUMNS = 100;
  /** Not text, made by a program that does not wrap, or the input of a test, byte for byte. */
  const NOT_WRAPPED = /\.(json|png|svg|ico|tgz)$|^test\/fixtures\/|^LICENSE$/;
  /** Nobody can break a table's row, an address, or the path of a Go module with its version. */
  const isUnbreakable = (path: string, line: string) =>
    path.endsWith('.md')
      ? /^\s*\||https?:|\]\(/.test(line)
      : /https?:\S{30}|^ *- gomod: \S+ v[\d.]+$/.test(line);
  it(`no line is wider than ${MAX_COLUMNS} columns`, () => {
    const wide = tracked
      .filter((path) => !NOT_WRAPPED.test(path))
      .flatMap((path) =>
        read(path)
          .split('\n')
          .flatMap((line, index) =>
            [...line].length > MAX_COLUMNS && !isUnbreakable(path, line)
              ? [`${path}:${index + 1}`]
              : [],
          ),
      );
    expect(wide).toEqual([]);
  });
});

describe('tests', () => {
  it('each folder is a project of vitest', () => {
    const config = read('test/vitest.config.ts');
    const folders = below('test')
      .filter((path) => path.endsWith('.test.ts'))
      .map((path) => path.split('/')[1]);
    for (const folder of new Set(folders)) expect(config).toContain(`folder('${folder}'`);
  });

  it.each(below('test/extended'))('%s belongs to the long rest', (path) =>
    expect(read(path)).toMatch(new RegExp(`^// @module-tag ${EXTENDED}\n`)),
  );
});

describe('benchmarks', () => {
  const parts = read('scripts/bench/main.ts').matchAll(
    /^ {2}'?([a-z-]+)'?: \{\s*run: \w+,\s*shownIn: '([^']+)'(,\s*long)?/gm,
  );
  it.each([...parts].map(([, name = '', document = '', long]) => [name, document, long] as const))(
    '%s has its figures in %s',
    (name, document, long) => {
      const text = read(document);
      const named = text.includes(`bench -- ${name}\``) || text.includes(`\`-- ${name}\``);
      // The short ones all run with `npm run bench`.
      expect(named || (!long && text.includes('`npm run bench`'))).toBe(true);
    },
  );
});
