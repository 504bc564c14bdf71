// @module-tag extended
// The package for npm, installed by the real npm: with npx, globally, and after its removal. npm
// reaches no registry, so nothing but the package itself is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packageTarball } from '../../scripts/harness/package.ts';
import {
  type Env,
  idle,
  leaveAll,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { npmPrefix, npmSettings } from '../support/npm.ts';
import { RC_FILES, SHELLS } from '../support/shells.ts';

const places: Sandbox[] = [];
let tarball: string;
beforeAll(() => {
  const box = sandbox();
  places.push(box);
  tarball = packageTarball(box.dir);
});
afterAll(async () => expect(await leaveAll(places)).toEqual([]));

function user() {
  const box = sandbox({
    // The tests' own Node first: the system's may be older than the package needs.
    path: [dirname(process.execPath), join(projectRoot, 'test', 'fixtures', 'bin')],
    env: { DO: 'echo lhp' },
  });
  places.push(box);
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: npm\n');
  const prefix = npmPrefix(box);
  const env: Env = {
    ...box.env,
    ...npmSettings(box),
    PATH: [join(prefix, 'bin'), box.env.PATH].join(delimiter),
  };
  const execute = (file: string, ...words: string[]) => {
    const done = spawnSync(file, words, {
      cwd: project,
      env: env as NodeJS.ProcessEnv,
      encoding: 'utf8',
      input: '',
    });
    return { status: done.status, stdout: done.stdout, stderr: done.stderr };
  };
  return { box, prefix, execute };
}

it('installed globally and removed: every hook is inert, and the home is as before', async () => {
  const { box, prefix, execute } = user();
  for (const shell of SHELLS) {
    mkdirSync(dirname(join(box.home, RC_FILES[shell])), { recursive: true });
    writeFileSync(join(box.home, RC_FILES[shell]), '# mine\n');
  }
  const generate = (shell: string) => execute(shell, '-i', '-c', 'lhp generate -e dev');
  const before = SHELLS.map(generate);
  const npm = (...words: string[]) =>
    expect(execute('npm', ...words, '--global', '--loglevel=error')).toMatchObject({
      status: 0,
      stderr: '',
    });
  npm('install', tarball);
  const folder = join(prefix, 'lib', 'node_modules', 'lhp-otel');
  expect(execute('lhp-otel', '--version').stdout).toContain(`installed with npm, in ${folder}\n`);
  for (const [index, shell] of SHELLS.entries()) {
    expect(execute('lhp-otel', 'hook', '--install', shell).status).toBe(0);
    expect(generate(shell)).toEqual(before[index]);
    await box.recorded(index + 1);
  }
  await idle(box);
  npm('uninstall', 'lhp-otel');
  expect(existsSync(folder)).toBe(false);
  expect(SHELLS.map(generate)).toEqual(before);
  await idle(box);
  expect(box.runFiles()).toHaveLength(SHELLS.length);
  expect(box.run(['purge', '--all', '--yes']).status).toBe(0);
  for (const shell of SHELLS)
    expect(readFileSync(join(box.home, RC_FILES[shell]), 'utf8')).toBe('# mine\n');
  for (const path of ['.local/state/lhp-otel', '.config/lhp-otel', '.cache/lhp-otel'])
    expect(existsSync(join(box.home, path))).toBe(false);
});

it('npx runs it, and installs no hook', async () => {
  const { box, execute } = user();
  const npx = (...words: string[]) =>
    execute('npx', '--yes', '--loglevel=error', `--package=${tarball}`, 'lhp-otel', ...words);
  expect(npx('run', '--', 'lhp', 'generate', '-e', 'dev')).toMatchObject({
    status: 0,
    stdout: 'lhp\n',
    stderr: '',
  });
  await box.recorded(1);
  expect(npx('hook', '--install', 'bash')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/in the cache of npx.*npm install -g lhp-otel/),
  });
});
