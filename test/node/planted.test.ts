// A CI job may restore the state folder from a cache that others can write. Foreign files in it are
// not sent, links are not followed, and FIFOs are not waited for; `off` and `purge` delete only
// files with our names.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secondUser } from '../../scripts/harness/needs.ts';
import { lhpOtel, type OtlpServer, startOtlpServer } from '../../scripts/harness/otlp-server.ts';
import { idle, projectRoot, type Sandbox, sandbox } from '../../scripts/harness/sandbox.ts';
import type { Diagnosis } from '../../src/doctor/doctor.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { EVENT } from '../support/event.ts';
import { lacking } from '../support/lacking.ts';
import { sampled } from '../support/tags.ts';

let box: Sandbox;
let server: OtlpServer;
beforeEach(async () => {
  server = await startOtlpServer();
  const bin = join(projectRoot, 'test', 'fixtures', 'bin');
  const env = {
    DO: ':',
    CI: 'true',
    LHP_OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoint,
    LHP_OTEL_FLUSH_TIMEOUT: '20s',
  };
  box = sandbox({ path: [bin], env });
  writeFileSync(join(box.dir, 'lhp.yaml'), 'name: planted\n');
  for (const folder of ['spool', 'history', 'attempts'])
    mkdirSync(join(box.stateDir, folder), { recursive: true, mode: 0o700 });
});
afterEach(async () => {
  await idle(box);
  await server.close();
  box.dispose();
});

const wire = () => server.requests.map(({ head, body }) => head + body.toString()).join('\n');
const generate = () =>
  lhpOtel(box, ['run', '--', 'lhp', 'generate', '--env', 'dev'], { cwd: box.dir });
const AT = Date.now() - 60_000;

describe('the text of a foreign file is not sent', () => {
  const request = async () =>
    JSON.parse(
      Buffer.from(
        await recordRun({ ...EVENT, is_ci: false }, { timestamp: AT, startedAt: AT }),
      ).toString(),
    ) as {
      resourceMetrics: [
        { resource: { attributes: unknown[] }; scopeMetrics: [{ metrics: unknown[] }] },
      ];
    };

  sampled(it, 2).each<[string, (whole: Awaited<ReturnType<typeof request>>) => unknown]>([
    [
      'one more resource attribute',
      ({ resourceMetrics: [{ resource }] }) =>
        resource.attributes.push({ key: 'host.name', value: { stringValue: 'acme_secret' } }),
    ],
    [
      'one more metric',
      ({ resourceMetrics: [{ scopeMetrics }] }) =>
        scopeMetrics[0].metrics.push({ name: 'acme_secret', sum: { dataPoints: [] } }),
    ],
    [
      'one more resource',
      ({ resourceMetrics }) =>
        (resourceMetrics as unknown[]).push({
          resource: { attributes: ['acme_secret'] },
          scopeMetrics: [],
        }),
    ],
    ['one more key', (whole) => Object.assign(whole, { acme_secret: 1 })],
  ])('a run with %s', async (_what, change) => {
    const whole = await request();
    change(whole);
    writeFileSync(join(box.spoolDir, `${AT}.json`), JSON.stringify(whole));
    expect((await generate()).status).toBe(0);
    await idle(box);
    await generate();
    await idle(box);
    expect(server.requests).toHaveLength(2);
    expect(wire()).not.toContain('acme_secret');
    expect(wire()).toContain('"stringValue":"unreadable"');
  });

  it('a lost run with an unknown reason', async () => {
    writeFileSync(join(box.historyDir, `${AT}.lost-acme_secret_project.json`), '{}');
    await generate();
    await idle(box);
    expect(server.requests).toHaveLength(1);
    expect(wire()).not.toContain('acme_secret');
    expect(wire()).not.toContain('lost_runs');
    expect(readdirSync(box.historyDir)).toContain(`${AT}.lost-acme_secret_project.json`);
  });
});

describe('FIFOs and links', () => {
  const places = [
    'delivery.json',
    'deliver.lock',
    'notice.json',
    'notice.pending',
    'machine-id',
    'ci-slot.json',
    `spool/${AT}.json`,
    `spool/${AT}.tmp`,
    `history/${AT}.sent.json`,
    `history/${AT}.lost-rejected.json`,
    `attempts/${AT}`,
  ];

  it.each([['delivery.json'], ['deliver.lock'], places])(
    'FIFOs as %s … are not waited for',
    async (...names) => {
      for (const name of names)
        expect(spawnSync('mkfifo', [join(box.stateDir, name)]).status).toBe(0);
      expect((await generate()).status).toBe(0);
      await idle(box);
      expect(server.requests).toHaveLength(1);
      for (const args of [['status'], ['show'], ['stats'], ['flush']])
        expect(await lhpOtel(box, args, { cwd: box.dir }), args[0]).toMatchObject({
          status: 0,
          stderr: '',
        });
    },
  );

  sampled(it, 3).each(places.slice(0, 6))(
    'a link as %s: its target is not changed',
    async (name) => {
      const precious = join(box.dir, 'precious');
      writeFileSync(precious, 'precious');
      symlinkSync(precious, join(box.stateDir, name));
      await generate();
      await idle(box);
      expect(readFileSync(precious, 'utf8')).toBe('precious');
    },
  );
});

describe('in the place of the lock of deliveries', () => {
  const lock = () => join(box.stateDir, 'deliver.lock');
  const elsewhere = () => join(box.dir, 'elsewhere');
  /** The probe of the spool, as `doctor` prints it. */
  const probe = async () => {
    const { stdout } = await lhpOtel(box, ['doctor', '--json'], { cwd: box.dir });
    const { probes } = JSON.parse(stdout) as Diagnosis;
    return probes.find(({ name }) => name === 'spool');
  };
  const deliversTwice = async () => {
    for (const count of [1, 2]) {
      expect(await generate()).toEqual({ status: 0, stdout: '', stderr: '' });
      await idle(box);
      expect(readdirSync(box.spoolDir)).toEqual([]);
      expect(readdirSync(box.historyDir)).toHaveLength(count);
    }
  };

  sampled(it, 3).each<[string, () => void]>([
    ['an empty folder', () => mkdirSync(lock())],
    ['a FIFO', () => expect(spawnSync('mkfifo', [lock()]).status).toBe(0)],
    [
      'a link to a file',
      () => {
        writeFileSync(elsewhere(), String(process.pid));
        symlinkSync(elsewhere(), lock());
      },
    ],
    [
      'a link to a folder',
      () => {
        mkdirSync(elsewhere());
        symlinkSync(elsewhere(), lock());
      },
    ],
    ['a link to nothing', () => symlinkSync(elsewhere(), lock())],
    ['a link to a device', () => symlinkSync('/dev/zero', lock())],
  ])('%s: is removed, runs are delivered', async (_what, plant) => {
    plant();
    const target = lstatSync(elsewhere(), { throwIfNoEntry: false });
    expect(await probe()).toMatchObject({
      result: 'warning',
      detail: expect.stringContaining('; a stale lock'),
    });
    await deliversTwice();
    expect(lstatSync(lock(), { throwIfNoEntry: false })).toBeUndefined();
    expect(lstatSync(elsewhere(), { throwIfNoEntry: false })?.mtimeMs).toBe(target?.mtimeMs);
  });

  it('a folder with files: stays, runs are delivered, doctor names it', async () => {
    mkdirSync(lock());
    writeFileSync(join(lock(), 'precious'), 'precious');
    await deliversTwice();
    expect(readFileSync(join(lock(), 'precious'), 'utf8')).toBe('precious');
    expect(await probe()).toMatchObject({
      result: 'warning',
      detail: expect.stringContaining(`; ${lock()} is a folder that lhp-otel did not create`),
      advice: expect.stringContaining('move it away'),
    });
  });
});

describe('a folder that another user can write', () => {
  const other = secondUser();
  if (lacking(other)) return;
  const cache = () => join(box.home, '.cache', 'lhp-otel', 'compiled');

  it('no compiled code is kept in it; in our own folder it is', async () => {
    mkdirSync(cache(), { recursive: true });
    chmodSync(cache(), 0o777);
    chownSync(cache(), other.uid, other.gid);
    expect((await generate()).status).toBe(0);
    await idle(box);
    expect(readdirSync(cache())).toEqual([]);
    chownSync(cache(), process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    chmodSync(cache(), 0o700);
    await generate();
    await idle(box);
    expect(readdirSync(cache())).toHaveLength(1);
    expect(server.requests).toHaveLength(2);
  });

  it.each(['spool', 'history', ''])(
    'as state folder/%s: nothing is recorded, and the command runs as before',
    async (name) => {
      chownSync(join(box.stateDir, name), other.uid, other.gid);
      chmodSync(join(box.stateDir, name), 0o777);
      expect(await generate()).toEqual({ status: 0, stdout: '', stderr: '' });
      await idle(box);
      expect(box.runFiles()).toEqual([]);
      expect(server.requests).toEqual([]);
    },
  );
});

describe('something else under the name of a file that a delivery writes', () => {
  const folder = (path: string) => {
    mkdirSync(path);
    writeFileSync(join(path, 'mine'), 'mine');
  };
  const fifo = (path: string) => void expect(spawnSync('mkfifo', [path]).status).toBe(0);
  const link = (path: string) => {
    writeFileSync(join(box.dir, 'mine'), 'mine');
    symlinkSync(join(box.dir, 'mine'), path);
  };

  sampled(it, 2).each<[string, string, (path: string) => void]>([
    ['a folder', `attempts/${AT}`, folder],
    ['a FIFO', `attempts/${AT}`, fifo],
    ['a folder', `history/${AT}.sent.json`, folder],
    ['a FIFO', `history/${AT}.sent.json`, fifo],
    ['a folder', 'delivery.json', folder],
    ['a link', `attempts/${AT}`, link],
    ['a link', `history/${AT}.sent.json`, link],
  ])('%s as %s: each run is settled once, and what was there stays', async (_, name, plant) => {
    const whole = await recordRun(EVENT, { timestamp: AT, startedAt: AT });
    writeFileSync(join(box.spoolDir, `${AT}.json`), whole);
    plant(join(box.stateDir, name));
    for (const _run of [1, 2]) {
      await generate();
      await idle(box);
    }
    expect(readdirSync(box.spoolDir)).toEqual([]);
    expect(server.requests).toHaveLength(3);
    const sent = box.runFiles().filter((file) => lstatSync(join(box.historyDir, file)).isFile());
    expect(sent.map((file) => file.slice(13))).toEqual(Array(3).fill('.sent.json'));
    const left = readdirSync(box.dir, { recursive: true, encoding: 'utf8' });
    expect(left.filter((path) => path.endsWith('/mine') || path === 'mine')).toHaveLength(
      plant === fifo ? 0 : 1,
    );
  });
});

describe('a configuration that another user can write', () => {
  const other = secondUser();
  if (lacking(other)) return;
  const config = () => join(box.home, '.config', 'lhp-otel', 'config.json');

  sampled(it, 2).each<[string, (path: string) => void]>([
    ['a file of that user', (path) => chownSync(path, other.uid, other.gid)],
    ['a file that everybody can write', (path) => chmodSync(path, 0o666)],
    ['a folder of that user', (path) => chownSync(join(path, '..'), other.uid, other.gid)],
    ['a folder that everybody can write', (path) => chmodSync(join(path, '..'), 0o777)],
  ])('%s: the collector in it gets nothing, and status says why', async (_what, attack) => {
    mkdirSync(join(config(), '..'), { recursive: true });
    writeFileSync(config(), JSON.stringify({ endpoint: server.endpoint }));
    const env = { CI: undefined, LHP_OTEL_EXPORTER_OTLP_ENDPOINT: undefined };
    const mine = await lhpOtel(box, ['status'], { cwd: box.dir, env });
    expect(mine).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`${server.endpoint}/v1/metrics`),
    });
    attack(config());
    const told = await lhpOtel(box, ['run', '--', 'lhp', 'generate', '--env', 'dev'], {
      cwd: box.dir,
      env,
    });
    expect(told).toEqual({ status: 0, stdout: '', stderr: '' });
    await idle(box);
    expect(server.requests).toEqual([]);
    expect(box.runFiles()).toEqual([]);
    const { status, stderr } = await lhpOtel(box, ['status'], { cwd: box.dir, env });
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/belongs to user|written by/),
    });
    expect((await lhpOtel(box, ['doctor'], { cwd: box.dir, env })).status).toBe(1);
  });
});

describe('files with other names', () => {
  const foreign = [
    'spool/README',
    'spool/12.json',
    'history/notes.json',
    'attempts/NaN',
    'mine.json',
  ];

  it.each([[['off']], [['purge', '--yes']]])(
    '%j leaves them and does not count them',
    async (args) => {
      for (const name of foreign) writeFileSync(join(box.stateDir, name), 'mine');
      server.answers({ status: 503 });
      box.env.LHP_OTEL_EXPORTER_OTLP_TIMEOUT = '500'; // a 503 is asked again until then
      await generate();
      await idle(box);
      expect(readdirSync(box.spoolDir)).toHaveLength(3);
      const told = await lhpOtel(box, args, { cwd: box.dir });
      expect(told).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/\b1 (recorded )?run/),
      });
      for (const name of foreign) expect(existsSync(join(box.stateDir, name)), name).toBe(true);
      expect(readdirSync(box.spoolDir)).toHaveLength(2);
    },
  );

  sampled(it, 2).each([
    ['state and configuration', ['XDG_STATE_HOME', 'XDG_CONFIG_HOME']],
    ['state and cache', ['XDG_STATE_HOME', 'XDG_CACHE_HOME']],
    ['all three', ['XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME']],
  ])(
    'one folder for %s: purge --all lists each file once, and leaves nothing',
    async (_what, variables) => {
      const shared = join(box.dir, 'xdg');
      const env = Object.fromEntries(variables.map((name) => [name, shared]));
      mkdirSync(join(shared, 'lhp-otel'), { recursive: true, mode: 0o700 });
      if (variables.includes('XDG_CONFIG_HOME'))
        writeFileSync(
          join(shared, 'lhp-otel', 'config.json'),
          JSON.stringify({ compression: 'gzip' }),
        );
      writeFileSync(join(shared, 'lhp-otel', 'notes'), 'mine');
      await lhpOtel(box, ['run', '--', 'lhp', 'generate', '--env', 'dev'], { cwd: box.dir, env });
      await idle(box);
      const { status, stdout } = await lhpOtel(box, ['purge', '--all', '--yes'], {
        cwd: box.dir,
        env,
      });
      expect(status).toBe(0);
      expect(stdout.match(/not ours, and still there: .*/g)).toEqual([
        `not ours, and still there: ${join(shared, 'lhp-otel', 'notes')}`,
      ]);
      expect(readdirSync(join(shared, 'lhp-otel'))).toEqual(['notes']);
    },
  );
});
