// The help of each command is complete and fits the terminal, and usage errors name what would be
// right. The cases are made from the commander program, so a new command is tested, too.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { cli, projectRoot, sandbox } from '../../scripts/harness/sandbox.ts';
import { commandLine } from '../../src/commands/commands.ts';
import { notesOf } from '../../src/commands/help.ts';
import { refusal } from '../../src/system/node-version.ts';
import { sampled } from '../support/tags.ts';

const program = commandLine();
const commands = [program, ...program.commands].map((command): [string, Command] => [
  command.name(),
  command,
]);
/** The help as on a terminal of this width. */
const help = (command: Command, columns?: number) => {
  const parts: string[] = [];
  const real = Object.getOwnPropertyDescriptor(process.stdout, 'columns') ?? {
    value: undefined,
    configurable: true,
  };
  Object.defineProperty(process.stdout, 'columns', { value: columns, configurable: true });
  command.configureOutput({ writeOut: (part) => void parts.push(part) }).outputHelp();
  Object.defineProperty(process.stdout, 'columns', real);
  return parts.join('');
};

const box = sandbox();
afterAll(() => box.dispose());

describe.each(commands)('%s', (name, command) => {
  const more = notesOf(command);
  it('has a summary and a description', () => {
    expect(command.description()).toMatch(/^[A-Z].*\.$/);
    if (command !== program) expect(command.summary()).toMatch(/^[a-z].{5,60}[^.]$/);
  });
  it('has examples that call it', () => {
    expect(more?.examples.length).toBeGreaterThan(0);
    for (const [example] of more?.examples ?? [])
      expect(example).toMatch(
        command === program ? /^lhp-otel \w/ : new RegExp(`(^|[ (])lhp-otel ${name}( |\\)|$)`),
      );
  });
  it.each((more?.examples ?? []).map(([example]) => [example]))(
    'the program accepts the example: %s',
    (example) => {
      // The last call of lhp-otel on the line, parsed by a program whose commands do nothing.
      const words = /lhp-otel ([^)"|>]*)/.exec(example)?.[1]?.trim().split(' ') ?? [];
      const parser = commandLine();
      for (const each of parser.commands) each.action(() => {});
      expect(() => parser.parse(words, { from: 'user' })).not.toThrow();
    },
  );
  it('describes every option and argument', () => {
    for (const { flags, description } of command.options)
      expect([flags, description]).toEqual([flags, expect.stringMatching(/\w{3}/)]);
    for (const argument of command.registeredArguments)
      expect([argument.name(), argument.description]).toEqual([
        argument.name(),
        expect.stringMatching(/\w{3}/),
      ]);
  });
  it.each([undefined, 40, 80, 200])(
    'no line of its help is wider than 100 columns, on a terminal of %s',
    (width) => {
      const lines = help(command, width).split('\n');
      expect(lines.filter((line) => line.length > 100)).toEqual([]);
      if (width === 80) expect(lines.filter((line) => line.length > 80)).toEqual([]);
    },
  );
});

sampled(it, 4).each(commands)('%s --help of the built program prints the same', (name, command) => {
  const ran = spawnSync(process.execPath, [cli, ...(command === program ? [] : [name]), '--help'], {
    env: box.env as NodeJS.ProcessEnv,
    encoding: 'utf8',
  });
  expect(ran).toMatchObject({ status: 0, stderr: '', stdout: help(command, 80) });
});

it('every command but these says why it exits with 1', () => {
  const silent = commands.filter(([, command]) => !notesOf(command)?.exits).map(([name]) => name);
  expect(silent.sort()).toEqual(['completion', 'help', 'stats']);
});
it('every command is in a group, and run and hook come first', () => {
  expect(program.commands.filter((command) => !command.helpGroup())).toEqual([]);
  expect(program.commands.slice(0, 2).map((command) => command.name())).toEqual(['run', 'hook']);
});

// The words of the command line, and what stderr must contain.
const wrong: [words: string[], named: string[]][] = [
  [
    ['runn', '--', 'lhp'],
    ["'runn'", 'Did you mean run?'],
  ],
  [
    ['lhp', 'generate'],
    ["'lhp'", 'lhp-otel run --'],
  ],
  [
    ['help', 'shwo'],
    ["'shwo'", 'Did you mean show?'],
  ],
  [['--verison'], ["'--verison'", 'Did you mean --version?']],
  [['run'], ['no command given', 'lhp-otel run -- lhp generate']],
  [['run', '--'], ['no command given']],
  [
    ['run', '--foo'],
    ["'--foo'", 'lhp-otel run --help'],
  ],
  [
    ['show', '--lats', '1'],
    ["'--lats'", 'Did you mean --last?'],
  ],
  [
    ['show', '--last', '0'],
    ["'0'", 'a whole number from 1'],
  ],
  [
    ['show', '--last', 'all'],
    ["'all'", 'a whole number from 1'],
  ],
  [
    ['show', '--format', 'otpl'],
    ["'otpl'", 'event or otlp', 'Did you mean otlp?'],
  ],
  [
    ['show', 'lhp'],
    ["'lhp'", '--preview'],
  ],
  [
    ['show', '--preview', '--', 'ls', '-l'],
    ["'ls -l'", 'lhp generate --env dev'],
  ],
  [['hook'], ['bash, zsh or fish']],
  [
    ['hook', 'fsh'],
    ["'fsh'", 'bash, zsh or fish'],
  ],
  [
    ['status', '--jsno'],
    ["'--jsno'", 'Did you mean --json?'],
  ],
  [['doctor', 'all'], ["doctor takes no further words, but got 'all'"]],
  [['flush', '--force'], ["'--force'"]],
  [['off', 'now'], ["off takes no further words, but got 'now'"]],
  [['on', '--json'], ["'--json'"]],
];
sampled(it, 3).each(wrong)('%j is a usage error that says what would be right', (words, named) => {
  const ran = box.run(words);
  expect(ran).toMatchObject({ status: 2, stdout: '' });
  for (const text of named) expect(ran.stderr).toContain(text);
  expect(ran.stderr).not.toContain('\n    at ');
});
it('prints its help as an error if there is no command', () => {
  expect(box.run([])).toMatchObject({ status: 2, stdout: '' });
});
it('an empty history says on stderr how to record a run', () => {
  const ran = box.run(['show']);
  expect(ran).toMatchObject({ status: 0, stdout: '' });
  expect(ran.stderr).toContain('lhp-otel run -- lhp generate --env dev');
});
it('accepts -- before the command', () => {
  expect(box.run(['--', 'run', 'sh', '-c', 'echo ran; exit 3'])).toMatchObject({
    status: 3,
    stdout: 'ran\n',
  });
});

describe('with an older Node', () => {
  // An older Node of this machine if there is one; otherwise this Node, which claims to be older.
  // Both without what the oldest ones lack.
  const real = ['/usr/bin/node', '/usr/local/bin/node'].find(
    (path) =>
      existsSync(path) &&
      Number(spawnSync(path, ['-p', 'process.versions.node.split(".")[0]']).stdout) < 22,
  );
  const old = join(box.dir, 'old.cjs');
  writeFileSync(
    old,
    `const versions = { ...process.versions, node: '20.0.0' };
     Object.defineProperty(process, 'versions', { value: versions });
     for (const name of ['getBuiltinModule', 'execve']) process[name] = undefined;
     Map.groupBy = undefined;`,
  );
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: old\n');
  const [node = '', ...before] = [real ?? process.execPath, '--require', old];
  const call = (...args: string[]) =>
    spawnSync(node, [...before, cli, ...args], {
      cwd: project,
      env: {
        ...box.env,
        PATH: `${join(projectRoot, 'test', 'fixtures', 'bin')}:${process.env.PATH}`,
        DO: ':',
      } as NodeJS.ProcessEnv,
      encoding: 'utf8',
    });
  it('run, off, purge and hook --uninstall work', () => {
    expect(call('run', '--', 'lhp', 'generate', '--env', 'dev')).toMatchObject({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(call('run', '--', 'sh', '-c', 'echo ran; exit 7')).toMatchObject({
      status: 7,
      stdout: 'ran\n',
    });
    expect(call('off')).toMatchObject({ status: 0, stderr: '' });
    expect(box.run(['status']).stdout).toContain('decided by:    lhp-otel off');
    expect(call('purge', '--yes')).toMatchObject({ status: 0, stderr: '' });
    expect(call('hook', '--uninstall', 'bash').stderr).not.toContain('needs Node');
    for (const word of ['help', '--help', '--version'])
      expect(call(word)).toMatchObject({ status: 0, stderr: '' });
  });
  const needing = program.commands
    .map((each) => each.name())
    .filter((name) => !/^(run|off|purge|help)$/.test(name));
  it.each(needing)('%s says in one line which Node it needs and how to get it', (name) => {
    const { status, stdout, stderr } = call(name);
    expect([status, stdout, stderr.trim().split('\n').length]).toEqual([1, '', 1]);
    expect(stderr).toMatch(
      /^lhp-otel: lhp-otel needs Node 22\.15 or newer, and \S+ is 20\.\d+\.\d+:/,
    );
    expect(stderr).toMatch(/^[^:]+: [^:]+: install one from https:/);
  });
});

describe('which commands are refused by which Node', () => {
  it.each([
    [['stats'], '22.14.0', true],
    [['stats'], '22.15.0', false],
    [['stats'], '23.0.0', false],
    [['--', 'show'], '18.20.8', true],
    [['hook', '--install'], '20.20.2', true],
    [['hook', '--uninstall', 'fish'], '20.20.2', false],
    [[], '20.20.2', false],
    [['--', 'run', 'true'], '16.0.0', false],
  ])('%j in Node %s: %j', (words, node, refused) =>
    expect(refusal(words, node) !== undefined).toBe(refused),
  );
});
