// Recorded runs are read back as values, from files of the real recorder. Other files are ignored.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EVENT } from '../../scripts/harness/history.ts';
import type { GenerateEvent } from '../../src/contract/contract.ts';
import { recordedRuns } from '../../src/history/read-runs.ts';
import { newestRuns } from '../../src/history/show.ts';
import { exportRun } from '../../src/otlp/encode.ts';
import { claimLosses } from '../../src/spool/losses.ts';
import { markLost, markSent } from '../../src/spool/outcome.ts';
import { deleteRuns } from '../../src/spool/purge.ts';
import { type Recorder, store } from '../../src/spool/store.ts';
import { spoolHealth, storedRuns, waiting } from '../../src/spool/stored-runs.ts';
import type { Paths } from '../../src/system/paths.ts';
import { afterListing } from '../support/steps.ts';

let paths: Paths;
beforeEach(() => {
  const state = mkdtempSync(join(tmpdir(), 'lhp-otel-runs-'));
  const below = (name: string) => join(state, name);
  paths = {
    state,
    spool: below('spool'),
    history: below('history'),
    attempts: below('attempts'),
  } as Paths;
});
afterEach(() => rmSync(paths.state, { recursive: true, force: true }));

const NOW = Date.now();
const record = (outcome: 'waiting' | 'local', now: number, event: Partial<GenerateEvent> = {}) =>
  store(
    paths,
    outcome,
    (timestamp, _, write) =>
      exportRun({ ...EVENT, ...event }, { timestamp, startedAt: timestamp - 2_000 }, write),
    now,
  );

it('returns every run with its outcome, oldest first', async () => {
  const seconds = [1.25, 0.01, 3, 4];
  const local = await record('local', NOW + 3, {
    generation_time_seconds: seconds[3] as number,
    templates_count: null,
  });
  const sent = await record('waiting', NOW, {
    generation_time_seconds: seconds[0] as number,
    is_ci: true,
  });
  const lost = await record('waiting', NOW + 1, { generation_time_seconds: seconds[1] as number });
  markSent(paths, sent);
  markLost(paths, lost, 'expired');
  await record('waiting', NOW + 2, { generation_time_seconds: seconds[2] as number });
  expect(recordedRuns(paths)).toEqual([
    {
      timestamp: NOW,
      outcome: 'sent',
      event: { ...EVENT, generation_time_seconds: 1.25, is_ci: true },
    },
    {
      timestamp: NOW + 1,
      outcome: 'lost',
      reason: 'expired',
      event: { ...EVENT, generation_time_seconds: 0.01 },
    },
    { timestamp: NOW + 2, outcome: 'waiting', event: { ...EVENT, generation_time_seconds: 3 } },
    {
      timestamp: NOW + 3,
      outcome: 'local',
      event: { ...EVENT, generation_time_seconds: 4, templates_count: null },
    },
  ]);
  expect(local.timestamp).toBe(NOW + 3);
});

it('does not read a known run again, but looks at its outcome each time', async () => {
  const run = await record('waiting', NOW);
  const known = new Map<number, GenerateEvent>();
  recordedRuns(paths, known);
  markSent(paths, run);
  writeFileSync(join(paths.history, `${NOW}.sent.json`), 'not read again');
  expect(recordedRuns(paths, known)).toEqual([{ timestamp: NOW, outcome: 'sent', event: EVENT }]);
  expect(recordedRuns(paths)).toEqual([]);
});

it('ignores files that are not a recorded run, or have values that no run can have', async () => {
  const { path } = await record('local', NOW);
  const text = readFileSync(path, 'utf8');
  const files: Record<string, string> = {
    'no JSON': '{',
    'another JSON': '[]',
    'a number as version': text.replace('{"stringValue":"0.9.3"}', '{"intValue":3}'),
    'a word as flag': text.replace('{"boolValue":true}', '{"stringValue":"true"}'),
    'less than nothing': text.replaceAll('"sum":23,', '"sum":-23,'),
    'a duration of a year': text.replace(/"sum":2,/, '"sum":31536000,'),
    'a list as count': text.replaceAll('"sum":23,', '"sum":[23],'),
  };
  for (const [index, [name, content]] of Object.entries(files).entries()) {
    expect(content, name).not.toBe(text);
    writeFileSync(join(paths.history, `${NOW + 1 + index}.local.json`), content);
  }
  symlinkSync(path, join(paths.history, `${NOW + 100}.local.json`));
  expect(recordedRuns(paths).map(({ timestamp }) => timestamp)).toEqual([NOW]);
});

describe('a run is moved while the runs are read', () => {
  const READERS: [string, (known: GenerateEvent) => object[]][] = [
    ['recordedRuns', () => recordedRuns(paths)],
    ['recordedRuns, which knows it', (event) => recordedRuns(paths, new Map([[NOW, event]]))],
    ['newestRuns', () => newestRuns(paths, 10)],
    ['storedRuns', () => storedRuns(paths)],
  ];
  const FOLDERS = ['spool', 'history'] as const;

  it.each(
    READERS.flatMap(([name, read]) => FOLDERS.map((folder) => [name, folder, read] as const)),
  )('%s, after the %s was listed: it is there once', async (_, folder, read) => {
    const run = await record('waiting', NOW);
    const runs = afterListing(
      paths[folder],
      () => markSent(paths, run),
      () => read(EVENT),
    );
    expect(runs).toMatchObject([{ timestamp: NOW }]);
    expect(readdirSync(paths.history)).toEqual([`${NOW}.sent.json`]);
  });

  const inHistory = (act: () => void) =>
    afterListing(paths.history, act, () => recordedRuns(paths));

  it('its outcome is the new one where its file was read after the move', async () => {
    const run = await record('waiting', NOW);
    const runs = inHistory(() => markLost(paths, run, 'expired'));
    expect(runs).toMatchObject([{ outcome: 'lost', reason: 'expired' }]);
  });

  it('a lost run that another run begins to count', async () => {
    markLost(paths, await record('waiting', NOW), 'expired');
    const runs = inHistory(() => claimLosses(paths, [`${NOW}.lost-expired.json`], NOW + 1));
    expect(runs).toMatchObject([{ outcome: 'lost', reason: 'expired' }]);
    expect(readdirSync(paths.history)).toEqual([`${NOW}.lost-expired.in-${NOW + 1}.json`]);
  });

  it('a run that is deleted is not there, and not unreadable', async () => {
    const { path } = await record('waiting', NOW);
    const runs = inHistory(() => rmSync(path));
    expect(runs).toEqual([]);
  });

  it('a run that was delivered is not unreadable; a link is', async () => {
    const run = await record('waiting', NOW);
    symlinkSync('nowhere', join(paths.spool, `${NOW + 1}.json`));
    const health = afterListing(
      paths.spool,
      () => markSent(paths, run),
      () => spoolHealth(paths),
    );
    expect(health).toMatchObject({ unreadable: 1 });
  });
});

it('returns none if there is no state folder', () => expect(recordedRuns(paths)).toEqual([]));

it('deletes recorded runs of every outcome, and counts no loss for that', async () => {
  await record('local', NOW);
  markSent(paths, await record('waiting', NOW));
  markLost(paths, await record('waiting', NOW), 'rejected');
  // This run counts the loss, and is sent.
  markSent(paths, await record('waiting', NOW));
  markLost(paths, await record('waiting', NOW), 'expired');
  await record('waiting', NOW);
  writeFileSync(join(paths.history, 'notes.txt'), 'not a run');
  expect(deleteRuns(paths)).toBe(6);
  expect(readdirSync(paths.spool)).toEqual([]);
  expect(readdirSync(paths.history)).toEqual(['notes.txt']);
  expect(recordedRuns(paths)).toEqual([]);
  const lost: number[] = [];
  const recordLosses: Recorder = (timestamp, losses, write) => {
    lost.push(...losses.values());
    return exportRun(EVENT, { timestamp, startedAt: timestamp }, write);
  };
  await store(paths, 'waiting', recordLosses, NOW);
  expect(lost).toEqual([]);
  expect(waiting(paths)).toHaveLength(1);
});
