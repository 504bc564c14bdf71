// The shell hook in the real shells. Each script and each terminal session is the same with the
// hook as without it; it records what `run` records; with an opt-out in the environment it touches
// none of our files.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { program } from '../../scripts/harness/needs.ts';
import { startOtlpServer } from '../../scripts/harness/otlp-server.ts';
import { type Env, idle, processesMentioning, until } from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';
import { openTerminal, type Terminal } from '../support/pty.ts';
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

/**
 * Title, script (for all shells or for each), what the stand-in for lhp runs, and the number of
 * runs that are recorded with the hook.
 */
type Row = [
  title: string,
  text: string | Partial<Record<Shell, string>>,
  task: string,
  recorded: number,
  env?: Env,
];

/** The name of the program that a process is; empty when it has just ended. */
function programOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
/** The hook of a package that was removed. */
const gone = ({ hook }: Place) => readFileSync(hook, 'utf8').replaceAll('/package', '/gone');

const ARGUMENTS = `printf '<%s>' "$@"`;
const posix = (text: string) => ({ bash: text, zsh: text });
const rows: Row[] = [
  ['exit 0', 'lhp generate', 'exit 0', 1],
  ['exit 7', 'lhp generate', 'exit 7', 0],
  ['exit 255', 'lhp generate', 'exit 255', 0],
  ['killed by SIGTERM', 'lhp generate', 'kill -TERM $$', 0],
  ['another command', 'lhp list', 'exit 0', 0],
  ['help', 'lhp generate --help', 'exit 0', 0],
  ['generate as a value', 'lhp validate generate', 'exit 0', 0],
  [
    'spaces, globs and lines',
    "lhp generate 'a  b' '*' 'a\nb' '' '-n' '\\\\' '$HOME'",
    ARGUMENTS,
    1,
  ],
  ['stdin', 'lhp generate', 'cat', 1],
  ['both streams', 'lhp generate', 'echo out; echo err >&2', 1],
  ['in a pipeline', 'echo in | lhp generate | cat', 'cat', 1],
  [
    'a pipe is closed when the command ends',
    'lhp generate 2>&1 | cat',
    'echo out; echo err >&2',
    1,
  ],
  ['a missing lhp', 'lhp generate', 'exit 0', 0, { PATH: '/usr/bin:/bin' }],
  [
    'a working folder that was removed',
    'mkdir d; cd d; rmdir ../d; lhp generate; echo end',
    'echo here',
    0,
  ],
  [
    'its environment',
    'lhp generate',
    'tr "\\0" "\\n" </proc/$$/environ | grep -v "^\\(_\\|HOOK\\|DO\\)=" | sort',
    1,
  ],
  ['$?', { ...posix('lhp generate; echo "$?"'), fish: 'lhp generate; echo $status' }, 'exit 3', 0],
  [
    '$_',
    { bash: 'lhp generate last; echo "$_"', zsh: 'lhp generate last; echo "$_"' },
    'exit 0',
    1,
  ],
  ['$!', posix(': & wait; a=$!; lhp generate; [ "$a" = "$!" ] && echo same'), 'exit 0', 1],
  [
    '$last_pid',
    { fish: 'true &; set a $last_pid; lhp generate; test "$a" = "$last_pid"; and echo same' },
    'exit 0',
    1,
  ],
  [
    'the statuses of a pipeline',
    {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own
      bash: 'lhp generate | false | true; echo "${PIPESTATUS[@]}"; lhp x; echo "${PIPESTATUS[@]}"',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own
      zsh: 'lhp generate | false | true; echo "${pipestatus[@]}"',
      fish: 'lhp generate | false | true; echo $pipestatus',
    },
    'exit 4',
    0,
  ],
  ['set -e ends it', posix('set -e; lhp generate; echo not'), 'exit 5', 0],
  [
    'set -e goes on',
    posix('set -e; lhp generate; echo yes; lhp list || echo no; case $- in *e*) echo e; esac'),
    ':',
    1,
  ],
  [
    'set -e with a trap',
    { bash: 'set -e; trap "echo trapped" ERR; lhp generate; echo not' },
    'exit 5',
    0,
  ],
  ['set -u', posix('set -u; lhp generate; echo "$?"'), 'exit 0', 1],
  ['set -o pipefail', posix('set -o pipefail; lhp generate | cat; echo "$?"'), 'exit 6', 0],
  ['set -x', { bash: 'set -x; lhp generate' }, 'exit 0', 1],
  ['set -C (noclobber)', posix('set -C; lhp generate; echo "$?"'), 'exit 0', 1],
  ['set -f (noglob)', posix('set -f; lhp generate *; echo "$?"'), ARGUMENTS, 1],
  [
    'set -a (allexport)',
    posix('set -a; lhp generate'),
    'tr "\\0" "\\n" </proc/$$/environ | grep -c "^__lhp\\|^BASH_FUNC\\|^name="; :',
    1,
  ],
  [
    'extglob, nullglob, failglob',
    { bash: 'shopt -s extglob nullglob failglob nocasematch; lhp generate' },
    'exit 0',
    1,
  ],
  ['posix mode', { bash: 'set -o posix; lhp generate; echo "$?"' }, 'exit 0', 1],
  [
    'options of zsh',
    {
      zsh:
        'setopt ksharrays shwordsplit globsubst noclobber ksh_glob warncreateglobal errreturn\n' +
        'lhp generate; echo "$?"',
    },
    'exit 0',
    1,
  ],
  ['an odd IFS', posix('IFS=\'e0/\'; lhp generate a; echo "$?"'), ARGUMENTS, 1],
  [
    'an alias called lhp',
    {
      bash: 'shopt -s expand_aliases\nalias lhp="lhp generate"\nlhp x',
      zsh: 'setopt aliases\nalias lhp="lhp generate"\neval "lhp x"',
    },
    ARGUMENTS,
    1,
  ],
  ['in a subshell', posix('(lhp generate; exit 9); echo "$?"'), 'exit 0', 1],
  ['in $()', posix('a=$(lhp generate); echo "[$a]"'), 'echo out', 1],
  ['in the background', posix('lhp generate & wait $!; echo "$?"'), 'exit 0', 1],
  [
    'a descriptor of the user',
    { bash: '{ lhp generate; } 3>&1 | cat', zsh: '{ lhp generate; } 3>&1 | cat' },
    'echo three >&3',
    1,
  ],
  [
    'variables of the user',
    posix('name=a off=b line=c text=d state=e; lhp generate; echo "$name$off$line$text$state"'),
    ':',
    1,
  ],
  ['a user’s own variable for one command', 'X=5 lhp generate', 'echo "$X"', 1],
];

describe.each(SHELLS)('%s: a script is the same with and without the hook', (shell) => {
  const mine = rows.flatMap(([title, text, task, recorded, env]) => {
    const own = typeof text === 'string' ? text : text[shell];
    return own === undefined ? [] : [[title, own, task, recorded, env] as const];
  });
  sampled(it.concurrent, 24).each(mine)('%s', async (_, text, task, recorded, env) => {
    const where = place(shell);
    const all = { DO: task, ...env };
    const bare = await script(shell, where, text, false, all);
    const hooked = await script(shell, where, text, true, all);
    expect(hooked).toEqual(bare);
    await where.box.recorded(recorded);
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(recorded);
  });

  it.concurrent('a run has its duration and its environment', async () => {
    const where = place(shell);
    await script(shell, where, 'lhp generate --env prod', true, { DO: 'sleep 0.5' });
    const [event] = await where.box.recorded(1);
    expect(event).toMatchObject({
      event: 'lhp_generate',
      environment: 'prod',
      lhp_version: 'other',
    });
    expect(event?.generation_time_seconds).toBeGreaterThanOrEqual(0.48);
  });

  it.concurrent('another function called lhp is left alone', async () => {
    const where = place(shell);
    const text = {
      bash: 'lhp() { echo mine; }',
      zsh: 'lhp() { echo mine; }',
      fish: 'function lhp; echo mine; end',
    };
    expect(
      await script(shell, where, `${text[shell]}\n. "$HOOK"\nlhp generate`, false),
    ).toMatchObject({
      stdout: 'mine\n',
    });
  });

  it.concurrent('a hook that was loaded twice records once', async () => {
    const where = place(shell);
    await script(shell, where, '. "$HOOK"\nlhp generate', true);
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(1);
  });

  it.concurrent.each([
    ['before the shell started', (where: Place) => void writeFileSync(where.hook, gone(where))],
    ['in an open shell', () => {}],
  ])('a package that was removed %s: lhp runs, and nothing is printed', async (when, remove) => {
    const where = place(shell);
    writeFileSync(where.hook, texts[shell].replaceAll(entry, join(where.box.dir, 'package')));
    writeFileSync(join(where.box.dir, 'package'), '');
    remove(where);
    const there =
      shell === 'fish' ? 'functions -q lhp' : 'command -V lhp 2>/dev/null | grep -q function';
    const status = shell === 'fish' ? '$status' : '$?';
    const text = `${there}; echo ${status}; rm ../package; lhp -v generate`;
    expect(await script(shell, where, text, true, { DO: 'echo out' })).toEqual({
      ...{
        stdout: when === 'in an open shell' ? '0\nout\n' : '1\nout\n',
        stderr: '',
        status: 0,
        signal: null,
      },
    });
    expect(processesMentioning(where.box.dir)).toEqual([]);
    expect(where.box.runFiles()).toEqual([]);
  });

  it.concurrent('a Node that was removed: nothing is recorded, and -v says so', async () => {
    const where = place(shell);
    writeFileSync(where.hook, texts[shell].replaceAll(process.execPath, '/nowhere/node'));
    expect(
      await script(shell, where, 'lhp generate; lhp -v generate', true, { DO: 'echo out' }),
    ).toEqual({
      ...{ stdout: 'out\nout\n', status: 0, signal: null },
      stderr: 'lhp-otel: nothing recorded: the Node of this hook is gone (lhp-otel doctor)\n',
    });
    expect(processesMentioning(where.box.dir)).toEqual([]);
    expect(where.box.runFiles()).toEqual([]);
  });

  // As README and docs/adr/0008-shell-hook.md say.
  sampled(it.concurrent, 8).each([
    ['time lhp generate', 1],
    ['nice -n 1 lhp generate', 0],
    ['timeout 60 lhp generate', 0],
    ['env A=1 lhp generate', 0],
    ['command lhp generate', 0],
    ['make generate', 0],
    ['alias again="lhp generate"; eval again', 1],
  ])('%s: recorded %d', async (text, recorded) => {
    const where = place(shell);
    writeFileSync(join(where.project, 'Makefile'), 'generate:\n\t@lhp generate\n');
    const aliases = shell === 'bash' ? 'shopt -s expand_aliases\n' : '';
    expect((await script(shell, where, `${aliases}${text}`, true, { DO: 'echo out' })).stdout).toBe(
      'out\n',
    );
    await where.box.recorded(recorded);
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(recorded);
  });
});

describe.each(SHELLS)('%s: the process in the background', (shell) => {
  it.concurrent('has its own session, low priority, no terminal and no streams', async () => {
    const where = place(shell);
    const probe = join(where.box.dir, 'probe.cjs');
    const report = join(where.box.dir, 'report');
    writeFileSync(
      probe,
      `const fs = require('node:fs');
      const { existsSync, readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } = fs;
      const stat = readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ');
      writeFileSync(process.env.REPORT + '.part', JSON.stringify({
        leader: stat[3] === String(process.pid), terminal: stat[4], nice: stat[16],
        cwd: process.cwd(), streams: [0, 1, 2].map((fd) => readlinkSync('/proc/self/fd/' + fd)),
        args: process.argv.slice(4), options: process.env.NODE_OPTIONS,
        kept: readdirSync('/proc/self/fd').some((fd) => {
          try {
            return readlinkSync('/proc/self/fd/' + fd).endsWith('.fd');
          } catch {
            return false;
          }
        }),
      }));
      renameSync(process.env.REPORT + '.part', process.env.REPORT);
      setInterval(() => existsSync(process.env.REPORT + '.over') && process.exit(0), 20);`,
    );
    writeFileSync(where.hook, texts[shell].replaceAll(entry, probe));
    // Descriptors above 2 must be closed. fish cannot close them.
    const text =
      shell === 'fish' ? "lhp generate 'a b' '*'" : '{ lhp generate "a b" "*"; } 3>"$REPORT.fd"';
    await script(shell, where, text, true, { REPORT: report, NODE_OPTIONS: '--no-warnings' });
    // The script has ended although the process still runs, so nobody waits for it.
    await until(() => existsSync(report), 'the report of the process');
    expect(processesMentioning(where.box.dir)).toHaveLength(1);
    writeFileSync(`${report}.over`, '');
    expect(JSON.parse(readFileSync(report, 'utf8'))).toEqual({
      ...{ leader: true, terminal: '0', cwd: where.project, options: '', kept: false },
      nice: String(Math.min(19, getPriority() + 10)),
      streams: [join(where.project, 'lhp.yaml'), '/dev/null', '/dev/null'],
      args: ['none', 'nobundle', 'lhp', 'generate', 'a b', '*'],
    });
  });
});

describe('hook-entry: the duration from two times of the shell’s clock', () => {
  it.concurrent.each([
    ['1795522014.25', '1795522015.75', 1.5],
    ['1795522014,250000', '1795522015,750000', 1.5],
    ['1795522014.25', '1795522013.75', 0],
    ['100.25', '101.75', 1.5],
    ['', '101.75', undefined],
    ['1795522014.25', 'N', undefined],
  ])('from %j to %j: %j s', async (from, to, duration) => {
    const { box, project } = place('bash');
    const env = { ...box.env, DO: ':' } as NodeJS.ProcessEnv;
    const child = spawn(process.execPath, [entry, from, to, 'none', 'unknown', 'lhp', 'generate'], {
      cwd: project,
      env,
      stdio: 'ignore',
    });
    expect((await once(child, 'close'))[0]).toBe(0);
    await idle(box);
    expect(box.events().map((event) => event.generation_time_seconds)).toEqual(
      duration === undefined ? [] : [duration],
    );
  });
});

describe.each(SHELLS)('%s: opt-outs', (shell) => {
  const unset = ['', '0', 'false', 'no', 'off', 'FALSE', 'No', ' 0 ', '\toff\n', '  '];
  const set = ['1', 'true', 'yes', 'on', 'anything', ' 1 ', '00'];
  const values = (name: string, list: string[], recorded: number) =>
    list.map((value): [Env, number, string] => [{ [name]: value }, recorded, '']);
  const table: [env: Env, recorded: number, telemetry: string][] = [
    ...values('DO_NOT_TRACK', unset, 1),
    ...values('DO_NOT_TRACK', set, 0),
    ...['LHP_DISABLE_ANALYTICS', 'OTEL_SDK_DISABLED', 'PYTEST_CURRENT_TEST'].flatMap((name) =>
      values(name, ['x'], 0),
    ),
    ...values('LHP_TELEMETRY', ['off', ' OFF ', '0', 'no', 'False'], 0),
    ...values('LHP_TELEMETRY', ['', ' ', 'on', '1'], 1),
    [{ LHP_OTEL_UPSTREAM: 'off' }, 1, 'off'],
    [{ LHP_OTEL_UPSTREAM: ' No ', LHP_TELEMETRY: 'off' }, 1, 'off'],
    [{ LHP_OTEL_UPSTREAM: 'on', LHP_TELEMETRY: 'off' }, 0, 'off'],
    [{ LHP_OTEL_UPSTREAM: 'off', DO_NOT_TRACK: '1' }, 0, 'off'],
  ];
  sampled(it.concurrent, 24).each(table)('%j: recorded %d', async (env, recorded, telemetry) => {
    const where = place(shell);
    const { stdout, stderr } = await script(shell, where, 'lhp generate', true, {
      ...env,
      DO: 'printenv LHP_TELEMETRY; :',
    });
    if (telemetry) expect(stdout).toBe(`${telemetry}\n`);
    expect(stderr).toBe('');
    // The shell decides by itself, and starts no process if a variable opts out.
    if (recorded === 0) expect(processesMentioning(where.box.dir)).toEqual([]);
    await where.box.recorded(recorded);
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(recorded);
  });

  const strace = program('strace');
  if (lacking(strace)) return;
  const under = async (where: Place, env: Env) => {
    const { processes, ...ran } = await traced([...CLEAN[shell], '-c', '. "$HOOK"; lhp generate'], {
      strace: strace.path,
      cwd: where.project,
      env: { ...where.box.env, HOOK: where.hook, DO: ':', ...env } as NodeJS.ProcessEnv,
    });
    expect(ran).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const files = processes.flatMap((one) => one.files);
    return {
      programs: processes.flatMap((one) => one.programs).map((path) => path.split('/').at(-1)),
      ours: files.filter(({ path }) =>
        /dist|lhp-otel(?!-test)|\.lhp_do_not_track|\/node$|uptime/.test(path),
      ),
    };
  };
  sampled(it.concurrent, 6).each<Env>([
    { LHP_DISABLE_ANALYTICS: '1' },
    { DO_NOT_TRACK: '1' },
    { LHP_TELEMETRY: 'off' },
    { OTEL_SDK_DISABLED: 'true' },
    { PYTEST_CURRENT_TEST: 'a test' },
  ])('%j: no process, no file of ours', async (env) => {
    const { programs, ours } = await under(place(shell), env);
    expect(programs).toEqual([shell, 'lhp']);
    // Loading the hook checks that the package is there. The command touches nothing.
    const [loading, ...others] = ours;
    expect(loading).toMatchObject({ call: expect.stringMatching(/access|stat/), path: entry });
    expect(others).toEqual([]);
  });
  it.concurrent('without an opt-out: a process, and files of ours', async () => {
    const { programs, ours } = await under(place(shell), {});
    expect(programs.filter((name) => name === 'node')).toHaveLength(2);
    expect(ours.length).toBeGreaterThan(0);
  });
});

describe.each(SHELLS)('%s: what -v and LHP_OTEL_LOG=debug print', (shell) => {
  sampled(it.concurrent, 8).each<[string, Env, string]>([
    [
      'lhp generate',
      { LHP_OTEL_LOG: 'debug' },
      'started a background process that looks at this run; what became of it: lhp-otel status',
    ],
    [
      'lhp -v generate',
      { DO_NOT_TRACK: '1' },
      'telemetry is off (DO_NOT_TRACK): nothing recorded, no network activity',
    ],
    [
      'lhp -v generate',
      { DO_NOT_TRACK: '1', LHP_DISABLE_ANALYTICS: '1' },
      'telemetry is off (LHP_DISABLE_ANALYTICS): nothing recorded, no network activity',
    ],
    [
      'lhp generate --verbose',
      { DO: 'exit 2' },
      'the command ended with 2: nothing recorded, no network activity',
    ],
    ['lhp -vv list', {}, 'this is no lhp generate: nothing recorded, no network activity'],
  ])('%s %j', async (text, env, line) => {
    const { stderr } = await script(shell, place(shell), text, true, env);
    expect(stderr).toBe(`lhp-otel: ${line}\n`);
  });
});

describe.each(SHELLS)('%s: on a terminal', (shell) => {
  if (lacking(program('python3'))) return;
  const INTERACTIVE: Record<Shell, string[]> = {
    bash: [...CLEAN.bash, '--noediting', '-i'],
    zsh: [...CLEAN.zsh, '+Z', '-i'],
    fish: [...CLEAN.fish, '-i'],
  };
  const begin = async (where: Place, hooked: boolean, env: Env = {}) => {
    const terminal = openTerminal(INTERACTIVE[shell], {
      cwd: where.project,
      env: {
        ...where.box.env,
        DO: ':',
        HOOK: where.hook,
        HISTFILE: '',
        TERM: 'dumb',
        ...env,
      } as NodeJS.ProcessEnv,
      size: [50, 200],
    });
    const setup = {
      bash: "PS1='<ready>'",
      zsh: "unsetopt zle promptsp promptcr; PS1='<ready>'",
      fish: 'function fish_prompt; echo -n "<ready>"; end',
    };
    terminal.type(`${setup[shell]}\n`);
    await terminal.expect('<ready>');
    terminal.type(hooked ? '. "$HOOK"; echo se""t\n' : ': "$HOOK"; echo se""t\n');
    await terminal.expect('set\r\n');
    await terminal.expect('<ready>');
    return terminal;
  };
  const status = shell === 'fish' ? '$status' : '$?';
  const line = async (terminal: Terminal, text: string, shown: string) => {
    terminal.type(`${text}\n`);
    await terminal.expect(shown);
  };
  const close = async (terminal: Terminal) => {
    await terminal.expect('<ready>');
    terminal.type('exit 0\n');
    return terminal.ended();
  };

  it.concurrent('a generate leaves no line, no job and no zombie', async () => {
    const where = place(shell);
    const terminal = await begin(where, true);
    for (let i = 1; i <= 3; i += 1) {
      await line(terminal, `lhp generate; echo "sta"tus=${status}`, 'status=0');
      await terminal.expect('<ready>');
      await where.box.recorded(i);
    }
    const before = terminal.shown().length;
    await line(terminal, 'jobs; echo e""nd', 'end\r\n');
    expect(terminal.shown()).not.toMatch(/\[\d+\]|Done|done|has ended|exit \d/);
    expect(terminal.shown().slice(before)).not.toMatch(/node|nice/);
    expect(await close(terminal)).toBe(0);
  });

  it.concurrent('Ctrl-C ends the command, and nothing is recorded', async () => {
    const where = place(shell);
    const seen: string[] = [];
    for (const hooked of [false, true]) {
      const terminal = await begin(where, hooked, { DO: 'echo started; exec sleep 30' });
      await line(terminal, 'lhp generate', 'started');
      terminal.type('\x03');
      await terminal.expect('<ready>');
      await line(terminal, `echo "sta"tus=${status}`, 'status=');
      await terminal.expect('<ready>');
      seen.push(/status=(\d+)/.exec(terminal.shown())?.[1] ?? '');
      terminal.type('exit 0\n');
      await terminal.ended();
    }
    expect(seen).toEqual(['130', '130']);
    await idle(where.box);
    expect(where.box.runFiles()).toEqual([]);
  });

  it.concurrent('Ctrl-Z stops it, fg continues it to its end', async () => {
    const where = place(shell);
    for (const hooked of [false, true]) {
      const terminal = await begin(where, hooked, { DO: 'echo started; read x; echo "got $x"' });
      await line(terminal, 'lhp generate', 'started');
      terminal.type('\x1a');
      await terminal.expect('<ready>');
      await line(terminal, 'jobs; echo e""nd', 'end\r\n');
      expect(terminal.shown()).toMatch(/stopped|suspended/i);
      await line(terminal, 'fg', shell === 'zsh' ? 'continued' : 'lhp'); // The shell names the job.
      await line(terminal, 'this', 'got this');
      expect(await close(terminal)).toBe(0);
    }
    await idle(where.box);
  });

  it.concurrent('run 1 waits, run 2 shows the notice and waits, run 3 delivers all', async () => {
    const where = place(shell);
    const server = await startOtlpServer();
    const terminal = await begin(where, true, { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoint });
    const lines = () =>
      terminal
        .shown()
        .split('\r\n')
        .filter((text) => text.includes('lhp-otel: '));
    for (const [run, shown, delivered] of [
      [1, 0, 0],
      [2, 4, 0],
      [3, 4, 3],
      [4, 4, 4],
    ] as const) {
      await line(terminal, `lhp generate; echo ru""n${run}`, `run${run}\r\n`);
      await terminal.expect('<ready>');
      expect(lines()).toHaveLength(shown);
      await where.box.recorded(run);
      await until(() => server.requests.length === delivered, `${delivered} requests`);
      const background = () =>
        processesMentioning(where.box.dir).filter((pid) => /node/.test(programOf(pid)));
      await until(() => background().length === 0, 'the reporter to end');
    }
    expect(lines().join()).toContain(new URL(server.endpoint).host);
    terminal.type('exit 0\n');
    await terminal.ended();
    await server.close();
    expect(server.requests).toHaveLength(4);
  });
});

describe('the user’s completion of lhp still works', () => {
  it.concurrent.each(SHELLS)('%s', async (shell) => {
    const where = place(shell);
    const asks = {
      bash: 'complete -W "one two" lhp; . "$HOOK"; complete -p lhp',
      zsh:
        'autoload -Uz compinit; compinit -D; _own() { :; }; compdef _own lhp\n' +
        '. "$HOOK"; echo $_comps[lhp]',
      fish: 'complete -c lhp -f -a "one two"; . "$HOOK"; complete -C "lhp on"',
    };
    const { stdout } = await script(shell, where, asks[shell], false);
    expect(stdout).toBe(
      { bash: "complete -W 'one two' lhp\n", zsh: '_own\n', fish: 'one\n' }[shell],
    );
  });
});
