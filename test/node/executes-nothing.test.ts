// Nothing of a project is executed to learn something about it, and no program is looked up by its
// bare name. strace records what was started, in a project whose interpreters, entry scripts, build
// backend and tools write to a file when they run.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { program } from '../../scripts/harness/needs.ts';
import {
  cli,
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { machineId } from '../../src/collect/identify.ts';
import { launches } from '../../src/command/launchers.ts';
import { SHELL_NAMES } from '../../src/hook/shells.ts';
import type { Host } from '../../src/system/host.ts';
import { resolvePaths } from '../../src/system/paths.ts';
import { windowsProgram } from '../../src/system/windows.ts';
import { openerOf } from '../../src/view/open.ts';
import { lacking } from '../support/lacking.ts';
import { sampled } from '../support/tags.ts';
import { traced } from '../support/trace.ts';

const strace = program('strace');
const boxes: Sandbox[] = [];
afterAll(async () => {
  for (const box of boxes) {
    await idle(box);
    box.dispose();
  }
});

/**
 * Programs that our own processes might look up. The project has one of each name, first on PATH.
 */
const WANTED = [
  'nice',
  'mv',
  'sh',
  'bash',
  'env',
  'setsid',
  'node',
  'python',
  'python3',
  'uname',
  'git',
  'xdg-open',
  'date',
  'cat',
];
/** Launchers with a Python environment, by the table, and the lines that start lhp with them. */
const LAUNCHED = launches()
  .filter(([, row]) => row.environment)
  .map(([name, row]) => `${name} ${row.package ? `${row.package} lakehouse-plumber ` : ''}lhp`);
const LAUNCHERS = new Set(LAUNCHED.map((command) => command.split(' ')[0] as string));

/** A project by a stranger, and the launchers of the person who cloned it. */
function place() {
  const box = sandbox();
  boxes.push(box);
  const project = join(box.dir, 'project');
  const ran = join(box.dir, 'ran');
  const put = (path: string, text: string, mode = 0o755) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
    chmodSync(path, mode);
  };
  const hostile = (path: string) =>
    put(join(project, path), `#!/bin/sh\necho "$0 $*" >>'${ran}'\n`);
  put(join(project, 'lhp.yaml'), 'name: hostile\n', 0o644);
  const backend =
    '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n';
  put(
    join(project, 'pyproject.toml'),
    `${backend}[project]\nname = "p"\nversion = "1"\n[tool.pixi]\n`,
    0o644,
  );
  put(join(project, 'backend.py'), `open('${ran}', 'a').write('backend')\n`, 0o644);
  put(join(project, 'Pipfile'), '', 0o644);
  put(join(project, '.pdm-python'), join(project, '.venv', 'bin', 'python'), 0o644);
  for (const venv of ['.venv', '.pixi/envs/default', 'conda']) {
    put(join(project, venv, 'pyvenv.cfg'), 'version = 3.12.1\n', 0o644);
    mkdirSync(join(project, venv, 'conda-meta'), { recursive: true });
    hostile(`${venv}/bin/python`);
    put(join(project, venv, 'bin', 'lhp'), `#!${join(project, venv, 'bin', 'python')}\n`);
  }
  for (const name of WANTED) hostile(`node_modules/.bin/${name}`);
  hostile('lhp');
  const bin = join(box.dir, 'bin');
  put(join(bin, 'lhp'), '#!/bin/sh\nexit 0\n');
  for (const name of LAUNCHERS)
    put(join(bin, name), '#!/bin/sh\nwhile [ "$1" != lhp ]; do shift; done\nexec "$@"\n');
  for (const name of ['nice', 'timeout', 'env']) symlinkSync(`/usr/bin/${name}`, join(bin, name));
  const env: Env = {
    ...box.env,
    PATH: `${bin}:./node_modules/.bin:/usr/bin:/bin`,
    CONDA_PREFIX: join(project, 'conda'),
  };
  return { box, project, env, ran };
}

const WATCHDOGS = ['/usr/bin/timeout', '/bin/timeout'];
const COMMANDS = [
  'lhp',
  './lhp',
  '.venv/bin/lhp',
  ...LAUNCHED,
  'uv run --with rich lhp',
  'nice -n 1 lhp',
  'env A=1 lhp',
  'timeout 60 uv run lhp',
];

describe('what is started', () => {
  if (lacking(strace)) return;
  const started = async (command: string[], { project, env }: ReturnType<typeof place>) => {
    const { processes, status } = await traced(command, {
      strace: strace.path,
      cwd: project,
      env: env as NodeJS.ProcessEnv,
    });
    return { status, programs: processes.flatMap(({ programs }) => programs) };
  };

  sampled(it.concurrent, 8).each(COMMANDS)(
    'run -- %s generate: only the command and our own two processes',
    async (command) => {
      const where = place();
      const words = [...command.split(' '), 'generate', '-e', 'dev'];
      const bare = await started(words, where);
      const ranBare = existsSync(where.ran) ? readFileSync(where.ran, 'utf8') : '';
      rmSync(where.ran, { force: true });
      const wrapped = await started([process.execPath, cli, 'run', '--', ...words], where);
      expect(wrapped.status).toBe(bare.status);
      // The reporter runs under timeout(1) if the system has it, started by its absolute path.
      const watchdog = WATCHDOGS.filter(
        (path) =>
          wrapped.programs.filter((one) => one === path).length >
          bare.programs.filter((one) => one === path).length,
      );
      expect(wrapped.programs.toSorted()).toEqual(
        [process.execPath, ...bare.programs, ...watchdog, process.execPath].toSorted(),
      );
      expect(existsSync(where.ran) ? readFileSync(where.ran, 'utf8') : '').toBe(ranBare);
      expect(where.box.runFiles()).toHaveLength(1);
    },
  );

  sampled(it.concurrent, 8).each(COMMANDS)(
    'show --preview -- %s generate: no other process',
    async (command) => {
      const where = place();
      const words = [...command.split(' '), 'generate', '-e', 'dev'];
      const { status, programs } = await started(
        [process.execPath, cli, 'show', '--preview', '--', ...words],
        where,
      );
      expect({ status, programs }).toEqual({ status: 0, programs: [process.execPath] });
      expect(existsSync(where.ran)).toBe(false);
    },
  );

  describe.each(SHELL_NAMES)('the hook of %s', (name) => {
    const shell = program(name);
    if (lacking(shell)) return;
    it('starts nothing of the project', async () => {
      const where = place();
      const hook = where.box.run(['hook', name]).stdout;
      const file = join(where.box.dir, `hook.${name}`);
      writeFileSync(file, hook);
      const env = { ...where.env, PATH: `./node_modules/.bin:${where.env.PATH}` };
      const line = `${name === 'fish' ? 'source' : '.'} '${file}'; lhp generate -e dev`;
      const { programs } = await started([shell.path, '-c', line], { ...where, env });
      expect(existsSync(where.ran) ? readFileSync(where.ran, 'utf8') : '').toBe('');
      expect(programs.filter((path) => path.startsWith(where.project))).toEqual([]);
      expect(programs).toContain(process.execPath);
    });
  });
});

/** Functions whose first argument is a program to start. The last two are our own. */
const STARTS = [
  'spawn',
  'spawnSync',
  'exec',
  'execSync',
  'execFile',
  'execFileSync',
  'fork',
  'execve',
  'replaceBy',
  'printed',
];

/** Every call in src/ that starts a program, and why no bare name reaches it. */
const PLACES = {
  "collect/identify.ts: '/usr/sbin/ioreg'": 'absolute',
  "collect/identify.ts: windowsProgram('reg.exe', env)": 'absolute: in the folder of Windows',
  'collect/identify.ts: file': 'called with the two above only',
  'doctor/hook.ts: file':
    'absolute: the Node, or the command of pip, that an installed hook names, checked by originOf',
  'hook/new-shell.ts: program':
    'absolute: $SHELL if it is absolute, else a path in a folder of the system',
  'view/open.ts: program': 'openerOf gives absolute paths, as tested below',
  'wrap/start-reporter.ts: file':
    'absolute: timeout(1) if the system has it, else the Node that runs us',
  "wrap/command-process.ts: '/bin/sh'": 'absolute',
  'wrap/waiting-reporter.ts: SHELL': 'absolute',
  'wrap/start-again.ts: execPath': 'absolute: the Node that runs us',
  "wrap/command-process.ts: '/usr/bin/env'": 'absolute',
  'wrap/command-process.ts: file': "the user's own command, as typed",
  'wrap/command-process.ts: program': 'called with the two above only',
};

describe('no program is started by a bare name', () => {
  it('in any call of src/', () => {
    const src = join(projectRoot, 'src');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const found = new Set(
      files.flatMap((name) => starts(name, readFileSync(join(src, name), 'utf8'))),
    );
    expect([...found].toSorted()).toEqual(Object.keys(PLACES).toSorted());
  });

  const hostOf = (platform: NodeJS.Platform, env: Env): Host => ({
    env,
    platform,
    home: '/home/u',
    cwd: '/project',
    systemConfigDir: '/etc/lhp-otel',
    now: Date.now,
  });
  it.each(['reg.exe', 'rundll32.exe'])('on Windows: %s', (name) => {
    expect(windowsProgram(name, { SystemRoot: 'D:\\Win' })).toBe(`D:\\Win\\System32\\${name}`);
    for (const SystemRoot of [undefined, '', '.', '..\\evil', '\\\\host\\share'])
      expect(windowsProgram(name, { SystemRoot })).toBe(`C:\\Windows\\System32\\${name}`);
  });
  it('for the browser', () => {
    expect(openerOf(hostOf('darwin', {}))[0]).toBe('/usr/bin/open');
    expect(openerOf(hostOf('win32', {}))[0]).toBe('C:\\Windows\\System32\\rundll32.exe');
    const [opener = '/none/xdg-open'] = openerOf(
      hostOf('linux', { DISPLAY: ':0', PATH: '/usr/bin:/bin' }),
    );
    expect([isAbsolute(opener), basename(opener)]).toEqual([true, 'xdg-open']);
  });
  it('a relative folder on PATH gives no browser', () => {
    const where = place();
    const host = {
      ...hostOf('linux', { DISPLAY: ':0', PATH: './node_modules/.bin:.' }),
      cwd: where.project,
    };
    expect(openerOf(host)).toEqual([]);
  });
  it('a machine id where the system has no program for it', async () => {
    const box = sandbox();
    boxes.push(box);
    const host = { ...hostOf('win32', {}), home: box.home };
    expect(await machineId(host, resolvePaths(host))).toMatch(/^[0-9a-f]{64}$/);
  });
});

/**
 * `file: first argument` of every call that starts a program, `promisify(execFile)(…)` included.
 */
function starts(name: string, text: string): string[] {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.arguments[0] && startsProgram(node.expression))
      found.push(`${name}: ${node.arguments[0].getText(source)}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function startsProgram(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return STARTS.includes(callee.text);
  // exec() of a property is that of a regular expression.
  if (ts.isPropertyAccessExpression(callee))
    return callee.name.text !== 'exec' && STARTS.includes(callee.name.text);
  return (
    ts.isCallExpression(callee) &&
    callee.arguments.some((one) => ts.isIdentifier(one) && STARTS.includes(one.text))
  );
}
