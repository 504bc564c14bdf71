// The table of shells: each row is complete, and everything that depends on a shell is derived from
// it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sandbox } from '../../scripts/harness/sandbox.ts';
import { commandLine } from '../../src/commands/commands.ts';
import { completionText } from '../../src/commands/completion.ts';
import { tracesOf } from '../../src/commands/purge-all.ts';
import { OPT_OUT_VARIABLES } from '../../src/consent/layers.ts';
import { hookText, installedHooks, installHook, originOf, rcFiles } from '../../src/hook/hook.ts';
import { hookFileName, MARK, SHELL_NAMES, shellOf } from '../../src/hook/shells.ts';
import { type Host, systemHost } from '../../src/system/host.ts';
import { resolvePaths } from '../../src/system/paths.ts';

const box = sandbox();
afterAll(() => box.dispose());
const host: Host = {
  ...systemHost(),
  env: {},
  platform: 'linux',
  home: box.home,
  cwd: box.dir,
  systemConfigDir: join(box.dir, 'etc'),
};
const paths = resolvePaths(host);

describe.each(SHELL_NAMES)('%s', (name) => {
  const shell = shellOf(name);

  it('the hook has every placeholder filled in', () => {
    const text = hookText(name);
    expect(text).not.toMatch(/@[a-z][a-z\d-]*@/);
    expect(text).toContain(`lhp-otel hook ${name}`);
    expect(originOf(text)?.node).toBe(process.execPath);
  });
  it('the hook knows every opt-out that is a variable', () => {
    expect(OPT_OUT_VARIABLES.length).toBeGreaterThan(3);
    expect(hookText(name)).toContain(OPT_OUT_VARIABLES.join(' '));
  });
  it('the hook quotes the path of Node as one word', () =>
    expect(hookText(name, "/a b'c\\d/node")).toContain(shell.quote("/a b'c\\d/node")));
  it('a new shell is asked for an answer with an end', () =>
    expect(shell.question).toContain(`${MARK}end=`));
  it('its completion offers every command', () => {
    const program = commandLine();
    const text = completionText(name, program);
    for (const command of program.commands) expect(text).toContain(command.name());
  });
  it('the installed hook is found by doctor and by purge --all', () => {
    expect(rcFiles(host).filter((path) => path.startsWith(box.home))).toHaveLength(
      SHELL_NAMES.length,
    );
    const { rc } = installHook(name, host, paths);
    expect(installedHooks(host, paths).map(({ shellName }) => shellName)).toContain(name);
    const { hooks, files, foreign } = tracesOf(host, paths);
    expect({ hooks, files, foreign }).toMatchObject({
      hooks: expect.arrayContaining([rc]),
      files: expect.arrayContaining([join(paths.config, '..', hookFileName(name))]),
      foreign: [],
    });
  });
});

it('a hook without placeholders of its own stays readable shell', () => {
  const file = join(box.dir, 'hook.bash');
  mkdirSync(box.dir, { recursive: true });
  writeFileSync(file, hookText('bash'));
  expect(spawnSync('bash', ['-n', file], { encoding: 'utf8' })).toMatchObject({
    status: 0,
    stderr: '',
  });
});
