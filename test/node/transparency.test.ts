// `lhp-otel run -- <command>` behaves as the command: each byte of output, the exit status,
// signals, terminal, arguments and environment are the same with and without it. Tested for a
// program other than lhp, for a generate that is recorded locally, and for one whose collector
// cannot be reached. A command that failed or was interrupted is not recorded.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { program, pythonInterpreter } from '../../scripts/harness/needs.ts';
import {
  cli,
  type Env,
  idle,
  leaveAll,
  processesMentioning,
  projectRoot,
  type Sandbox,
  sandbox,
  until,
} from '../../scripts/harness/sandbox.ts';
import { LAYER_ROWS } from '../../src/consent/layers.ts';
import { makeCompiledFolder } from '../support/compiled-folder.ts';
import { lacking } from '../support/lacking.ts';
import { openTerminal, type Terminal } from '../support/pty.ts';
import { sampled } from '../support/tags.ts';

const programs = join(projectRoot, 'test', 'fixtures', 'bin');
const python = pythonInterpreter();
const BARE: string[] = [];
const WRAPPED = [process.execPath, cli, 'run', '--'];
// The timeout shortens the retries, for which only these tests wait.
const REFUSED = {
  LHP_OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
  LHP_OTEL_EXPORTER_OTLP_TIMEOUT: '900',
};

interface Place {
  box: Sandbox;
  project: string;
}

const places: Place[] = [];

/**
 * A user with a project: any folder with an lhp.yaml. The folder of compiled code is there, as
 * after a first run: with it, a shell waits for the reporter's job while a generate runs.
 */
function place(): Place {
  const box = sandbox({ path: [programs, dirname(python)] });
  makeCompiledFolder(box.home);
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: transparency\n');
  places.push({ box, project });
  return { box, project };
}

async function nothingRecorded({ box }: Place): Promise<void> {
  await idle(box);
  expect(box.runFiles()).toEqual([]);
}

// A process that is still running is an error. It is ended in any case.
afterAll(async () => expect(await leaveAll(places.map(({ box }) => box))).toEqual([]));

interface Way {
  title: string;
  command: string[];
  env: Env;
}

const GENERATE = ['lhp', 'generate', '--env', 'dev'];
const another: Way = { title: 'another program', command: ['plain'], env: {} };
const recorded: Way = { title: 'lhp generate, recorded locally', command: GENERATE, env: {} };
const refused: Way = {
  title: 'lhp generate, the collector refuses',
  command: GENERATE,
  env: REFUSED,
};
const ways = [another, recorded, refused];
const running = (...command: string[]): Way => ({ title: '', command, env: {} });

interface Row {
  /** What starts the command, which is appended: `sh -c '"$@" <&-' sh`. */
  within?: string[];
  args?: string[];
  input?: string;
  env?: Env;
}

const sh = (script: string) => ({ within: ['sh', '-c', script, 'sh'] });
const bash = (script: string) => ({ within: ['bash', '-c', script, 'bash'] });

interface Seen {
  stdout: string;
  stderr: string;
  status: number;
}

const asShell = (code: number | null, signal: NodeJS.Signals | null) =>
  code ?? 128 + (signal ? constants.signals[signal] : 0);

/** The bytes; of long output the digest, so that a failure is readable. */
function comparable(chunks: Buffer[]): string {
  const bytes = Buffer.concat(chunks);
  if (bytes.length <= 4096) return bytes.toString('latin1');
  return `${bytes.length} bytes, SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`;
}

function begin(command: string[], { box, project }: Place, env: Env, detached = false) {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    cwd: project,
    env: { ...box.env, ...env } as NodeJS.ProcessEnv,
    detached,
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
  child.stdin.on('error', () => {}); // EPIPE: the command need not read what it is given
  const ended = new Promise<Seen>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({
        stdout: comparable(stdout),
        stderr: comparable(stderr),
        status: asShell(code, signal),
      });
    });
  });
  const ready = () =>
    until(() => Buffer.concat(stdout).includes('ready\n'), 'the command to say "ready"', 15_000);
  return { child, ended, ready };
}

/** `task` is what the stand-ins in test/fixtures/bin do, in shell. */
function observe(wrapper: string[], way: Way, task: string, row: Row, where: Place): Promise<Seen> {
  const command = [...(row.within ?? []), ...wrapper, ...way.command, ...(row.args ?? [])];
  const { child, ended } = begin(command, where, { ...way.env, ...row.env, DO: task });
  child.stdin.end(row.input ?? '');
  return ended;
}

const both = (way: Way, task: string, row: Row, where: Place) =>
  Promise.all([observe(BARE, way, task, row, where), observe(WRAPPED, way, task, row, where)]);

// A title, the expected exit status, what the command does, and how it is started.
type Behaviour = [title: string, status: number, task: string, row?: Row];

const endings: Behaviour[] = [
  ['exit 0', 0, 'exit 0'],
  ['exit 1', 1, 'exit 1'],
  ['exit 7', 7, 'exit 7'],
  ['exit 255', 255, 'exit 255'],
  ['killed by SIGHUP', 129, 'kill -HUP $$'],
  ['killed by SIGINT', 130, 'kill -INT $$'],
  ['killed by SIGQUIT', 131, 'ulimit -c 0; kill -QUIT $$'],
  ['killed by SIGKILL', 137, 'kill -KILL $$'],
  ['killed by SIGUSR1', 138, 'kill -USR1 $$'],
  ['killed by SIGSEGV', 139, 'ulimit -c 0; kill -SEGV $$'],
  ['killed by SIGPIPE', 141, 'kill -PIPE $$'],
  ['killed by SIGTERM', 143, 'kill -TERM $$'],
];

const TEN_MEGABYTES = 'head -c 10485760 /dev/zero | tr "\\0" x';
const ALTERNATING = `line=$(head -c 10485 /dev/zero | tr "\\0" x); i=0
  while [ $i -lt 500 ]; do echo "out $i $line"; echo "err $i $line" >&2; i=$((i + 1)); done`;
const ONE_MEGABYTE = 'stdin\n'.repeat(174_763);

const streams: Behaviour[] = [
  ['10 MB on stdout', 0, TEN_MEGABYTES],
  ['10 MB on stderr', 0, `{ ${TEN_MEGABYTES}; } >&2`],
  ['10 MB on both, in order, on one pipe', 0, ALTERNATING, sh('"$@" 2>&1')],
  [
    'bytes that are no text, without a last newline',
    0,
    'printf "a\\000\\377\\r\\nb"; printf "\\200" >&2',
  ],
  ['1 MB through stdin', 0, 'cat', { input: ONE_MEGABYTE }],
  ['1 MB to a command that reads none of it', 0, 'echo no', { input: ONE_MEGABYTE }],
  ['an empty stdin', 0, 'cat; echo end'],
  ['/dev/null as stdin', 0, 'cat; echo end', sh('"$@" </dev/null')],
  ['a full disk as stdout', 1, 'exec /bin/echo lost', sh('exec "$@" >/dev/full')],
  [
    'a file as stdout, between others',
    0,
    'echo in',
    sh('f=$(mktemp); { echo 1; "$@"; echo 2; } >"$f"; cat "$f"; rm "$f"'),
  ],
  ['a reader that ends early', 0, 'exec yes', sh('{ "$@"; echo "status $?" >&2; } | head -n 1')],
  [
    'a reader inside that ends early',
    0,
    'yes | head -n 1; bash -c "set -o pipefail; yes | head -n 1"; echo $?',
  ],
  ['a child in the background that outlives it', 0, '(sleep 1; echo late) & echo early'],
  [
    'a process substitution',
    0,
    'for last; do :; done; cat "$last"',
    bash('"$@" <(echo substituted)'),
  ],
];

const SHOW_ENVIRONMENT = 'tr "\\0" "\\n" </proc/$$/environ | sort';
const SHOW_ARGUMENTS = 'printf "%s\\0" "$@"';
const ODD_ENVIRONMENT = {
  EMPTY: '',
  LINES: 'a\nb\n',
  EQUALS: 'a=b=c',
  UNICODE: 'Grüße 日本 🚀',
  NODE_OPTIONS: '--max-old-space-size=512',
  OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=secret',
  OTEL_RESOURCE_ATTRIBUTES: 'team=data',
};
const QUOTES = ['', ' ', 'a b', '"', "'", '\\', '$HOME', '*', 'a\nb', '\t'];
const ODD_ARGUMENTS = [...QUOTES, '-', '--', '--help', 'Grüße 日本 🚀', 'x'.repeat(100_000)];

const surroundings: Behaviour[] = [
  ['the environment', 0, SHOW_ENVIRONMENT, { env: ODD_ENVIRONMENT }],
  ['arguments', 0, SHOW_ARGUMENTS, { args: ODD_ARGUMENTS }],
  ['the working directory', 0, 'pwd; pwd -P'],
  [
    'a working directory that is gone',
    0,
    'echo here',
    sh('d=$(mktemp -d); cd "$d"; rmdir "$d"; exec "$@"'),
  ],
  ['the umask', 0, 'umask', sh('umask 027; exec "$@"')],
  ['the niceness', 0, 'nice', { within: ['nice', '-n', '5'] }],
  ['the process group and session', 0, 'cut -d " " -f 5,6 /proc/$$/stat'],
  ['an inherited file descriptor 20', 0, 'bash -c "echo through >&20"', bash('exec "$@" 20>&1')],
  [
    'limits',
    0,
    'ulimit -a | grep -v nofiles',
    sh('ulimit -c 0; ulimit -S -s 4096; ulimit -S -t 600; exec "$@"'),
  ],
];

// What Node changes in every process when it starts (InitializeOncePerProcess), before our code
// runs: the limits in the README. These rows expect that bare and wrapped DIFFER, so that they fail
// when a later Node changes that.
const SHOW_IGNORED = 'exec grep SigIgn /proc/self/status';
const takenByNode: Behaviour[] = [
  ['a closed stdin', 1, 'cat', sh('exec "$@" <&-')],
  ['a closed stdout', 1, 'exec /bin/echo lost', sh('exec "$@" >&-')],
  ['a closed stderr', 0, 'echo kept; echo lost >&2 || echo no stderr', sh('exec "$@" 2>&-')],
  ['an inherited file descriptor 3', 0, 'echo through >&3', sh('exec "$@" 3>&1')],
  ['the limit of open files', 0, 'ulimit -S -n; ulimit -H -n', sh('ulimit -S -n 256; exec "$@"')],
  ['SIGHUP ignored, as by nohup', 0, SHOW_IGNORED, { within: ['env', '--ignore-signal=HUP'] }],
  [
    'SIGINT and SIGQUIT ignored, as in the background of a script',
    0,
    SHOW_IGNORED,
    sh('"$@" & wait $!'),
  ],
  ['SIGPIPE ignored', 0, SHOW_IGNORED, { within: ['env', '--ignore-signal=PIPE'] }],
  ['a variable that is not UTF-8', 0, SHOW_ENVIRONMENT, sh('V=$(printf "a\\377b") exec "$@"')],
  ['an argument that is not UTF-8', 0, SHOW_ARGUMENTS, sh('exec "$@" "$(printf "a\\377b")"')],
];

describe.each(ways)('the same with and without: $title', (way) => {
  describe.each([
    ['how it ends', endings],
    ['streams', streams],
    ['surroundings', surroundings],
  ])('%s', (_, rows) => {
    sampled(it.concurrent, 24).each(rows)('%s', async (_, status, task, row = {}) => {
      const where = place();
      const [bare, wrapped] = await both(way, task, row, where);
      expect(wrapped).toEqual(bare);
      expect(bare.status).toBe(status);
      if (status !== 0) await nothingRecorded(where);
    });
  });
});

describe.each(ways)('differs, because Node changes it: $title', (way) => {
  sampled(it.concurrent, 12).each(takenByNode)('%s', async (_, status, task, row = {}) => {
    const [bare, wrapped] = await both(way, task, row, place());
    expect(bare.status).toBe(status);
    expect(wrapped).not.toEqual(bare);
  });
});

// A shell clears the mask when it starts, so this lhp is Python, which runs the file "generate".
it.concurrent.each([
  ['another program', 'python3'],
  ['lhp generate', './lhp'],
])('differs, because Node changes it: blocked signals are unblocked: %s', async (_, name) => {
  const where = place();
  symlinkSync(python, join(where.project, 'lhp'));
  writeFileSync(
    join(where.project, 'generate'),
    'print(*[x for x in open("/proc/self/status") if x[:6] == "SigBlk"])',
  );
  const within = ['env', '--block-signal=TERM,USR1,USR2'];
  const [bare, wrapped] = await both(running(name, 'generate'), '', { within }, where);
  expect(bare.stdout).toContain('SigBlk:\t0000000000004a00');
  expect(wrapped.stdout).toContain('SigBlk:\t0000000000000000');
});

describe.each([another, recorded])('a shell reports the same signal: $title', (way) => {
  sampled(it.concurrent, 8).each(['INT', 'TERM', 'HUP', 'QUIT', 'KILL', 'SEGV', 'USR1', 'PIPE'])(
    'SIG%s',
    async (name) => {
      const [bare, wrapped] = await both(
        way,
        `ulimit -c 0; kill -${name} $$`,
        sh('"$@"; exit $?'),
        place(),
      );
      expect(wrapped).toEqual(bare);
    },
  );
});

describe('a program is found as a shell finds it', () => {
  const files: [name: string, content: string, mode: number][] = [
    ['first/tool', '#!/bin/sh\necho wrong\n', 0o644],
    ['second/tool', '#!/bin/sh\necho "$0"\n', 0o755],
    ['no-first-line', 'echo "$0 $1"\n', 0o755],
    ['bare/lhp', 'echo "$0 $1"\n', 0o755],
  ];
  it.concurrent.each([
    ['by a relative path', ['./second/tool']],
    ['on PATH, past one that is not executable', ['tool']],
    ['a script without a first line #!', ['./no-first-line', 'a']],
    ['an lhp without a first line #!', ['./bare/lhp', 'generate']],
    [
      'under the name that was typed',
      ['python3', '-c', 'print(open("/proc/self/cmdline").read().split("\\0")[0])'],
    ],
  ])('%s', async (_, command) => {
    const where = place();
    for (const [name, content, mode] of files) {
      mkdirSync(dirname(join(where.project, name)), { recursive: true });
      writeFileSync(join(where.project, name), content, { mode });
    }
    const PATH = [
      join(where.project, 'first'),
      join(where.project, 'second'),
      where.box.env.PATH,
    ].join(delimiter);
    const [bare, wrapped] = await both(running(...command), '', { env: { PATH } }, where);
    expect(wrapped).toEqual(bare);
    expect(bare).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('a command that cannot be started ends as in a shell, with one message', () => {
  sampled(it.concurrent, 24).each<[string, number[], string[], Env?]>([
    ['a command that is not there', [127], ['no-such-command']],
    ['a path that is not there', [127], ['./no-such-file']],
    ['a file that is not executable', [126], ['./lhp.yaml']],
    ['a folder', [126], ['/usr']],
    ['a script whose interpreter is not there', [126, 127], ['./orphan/tool']],
    ['a path through a file', [126, 127], ['./lhp.yaml/x']],
    ['an empty name', [127], ['']],
    ['a name like an option', [127], ['-i', 'true']],
    ['a name like an assignment', [127], ['NAME=value', 'true']],
    ['lhp that is not there', [127], ['lhp', 'generate'], { PATH: '/usr/bin:/bin' }],
    ['an lhp path that is not there', [127], ['./no-such-folder/lhp', 'generate']],
    ['an lhp that is not executable', [126], ['./plain/lhp', 'generate']],
    ['an lhp that is a folder', [126], ['./folder/lhp', 'generate']],
    ['an lhp whose interpreter is not there', [126, 127], ['./orphan/lhp', 'generate']],
    ['an lhp path through a file', [126, 127], ['./lhp.yaml/lhp', 'generate']],
  ])('%s', async (_, statuses, command, env = {}) => {
    const where = place();
    for (const folder of ['plain', 'orphan', 'folder/lhp'])
      mkdirSync(join(where.project, folder), { recursive: true });
    writeFileSync(join(where.project, 'plain', 'lhp'), '#!/bin/sh\n', { mode: 0o644 });
    for (const name of ['lhp', 'tool'])
      writeFileSync(join(where.project, 'orphan', name), '#!/no/such/interpreter\n', {
        mode: 0o755,
      });
    const way: Way = { title: '', command, env };
    const shells = await Promise.all(
      [sh('"$@"'), bash('"$@"')].map((row) => observe(BARE, way, '', row, where)),
    );
    const wrapped = await observe(WRAPPED, way, '', {}, where);
    expect(shells.map(({ status }) => status)).toContain(wrapped.status);
    expect(statuses).toContain(wrapped.status);
    expect(wrapped.stdout).toBe('');
    expect(wrapped.stderr).toMatch(/^[^\n]+\n$/);
    expect(wrapped.stderr).toContain(command[0]);
    await nothingRecorded(where);
  });
});

describe('options after the command belong to the command', () => {
  sampled(it.concurrent, 12).each([
    ['run plain --help', ['plain', '--help']],
    ['run -- plain --help', ['--', 'plain', '--help']],
    ['run plain --version -v', ['plain', '--version', '-v']],
    ['run plain -- --help', ['plain', '--', '--help']],
    ['run -- plain -- --help', ['--', 'plain', '--', '--help']],
    ['run lhp --help', ['lhp', '--help']],
    ['run -- lhp generate --help', ['--', 'lhp', 'generate', '--help']],
  ])('%s', async (_, args) => {
    const where = place();
    const command = args[0] === '--' ? args.slice(1) : args;
    const bare = await observe(BARE, running(...command), SHOW_ARGUMENTS, {}, where);
    const wrapped = await observe(
      [process.execPath, cli, 'run'],
      running(...args),
      SHOW_ARGUMENTS,
      {},
      where,
    );
    expect(wrapped).toEqual(bare);
    expect(bare.stdout).toBe(`${command.slice(1).join('\0')}\0`);
  });
});

describe('errors of our own are not shown', () => {
  sampled(it.concurrent, 4).each<[string, Env | ((where: Place) => Env)]>([
    ['no HOME', { HOME: undefined }],
    ['a HOME that is a device', { HOME: '/dev/null' }],
    ['a relative HOME', { HOME: 'here' }],
    ['a state folder below a file', { XDG_STATE_HOME: '/etc/hostname/state' }],
    [
      'a configuration that is no JSON',
      ({ project }) => ({ XDG_CONFIG_HOME: join(project, 'broken') }),
    ],
    ['an endpoint that is no URL', { ...REFUSED, LHP_OTEL_EXPORTER_OTLP_ENDPOINT: 'not a URL' }],
    [
      'a host that does not resolve',
      { ...REFUSED, LHP_OTEL_EXPORTER_OTLP_ENDPOINT: 'http://no-such-host.invalid' },
    ],
    [
      'a certificate that is not there',
      { ...REFUSED, LHP_OTEL_EXPORTER_OTLP_CERTIFICATE: '/no/such/file' },
    ],
    ['no folder for temporary files', { TMPDIR: '/no/such/folder' }],
  ])('%s', async (_, trouble) => {
    const where = place();
    mkdirSync(join(where.project, 'broken', 'lhp-otel'), { recursive: true });
    writeFileSync(join(where.project, 'broken', 'lhp-otel', 'config.json'), '{"endpoint": ');
    const env = typeof trouble === 'function' ? trouble(where) : trouble;
    const [bare, wrapped] = await both(recorded, 'echo out; echo err >&2', { env }, where);
    expect(wrapped).toEqual(bare);
    expect(bare).toEqual({ stdout: 'out\n', stderr: 'err\n', status: 0 });
  });

  const LONG = 'x'.repeat(300);
  it.concurrent.each<[number, string, string[], Env?]>([
    [1, 'a project that is a link to itself', ['uv', 'run', '--project', 'loop', ...GENERATE]],
    [1, 'a project below it', ['uv', 'run', '--project', 'loop/project', ...GENERATE]],
    [1, 'a project with too long a name', ['uv', 'run', '--project', LONG, ...GENERATE]],
    [1, 'the same in a variable', ['uv', 'run', ...GENERATE], { UV_PROJECT: 'loop' }],
    [1, "the project's environment", ['poetry', 'run', ...GENERATE]],
    [1, 'an active environment', ['poetry', 'run', ...GENERATE], { VIRTUAL_ENV: 'loop' }],
    // There is no project.
    [0, 'a folder to start in', ['uv', 'run', '--directory', 'loop', ...GENERATE]],
    // It may contain an opt-out.
    [0, 'an environment file', ['uv', 'run', '--env-file', 'loop', ...GENERATE]],
  ])('%i recorded where a path cannot be followed: %s', async (count, _, command, env = {}) => {
    const where = place();
    writeFileSync(join(where.project, 'pyproject.toml'), '[project]\nname = "a"\n');
    for (const name of ['loop', '.venv']) symlinkSync(name, join(where.project, name));
    const [bare, wrapped] = await both(running(...command), 'echo out', { env }, where);
    expect(wrapped).toEqual(bare);
    expect(bare).toEqual({ stdout: 'out\n', stderr: '', status: 0 });
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(count);
  });

  it.concurrent('a part of our program that is not there', async () => {
    const where = place();
    const installed = join(where.box.dir, 'installed');
    cpSync(dirname(cli), installed, { recursive: true });
    for (const name of readdirSync(installed))
      if (name !== 'cli.cjs') rmSync(join(installed, name), { recursive: true });
    const wrapper = [process.execPath, join(installed, 'cli.cjs'), 'run', '--'];
    const way = running('uv', 'run', ...GENERATE);
    const seen = await observe(wrapper, way, 'echo out; exit 3', {}, where);
    expect(seen).toEqual({ stdout: 'out\n', stderr: '', status: 3 });
  });
});

describe('signals sent to the wrapper', () => {
  /** What a command prints about a signal, bare and wrapped. */
  async function signalled(
    way: Way,
    task: string,
    act: (pid: number, tell: () => void) => void,
    group = false,
  ) {
    const seen: Seen[] = [];
    for (const wrapper of [BARE, WRAPPED]) {
      const where = place();
      const { child, ended, ready } = begin(
        [...wrapper, ...way.command],
        where,
        { ...way.env, DO: task },
        group,
      );
      await ready();
      act(child.pid ?? 0, () => child.stdin.end('over\n'));
      seen.push(await ended);
      await nothingRecorded(where);
    }
    return seen;
  }
  const twice = (seen: Seen) => [seen, seen];
  const RELAYED = ['INT', 'TERM', 'HUP', 'QUIT'] as const;

  describe.each(ways)('$title', (way) => {
    sampled(it.concurrent, 8).each(RELAYED)(
      'SIG%s reaches the command once, and the command decides how it ends',
      async (name) => {
        const seen = await signalled(way, 'exec signals', (pid) => process.kill(pid, `SIG${name}`));
        expect(seen).toEqual(twice({ stdout: `ready\n${name}=1\n`, stderr: '', status: 3 }));
      },
    );
  });

  // A process cannot see who sent a signal, so one to the whole group is passed on once more
  // (docs/adr/0002-hot-path.md).
  sampled(it.concurrent, 8).each(RELAYED)(
    'SIG%s to the whole process group reaches it, at most twice',
    async (name) => {
      const [bare, wrapped] = await signalled(
        recorded,
        'exec signals',
        (pid) => process.kill(-pid, `SIG${name}`),
        true,
      );
      expect(bare).toEqual({ stdout: `ready\n${name}=1\n`, stderr: '', status: 3 });
      expect(wrapped).toEqual({
        ...bare,
        stdout: expect.stringMatching(`^ready\n${name}=[12]\n$`),
      });
    },
  );

  it.concurrent.each(['USR1', 'USR2'] as const)(
    'SIG%s is answered as without the wrapper',
    async (name) => {
      const seen = await signalled(recorded, 'exec signals', (pid) =>
        process.kill(pid, `SIG${name}`),
      );
      expect(seen).toEqual(twice({ stdout: `ready\n${name}=1\n`, stderr: '', status: 3 }));
    },
  );

  it.concurrent('a command without a handler dies of it', async () => {
    const seen = await signalled(recorded, 'echo ready; exec sleep 30', (pid) =>
      process.kill(pid, 'SIGINT'),
    );
    expect(seen).toEqual(twice({ stdout: 'ready\n', stderr: '', status: 130 }));
  });

  it.concurrent('a command that ignores all signals ends by itself', async () => {
    const seen = await signalled(recorded, 'exec signals ignore', (pid, tell) => {
      for (const name of [...RELAYED, 'INT'] as const) process.kill(pid, `SIG${name}`);
      tell();
    });
    expect(seen).toEqual(twice({ stdout: 'ready\nover\n', stderr: '', status: 5 }));
  });
});

describe('on a terminal', () => {
  if (lacking(program('python3'), program('bash'))) return;

  type Act = (terminal: Terminal, box: Sandbox) => Promise<void>;
  interface Session {
    status: number;
    shown: string;
  }

  async function session(command: string[], env: Env, act: Act, where: Place): Promise<Session> {
    const all = { ...where.box.env, PS1: '$ ', HISTFILE: '', ...env } as NodeJS.ProcessEnv;
    const terminal = openTerminal(command, { cwd: where.project, env: all, size: [33, 99] });
    try {
      await act(terminal, where.box);
      return {
        status: await terminal.ended(),
        shown: terminal.shown().replace(/\[1\] \d+/g, '[1] PID'),
      };
    } catch (error) {
      terminal.hangUp();
      throw error;
    }
  }

  /** The same session without and with the wrapper. A `shell` finds the command in $RUN. */
  async function sessions(way: Way, task: string, act: Act, shell?: string[]): Promise<Session[]> {
    const seen: Session[] = [];
    for (const wrapper of [BARE, WRAPPED]) {
      const where = place();
      const command = [...wrapper, ...way.command];
      const env = { ...way.env, DO: task, RUN: command.join(' ') };
      // The first run with an endpoint on a terminal shows a notice, once.
      const noticed = way === refused && wrapper === WRAPPED;
      if (noticed) await session(command, { ...env, DO: ':' }, nothing, where);
      const { status, shown } = await session(shell ?? command, env, act, where);
      seen.push({ status, shown });
      if (status !== 0 && !noticed) await nothingRecorded(where);
    }
    return seen;
  }

  const nothing: Act = async () => {};
  const ready =
    (act: (terminal: Terminal) => void): Act =>
    async (terminal) => {
      await terminal.expect('ready');
      act(terminal);
    };

  const SECRET = 'printf ready; read answer </dev/tty; echo "got $answer"';

  describe.each(ways)('$title', (way) => {
    sampled(it.concurrent, 12).each<[string, number, string, string, Act]>([
      [
        '0, 1 and 2 are the terminal, of its size',
        0,
        '33 99',
        'test -t 0 -a -t 1 -a -t 2 && stty size',
        nothing,
      ],
      [
        'its size changes: one SIGWINCH',
        3,
        'WINCH=1 100 40',
        'exec signals',
        ready((t) => t.resize(40, 100)),
      ],
      ['Ctrl-C is one SIGINT', 3, 'INT=1', 'exec signals', ready((t) => t.type('\x03'))],
      ['Ctrl-\\ is one SIGQUIT', 3, 'QUIT=1', 'exec signals', ready((t) => t.type('\x1c'))],
      [
        'Ctrl-C ends what does not handle it',
        130,
        '^C',
        'echo ready; exec sleep 30',
        ready((t) => t.type('\x03')),
      ],
      [
        'SIGTERM to the process is one SIGTERM',
        3,
        'TERM=1',
        'exec signals',
        ready((t) => t.kill('TERM')),
      ],
      ['a password asked of /dev/tty', 0, 'got secret', SECRET, ready((t) => t.type('secret\n'))],
      ['typed lines, and Ctrl-D', 0, 'line', 'echo ready; cat', ready((t) => t.type('line\n\x04'))],
    ])('%s', async (_, status, shown, task, act) => {
      const [bare, wrapped] = await sessions(way, task, act);
      expect(wrapped).toEqual(bare);
      expect(bare?.status).toBe(status);
      expect(bare?.shown).toContain(shown);
    });
  });

  // A SIGINT from kill(1) looks like a Ctrl-C, which the command has already got, so it is not
  // passed on (docs/adr/0002-hot-path.md).
  it.concurrent('SIGINT to the wrapper alone is not passed on; SIGTERM is', async () => {
    const both = ready((t) => {
      t.kill('INT');
      t.kill('TERM');
    });
    const [, wrapped] = await sessions(recorded, 'exec signals', both);
    expect(wrapped?.status).toBe(3);
    expect(wrapped?.shown).toContain('TERM=1');
    expect(wrapped?.shown).not.toContain('INT=');
  });

  const SHELL = ['bash', '--norc', '--noprofile', '--noediting', '-i'];
  const line =
    (text: string, then: Act = nothing): Act =>
    async (terminal, box) => {
      await terminal.expect('$ ');
      terminal.type(`${text}\n`);
      await then(terminal, box);
      await terminal.expect('$ ');
      terminal.type('exit 0\n');
    };
  /**
   * Whether all processes but the shell and the terminal are stopped (state T). What waits for the
   * reporter's job belongs to no terminal.
   */
  const stopped = (box: Sandbox) => {
    const all = processesMentioning(box.dir).map((pid) =>
      spawnSync('cat', [`/proc/${pid}/cmdline`, `/proc/${pid}/stat`]),
    );
    const others = all
      .map(({ stdout }) => stdout.toString('latin1'))
      .filter((text) => !/^$|^bash\0|\/pty\.py\0|^\/bin\/sh\0-c\0IFS=/.test(text));
    return (
      others.length > 0 && others.every((text) => / T \d+ \d+ \d+ \d+ [-\d]+ [^)]*$/.test(text))
    );
  };

  const suspend: Act = async (terminal, box) => {
    await terminal.expect('ready');
    terminal.type('\x1a');
    await terminal.expect('Stopped');
    await terminal.expect('$ ');
    await until(() => stopped(box), 'all of it to stop');
    terminal.type('fg; echo "then $?"\n');
    await terminal.expect('then 3');
  };
  const interruptTwice: Act = async (terminal) => {
    for (const _ of [1, 2]) {
      await terminal.expect('ready');
      terminal.type('\x03');
    }
    await terminal.expect('status 3');
  };
  const answerInForeground: Act = async (terminal, box) => {
    await terminal.expect('$ ');
    // not before: the shell says of a job that stops at once that it did, then prompts
    writeFileSync(join(box.home, 'go'), '');
    await until(() => stopped(box), 'all of it to stop');
    terminal.type('\n');
    await terminal.expect('$ ');
    terminal.type('fg\n');
    await terminal.expect('\n$RUN');
    terminal.type('this\n');
    await terminal.expect('got this');
  };
  const ASK = 'until [ -e "$HOME/go" ]; do sleep 0.05; done; read x; echo "got $x"';
  const killJob: Act = async (terminal, { home }) => {
    await terminal.expect('$ ');
    await until(() => existsSync(join(home, 'ready')), 'the command to be ready');
    terminal.type('jobs; kill %1; wait %1; echo "status $?"\n');
    await terminal.expect('status 143');
  };
  const LOOP = 'for i in 1 2; do $RUN; done; echo "status $?"';

  describe.each([another, recorded])('in an interactive shell: $title', (way) => {
    sampled(it.concurrent, 8).each<[string, string, string, Act]>([
      [
        'Ctrl-Z stops it, fg continues it',
        'CONT=1',
        'exec signals',
        line('$RUN; echo "status $?"', suspend),
      ],
      [
        'Ctrl-C ends a loop',
        '^C',
        'echo ready; exec sleep 30',
        line(
          LOOP,
          ready((t) => t.type('\x03')),
        ),
      ],
      ['Ctrl-C that is handled does not', 'status 3', 'exec signals', line(LOOP, interruptTwice)],
      [
        'terminal settings of the command stay',
        '-echo',
        'stty -echo',
        line('$RUN; stty -a | grep -o ".echo "'),
      ],
      ['reading in the background stops it', 'got this', ASK, line('$RUN &', answerInForeground)],
      ['it is a job', 'Running', ': >"$HOME/ready"; exec sleep 30', line('$RUN &', killJob)],
    ])('%s', async (_, shown, task, act) => {
      const [bare, wrapped] = await sessions(way, task, act, SHELL);
      expect(wrapped).toEqual(bare);
      expect(bare?.shown).toContain(shown);
    });
  });

  it.concurrent('a window that is closed hangs it up', async () => {
    for (const wrapper of [BARE, WRAPPED]) {
      const where = place();
      const log = join(where.box.dir, 'log');
      const task =
        'trap "echo HUP >>\\"$LOG\\"; exit 1" HUP; echo ready; while :; do sleep 0.05; done';
      await session(
        [...wrapper, ...GENERATE],
        { LOG: log, DO: task },
        ready((t) => t.hangUp()),
        where,
      );
      await nothingRecorded(where);
      expect(readFileSync(log, 'utf8')).toBe('HUP\n');
    }
  });
});

describe('which commands are recorded', () => {
  sampled(it.concurrent, 32).each<[number, string[]]>([
    [1, ['lhp', 'generate']],
    [1, ['lhp', 'generate', '--env', 'dev', '--pipeline', 'list']],
    [1, ['lhp', '-v', 'generate', '-e', 'dev']],
    [1, ['lhp', '-vv', '--no-progress', '--log-file', 'generate', '-e', 'dev']],
    [1, ['lhp', '--verbose', 'generate']],
    [1, [join(programs, 'lhp'), 'generate']],
    [1, ['./lhp', 'generate']],
    [1, ['python', '-m', 'lhp.cli.main', 'generate']],
    [1, ['python3', '-m', 'lhp.cli.main', '-v', 'generate']],
    [1, [python, '-u', '-m', 'lhp.cli.main', 'generate']],
    [1, ['uv', 'run', 'lhp', 'generate']],
    [1, ['uv', 'run', '--frozen', 'lhp', 'generate']],
    [1, ['uv', 'run', '--', 'lhp', 'generate']],
    [1, ['uv', 'run', 'python', '-m', 'lhp.cli.main', 'generate']],
    [1, ['uv', 'run', '--new-option', 'value', 'lhp', 'generate']],
    [1, ['uv', 'run', '--new-flag', 'lhp', 'generate']],
    [1, ['nice', '-n', '1', 'lhp', 'generate']],
    [1, ['timeout', '60', 'uv', 'run', 'lhp', 'generate']],
    [1, ['env', 'A=1', 'lhp', 'generate']],
    [1, ['poetry', 'run', 'lhp', 'generate']],
    [1, ['poetry', 'run', 'python', '-m', 'lhp.cli.main', 'generate']],
    [0, ['lhp', 'generate', '--help']],
    [0, ['lhp', 'generate', '-h']],
    [0, ['lhp', '--help', 'generate']],
    [0, ['lhp', '--version']],
    [0, ['lhp', '--version', 'generate']],
    [0, ['lhp']],
    [0, ['lhp', 'list']],
    [0, ['lhp', 'validate', 'generate']],
    [0, ['lhp', 'list', '--', 'generate']],
    [0, ['lhp', 'generated']],
    [0, ['lhp-foo', 'generate']],
    [0, ['plain', 'generate']],
    [0, ['echo', 'lhp', 'generate']],
    [0, ['plain', 'uv', 'run', 'lhp', 'generate']],
    [0, ['python3', '-c', 'pass', 'lhp', 'generate']],
    [0, ['python3', '-m', 'platform', 'lhp', 'generate']],
    [0, ['uv', 'run', 'plain', 'lhp', 'generate']],
    [0, ['uv', 'pip', 'lhp', 'generate']],
    [0, ['uv', 'run', '--new-flag', 'plain', 'lhp', 'generate']],
    [0, ['env', 'DO_NOT_TRACK=1', 'lhp', 'generate']],
    [0, ['nice', 'plain', 'lhp', 'generate']],
  ])('%d: %j', async (count, command) => {
    const where = place();
    writeFileSync(join(where.project, 'lhp'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    const row = {
      env: {
        PYTHONPATH: join(projectRoot, 'test', 'fixtures', 'python'),
        PYTHONDONTWRITEBYTECODE: '1',
      },
    };
    expect(await observe(WRAPPED, running(...command), 'exit 0', row, where)).toMatchObject({
      status: 0,
    });
    await idle(where.box);
    expect(where.box.runFiles()).toHaveLength(count);
  });
});

describe('-v and LHP_OTEL_LOG=debug print one more line', () => {
  const NOISE = 'echo out; echo err >&2';
  /** Our lines on stderr. The others are those of the command, byte for byte. */
  async function told(command: string[], env: Env, task = NOISE): Promise<string[]> {
    const [bare, wrapped] = await both(running(...command), task, { env }, place());
    const [ours, others] = [true, false].map((mine) =>
      wrapped.stderr.split(/(?<=\n)/).filter((text) => text.startsWith('lhp-otel: ') === mine),
    );
    expect({ ...wrapped, stderr: others?.join('') }).toEqual(bare);
    return ours ?? [];
  }
  const OUR_LINE = expect.stringMatching(/^lhp-otel: [^\n]+\n$/);

  sampled(it.concurrent, 4).each<[string, string[], Env]>([
    ['lhp -v generate', ['lhp', '-v', 'generate'], {}],
    ['lhp -vv generate', ['lhp', '-vv', 'generate'], {}],
    ['lhp --verbose generate', ['lhp', '--verbose', 'generate'], {}],
    ['lhp generate --env dev -v', ['lhp', 'generate', '--env', 'dev', '-v'], {}],
    ['LHP_OTEL_LOG=debug', ['lhp', 'generate'], { LHP_OTEL_LOG: 'debug' }],
    ['both', ['lhp', '-v', 'generate'], { LHP_OTEL_LOG: 'debug' }],
    ['a collector that refuses', ['lhp', '-v', 'generate'], REFUSED],
  ])('%s', async (_, command, env) => {
    expect(await told(command, env)).toEqual([OUR_LINE]);
  });

  it.concurrent('a run that failed', async () => {
    expect(await told(['lhp', '-v', 'generate'], {}, `${NOISE}; exit 2`)).toEqual([OUR_LINE]);
  });

  sampled(it.concurrent, 6).each(
    LAYER_ROWS.flatMap((row) => (row.source === 'environment' ? [row] : [])),
  )('opted out by $name: no network activity, and why', async ({ name, example }) => {
    const ours = await told(['lhp', 'generate', '-v'], { ...REFUSED, [name]: example });
    expect(ours).toEqual([OUR_LINE]);
    expect(ours[0]).toContain('no network activity');
    expect(ours[0]).toContain(name);
  });

  it.concurrent.each([
    ['without it', ['lhp', 'generate']],
    ["another program's -v", ['plain', '-v', 'generate']],
    ['-v as the value of an option', ['lhp', 'generate', '--env', '-v']],
  ])('%s: nothing is printed', async (_, command) => {
    expect(await told(command, {})).toEqual([]);
  });
});

it('the output ends while the collector has not answered', async () => {
  const where = place();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
  }).listen(0, '127.0.0.1');
  await until(() => server.listening, 'the server');
  const { port } = server.address() as { port: number };
  const env = { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  where.box.tell(env);
  const wrapped = await observe(WRAPPED, { ...recorded, env }, 'echo out', {}, where);
  expect(wrapped).toEqual({ stdout: 'out\n', stderr: '', status: 0 });
  await until(() => sockets.size > 0, 'the reporter to ask the collector');
  expect(processesMentioning(where.box.dir)).not.toEqual([]);
  for (const socket of sockets) socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n');
  server.close();
});
