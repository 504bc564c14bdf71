// The spool: each run has its own millisecond and is in exactly one place at each moment, and each
// lost run is counted once.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import type { LossReason } from '../../src/contract/contract.ts';
import { exportRun } from '../../src/otlp/encode.ts';
import { markLost, markSent } from '../../src/spool/outcome.ts';
import { deleteUnsent } from '../../src/spool/purge.ts';
import { HISTORY_SLACK, MAX_AGE_MS, MAX_HISTORY, prune } from '../../src/spool/retention.ts';
import { type Recorder, store } from '../../src/spool/store.ts';
import { readRun, storedRuns, waiting } from '../../src/spool/stored-runs.ts';
import { systemHost } from '../../src/system/host.ts';
import { type Paths, resolvePaths } from '../../src/system/paths.ts';
import { EVENT } from '../support/event.ts';
import { extended } from '../support/tags.ts';

let home: string;
let paths: Paths;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lhp-otel-spool-'));
  paths = resolvePaths({ ...systemHost(), env: {}, home });
  mkdirSync(paths.state, { recursive: true, mode: 0o700 });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const NOW = Date.now();
// The least that the spool recognizes as a request. `put` adds what the tests look at.
const RUN = {
  resourceMetrics: [
    {
      resource: { attributes: [] },
      scopeMetrics: [{ metrics: [{ name: 'lhp.generate.runs', sum: { dataPoints: [{}] } }] }],
    },
  ],
};
const recordLeast: Recorder = async (timestamp, lost, write) =>
  write(Buffer.from(JSON.stringify({ ...RUN, timestamp, lost: Object.fromEntries(lost) })));
const put = (outcome: 'waiting' | 'local' = 'waiting', now = NOW) =>
  store(paths, outcome, recordLeast, now);
const recordEvent: Recorder = (timestamp, lost, write) =>
  exportRun(EVENT, { timestamp, startedAt: timestamp, lost }, write);
const putRecorded = () => store(paths, 'waiting', recordEvent, NOW);
const content = (timestamp: number) => {
  const run = storedRuns(paths).find((stored) => stored.timestamp === timestamp);
  return JSON.parse(run ? readFileSync(run.path, 'utf8') : '{}') as {
    timestamp?: number;
    lost?: Record<LossReason, number>;
  };
};

it('a file is private, complete, and named by the millisecond in its bytes', async () => {
  const run = await put();
  expect(readdirSync(paths.spool)).toEqual([`${NOW}.json`]);
  expect(statSync(run.path).mode & 0o777).toBe(0o600);
  expect(statSync(paths.spool).mode & 0o777).toBe(0o700);
  expect(content(NOW).timestamp).toBe(NOW);
});

describe('a millisecond is not taken a second time', () => {
  it('while a run waits', async () => {
    await put();
    expect((await put()).timestamp).toBe(NOW + 1);
  });
  it('after a run was sent, kept or lost', async () => {
    markSent(paths, await put());
    await put('local');
    const third = await put();
    markLost(paths, third, 'rejected');
    expect((await put()).timestamp).toBe(NOW + 3);
  });
  it('while a run is being written', async () => {
    mkdirSync(paths.spool);
    writeFileSync(join(paths.spool, `${NOW}.tmp`), '');
    expect((await put()).timestamp).toBe(NOW + 1);
  });
  it('and of those that are preferred the first free one is taken', async () => {
    const earlier = [NOW - 500, NOW - 1_500];
    const takes = async () => (await store(paths, 'local', recordLeast, NOW, earlier)).timestamp;
    expect([await takes(), await takes(), await takes(), await takes()]).toEqual([
      ...earlier,
      NOW,
      NOW + 1,
    ]);
  });
  const byProcesses = (count: number) => async () => {
    const runsEach = 40;
    const program = `
      import { markSent } from '${join(projectRoot, 'src', 'spool', 'outcome.ts')}';
      import { store } from '${join(projectRoot, 'src', 'spool', 'store.ts')}';
      const paths = JSON.parse(process.argv[1]);
      for (let i = 0; i < ${runsEach}; i += 1) {
        const record = async (t, lost, write) => write(Buffer.from(String(t)));
        const run = await store(paths, 'waiting', record, ${NOW});
        if (i % 2) markSent(paths, run);
      }`;
    const children = Array.from({ length: count }, () =>
      spawn(
        process.execPath,
        ['--input-type=module-typescript', '-e', program, JSON.stringify(paths)],
        {
          stdio: 'inherit',
        },
      ),
    );
    const codes = await Promise.all(
      children.map((child) => new Promise((resolve) => child.on('exit', resolve))),
    );
    expect(codes).toEqual(Array(count).fill(0));
    const runs = storedRuns(paths);
    expect(new Set(runs.map(({ timestamp }) => timestamp)).size).toBe(count * runsEach);
    expect(runs).toHaveLength(count * runsEach);
    expect(runs.filter(({ outcome }) => outcome === 'sent')).toHaveLength((count * runsEach) / 2);
    expect(runs.every((run) => readFileSync(run.path, 'utf8') === String(run.timestamp))).toBe(
      true,
    );
  };
  it('also by two processes at once', byProcesses(2));
  it('also by eight processes at once', extended, byProcesses(8));
});

describe('a run that cannot be written', () => {
  const HOUR_AGO = NOW - 3_600_000;
  /** The file of the run becomes one that the system has no room for. */
  const onFullDisk: Recorder = (timestamp, lost, write) => {
    const file = join(paths.spool, `${timestamp}.tmp`);
    rmSync(file);
    symlinkSync('/dev/full', file);
    return recordEvent(timestamp, lost, write);
  };

  it('leaves nothing in the spool, and counts as lost', async () => {
    await expect(
      store(paths, 'waiting', () => Promise.reject(new Error('no')), NOW),
      'the error of `record`',
    ).rejects.toThrow('no');
    expect(readdirSync(paths.spool)).toEqual([]);
    expect(content((await put()).timestamp).lost).toEqual({ unreadable: 1 });
  });

  it('on a full disk: is no run, and loses no count', async () => {
    markLost(paths, await put('waiting', HOUR_AGO), 'rejected');
    await expect(store(paths, 'waiting', onFullDisk, NOW)).rejects.toThrow('ENOSPC');
    expect(readdirSync(paths.spool)).toEqual([]);
    expect(storedRuns(paths)).toMatchObject([
      { timestamp: HOUR_AGO, outcome: 'lost', reason: 'rejected' },
      { timestamp: NOW, outcome: 'lost', reason: 'unreadable' },
    ]);
    expect(content((await put()).timestamp).lost).toEqual({ rejected: 1, unreadable: 1 });
  });

  it('on a full disk, where it stays on this machine: leaves no file', async () => {
    await expect(store(paths, 'local', onFullDisk, NOW)).rejects.toThrow('ENOSPC');
    expect([readdirSync(paths.spool), readdirSync(paths.history)]).toEqual([[], []]);
  });

  it('of which only the beginning is written: is no run, and loses no count', async () => {
    markLost(paths, await put('waiting', HOUR_AGO), 'rejected');
    const program = `
      import { exportRun } from '${join(projectRoot, 'src', 'otlp', 'encode.ts')}';
      import { store } from '${join(projectRoot, 'src', 'spool', 'store.ts')}';
      const [paths, event] = process.argv.slice(1).map((text) => JSON.parse(text));
      const record = (timestamp, lost, write) =>
        exportRun(event, { timestamp, startedAt: timestamp, lost }, write);
      await store(paths, 'waiting', record, ${NOW}).catch(({ code }) => console.log(code));`;
    // No file may have more than one block, of 512 or 1024 bytes. A run has about 3 kB.
    const { stdout, stderr } = spawnSync(
      'sh',
      [
        '-c',
        'ulimit -f 1; exec "$@"',
        'sh',
        process.execPath,
        '--input-type=module-typescript',
        '-e',
        program,
        JSON.stringify(paths),
        JSON.stringify(EVENT),
      ],
      { encoding: 'utf8' },
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'EFBIG\n', stderr: '' });
    expect(readdirSync(paths.spool)).toEqual([]);
    const lost = storedRuns(paths);
    expect(lost.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['lost', 'rejected'],
      ['lost', 'unreadable'],
    ]);
    expect(statSync(lost[1]?.path ?? '').size, 'a part was written').toBeGreaterThan(0);
    expect(content((await put()).timestamp).lost).toEqual({ rejected: 1, unreadable: 1 });
  });
});

describe('a lost run', () => {
  it('is counted by the next run, once, by reason', async () => {
    markLost(paths, await put(), 'rejected');
    markLost(paths, await put(), 'rejected');
    markLost(paths, await put(), 'expired');
    expect(content((await put()).timestamp).lost).toEqual({ rejected: 2, expired: 1 });
    expect(content((await put()).timestamp).lost).toEqual({});
  });
  it('is not counted by a run that stays on this machine', async () => {
    markLost(paths, await put(), 'rejected');
    expect(content((await put('local')).timestamp).lost).toEqual({});
    expect(content((await put()).timestamp).lost).toEqual({ rejected: 1 });
  });
  it('is counted again when the run that counted it is lost', async () => {
    markLost(paths, await put(), 'rejected');
    const carrier = await put();
    markLost(paths, carrier, 'expired');
    expect(content((await put()).timestamp).lost).toEqual({ rejected: 1, expired: 1 });
  });
  it('is counted again when the run that claimed it cannot be written', async () => {
    markLost(paths, await put('waiting', NOW - 3_600_000), 'rejected');
    await expect(
      store(paths, 'waiting', () => Promise.reject(new Error('killed')), NOW - 1_800_000),
    ).rejects.toThrow();
    expect(content((await put()).timestamp).lost).toEqual({ rejected: 1, unreadable: 1 });
  });
  it('is counted once when another sender has sent the run that counts it', async () => {
    markLost(paths, await put(), 'rejected');
    const carrier = await put();
    markSent(paths, carrier);
    markLost(paths, carrier, 'rejected');
    expect(content((await put()).timestamp).lost).toEqual({});
  });
  it('is counted by the next run when the one that claimed it was killed', async () => {
    const { timestamp } = await put('waiting', NOW - 3_600_000);
    const killed = NOW - 1_800_000;
    mkdirSync(paths.history, { recursive: true });
    renameSync(
      join(paths.spool, `${timestamp}.json`),
      join(paths.history, `${timestamp}.lost-rejected.in-${killed}.json`),
    );
    writeFileSync(join(paths.spool, `${killed}.tmp`), '');
    prune(paths, NOW); // as `flush` does
    expect(content((await put()).timestamp).lost).toEqual({ rejected: 1, unreadable: 1 });
    expect(content((await put()).timestamp).lost).toEqual({});
  });
});

describe('a reporter that is suspended for an hour while it writes', () => {
  const LATER = NOW + 3_600_000;
  it('keeps the losses that it counts', async () => {
    markLost(paths, await put(), 'rejected');
    let meanwhile: unknown;
    const record: Recorder = async (timestamp, lost, write) => {
      meanwhile = content((await put('waiting', LATER)).timestamp).lost;
      return recordLeast(timestamp, lost, write);
    };
    const sleeper = await store(paths, 'waiting', record, NOW);
    expect([meanwhile, content(sleeper.timestamp).lost]).toEqual([{}, { rejected: 1 }]);
  });
  it('does not record a run that was given up meanwhile', async () => {
    const record: Recorder = (timestamp, lost, write) => {
      prune(paths, LATER);
      return recordEvent(timestamp, lost, write);
    };
    const sleeper = store(paths, 'waiting', record, NOW);
    await expect(sleeper).rejects.toThrow('ENOENT');
    expect(storedRuns(paths)).toMatchObject([{ outcome: 'lost', reason: 'unreadable' }]);
    expect(content((await put('waiting', LATER)).timestamp).lost).toEqual({ unreadable: 1 });
  });
});

describe('bounds', () => {
  /** A history is cut to its bound when it exceeds the bound by so many runs. */
  const tooLong = Array.from(
    { length: HISTORY_SLACK + 1 },
    (_, i) => `${NOW - 90_000_000 - i}.sent.json`,
  );
  it('a run older than a week expires', async () => {
    const old = await put('waiting', NOW - MAX_AGE_MS - 1);
    const young = await put('waiting', NOW - MAX_AGE_MS + 60_000);
    prune(paths, NOW);
    expect(waiting(paths).map(({ timestamp }) => timestamp)).toEqual([young.timestamp]);
    expect(storedRuns(paths).find(({ timestamp }) => timestamp === old.timestamp)).toMatchObject({
      outcome: 'lost',
      reason: 'expired',
    });
  });
  it('the oldest of too many runs are given up', async () => {
    mkdirSync(paths.spool);
    mkdirSync(paths.history);
    for (let i = 0; i < 5_003; i += 1)
      writeFileSync(join(paths.spool, `${NOW - 10_000 + i}.json`), '{}');
    prune(paths, NOW);
    expect(waiting(paths)).toHaveLength(5_000);
    expect(
      storedRuns(paths)
        .slice(0, 3)
        .map(({ reason }) => reason),
    ).toEqual(['spool_full', 'spool_full', 'spool_full']);
  });
  it('docs/configuration.md has the number of runs that the history keeps', () => {
    const text = readFileSync(join(projectRoot, 'docs', 'configuration.md'), 'utf8');
    expect(text).toContain(`the last ${MAX_HISTORY.toLocaleString('en')} as history`);
  });
  it('the oldest runs of the history are removed, but no uncounted loss', () => {
    mkdirSync(paths.history, { recursive: true });
    const most = MAX_HISTORY + HISTORY_SLACK;
    const names = Array.from(
      { length: most + 1 },
      (_, i) => `${NOW - 2 * most + i}.${i === 0 ? 'lost-expired' : 'sent'}.json`,
    );
    for (const name of names.slice(0, most)) writeFileSync(join(paths.history, name), '{}');
    prune(paths, NOW);
    expect(storedRuns(paths)).toHaveLength(most);
    writeFileSync(join(paths.history, names[most] as string), '{}');
    prune(paths, NOW);
    expect(storedRuns(paths)).toHaveLength(MAX_HISTORY + 1);
    expect(existsSync(join(paths.history, names[0] as string))).toBe(true);
  });
  it.each([
    ['before', -1],
    ['after (its clock was wrong)', 1],
  ])(
    'a loss is not counted again when its time is %s that of the run that counts it',
    extended,
    async (_, later) => {
      mkdirSync(paths.history, { recursive: true });
      const carrier = NOW - 3_600_000;
      const names = [
        ...tooLong,
        `${carrier}.sent.json`,
        `${carrier + later}.lost-expired.in-${carrier}.json`,
      ];
      for (let i = 1; i < MAX_HISTORY; i += 1) names.push(`${NOW - i}.sent.json`);
      for (const name of names) writeFileSync(join(paths.history, name), '{}');
      prune(paths, NOW);
      expect(
        existsSync(join(paths.history, `${carrier + later}.lost-expired.in-${carrier}.json`)),
      ).toBe(false);
      expect(content((await put()).timestamp).lost).toEqual({});
    },
  );
  it('a loss whose count was not delivered is kept', async () => {
    mkdirSync(paths.history, { recursive: true });
    const carrier = NOW - 2 * MAX_HISTORY;
    const names = [
      ...tooLong,
      `${carrier - 1}.lost-expired.in-${carrier}.json`,
      `${carrier}.lost-rejected.json`,
    ];
    for (let i = 1; i <= MAX_HISTORY; i += 1) names.push(`${NOW - i}.sent.json`);
    for (const name of names) writeFileSync(join(paths.history, name), '{}');
    prune(paths, NOW);
    expect(content((await put()).timestamp).lost).toEqual({ expired: 1, rejected: 1 });
  });
  it('a large foreign file does not displace runs', async () => {
    await put();
    writeFileSync(join(paths.spool, `${NOW + 1}.json`), Buffer.alloc(33 * 1024 * 1024));
    prune(paths, NOW);
    expect(storedRuns(paths)).toMatchObject([
      { outcome: 'waiting' },
      { outcome: 'lost', reason: 'unreadable' },
    ]);
  });
  it('a run from more than a week in the future expires', async () => {
    await put('waiting', NOW + MAX_AGE_MS + 1);
    const soon = await put('waiting', NOW + MAX_AGE_MS - 60_000);
    prune(paths, NOW);
    expect(waiting(paths).map(({ timestamp }) => timestamp)).toEqual([soon.timestamp]);
    expect(content((await put()).timestamp).lost).toEqual({ expired: 1 });
  });
  it('a folder named like a run stops neither retention nor off', async () => {
    mkdirSync(join(paths.history, `${NOW - 2 * MAX_HISTORY}.local.json`), { recursive: true });
    for (const name of tooLong) writeFileSync(join(paths.history, name), '{}');
    for (let i = 1; i <= MAX_HISTORY; i += 1)
      writeFileSync(join(paths.history, `${NOW - i}.sent.json`), '{}');
    prune(paths, NOW);
    expect(storedRuns(paths)).toHaveLength(MAX_HISTORY + 1);
    await put('waiting', NOW + 1);
    mkdirSync(join(paths.spool, `${NOW - 1}.json`));
    expect(deleteUnsent(paths)).toBe(1);
    expect(waiting(paths).map(({ timestamp }) => timestamp)).toEqual([NOW - 1]);
  });
  it('the temporary file of a killed reporter is a lost run', async () => {
    mkdirSync(paths.spool);
    mkdirSync(paths.history);
    writeFileSync(join(paths.spool, `${NOW - 3_600_000}.tmp`), '{"half":');
    prune(paths, NOW);
    expect(storedRuns(paths)).toMatchObject([{ outcome: 'lost', reason: 'unreadable' }]);
  });
  it('other files that killed reporters have left are removed', async () => {
    const run = await put();
    mkdirSync(paths.attempts);
    const old = new Date(NOW - 3_600_000);
    const left = ['delivery.json.4711.tmp', 'attempts/1790000000000'];
    const kept = [
      'delivery.json',
      'delivery.json.4712.tmp',
      `attempts/${run.timestamp}`,
      'notes.tmp',
    ];
    for (const name of [...left, ...kept]) writeFileSync(join(paths.state, name), '');
    for (const name of [...left, 'notes.tmp']) utimesSync(join(paths.state, name), old, old);
    prune(paths, NOW);
    expect([...left, ...kept].filter((name) => existsSync(join(paths.state, name)))).toEqual(kept);
  });
  it.each([
    ['other names', 'notes.txt'],
    ['a folder', '1790000000000.json.d'],
    ['a name with too few digits', '179000000000.json'],
  ])('%s are left alone', (_, name) => {
    mkdirSync(join(paths.spool, name), { recursive: true });
    prune(paths, NOW);
    expect(storedRuns(paths)).toEqual([]);
    expect(existsSync(join(paths.spool, name))).toBe(true);
  });
});

it('a run leaves the spool even if the history folder was deleted', async () => {
  const run = await put();
  rmSync(paths.history, { recursive: true });
  markSent(paths, run);
  expect(storedRuns(paths)).toMatchObject([{ timestamp: run.timestamp, outcome: 'sent' }]);
});

it('nothing is recreated where all folders were deleted while a run was written', async () => {
  const purged: Recorder = (timestamp, lost, write) => {
    rmSync(paths.state, { recursive: true });
    return recordEvent(timestamp, lost, write);
  };
  await expect(store(paths, 'waiting', purged, NOW)).rejects.toThrow('ENOENT');
  expect(existsSync(paths.state)).toBe(false);
});

describe('a file that is not a run', () => {
  it.each([
    ['empty', ''],
    ['cut off', '{"resourceMetrics":['],
    ['other JSON', '{"secret":"x"}'],
    ['too large', `"${'x'.repeat(70_000)}"`],
  ])('%s: is not read', async (_, text) => {
    const run = await putRecorded();
    expect(readRun(run)?.length).toBeGreaterThan(1000);
    writeFileSync(run.path, text);
    expect(readRun(run)).toBeUndefined();
  });
  it('a link to a run: is not read', async () => {
    const run = await putRecorded();
    renameSync(run.path, join(paths.state, 'elsewhere.json'));
    symlinkSync(join(paths.state, 'elsewhere.json'), run.path);
    expect(readRun(run)).toBeUndefined();
  });
  it('missing: is not read, and marking it as sent is no error', async () => {
    const run = await putRecorded();
    renameSync(run.path, `${run.path}.gone`);
    expect(readRun(run)).toBeUndefined();
    markSent(paths, run);
    expect(storedRuns(paths)).toEqual([]);
  });
});

it('off deletes what waits to be sent, and keeps sent and local runs', async () => {
  const sent = await put();
  markSent(paths, sent);
  await put();
  const local = await put('local');
  markLost(paths, await put(), 'rejected');
  writeFileSync(join(paths.state, 'machine-id'), 'x');
  expect(deleteUnsent(paths)).toBe(2);
  const kept = [sent.timestamp, local.timestamp].sort((a, b) => a - b);
  expect(storedRuns(paths).map(({ timestamp }) => timestamp)).toEqual(kept);
  expect(existsSync(join(paths.state, 'machine-id'))).toBe(false);
});
