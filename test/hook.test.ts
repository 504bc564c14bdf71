// Proves that the shell hook is the command, in the real shells: each script and each terminal session is the same with the hook
// as without it, what is recorded is what `run` records, and with an opt-out in the environment nothing of ours is touched.
// Also that the rc file is edited once and given back to the byte.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
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
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Language, Parser } from 'web-tree-sitter';
import { lacking, program } from './support/needs.ts';
import { startOtlpServer } from './support/otlp-server.ts';
import { openTerminal, type Terminal } from './support/pty.ts';
import {
  cli,
  type Env,
  idle,
  processesMentioning,
  projectRoot,
  type Sandbox,
  sandbox,
  until,
} from './support/sandbox.ts';
import { traced } from './support/trace.ts';

const programs = join(projectRoot, 'test', 'fixtures', 'bin');
const SHELLS = (['bash', 'zsh', 'fish'] as const).filter((name) => !lacking(program(name)));
type Shell = (typeof SHELLS)[number];
/** Without the user's own rc files. */
const CLEAN: Record<Shell, string[]> = {
  bash: ['bash', '--norc', '--noprofile'],
  zsh: ['zsh', '-f'],
  fish: ['fish', '--no-config'],
};

interface Place {
  box: Sandbox;
  project: string;
  hook: string;
}
const places: Place[] = [];

const texts = Object.fromEntries(
  ['bash', 'zsh', 'fish', 'pwsh'].map((shell) => [
    shell,
    spawnSync(process.execPath, [cli, 'hook', shell], { encoding: 'utf8' }).stdout,
  ]),
) as Record<Shell | 'pwsh', string>;

function place(shell: Shell): Place {
  const box = sandbox({ path: [programs], env: { LC_ALL: 'C.UTF-8' } });
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: hook\n');
  const hook = join(box.dir, 'hook');
  writeFileSync(hook, texts[shell]);
  const where = { box, project, hook };
  places.push(where);
  return where;
}

afterAll(async () => {
  const stayed: string[] = [];
  for (const { box } of places) {
    await idle(box).catch((error: Error) => stayed.push(error.message));
    for (const pid of processesMentioning(box.dir)) process.kill(pid, 'SIGKILL');
    box.dispose();
  }
  expect(stayed).toEqual([]);
});

/** What a shell says of a line names the line, which is the hook's then: known to differ, in scripts only. */
const withoutPlace = (text: string) =>
  text
    .replace(/^(bash|\S+hook): line \d+: +(\d+ )?/gm, '')
    .replace(/^(zsh|lhp):\d+: /gm, '')
    .replace(/^(fish: Unknown command: lhp\n)[\s\S]*/, '$1')
    .replace(/^(Terminated) .*/gm, '$1');

/** Runs a script with or without the hook. The last line keeps a shell from becoming its last command. */
async function script(shell: Shell, where: Place, text: string, hooked: boolean, env: Env = {}) {
  const [file = '', ...args] = CLEAN[shell];
  const child = spawn(
    file,
    [...args, '-c', `${hooked ? '. "$HOOK"' : ':'}\n${text}\nexit ${shell === 'fish' ? '$status' : '$?'}`],
    {
      cwd: where.project,
      env: { ...where.box.env, DO: 'exit 0', HOOK: where.hook, ...env } as NodeJS.ProcessEnv,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  const seen = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('latin1').on('data', (bytes: string) => {
      seen[name] += bytes;
    });
  }
  child.stdin.on('error', () => {}); // the script need not read it
  child.stdin.end('typed\n');
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { ...seen, stderr: withoutPlace(seen.stderr), status, signal };
}

// Title, script (by shell, or one for all), what the command does, and how many runs are recorded with the hook.
type Row = [title: string, text: string | Partial<Record<Shell, string>>, task: string, recorded: number, env?: Env];

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
  ['spaces, globs and lines', "lhp generate 'a  b' '*' 'a\nb' '' '-n' '\\\\' '$HOME'", ARGUMENTS, 1],
  ['stdin', 'lhp generate', 'cat', 1],
  ['both streams', 'lhp generate', 'echo out; echo err >&2', 1],
  ['in a pipeline', 'echo in | lhp generate | cat', 'cat', 1],
  ['the end of a pipe is the end of the command', 'lhp generate 2>&1 | cat', 'echo out; echo err >&2', 1],
  ['an lhp that is not there', 'lhp generate', 'exit 0', 0, { PATH: '/usr/bin:/bin' }],
  ['a working directory that is gone', 'mkdir d; cd d; rmdir ../d; lhp generate; echo end', 'echo here', 0],
  ['its environment', 'lhp generate', 'tr "\\0" "\\n" </proc/$$/environ | grep -v "^\\(_\\|HOOK\\|DO\\)=" | sort', 1],
  ['$?', { ...posix('lhp generate; echo "$?"'), fish: 'lhp generate; echo $status' }, 'exit 3', 0],
  ['$_', { bash: 'lhp generate last; echo "$_"', zsh: 'lhp generate last; echo "$_"' }, 'exit 0', 1],
  ['$!', posix(': & wait; a=$!; lhp generate; [ "$a" = "$!" ] && echo same'), 'exit 0', 1],
  ['$last_pid', { fish: 'true &; set a $last_pid; lhp generate; test "$a" = "$last_pid"; and echo same' }, 'exit 0', 1],
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
  ['set -e with a trap', { bash: 'set -e; trap "echo trapped" ERR; lhp generate; echo not' }, 'exit 5', 0],
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
      zsh: 'setopt ksharrays shwordsplit globsubst noclobber ksh_glob warncreateglobal errreturn; lhp generate; echo "$?"',
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

describe.each(SHELLS)('%s: a script is the same with and without', (shell) => {
  const mine = rows.flatMap(([title, text, task, recorded, env]) => {
    const own = typeof text === 'string' ? text : text[shell];
    return own === undefined ? [] : [[title, own, task, recorded, env] as const];
  });
  it.concurrent.each(mine)('%s', async (_, text, task, recorded, env) => {
    const where = place(shell);
    const all = { DO: task, ...env };
    const bare = await script(shell, where, text, false, all);
    const hooked = await script(shell, where, text, true, all);
    expect(hooked).toEqual(bare);
    await where.box.recorded(recorded);
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(recorded);
  });

  it.concurrent('a run has its duration, its start and its environment', async () => {
    const where = place(shell);
    await script(shell, where, 'lhp generate --env prod', true, { DO: 'sleep 0.5' });
    const [event] = await where.box.recorded(1);
    expect(event).toMatchObject({ event: 'lhp_generate', environment: 'prod', lhp_version: '0.9.3' });
    expect(event?.generation_time_seconds).toBeGreaterThanOrEqual(0.48);
  });

  it.concurrent('a function called lhp that is somebody else’s stays', async () => {
    const where = place(shell);
    const text = { bash: 'lhp() { echo mine; }', zsh: 'lhp() { echo mine; }', fish: 'function lhp; echo mine; end' };
    expect(await script(shell, where, `${text[shell]}\n. "$HOOK"\nlhp generate`, false)).toMatchObject({
      stdout: 'mine\n',
    });
  });

  it.concurrent('loaded twice it records once', async () => {
    const where = place(shell);
    await script(shell, where, '. "$HOOK"\nlhp generate', true);
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(1);
  });

  it.concurrent('when the package is gone, lhp runs, and nothing is said', async () => {
    const where = place(shell);
    writeFileSync(where.hook, texts[shell].replaceAll('finished.cjs', 'gone.cjs'));
    expect(await script(shell, where, 'lhp generate', true, { DO: 'echo out' })).toEqual({
      ...{ stdout: 'out\n', stderr: '', status: 0, signal: null },
    });
    expect(processesMentioning(where.box.dir)).toEqual([]);
    expect(where.box.runFiles()).toEqual([]);
  });
});

describe.each(SHELLS)('%s: the process in the background', (shell) => {
  it.concurrent('has a session of its own, low priority, no terminal, no stream, and the folder of the run', async () => {
    const where = place(shell);
    const probe = join(where.box.dir, 'probe.cjs');
    const report = join(where.box.dir, 'report');
    writeFileSync(
      probe,
      `const { existsSync, readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } = require('node:fs');
      const stat = readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ');
      writeFileSync(process.env.REPORT + '.part', JSON.stringify({
        leader: stat[3] === String(process.pid), terminal: stat[4], nice: stat[16], cwd: process.cwd(),
        streams: [0, 1, 2].map((fd) => readlinkSync('/proc/self/fd/' + fd)), args: process.argv.slice(4),
        options: process.env.NODE_OPTIONS,
        kept: readdirSync('/proc/self/fd').some((fd) => {
          try { return readlinkSync('/proc/self/fd/' + fd).endsWith('.fd'); } catch { return false; }
        }),
      }));
      renameSync(process.env.REPORT + '.part', process.env.REPORT);
      setInterval(() => existsSync(process.env.REPORT + '.over') && process.exit(0), 20);`,
    );
    writeFileSync(where.hook, texts[shell].replaceAll(join(projectRoot, 'dist', 'finished.cjs'), probe));
    // A reader of a pipe waits for who holds it; fish has no way to close a descriptor.
    const text = shell === 'fish' ? "lhp generate 'a b' '*'" : '{ lhp generate "a b" "*"; } 3>"$REPORT.fd"';
    await script(shell, where, text, true, { REPORT: report, NODE_OPTIONS: '--no-warnings' });
    // The script has ended, and this one will not before it is told to: nobody waits for it.
    await until(() => existsSync(report), 'the report of the process');
    expect(processesMentioning(where.box.dir)).toHaveLength(1);
    writeFileSync(`${report}.over`, '');
    expect(JSON.parse(readFileSync(report, 'utf8'))).toEqual({
      ...{ leader: true, terminal: '0', nice: '10', cwd: where.project, options: '', kept: false },
      ...{ streams: Array(3).fill('/dev/null'), args: ['none', 'lhp', 'generate', 'a b', '*'] },
    });
  });
});

describe('finished: what the background process makes of the clock', () => {
  it.concurrent.each([
    ['1795522014.25', '1795522015.75', 1.5],
    ['1795522014,250000', '1795522015,750000', 1.5],
    ['1795522014.25', '1795522013.75', 0],
    ['100.25', '101.75', 1.5],
    ['', '101.75', undefined],
    ['1795522014.25', 'N', undefined],
  ])('from %j to %j: %j s', async (from, to, duration) => {
    const { box, project } = place('bash');
    const file = join(projectRoot, 'dist', 'finished.cjs');
    const env = { ...box.env, DO: ':' } as NodeJS.ProcessEnv;
    const child = spawn(process.execPath, [file, from, to, 'none', 'lhp', 'generate'], {
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

describe.each(SHELLS)('%s: what switches it off', (shell) => {
  const unset = ['', '0', 'false', 'no', 'off', 'FALSE', 'No', ' 0 ', '\toff\n', '  '];
  const set = ['1', 'true', 'yes', 'on', 'anything', ' 1 ', '00'];
  const values = (name: string, list: string[], recorded: number) =>
    list.map((value): [Env, number, string] => [{ [name]: value }, recorded, '']);
  const table: [env: Env, recorded: number, telemetry: string][] = [
    ...values('DO_NOT_TRACK', unset, 1),
    ...values('DO_NOT_TRACK', set, 0),
    ...['LHP_DISABLE_ANALYTICS', 'OTEL_SDK_DISABLED', 'PYTEST_CURRENT_TEST'].flatMap((name) => values(name, ['x'], 0)),
    ...values('LHP_TELEMETRY', ['off', ' OFF ', '0', 'no', 'False'], 0),
    ...values('LHP_TELEMETRY', ['', ' ', 'on', '1'], 1),
    [{ LHP_OTEL_UPSTREAM: 'off' }, 1, 'off'],
    [{ LHP_OTEL_UPSTREAM: ' No ', LHP_TELEMETRY: 'off' }, 1, 'off'],
    [{ LHP_OTEL_UPSTREAM: 'on', LHP_TELEMETRY: 'off' }, 0, 'off'],
    [{ LHP_OTEL_UPSTREAM: 'off', DO_NOT_TRACK: '1' }, 0, 'off'],
  ];
  it.concurrent.each(table)('%j: recorded %d', async (env, recorded, telemetry) => {
    const where = place(shell);
    const { stdout, stderr } = await script(shell, where, 'lhp generate', true, {
      ...env,
      DO: 'printenv LHP_TELEMETRY; :',
    });
    if (telemetry) expect(stdout).toBe(`${telemetry}\n`);
    expect(stderr).toBe('');
    // Decided in the shell: the process that would ask again is started only where nothing says off.
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
      ours: files.filter(({ path }) => /dist|lhp-otel(?!-test)|\.lhp_do_not_track|\/node$|uptime/.test(path)),
    };
  };
  it.concurrent.each<Env>([
    { LHP_DISABLE_ANALYTICS: '1' },
    { DO_NOT_TRACK: '1' },
    { LHP_TELEMETRY: 'off' },
    { OTEL_SDK_DISABLED: 'true' },
    { PYTEST_CURRENT_TEST: 'a test' },
  ])('%j: no process, no file of ours', async (env) => {
    const { programs, ours } = await under(place(shell), env);
    expect(programs).toEqual([shell, 'lhp']);
    expect(ours).toEqual([]);
  });
  it.concurrent('and without it, there are both', async () => {
    const { programs, ours } = await under(place(shell), {});
    expect(programs.filter((name) => name === 'node')).toHaveLength(2);
    expect(ours.length).toBeGreaterThan(0);
  });
});

describe.each(SHELLS)('%s: asked to say what it does', (shell) => {
  it.concurrent.each<[string, Env, string]>([
    [
      'lhp generate',
      { LHP_OTEL_LOG: 'debug' },
      'a process of its own looks at this run now; what became of it: lhp-otel status',
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
    ['lhp generate --verbose', { DO: 'exit 2' }, 'the command ended with 2: nothing recorded, no network activity'],
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
      env: { ...where.box.env, DO: ':', HOOK: where.hook, HISTFILE: '', TERM: 'dumb', ...env } as NodeJS.ProcessEnv,
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
      await line(terminal, 'fg', shell === 'zsh' ? 'continued' : 'lhp'); // it names the job
      await line(terminal, 'this', 'got this');
      expect(await close(terminal)).toBe(0);
    }
    await idle(where.box);
  });

  it.concurrent('the notice: run 1 is silent and waits, run 2 shows it and waits, run 3 delivers all three', async () => {
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
        processesMentioning(where.box.dir).filter((pid) => /node/.test(readFileSync(`/proc/${pid}/comm`, 'utf8')));
      await until(() => background().length === 0, 'the reporter to end');
    }
    expect(lines().join()).toContain(new URL(server.endpoint).host);
    terminal.type('exit 0\n');
    await terminal.ended();
    await server.close();
    expect(server.requests).toHaveLength(4);
  });
});

describe('completion of lhp is kept', () => {
  it.concurrent.each(SHELLS)('%s', async (shell) => {
    const where = place(shell);
    const asks = {
      bash: 'complete -W "one two" lhp; . "$HOOK"; complete -p lhp',
      zsh: 'autoload -Uz compinit; compinit -D; _own() { :; }; compdef _own lhp; . "$HOOK"; echo $_comps[lhp]',
      fish: 'complete -c lhp -f -a "one two"; . "$HOOK"; complete -C "lhp on"',
    };
    const { stdout } = await script(shell, where, asks[shell], false);
    expect(stdout).toBe({ bash: "complete -W 'one two' lhp\n", zsh: '_own\n', fish: 'one\n' }[shell]);
  });
});

describe('lhp-otel hook', () => {
  it('pwsh has the paths in it', () => expect(texts.pwsh).toContain(`'${join(projectRoot, 'dist', 'finished.cjs')}'`));
  // As far as it can be had without PowerShell: its grammar takes the text.
  it('pwsh is PowerShell', async () => {
    await Parser.init();
    const require = createRequire(import.meta.url);
    const grammar = await Language.load(require.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm'));
    const parser = new Parser().setLanguage(grammar);
    const mistakes = (text: string) => parser.parse(text)?.rootNode.hasError;
    expect([mistakes(texts.pwsh), mistakes(texts.pwsh.replace('if (', 'if '))]).toEqual([false, true]);
  });
  it.each([
    [['hook'], 2, 'bash, zsh, fish or pwsh'],
    [['hook', 'tcsh'], 2, "'tcsh'"],
    [['hook', 'toString'], 2, "'toString'"],
    [['hook', '--install'], 1, '$SHELL is "/bin/tcsh"'],
    [['hook', '--install', 'pwsh'], 1, '$PROFILE'],
    [['hook', '--install', '--uninstall', 'bash'], 2, 'not both'],
  ])('%j is an error', (args, status, text) => {
    const box = sandbox({ env: { SHELL: '/bin/tcsh' } });
    const ran = box.run(args);
    box.dispose();
    expect(ran).toMatchObject({ status, stdout: '' });
    expect(ran.stderr).toContain(text);
  });

  const rcs = { bash: 'home/.bashrc', zsh: 'home/.zshrc', fish: 'home/.config/fish/config.fish' };
  const contents: [string, string | undefined][] = [
    ['none', undefined],
    ['an empty file', ''],
    ['one line', '# mine\n'],
    ['no last newline', '# mine'],
    ['CRLF', '# mine\r\n# and\r\n'],
    ['CRLF without the last', '# mine\r\n# and'],
    ['bytes that are no text', '# \xff\xfe\x80\n'],
  ];
  describe.each(SHELLS)('%s', (shell) => {
    it.each(contents)('installed twice it is there once, works, and goes without a trace: %s', async (_, content) => {
      const { box, project } = place(shell);
      const rc = join(box.dir, rcs[shell]);
      mkdirSync(join(rc, '..'), { recursive: true });
      if (content !== undefined) writeFileSync(rc, content, { encoding: 'latin1', mode: 0o640 });
      const env = { SHELL: `/bin/${shell}` };
      expect(box.run(['hook', '--install'], { env })).toMatchObject({ status: 0, stderr: '' });
      const once = readFileSync(rc, 'latin1');
      expect(once.startsWith(content ?? '')).toBe(true);
      expect(box.run(['hook', '--install', shell], { env })).toMatchObject({ status: 0, stderr: '' });
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
    });
  });
  it('what was written after it stays', () => {
    const { box } = place('bash');
    const rc = join(box.home, '.bashrc');
    writeFileSync(rc, 'a');
    box.run(['hook', '--install', 'bash']);
    writeFileSync(rc, 'b\n', { flag: 'a' });
    box.run(['hook', '--uninstall', 'bash']);
    expect(readFileSync(rc, 'utf8')).toBe('ab\n');
  });
  it('ZDOTDIR and XDG_CONFIG_HOME are where it goes', () => {
    const { box } = place('bash');
    box.run(['hook', '--install', 'zsh'], { env: { ZDOTDIR: join(box.dir, 'z') } });
    box.run(['hook', '--install', 'fish'], { env: { XDG_CONFIG_HOME: join(box.dir, 'x') } });
    expect(existsSync(join(box.dir, 'z', '.zshrc'))).toBe(true);
    expect(existsSync(join(box.dir, 'x', 'fish', 'config.fish'))).toBe(true);
    expect(existsSync(join(box.dir, 'x', 'lhp-otel', 'hook.fish'))).toBe(true);
  });
  it('a link stays a link, to the file that is edited', () => {
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
    expect(box.run(['hook', '--install', 'bash']).stderr).toContain('a link to a file that is not there');
  });
  it('a file that cannot be written is an error, and as it was', () => {
    const { box } = place('bash');
    const rc = join(box.home, '.bashrc');
    writeFileSync(rc, '# mine\n');
    // Where the new file would be made there is a folder of this name for every process: nobody can write there, not even root.
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
  it('a block without its end is an error, and as it was', () => {
    const { box } = place('bash');
    const rc = join(box.home, '.bashrc');
    writeFileSync(rc, '# >>> lhp-otel hook >>>\nmine\n');
    for (const option of ['--install', '--uninstall']) {
      expect(box.run(['hook', option, 'bash'])).toMatchObject({ status: 1, stdout: '' });
      expect(readFileSync(rc, 'utf8')).toBe('# >>> lhp-otel hook >>>\nmine\n');
    }
  });
});
