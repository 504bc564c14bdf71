// The shell hook with input that a stranger controls: programs in a PATH that begins in a cloned
// project, a notice that was changed, a project that is unusual or changes when the prompt is back.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { program } from '../../scripts/harness/needs.ts';
import { type Env, until } from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';
import { openTerminal } from '../support/pty.ts';
import {
  CLEAN,
  entry,
  leave,
  type Place,
  place,
  SHELLS,
  type Shell,
  script,
  texts,
} from '../support/shells.ts';
import { sampled } from '../support/tags.ts';
import { traced } from '../support/trace.ts';

afterAll(async () => expect(await leave()).toEqual([]));

/** Runs a line with a generate on a terminal until it is recorded. Returns everything shown. */
async function atTerminal(shell: Shell, where: Place, text: string, env: Env): Promise<string> {
  const interactive = { bash: ['--noediting', '-i'], zsh: ['+Z', '-i'], fish: ['-i'] };
  const terminal = openTerminal(
    [...CLEAN[shell], ...interactive[shell], '-c', `. "$HOOK"\n${text}\nread x`],
    {
      cwd: where.project,
      env: {
        ...where.box.env,
        DO: ':',
        HOOK: where.hook,
        TERM: 'dumb',
        ...env,
      } as NodeJS.ProcessEnv,
      size: [50, 200],
    },
  );
  await where.box.recorded(1);
  // fish discards what is typed before its prompt.
  if (shell === 'fish') await terminal.expect('read> ');
  terminal.type('\n');
  await terminal.ended();
  return terminal.shown();
}

const leaveNotice = ({ box }: Place, text: string | Buffer) => {
  mkdirSync(box.stateDir, { recursive: true });
  writeFileSync(join(box.stateDir, 'notice.pending'), text);
};

describe.each(SHELLS)('%s: programs of a cloned project in PATH', (shell) => {
  const NAMES = [
    ...[
      'nice',
      'mv',
      'sh',
      'setsid',
      'date',
      'node',
      'env',
      'cat',
      'test',
      '[',
      'printf',
      'tty',
      'stty',
      'uname',
    ],
    ...[
      'isatty',
      'nohup',
      'bash',
      'zsh',
      'fish',
      'dirname',
      'realpath',
      'readlink',
      'command',
      'string',
      'pwd',
    ],
  ];
  /** Fills `./node_modules/.bin` with a program of each name, which leaves a file when it runs. */
  function plant({ box, project }: Place): { env: Env; started: () => string[] } {
    const bin = join(project, 'node_modules', '.bin');
    const log = join(box.dir, 'started');
    for (const path of [bin, log]) mkdirSync(path, { recursive: true });
    for (const name of NAMES) {
      writeFileSync(join(bin, name), `#!/bin/sh\n: >'${log}/${name}'\n`);
      chmodSync(join(bin, name), 0o755);
    }
    return {
      env: { PATH: `./node_modules/.bin:${box.env.PATH}` },
      started: () => readdirSync(log),
    };
  }

  it.concurrent('none is started, and the run is recorded', async () => {
    const where = place(shell);
    const { env, started } = plant(where);
    expect(await script(shell, where, 'lhp generate', true, env)).toMatchObject({
      status: 0,
      stderr: '',
    });
    await where.box.recorded(1);
    expect(started()).toEqual([]);
  });

  if (lacking(program('python3'))) return;
  it.concurrent('none is started when a notice is shown on a terminal', async () => {
    const where = place(shell);
    const { started } = plant(where);
    leaveNotice(where, '{}\nlhp-otel: a notice\n');
    // PATH is set in the shell, because the terminal itself may be opened by a script.
    const set =
      shell === 'fish' ? 'set -x PATH ./node_modules/.bin $PATH' : 'PATH=./node_modules/.bin:$PATH';
    expect(await atTerminal(shell, where, `${set}; lhp generate`, {})).toContain(
      'lhp-otel: a notice\r\n',
    );
    expect(started()).toEqual([]);
    expect(existsSync(join(where.box.stateDir, 'notice.json'))).toBe(true);
  });

  const strace = program('strace');
  if (lacking(strace)) return;
  it.concurrent('only lhp is looked up in PATH', async () => {
    const where = place(shell);
    const { env } = plant(where);
    const { processes } = await traced([...CLEAN[shell], '-c', '. "$HOOK"; lhp generate; :'], {
      strace: strace.path,
      cwd: where.project,
      env: { ...where.box.env, HOOK: where.hook, DO: ':', ...env } as NodeJS.ProcessEnv,
    });
    const touched = processes.flatMap(({ files }) => files).map(({ path }) => path);
    const inClone = touched.filter((path) =>
      path.startsWith(join(where.project, 'node_modules', '.bin')),
    );
    expect(inClone.filter((path) => !/\/(lhp|\.bin)$/.test(path))).toEqual([]);
    // Programs of the system by their path, the shell, the stand-in and its interpreter, and Node.
    const programs = processes
      .flatMap((one) => one.programs)
      .filter((path) => path !== process.execPath);
    for (const path of programs)
      expect(path).toMatch(/^\/(usr\/)?bin\/(bash|zsh|fish|sh|nice|setsid|timeout)$|\/bin\/lhp$/);
  });
});

describe.each(SHELLS)('%s: a notice that was changed', (shell) => {
  if (lacking(program('python3'))) return;
  const ESCAPE = '\x1b]0;owned\x07\x1b[2J\x1b[31m';
  sampled(it.concurrent, 6).each<[string, string | Buffer, string]>([
    ['escape sequences', `{}\nlhp-otel: a${ESCAPE}b\n`, 'lhp-otel: a?]0;owned??[2J?[31mb\r\n'],
    ['a carriage return', '{}\nlhp-otel: evil\rgood\n', 'lhp-otel: evil?good\r\n'],
    // fish drops bytes that are no UTF-8.
    [
      'C1 controls',
      Buffer.from('{}\nlhp-otel: a\x9b31mb\n', 'latin1'),
      shell === 'fish' ? 'lhp-otel: a31mb\r\n' : 'lhp-otel: a?31mb\r\n',
    ],
  ])('%s are not printed', async (_, text, shown) => {
    const where = place(shell);
    leaveNotice(where, text);
    const all = await atTerminal(shell, where, 'lhp generate', {});
    expect(all).toContain(shown);
    expect(all.slice(all.indexOf('lhp-otel:'), all.indexOf('lhp-otel:') + shown.length)).toBe(
      shown,
    );
  });
  sampled(it.concurrent, 2).each([
    ['marks of direction and letters of other scripts', '{}\nlhp-otel: \u202eab\u2066\u0430\n'],
    ['characters of two and four bytes', '{}\nlhp-otel: \u00ff\u{1f600}\n'],
  ])('%s are not printed', async (_, text) => {
    const where = place(shell);
    leaveNotice(where, text);
    const all = await atTerminal(shell, where, 'lhp generate', {});
    expect(all.split('\r\n').find((line) => line.includes('lhp-otel:'))).toMatch(
      /lhp-otel: [ab?]+$/,
    );
  });
  it.concurrent('of a notice without end, less than 8,000 characters are printed', async () => {
    const where = place(shell);
    leaveNotice(where, `{}\n${'lhp-otel: again\n'.repeat(100_000)}${'x'.repeat(5_000_000)}`);
    const all = await atTerminal(shell, where, 'lhp generate', {});
    expect(all.length).toBeGreaterThan(10);
    expect(all.length).toBeLessThan(8_000);
  });
  it.concurrent('a FIFO in place of the file is not waited for', async () => {
    const where = place(shell);
    mkdirSync(where.box.stateDir, { recursive: true });
    execFileSync('mkfifo', [join(where.box.stateDir, 'notice.pending')]);
    expect(await atTerminal(shell, where, 'lhp generate; echo en""d', {})).toContain('end\r\n');
  });
});

describe.each(SHELLS)('%s: what the background process is given of the project', (shell) => {
  /** Replaces our program by one that reports its standard input and the word on bundles. */
  async function given(
    where: Place,
    text: string,
  ): Promise<{ stdin: string; kind: string; bundle: string }> {
    const probe = join(where.box.dir, 'probe.cjs');
    const report = join(where.box.dir, 'report');
    writeFileSync(
      probe,
      `const fs = require('node:fs');
      const { existsSync, fstatSync, readFileSync, renameSync, writeFileSync } = fs;
      const timer = setInterval(() => {
        if (!existsSync(process.env.REPORT + '.go')) return;
        clearInterval(timer);
        const kind = fstatSync(0).isFile() ? 'file' : 'other';
        const told = { stdin: readFileSync(0, 'utf8'), kind, bundle: process.argv[5] };
        writeFileSync(process.env.REPORT + '.part', JSON.stringify(told));
        renameSync(process.env.REPORT + '.part', process.env.REPORT);
      }, 10);`,
    );
    writeFileSync(where.hook, texts[shell].replaceAll(entry, probe));
    // The process reads its input only after the script has gone on.
    const ran = await script(shell, where, `${text}\n: >"$REPORT.go"`, true, { REPORT: report });
    expect(ran.status).toBe(0);
    await until(() => existsSync(report), 'the report of the process');
    return JSON.parse(readFileSync(report, 'utf8')) as {
      stdin: string;
      kind: string;
      bundle: string;
    };
  }
  const HOOK = { stdin: 'name: hook\n', kind: 'file' };

  sampled(it.concurrent, 12).each([
    ['lhp generate', 'nobundle'],
    ['echo >databricks.yml; lhp generate', 'bundle'],
    ['mkdir databricks.yml; lhp generate', 'nobundle'],
    ['mkdir -p a/b; cd a/b; lhp generate', 'nobundle'],
    ['mkdir -p a/b; echo >databricks.yml; cd a/b; lhp generate', 'bundle'],
    ['mkdir -p a/b; ln -s project/a/b ../link; cd ../link; lhp generate', 'nobundle'],
    ['mkdir "a b\n"; cd "a b\n"; lhp generate', 'nobundle'],
    ['lhp generate; mv lhp.yaml other', 'nobundle'],
    ['lhp generate; rm lhp.yaml; echo changed >lhp.yaml', 'nobundle'],
    ['echo >databricks.yml; lhp generate; rm databricks.yml', 'bundle'],
    ['lhp generate; cd ..; mv project elsewhere', 'nobundle'],
    ['mv lhp.yaml other; ln -s other lhp.yaml; lhp generate', 'nobundle'],
  ])('%j: its lhp.yaml, %s', async (text, bundle) => {
    expect(await given(place(shell), text)).toEqual({ ...HOOK, bundle });
  });
  sampled(it.concurrent, 4).each([
    ['rm lhp.yaml; lhp generate', 'unknown'],
    ['rm lhp.yaml; mkfifo lhp.yaml; lhp generate', 'nobundle'],
    ['rm lhp.yaml; mkdir lhp.yaml; lhp generate', 'nobundle'],
    ['ln -sf /dev/zero lhp.yaml; lhp generate', 'nobundle'],
  ])('%j: nothing, %s', async (text, bundle) => {
    expect(await given(place(shell), text)).toEqual({ stdin: '', kind: 'other', bundle });
  });
  it.concurrent('an lhp.yaml that may not be read: nothing, and no error message', async () => {
    const where = place(shell);
    chmodSync(join(where.project, 'lhp.yaml'), 0);
    const got = await given(where, 'lhp generate');
    expect(got).toMatchObject(process.getuid?.() === 0 ? HOOK : { stdin: '', kind: 'other' });
  });
  it.concurrent('a link to the project is followed, as lhp follows it', async () => {
    const where = place(shell);
    symlinkSync(where.project, join(where.box.dir, 'through'));
    expect(await given(where, 'cd ../through; lhp generate')).toEqual({
      ...HOOK,
      bundle: 'nobundle',
    });
  });
});
