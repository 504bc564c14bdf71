// Tests the documents as a whole: links and named files exist, commands exist, the project has one
// address, and the front door of the repository (README, .github) keeps its promises. What single
// pages say is tested beside what they describe.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/harness/sandbox.ts';

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const find = (...patterns: string[]) => globSync(patterns, { cwd: projectRoot }).sort();
const manifest = JSON.parse(read('package.json'));
const git = spawnSync('git', ['ls-files', '*.md'], { cwd: projectRoot, encoding: 'utf8' });
const MARKDOWN = git.stdout
  .split('\n')
  .filter((path) => path && existsSync(join(projectRoot, path)));
const WORKFLOWS = find('.github/workflows/*.yml');
const repository = manifest.repository.url.replace(/^git\+|\.git$/g, '') as string;
const [owner, name] = new URL(repository).pathname.slice(1).split('/');

/** The text outside of code blocks. */
const prose = (path: string) => read(path).replace(/^( *)```[\s\S]*?^\1```$/gm, '');

/** The anchors of a document's headings, as GitHub and GitLab make them. */
function anchors(path: string): string[] {
  const seen = new Map<string, number>();
  return [...prose(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
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

it('git knows the documents', () => expect(MARKDOWN.length).toBeGreaterThan(20));

describe.each(MARKDOWN)('%s', (path) => {
  it('links only to files and headings that exist', () => {
    const targets = [
      ...prose(path).matchAll(/\]\((?!https?:)([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g),
    ];
    const broken = targets
      .map(([, link, image]) => (link ?? image) as string)
      .filter((target) => {
        const [file = '', anchor] = target.split('#');
        const found = file === '' ? path : normalize(join(dirname(path), file));
        if (!existsSync(join(projectRoot, found))) return true;
        return anchor !== undefined && !anchors(found).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  it('names only files that exist', () => {
    const named = [
      ...read(path).matchAll(/`((?:src|test|scripts|deploy|docs|\.github)\/[\w./-]+)`/g),
    ].map(([, file]) => file as string);
    // The operator makes deploy/secrets/tokens.
    const missing = named.filter(
      (file) => !/^deploy\/secrets\/\w*$/.test(file) && !existsSync(join(projectRoot, file)),
    );
    expect(missing).toEqual([]);
  });

  // Compose reads .env beside the first file that `-f` names, so one in deploy/ misses the .env at
  // the top. COMPOSE_FILE in .env, or --env-file, does not have this problem.
  it('names .env wherever -f names a compose file in deploy/', () => {
    const commands = [...read(path).matchAll(/docker compose[^\n`]*-f deploy\/[^\n`]*/g)];
    expect(commands.map(([one]) => one).filter((one) => !/--env-file/.test(one))).toEqual([]);
  });

  it('names only npm scripts that exist', () => {
    const named = [...read(path).matchAll(/npm run (?:-s |--silent )?([\w:-]+)/g)].map(
      ([, script]) => script as string,
    );
    expect(named.filter((script) => manifest.scripts[script] === undefined)).toEqual([]);
  });
});

it('README.md has at most 160 lines and the commands that set everything up', () => {
  const readme = read('README.md');
  expect(readme.split('\n').length - 1).toBeLessThanOrEqual(160);
  for (const command of ['npm run demo', 'npm test', 'npm run test:all'])
    expect(readme).toContain(command);
});

it('docs/README.md links every page, and docs/adr/README.md every decision', () => {
  const linked = (path: string) =>
    [...read(path).matchAll(/\]\(([^)#]+)/g)].map(([, link]) =>
      join(dirname(path), link as string),
    );
  expect(linked('docs/README.md')).toEqual(
    expect.arrayContaining(find('docs/*.md').filter((page) => page !== 'docs/README.md')),
  );
  expect(linked('docs/adr/README.md')).toEqual(expect.arrayContaining(find('docs/adr/0*.md')));
});

it.each(find('docs/adr/0*.md'))('%s has the sections of a decision record', (path) => {
  const [, ...sections] = read(path).split(/^## /m);
  const titles = sections.map((section) => section.split('\n', 1)[0]);
  expect(titles).toEqual(['Status', 'Context', 'Decision', 'Consequences']);
  expect(sections.filter((section) => !/\n\s*\S/.test(section))).toEqual([]);
});

it('the package contains the documents that the manual page names', () => {
  const files = (manifest.files as string[]).filter((file) => file !== 'dist'); // it is built
  expect(files.filter((file) => !existsSync(join(projectRoot, file)))).toEqual([]);
  const named = read('docs/lhp-otel.1').match(/docs\/\w+\.md/g) ?? [];
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((file) => !files.includes(file))).toEqual([]);
});

describe('the address of the project', () => {
  it('is the same in each field of package.json', () => {
    expect(manifest.homepage).toBe(`${repository}#readme`);
    expect(manifest.bugs).toEqual({ url: `${repository}/issues` });
  });

  it('is the same in every document, workflow and example', () => {
    const files = [...MARKDOWN, ...find('.github/**/*.yml', 'docs/examples/ci/*', 'src/**/*.ts')];
    const others = files.flatMap((path) =>
      [...read(path).matchAll(/(?:github\.com\/|uses: )([\w.-]+\/lhp-otel)\b/g)]
        .map(([, address]) => `${path}: ${address}`)
        .filter((found) => !found.endsWith(` ${owner}/${name}`)),
    );
    expect(others).toEqual([]);
  });
});

describe.each(WORKFLOWS)('%s', (path) => {
  const workflow = load(read(path)) as {
    permissions: Record<string, string>;
    concurrency: unknown;
    jobs: Record<string, { permissions?: Record<string, string>; environment?: string }>;
  };

  it('may only read, except for jobs that wait for an approval', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    for (const job of Object.values(workflow.jobs).filter((each) => each.permissions))
      expect(job.environment).toBeTruthy();
    expect(workflow.concurrency).toBeTruthy();
  });

  it('names each action by its full commit and its version, as the example for users does', () => {
    const uses = (text: string) =>
      [...text.matchAll(/uses: ([\w/-]+)@(.+)$/gm)].map(([, action, ref]) => [action, ref]);
    const example = new Map(
      uses(read('docs/examples/ci/github-actions.yml')) as [string, string][],
    );
    for (const [action, ref] of uses(read(path)) as [string, string][]) {
      expect(ref).toMatch(/^[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      if (example.has(action)) expect(ref).toBe(example.get(action));
    }
  });
});

it.each(find('.github/**/*.yml'))('%s is valid YAML', (path) => {
  expect(load(read(path))).toBeTypeOf('object');
});

it('.editorconfig has the settings of Biome and Prettier', () => {
  const { formatter } = JSON.parse(read('biome.json'));
  const [, all = ''] = read('.editorconfig').split('[*]');
  expect(all).toContain(`indent_style = ${formatter.indentStyle}\n`);
  expect(all).toContain(`indent_size = ${formatter.indentWidth}\n`);
  expect(all).toContain(`max_line_length = ${formatter.lineWidth}\n`);
  expect(manifest.prettier.printWidth).toBe(formatter.lineWidth);
});
