// `lhp-otel hook --install` and `--uninstall` in the real shells: they edit the rc file once,
// restore it byte for byte, and report what a new shell was seen to have.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { program } from '../../scripts/harness/needs.ts';
import { cli, type Env, idle, sandbox } from '../../scripts/harness/sandbox.ts';
import { askNewShell } from '../../src/hook/new-shell.ts';
import { systemHost } from '../../src/system/host.ts';
import { leave, type Place, place, RC_FILES, SHELLS } from '../support/shells.ts';
import { sampled } from '../support/tags.ts';

afterAll(async () => expect(await leave()).toEqual([]));

describe('lhp-otel hook', () => {
  it.each([
    [['hook'], 2, 'bash, zsh or fish'],
    [['hook', 'tcsh'], 2, "'tcsh'"],
    [['hook', 'toString'], 2, "'toString'"],
    [['hook', '--install'], 1, '$SHELL is "/bin/tcsh"'],
    [['hook', 'pwsh'], 2, 'bash, zsh or fish'],
    [['hook', '--install', '--uninstall', 'bash'], 2, 'not both'],
  ])('%j is an error', (args, status, text) => {
    const box = sandbox({ env: { SHELL: '/bin/tcsh' } });
    const ran = box.run(args);
    box.dispose();
    expect(ran).toMatchObject({ status, stdout: '' });
    expect(ran.stderr).toContain(text);
  });

  const contents: [string, string | undefined][] = [
    ['none', undefined],
    ['an empty file', ''],
    ['one line', '# mine\n'],
    ['no last newline', '# mine'],
    ['CRLF', '# mine\r\n# and\r\n'],
    ['CRLF without the last', '# mine\r\n# and'],
    ['bytes that are no UTF-8', '# \xff\xfe\x80\n'],
  ];
  describe.each(SHELLS)('%s', (shell) => {
    sampled(it, 12).each(contents)(
      'installed twice it is there once and works, and uninstalled it leaves no trace: %s',
      async (_, content) => {
        const { box, project } = place(shell);
        const rc = join(box.home, RC_FILES[shell]);
        mkdirSync(join(rc, '..'), { recursive: true });
        if (content !== undefined) writeFileSync(rc, content, { encoding: 'latin1', mode: 0o640 });
        const env = { SHELL: `/bin/${shell}` };
        const first = box.run(['hook', '--install'], { env });
        expect(first).toMatchObject({ status: 0, stderr: '' });
        expect(first.stdout).toContain(`~/${RC_FILES[shell]} loads the hook now\n`);
        const once = readFileSync(rc, 'latin1');
        expect(once.startsWith(content ?? '')).toBe(true);
        const second = box.run(['hook', '--install', shell], { env });
        expect(second).toMatchObject({ status: 0, stderr: '' });
        expect(second.stdout).toContain('loads the hook already, and it is up to date\n');
        expect(readFileSync(rc, 'latin1')).toBe(once);
        if (content !== undefined) expect(statSync(rc).mode & 0o777).toBe(0o640);
        const ran = spawnSync(shell, ['-i', '-c', 'lhp generate'], {
          cwd: project,
          env: { ...box.env, DO: ':' } as NodeJS.ProcessEnv,
        });
        expect(ran.status).toBe(0);
        await box.recorded(1);
        await idle(box);
        expect(box.run(['hook', '--uninstall'], { env })).toMatchObject({ status: 0, stderr: '' });
        if (content === undefined) expect(existsSync(rc)).toBe(false);
        else expect(readFileSync(rc, 'latin1')).toBe(content);
        expect(existsSync(join(box.home, '.config', 'lhp-otel', `hook.${shell}`))).toBe(false);
      },
    );
  });
  it('text that was added after the block stays', () => {
    const { box } = place('bash');
    const rc = join(box.home, '.bashrc');
    writeFileSync(rc, 'a');
    box.run(['hook', '--install', 'bash']);
    writeFileSync(rc, 'b\n', { flag: 'a' });
    box.run(['hook', '--uninstall', 'bash']);
    expect(readFileSync(rc, 'utf8')).toBe('ab\n');
  });
  it('ZDOTDIR and XDG_CONFIG_HOME are respected', () => {
    const { box } = place('bash');
    box.run(['hook', '--install', 'zsh'], { env: { ZDOTDIR: join(box.dir, 'z') } });
    box.run(['hook', '--install', 'fish'], { env: { XDG_CONFIG_HOME: join(box.dir, 'x') } });
    expect(existsSync(join(box.dir, 'z', '.zshrc'))).toBe(true);
    expect(existsSync(join(box.dir, 'x', 'fish', 'config.fish'))).toBe(true);
    expect(existsSync(join(box.dir, 'x', 'lhp-otel', 'hook.fish'))).toBe(true);
  });
  it('a link stays a link, and its target is edited', () => {
    const { box } = place('bash');
    const rc = join(box.home, '.bashrc');
    const real = join(box.dir, 'dotfiles');
    writeFileSync(real, '# mine\n', { mode: 0o600 });
    symlinkSync('../dotfiles', rc);
    expect(box.run(['hook', '--install', 'bash']).status).toBe(0);
    expect(lstatSync(rc).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toContain('hook.bash');
    expect(statSync(real).mode & 0o777).toBe(0o600);
    box.run(['hook', '--uninstall', 'bash']);
    expect(readFileSync(real, 'utf8')).toBe('# mine\n');
    rmSync(real);
    expect(box.run(['hook', '--install', 'bash']).stderr).toContain(
      'a link to a file that is not there',
    );
  });
  it('a file that cannot be written is an error, and stays unchanged', () => {
    const { box } = place('bash');
    const rc = join(box.home, '.bashrc');
    writeFileSync(rc, '# mine\n');
    // A folder stands where the new file would be created, so that not even root can write it.
    const ran = spawnSync(
      'bash',
      [
        '-c',
        'mkdir "$HOME/.bashrc.lhp-otel.$$"; exec "$@"',
        'bash',
        process.execPath,
        cli,
        'hook',
        '--install',
        'bash',
      ],
      {
        env: box.env as NodeJS.ProcessEnv,
        encoding: 'utf8',
      },
    );
    expect(ran).toMatchObject({ status: 1, stdout: '' });
    expect(ran.stderr).toContain(`${rc} cannot be written (EEXIST); it is as it was`);
    expect(readFileSync(rc, 'utf8')).toBe('# mine\n');
    chmodSync(rc, 0o600);
  });
  it('a block without its end is an error, and stays unchanged', () => {
    const { box } = place('bash');
    const rc = join(box.home, '.bashrc');
    writeFileSync(rc, '# >>> lhp-otel hook >>>\nmine\n');
    for (const option of ['--install', '--uninstall']) {
      expect(box.run(['hook', option, 'bash'])).toMatchObject({ status: 1, stdout: '' });
      expect(readFileSync(rc, 'utf8')).toBe('# >>> lhp-otel hook >>>\nmine\n');
    }
  });
});

describe.each(SHELLS)('%s: what --install reports', (shell) => {
  /** Installs the hook with these files in the home folder. `~` in a text is that folder. */
  function install(where: Place, files: Record<string, string>, env: Env = {}) {
    for (const [name, text] of Object.entries(files)) {
      const path = join(where.box.home, name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, text.replaceAll('~', where.box.home));
    }
    const shellPath = program(shell).path;
    const { status, stdout, stderr } = where.box.run(['hook', '--install'], {
      env: { SHELL: shellPath, ...env },
    });
    return { status, said: stdout + stderr };
  }
  const mine = { [RC_FILES[shell]]: '' };

  it.concurrent('a new shell has the hook', () => {
    expect(install(place(shell), mine)).toMatchObject({
      status: 0,
      said: expect.stringContaining(`checked: a new ${program(shell).path} has it`),
    });
  });
  sampled(it.concurrent, 4).each([
    ['return', 'it does not come to our lines'],
    [
      'exit',
      shell === 'fish' ? 'it does not come to our lines' : 'it ended while it read its start files',
    ],
    ['exec /bin/sh -c :', 'it ended while it read its start files'],
    [shell === 'fish' ? 'function lhp; end' : 'lhp() { :; }', 'another function called lhp'],
  ])('a start file with %j: it says that a new shell does not have the hook', (line, why) => {
    const { status, said } = install(place(shell), { [RC_FILES[shell]]: `${line}\n` });
    expect(status).toBe(1);
    expect(said).toContain(why);
    expect(said).not.toContain('has it\n');
  });
  it.concurrent('start files may print and read anything', () => {
    const noise = 'head -c 300000 /dev/urandom; cat; echo; read x\n';
    expect(install(place(shell), { [RC_FILES[shell]]: noise })).toMatchObject({ status: 0 });
  });
  it.concurrent('start files that install the hook do not start shells without end', () => {
    const where = place(shell);
    const again = `${process.execPath} ${cli} hook --install ${shell} >>~/log 2>&1\n`;
    expect(install(where, { [RC_FILES[shell]]: again })).toMatchObject({ status: 0 });
    const log = readFileSync(join(where.box.home, 'log'), 'utf8');
    expect(log.match(/not checked: this shell was itself started by such a check/g)).toHaveLength(
      1,
    );
  });
  it.concurrent('no history is written, and no logout file runs', () => {
    const where = place(shell);
    const history = 'HISTFILE=~/history; HISTSIZE=9; SAVEHIST=9; HISTFILESIZE=9\n';
    const files = shell === 'fish' ? mine : { [RC_FILES[shell]]: history };
    install(where, { ...files, '.zlogout': 'touch ~/out\n', '.bash_logout': 'touch ~/out\n' });
    expect(existsSync(join(where.box.home, 'history'))).toBe(false);
    expect(existsSync(join(where.box.home, 'out'))).toBe(false);
  });
  it.concurrent('a hook with other paths is renewed', () => {
    const where = place(shell);
    install(where, mine);
    const hook = join(where.box.home, '.config', 'lhp-otel', `hook.${shell}`);
    const text = readFileSync(hook, 'utf8');
    writeFileSync(hook, text.replaceAll(process.execPath, '/elsewhere/node'));
    expect(install(where, {})).toMatchObject({
      status: 0,
      said: expect.stringContaining('loads the hook already, and it is renewed\n'),
    });
    expect(readFileSync(hook, 'utf8')).toBe(text);
  });
  it.concurrent('without a shell to start it says that nothing was checked', () => {
    const where = place(shell);
    // $SHELL is another shell, so the one to install for is found in the folders of the system.
    const other = SHELLS.find((each) => each !== shell);
    const ran = where.box.run(['hook', '--install', shell], { env: { SHELL: `/bin/${other}` } });
    expect(ran).toMatchObject({ status: 0, stdout: expect.stringContaining('has it') });
    const inside = { LHP_OTEL_NEW_SHELL: '1' };
    expect(where.box.run(['hook', '--install', shell], { env: inside }).stdout).toContain(
      'not checked',
    );
  });
});

it('bash: everything that a shell printed is read after it has ended', async () => {
  const { box } = place('bash');
  box.run(['hook', '--install', 'bash']);
  const rc = join(box.home, '.bashrc');
  writeFileSync(rc, `head -c 300000 /dev/zero | tr '\\0' x; echo\n${readFileSync(rc, 'utf8')}`);
  const { HOME: home = '' } = box.env;
  const host = { ...systemHost(), env: box.env, home };
  // The end of one shell is often noticed together with that of another, before its output is read.
  const asked = await Promise.all(
    Array.from({ length: 16 }, () => askNewShell('bash', '~/.bashrc', host)),
  );
  expect(asked.filter(({ has }) => has !== 'yes')).toEqual([]);
});

it('bash: a login shell without the hook is named, with the line and file that help', () => {
  const { box } = place('bash');
  writeFileSync(join(box.home, '.profile'), '');
  const told = () => box.run(['hook', '--install', 'bash']);
  expect(told()).toMatchObject({ status: 0, stdout: expect.stringContaining('a login shell') });
  const [, line] = /add this line to ~\/\.profile:\n {2}(.*)\n/.exec(told().stdout) ?? [];
  writeFileSync(join(box.home, '.profile'), `${line}\n`);
  expect(told().stdout).not.toContain('login');
});

it('zsh: a ZDOTDIR that the start files set is named, and the advice helps', () => {
  const { box } = place('zsh');
  writeFileSync(join(box.home, '.zshenv'), 'ZDOTDIR=~/z\n');
  const ran = box.run(['hook', '--install', 'zsh']);
  expect(ran).toMatchObject({
    status: 1,
    stderr: expect.stringContaining(`ZDOTDIR=${box.home}/z lhp-otel hook`),
  });
  box.run(['hook', '--uninstall', 'zsh']);
  expect(existsSync(join(box.home, '.zshrc'))).toBe(false);
  const env = { ZDOTDIR: join(box.home, 'z') };
  expect(box.run(['hook', '--install', 'zsh'], { env })).toMatchObject({ status: 0 });
});

it.each(SHELLS)('%s: purge --all removes the hook and its file', (shell) => {
  const { box } = place(shell);
  expect(box.run(['hook', '--install', shell]).status).toBe(0);
  const folder = join(box.home, '.config', 'lhp-otel');
  expect(existsSync(folder)).toBe(true);
  expect(box.run(['purge', '--all', '--yes'])).toMatchObject({ status: 0, stderr: '' });
  expect(existsSync(folder)).toBe(false);
});
