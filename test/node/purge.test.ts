import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { program } from '../../scripts/harness/needs.ts';
import { lhpOtel, startOtlpServer } from '../../scripts/harness/otlp-server.ts';
import {
  cli,
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
  until,
} from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';
import { openTerminal } from '../support/pty.ts';
import { reportMeanwhile } from '../support/report.ts';
import { sampled } from '../support/tags.ts';

const programs = join(projectRoot, 'test', 'fixtures', 'bin');
const boxes: Sandbox[] = [];
afterAll(async () => {
  for (const box of boxes) {
    await idle(box);
    box.dispose();
  }
});

/** A home with the usual files, and a project. */
async function place(env: Env = {}) {
  const box = sandbox({ path: [programs], env: { DO: ':', ...env } });
  boxes.push(box);
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: purge\n');
  const home = (...names: string[]) => join(box.home, ...names);
  mkdirSync(home('.config', 'other'), { recursive: true });
  mkdirSync(home('.local', 'state'), { recursive: true, mode: 0o711 });
  mkdirSync(home('.cache'));
  writeFileSync(home('.config', 'other', 'config.json'), '{}');
  writeFileSync(home('.bashrc'), '# mine, without an end', { mode: 0o640 });
  writeFileSync(home('.zshrc'), '# mine\r\n\xff\n', 'latin1');
  chmodSync(home('.zshrc'), 0o400);
  symlinkSync('.zshrc', home('.link'));
  const config = home('.config', 'lhp-otel');
  const run = (more: Env = {}) =>
    lhpOtel(box, ['run', '--', 'lhp', 'generate', '--env', 'dev'], { cwd: project, env: more });
  return { box, project, home, config, run };
}

/** Kind, mode and content of each path in a folder. */
function snapshot(folder: string, below = ''): Record<string, string> {
  return Object.fromEntries(
    readdirSync(join(folder, below)).flatMap((name) => {
      const inner = join(below, name);
      const path = join(folder, inner);
      const stats = lstatSync(path);
      const content = stats.isSymbolicLink()
        ? readlinkSync(path)
        : stats.isFile()
          ? readFileSync(path, 'latin1')
          : '';
      return [
        [inner, `${stats.mode.toString(8)} ${content}`] as [string, string],
        ...(stats.isDirectory() ? Object.entries(snapshot(folder, inner)) : []),
      ];
    }),
  );
}

const purgeAll = (box: Sandbox, env: Env = {}) => box.run(['purge', '--all', '--yes'], { env });

describe('purge --all', () => {
  it('restores the home folder after runs, deliveries, hooks and killed processes', async () => {
    const { box, home, config, run } = await place();
    const before = snapshot(box.home);
    const server = await startOtlpServer({ script: [{}, { status: 401 }] });
    const endpoint = { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoint };
    await run();
    await run(endpoint);
    await idle(box);
    await run({ ...endpoint, CI: 'true', LHP_OTEL_FLUSH_TIMEOUT: '0' });
    await box.recorded(3);
    await idle(box);
    await server.close();
    for (const shell of ['bash', 'zsh', 'fish'])
      expect(box.run(['hook', '--install', shell]).status).toBe(0);
    writeFileSync(join(config, 'config.json'), JSON.stringify({ endpoint: server.endpoint }));
    // Files that killed processes leave, and those that exist only on some machines or for a
    // moment.
    for (const name of [
      'delivery.json.77.tmp',
      'notice.json',
      'notice.pending',
      'machine-id',
      'deliver.lock',
    ])
      writeFileSync(join(box.stateDir, name), '');
    for (const name of ['1700000000000.tmp', '1700000000001.json'])
      writeFileSync(join(box.spoolDir, name), '');
    for (const name of [
      '1700000000002.lost-expired.json',
      '1700000000003.lost-rejected.in-1700000000004.json',
    ])
      writeFileSync(join(box.historyDir, name), '');
    writeFileSync(join(config, 'consent.json.78.tmp'), '');
    writeFileSync(home('.bashrc.lhp-otel.79'), '');
    const made = Object.keys(snapshot(box.home)).length;
    expect(made).toBeGreaterThan(Object.keys(before).length + 20);

    const { status, stdout, stderr } = purgeAll(box);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.split('\n').slice(0, 7)).toEqual([
      'deleted: 6 recorded runs and what is known of their delivery, in ~/.local/state/lhp-otel',
      expect.stringMatching(
        /^deleted: your configuration, in ~\/\.config\/lhp-otel: config\.json, consent/,
      ),
      'deleted: the hook in ~/.bashrc',
      'deleted: the hook in ~/.zshrc',
      'deleted: the hook in ~/.config/fish/config.fish',
      'deleted: compiled code, which lhp-otel makes anew where it needs it, in ~/.cache/lhp-otel',
      'deleted: what an interrupted hook --install has left: ~/.bashrc.lhp-otel.79',
    ]);
    expect(stdout).toContain('open keep the hook');
    expect(snapshot(box.home)).toEqual(before);

    // Everything works as after the installation.
    expect(purgeAll(box)).toMatchObject({ status: 0, stdout: 'there is nothing to delete\n' });
    for (const word of ['off', 'on', 'status', 'show']) expect(box.run([word]).status).toBe(0);
    await run();
    expect(await box.recorded(1)).toHaveLength(1);
  });

  it('leaves standard folders that it has created, empty', async () => {
    const box = sandbox({ path: [programs], env: { DO: ':' } });
    boxes.push(box);
    writeFileSync(join(box.dir, 'lhp.yaml'), 'name: purge\n');
    await lhpOtel(box, ['run', '--', 'lhp', 'generate'], {});
    await box.recorded(1);
    await idle(box);
    box.run(['hook', '--install', 'fish']);
    expect(purgeAll(box).status).toBe(0);
    expect(Object.keys(snapshot(box.home)).sort()).toEqual([
      '.cache',
      '.config',
      '.local',
      '.local/state',
    ]);
  });

  it('files that are not ours stay, and are named', async () => {
    const { box, config, run } = await place();
    await run();
    await box.recorded(1);
    await idle(box);
    mkdirSync(config);
    const foreign = [
      join(box.spoolDir, 'README'),
      join(box.stateDir, 'notes'),
      join(config, 'config.json.bak'),
    ];
    for (const path of foreign) writeFileSync(path, 'mine');
    // A folder is never ours, whatever its name.
    foreign.push(join(box.historyDir, '1700000000000.sent.json'));
    mkdirSync(foreign.at(-1) as string);
    const { status, stdout } = purgeAll(box);
    expect(status).toBe(0);
    for (const path of foreign) expect(stdout).toContain(`not ours, and still there: ${path}\n`);
    const left = Object.keys({ ...snapshot(box.stateDir), ...snapshot(config) }).sort();
    expect(left).toEqual([
      'config.json.bak',
      'history',
      'history/1700000000000.sent.json',
      'notes',
      'spool',
      'spool/README',
    ]);
  });

  sampled(it, 6).each([
    ['consent.json', '{"enabled":false}\n'],
    ['consent.json', 'unreadable means off'],
    ['config.json', '{"enabled":false}'],
  ])('the user stays off: %s with %s', async (name, text) => {
    const { box, config, run } = await place();
    await run();
    await box.recorded(1);
    await idle(box);
    box.run(['hook', '--install', 'bash']);
    for (const other of ['consent.json', 'config.json']) writeFileSync(join(config, other), '{}');
    writeFileSync(join(config, name), text);
    const { status, stdout } = purgeAll(box);
    expect(status).toBe(0);
    expect(stdout).toContain(
      `still off: ${join(config, name)} says so, and stays; to remove it as well: rm `,
    );
    expect(Object.keys(snapshot(config))).toEqual([name]);
    expect(existsSync(box.stateDir)).toBe(false);
    await run();
    await idle(box);
    expect(box.runFiles()).toEqual([]);
    expect(box.run(['status']).stdout).toContain('off: nothing is recorded');
  });

  it('links out of our folders are not followed', async () => {
    const { box, config, run } = await place();
    await run();
    await box.recorded(1);
    await idle(box);
    const elsewhere = join(box.dir, 'elsewhere');
    const moved = ['history', 'config'].map((name) => join(elsewhere, name)) as [string, string];
    mkdirSync(moved[1], { recursive: true });
    writeFileSync(join(moved[1], 'config.json'), '{}');
    writeFileSync(join(elsewhere, 'delivery.json'), 'not to be deleted');
    renameSync(box.historyDir, moved[0]);
    symlinkSync(moved[0], box.historyDir);
    symlinkSync(moved[1], config);
    symlinkSync(join(elsewhere, 'delivery.json'), join(box.stateDir, 'delivery.json'));
    const before = snapshot(elsewhere);
    const { status, stderr } = purgeAll(box);
    expect(status).toBe(1);
    expect(stderr).toContain(`${box.historyDir} is a link, which is not followed\n`);
    expect(stderr).toContain(`${config} is a link, which is not followed\n`);
    expect(snapshot(elsewhere)).toEqual(before);
    expect(Object.keys(snapshot(box.stateDir))).toEqual(['history']);
    // The state folder itself as a link.
    rmSync(box.stateDir, { recursive: true });
    symlinkSync(elsewhere, box.stateDir);
    expect(purgeAll(box).status).toBe(1);
    expect(snapshot(elsewhere)).toEqual(before);
  });

  it('a file that cannot be changed is named, and the rest is removed', async () => {
    const { box, home, config, run } = await place();
    await run();
    await box.recorded(1);
    await idle(box);
    for (const shell of ['bash', 'zsh']) box.run(['hook', '--install', shell]);
    const damaged = readFileSync(home('.bashrc'), 'utf8').replace('# <<< lhp-otel hook <<<\n', '');
    writeFileSync(home('.bashrc'), damaged);
    const { status, stderr } = purgeAll(box);
    expect(status).toBe(1);
    expect(stderr).toContain(`${home('.bashrc')} has the line`);
    expect(readFileSync(home('.bashrc'), 'utf8')).toBe(damaged);
    expect(readFileSync(home('.zshrc'), 'latin1')).toBe('# mine\r\n\xff\n');
    expect([box.stateDir, config].filter(existsSync)).toEqual([]);
  });
});

describe('processes that are running', () => {
  it('a reporter that has started records nothing', async () => {
    const { box, project, run } = await place();
    const before = snapshot(box.home);
    await run();
    await box.recorded(1);
    await idle(box);
    await reportMeanwhile(project, box.env, () => expect(purgeAll(box).status).toBe(0));
    expect(snapshot(box.home)).toEqual(before);
  });

  sampled(it, 4).each([200, 400, 401])(
    'a delivery that is then answered with %i writes nothing',
    async (status) => {
      const { box, run } = await place();
      const before = snapshot(box.home);
      let purged = () => {};
      const after = new Promise<void>((resolve) => {
        purged = resolve;
      });
      const server = await startOtlpServer({ script: [{ status, after: () => after }] });
      await run({ LHP_OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoint });
      await until(() => server.requests.length === 1, 'the delivery to be under way');
      const ran = await lhpOtel(box, ['purge', '--all', '--yes'], {});
      expect(ran).toMatchObject({ status: 0, stderr: '' });
      expect(ran.stdout).toContain('just being delivered');
      purged();
      await idle(box);
      await server.close();
      expect(snapshot(box.home)).toEqual(before);
    },
  );
});

it('purge without --all deletes every recorded run, and nothing else', async () => {
  const { box, home, config, run } = await place();
  const server = await startOtlpServer({ script: [{}, { status: 401 }] });
  // One after the other: a run is named after the moment at which its reporter stores it.
  const endpoint = { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoint };
  for (const env of [{}, endpoint, endpoint]) {
    await run(env);
    await idle(box);
  }
  await server.close();
  expect(box.runFiles().map((name) => name.replace(/^\d+/, ''))).toEqual(
    ['.json', '.local.json', '.sent.json'].sort(),
  );
  box.run(['hook', '--install', 'bash']);
  const rc = readFileSync(home('.bashrc'), 'utf8');
  writeFileSync(join(config, 'config.json'), '{}');
  expect(box.run(['purge', '--yes'])).toMatchObject({
    status: 0,
    stdout: '3 recorded runs deleted\n',
    stderr: '',
  });
  expect(box.runFiles()).toEqual([]);
  expect(readFileSync(home('.bashrc'), 'utf8')).toBe(rc);
  expect(Object.keys(snapshot(config)).sort()).toEqual(['config.json', 'hook.bash']);
  expect(box.run(['status', '--json']).stdout).toContain('"lastFailure"');
  await run();
  expect(await box.recorded(1)).toHaveLength(1);
});

describe('the question', () => {
  it.each([['purge'], ['purge', '--all']])(
    '%s %s without a terminal and --yes is a usage error',
    async (...words) => {
      const { box } = await place();
      box.run(['hook', '--install', 'bash']);
      const before = snapshot(box.home);
      const ran = box.run(words);
      expect(ran).toMatchObject({ status: 2, stdout: '' });
      expect(ran.stderr).toContain('--yes');
      expect(snapshot(box.home)).toEqual(before);
    },
  );

  if (lacking(program('python3'))) return;
  sampled(it, 4).each([
    ['no', 'n\r', 1],
    ['nothing', '\r', 1],
    ['Ctrl-C', '\x03', 1],
    ['Ctrl-D', '\x04', 1],
    ['yes', 'y\r', 0],
  ])('on a terminal it lists what will be deleted; the answer is %s', async (_, typed, status) => {
    const { box, run } = await place();
    const before = snapshot(box.home);
    await run();
    await box.recorded(1);
    await idle(box);
    box.run(['hook', '--install', 'bash']);
    const between = snapshot(box.home);
    const terminal = openTerminal([process.execPath, cli, 'purge', '--all'], {
      cwd: box.dir,
      env: box.env as NodeJS.ProcessEnv,
    });
    await terminal.expect('This will be deleted:');
    await terminal.expect(
      '1 recorded run and what is known of their delivery, in ~/.local/state/lhp-otel',
    );
    await terminal.expect('the hook in ~/.bashrc');
    await terminal.expect('Go on? [y/N] ');
    terminal.type(typed);
    expect(await terminal.ended()).toBe(status);
    if (status !== 0) expect(terminal.shown()).toContain('nothing was deleted');
    expect(snapshot(box.home)).toEqual(status === 0 ? before : between);
  });

  it('says how many runs were deleted, also where one was recorded since it asked', async () => {
    const { box, run } = await place();
    await run();
    await box.recorded(1);
    const terminal = openTerminal([process.execPath, cli, 'purge'], {
      cwd: box.dir,
      env: box.env as NodeJS.ProcessEnv,
    });
    await terminal.expect('1 recorded run, which only this machine has');
    await terminal.expect('Go on? [y/N] ');
    await run();
    await box.recorded(2);
    terminal.type('y\r');
    expect(await terminal.ended()).toBe(0);
    expect(terminal.shown()).toContain('2 recorded runs deleted');
  });
});
