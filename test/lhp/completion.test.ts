// Completion in the real shells: with bash-completion, zsh's line editor on a terminal, and fish's
// `complete -C`. The expected words are read from the commander program, so this fails if a shell
// does not offer a command or an option. After `run` the shell completes the other command as it
// does without lhp-otel, the real lhp included.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lhp, program } from '../../scripts/harness/needs.ts';
import { sandbox, until } from '../../scripts/harness/sandbox.ts';
import { commandLine } from '../../src/commands/commands.ts';
import { completionText } from '../../src/commands/completion.ts';
import { lacking } from '../support/lacking.ts';
import { openTerminal } from '../support/pty.ts';

const line = commandLine();
const names = line.commands.map((command) => command.name());
const optionNames = (command = line) =>
  command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ short, long }) => [short, long].filter((name) => name !== undefined));

/** The words of a line, of which the last one is completed, and exactly what must be offered. */
type Case = [words: string[], offered: string[]];
const cases: Case[] = [
  [['lhp-otel', ''], names],
  [['lhp-otel', 'sho'], ['show']],
  [['lhp-otel', '--'], optionNames().filter((name) => name.startsWith('--'))],
  ...line.commands.map(
    (command): Case => [
      ['lhp-otel', command.name(), '--'],
      optionNames(command).filter((name) => name.startsWith('--')),
    ],
  ),
  ...line.commands.flatMap((command): Case[] => {
    const values = command.registeredArguments[0]?.argChoices;
    return values ? values.map((value) => [['lhp-otel', command.name(), value], [value]]) : [];
  }),
  [
    ['lhp-otel', 'show', '--format', ''],
    ['event', 'otlp'],
  ],
  [['lhp-otel', 'show', '--format', 'o'], ['otlp']],
  [['lhp-otel', 'show', '--last', '1', '--format', 'o'], ['otlp']],
  // After `run` comes another command.
  [['lhp-otel', 'run', 'other-prog'], ['other-program']],
  [['lhp-otel', 'run', '--', 'other-prog'], ['other-program']],
  [
    ['lhp-otel', 'run', 'other-program', ''],
    ['one', 'two'],
  ],
  [['lhp-otel', 'run', '--', 'other-program', 'one', 't'], ['two']],
  [['lhp-otel', 'run', '--', 'other-program', 'show', '--format', 'o'], ['one']],
  [['lhp-otel', 'show', '--preview', '--', 'other-program', 'o'], ['one']],
];

const box = sandbox();
afterAll(() => box.dispose());
const script = (shell: string) => {
  const file = join(box.dir, `completion.${shell}`);
  writeFileSync(file, completionText(shell, line));
  return file;
};
const bin = join(box.dir, 'bin');
mkdirSync(bin);
writeFileSync(join(bin, 'other-program'), '', { mode: 0o755 });
const env = { ...box.env, PATH: `${bin}:${process.env.PATH}` } as NodeJS.ProcessEnv;
const quoted = (words: string[]) => words.map((word) => `'${word}'`).join(' ');
const title = ([words]: Case) => words.join(' ');

/** Asks one shell for all cases. Returns what it offers for each, in their order. */
function ask(command: string[], text: string, more: NodeJS.ProcessEnv = {}): string[][] {
  const [file = '', ...args] = command;
  const ran = spawnSync(file, [...args, '-c', text], {
    cwd: box.dir,
    env: { ...env, ...more },
    encoding: 'utf8',
  });
  return ran.stdout
    .split('\n')
    .map((offered) => [...new Set(offered.split(' ').filter(Boolean))].sort());
}

function check(list: Case[], answers: string[][]): void {
  it.each(
    list.map((each, at): [string, string[], string[]] => [title(each), each[1], answers[at] ?? []]),
  )('%s', (_, offered, got) => {
    expect(got).toEqual([...offered].sort());
  });
}

const BASH_COMPLETION = '/usr/share/bash-completion/bash_completion';
const bashAsk = (list: Case[], other: string, path?: string) =>
  ask(
    ['bash', '--norc', '--noprofile'],
    // compopt complains that it is called outside a completion.
    `exec 2>/dev/null
${existsSync(BASH_COMPLETION) ? `. ${BASH_COMPLETION}` : ''}
. ${script('bash')}
${other}
ask() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
  COMP_POINT=\${#COMP_LINE} COMPREPLY=()
  _lhp_otel lhp-otel
  echo "\${COMPREPLY[*]}"
}
${list.map(([words]) => `ask ${quoted(words)}`).join('\n')}`,
    path === undefined ? {} : { PATH: path },
  );

describe('bash', () => {
  if (
    lacking(
      program('bash'),
      existsSync(BASH_COMPLETION)
        ? { path: BASH_COMPLETION }
        : { path: '', lacks: 'bash-completion is not on this machine' },
    )
  )
    return;
  const list = cases
    // bash splits a word at =.
    .map(([words, offered]): Case => [words, offered])
    .concat([
      [['lhp-otel', 'show', '--format', '=', 'o'], ['otlp']],
      [
        ['lhp-otel', 'show', '--format', '='],
        ['event', 'otlp'],
      ],
    ]);
  list[0] = [
    ['lhp-otel', ''],
    [...names, ...optionNames()],
  ];
  check(list, bashAsk(list, `complete -W 'one two' other-program`));

  it('bash-completion finds the script as a file', () => {
    const data = join(box.dir, 'data');
    mkdirSync(join(data, 'bash-completion', 'completions'), { recursive: true });
    copyFileSync(script('bash'), join(data, 'bash-completion', 'completions', 'lhp-otel'));
    const text = `. ${BASH_COMPLETION}; _completion_loader lhp-otel; complete -p lhp-otel`;
    expect(ask(['bash', '--norc', '--noprofile'], text, { XDG_DATA_HOME: data })[0]).toEqual([
      '-F',
      '_lhp_otel',
      'complete',
      'lhp-otel',
    ]);
  });

  const real = lhp('0.9.3');
  if (lacking(real)) return;
  it('after run the real lhp completes itself', () => {
    const own = 'eval "$(_LHP_COMPLETE=bash_source lhp)"';
    const words = ['lhp-otel', 'run', '--', 'lhp', 'gen'];
    expect(bashAsk([[words, []]], own, `${dirname(real.path)}:${process.env.PATH}`)[0]).toEqual([
      'generate',
    ]);
  });
});

describe('bash without bash-completion', () => {
  if (lacking(program('bash'))) return;
  const text = `exec 2>/dev/null
. ${script('bash')}
ask() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=(); _lhp_otel; echo "\${COMPREPLY[*]}"; }
ask lhp-otel st
ask lhp-otel run -- other-prog
ask lhp-otel run other-program bi`;
  it('offers programs, and files', () =>
    expect(ask(['bash', '--norc', '--noprofile'], text).slice(0, 3)).toEqual([
      names.filter((name) => name.startsWith('st')),
      ['other-program'],
      ['bin'],
    ]));
});

describe('fish', () => {
  if (lacking(program('fish'))) return;
  const list = [...cases, [['lhp-otel', 'show', '--format=o'], ['--format=otlp']] as Case];
  const answers = ask(
    ['fish', '--no-config'],
    `source ${script('fish')}
complete -c other-program -f -a 'one two'
function ask; echo (complete -C $argv[1] | string replace -r '\\t.*' ''); end
${list.map(([words]) => `ask '${words.join(' ')}'`).join('\n')}`,
  );
  check(list, answers);
});

describe('zsh', async () => {
  if (lacking(program('zsh'), program('python3'))) return;
  const offered = join(box.dir, 'offered');
  // zsh finds the script as a file in $fpath.
  const fpath = join(box.dir, 'zfunc');
  mkdirSync(fpath);
  copyFileSync(script('zsh'), join(fpath, '_lhp-otel'));
  // A widget that completes as TAB does, and writes what would be offered to a file.
  const setup = `
fpath=(${fpath} $fpath)
autoload -Uz compinit && compinit -u -d ${join(box.dir, 'dump')}
compdef '_arguments "*:value:(one two)"' other-program
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a hits
  builtin compadd -A hits "$@"
  offered+=($hits)
  builtin compadd "$@"
}
ask() {
  offered=()
  _main_complete
  print -r -- $offered >>${offered}
  compstate[insert]='' compstate[list]=''
}
zle -C ask complete-word ask
bindkey '^T' ask
PS1='ready> '
`;
  writeFileSync(join(box.dir, 'setup.zsh'), setup);
  const terminal = openTerminal(['zsh', '-f', '-i'], { cwd: box.dir, env, size: [24, 200] });
  const lines = () =>
    existsSync(offered) ? readFileSync(offered, 'utf8').split('\n').slice(0, -1) : [];
  const list = [...cases, [['lhp-otel', 'show', '--format=o'], ['otlp']] as Case];
  const answers: string[][] = [];
  terminal.type('. ./setup.zsh\r');
  await terminal.expect('ready> ');
  for (const [words] of list) {
    terminal.type(`${words.join(' ')}\x14`);
    await until(
      () => lines().length > answers.length,
      `what zsh offers for ${words.join(' ')}; it shows ${terminal.shown()}`,
      10_000,
    );
    answers.push([...new Set((lines().at(-1) ?? '').split(' ').filter(Boolean))].sort());
    terminal.type('\x15');
  }
  terminal.type('exit\r');
  await terminal.ended();
  check(list, answers);
  it('the script can be evaluated after compinit', () => {
    const text = `compdef() { print $*; }; eval "$(<${script('zsh')})"`;
    expect(ask(['zsh', '-f'], text)[0]).toEqual(['_lhp-otel', 'lhp-otel']);
  });
});

it.each([
  [['completion'], 'shell'],
  [['completion', 'fsh'], 'fish'],
])('%j is a usage error', (words, text) => {
  const ran = box.run(words);
  expect(ran).toMatchObject({ status: 2, stdout: '' });
  expect(ran.stderr).toContain(text);
});
it('the built program prints the same scripts', () => {
  for (const shell of ['bash', 'zsh', 'fish'])
    expect(box.run(['completion', shell])).toEqual(
      expect.objectContaining({ status: 0, stderr: '', stdout: completionText(shell, line) }),
    );
});
