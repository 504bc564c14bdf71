// Tests the documents: each relative link leads to a file and a heading that exist, each file of
// the repository that a sentence names exists, and no command to start the servers misses .env.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/harness/sandbox.ts';

const listed = spawnSync('git', ['ls-files', '*.md'], { cwd: projectRoot, encoding: 'utf8' });
const documents = listed.stdout.split('\n').filter((path) => existsSync(join(projectRoot, path)));
const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const withoutCode = (text: string) => text.replace(/^(`{3,})[\s\S]*?^\1/gm, '');

/** The anchors of a document's headings, as GitHub and GitLab make them. */
function anchors(path: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutCode(read(path)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

describe.each(documents.filter(Boolean))('%s', (path) => {
  const text = withoutCode(read(path));

  it('has no link that leads nowhere', () => {
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#');
        const target = file === '' ? path : relative('.', join(dirname(path), file));
        if (!existsSync(join(projectRoot, target))) return true;
        return anchor !== undefined && !anchors(target).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  it('names no file that does not exist', () => {
    const named = [...text.matchAll(/`([\w./-]+)`/g)]
      .map(([, word = '']) => word)
      .filter((word) => /^(deploy|docs|scripts|src|test)\/.*\.\w+$/.test(word));
    expect(named.filter((word) => !existsSync(join(projectRoot, word)))).toEqual([]);
  });

  // Compose reads .env beside the first file that `-f` names, so one in deploy/ misses the .env at
  // the top. COMPOSE_FILE in .env, or --env-file, does not have this problem.
  it('names .env wherever -f names a compose file in deploy/', () => {
    const commands = [...read(path).matchAll(/docker compose[^\n`]*-f deploy\/[^\n`]*/g)];
    expect(commands.map(([one]) => one).filter((one) => !/--env-file/.test(one))).toEqual([]);
  });
});
