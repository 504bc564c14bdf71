// `lhp-otel show`: on a terminal a run has a heading and indented JSON that fits the width; in a
// pipe it is one line of JSON, or the request byte for byte.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT, runAt, writeHistory } from '../../scripts/harness/history.ts';
import { program } from '../../scripts/harness/needs.ts';
import { cli, sandbox } from '../../scripts/harness/sandbox.ts';
import { LOSS_REASONS } from '../../src/contract/contract.ts';
import { runLines } from '../../src/history/show-text.ts';
import { lacking } from '../support/lacking.ts';
import { openTerminal } from '../support/pty.ts';

const box = sandbox({ env: { TZ: 'America/New_York' } });
afterAll(() => box.dispose());
const project = join(box.dir, 'my-lakehouse');
const mine = createHash('sha256').update('secret_name').digest('hex');
const START = Date.UTC(2026, 0, 5, 12);
const runs = [
  { ...runAt(START), outcome: 'lost' as const, reason: 'expired' as const },
  { ...runAt(START + 1_000, { environment: 'prod', project_id: mine }), outcome: 'sent' as const },
];
beforeAll(async () => {
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: secret_name\n');
  await writeHistory(box.stateDir, runs);
});

it.each(LOSS_REASONS)('the heading of a run that was given up fits 80 columns: %s', (reason) => {
  const run = { ...runAt(START), outcome: 'lost' as const, reason };
  const [heading] = runLines(run, run.event, undefined, 80);
  expect(heading).toMatchObject([{ text: expect.stringMatching(/^.{60,80}$/) }]);
});

describe('on a terminal', () => {
  if (lacking(program('python3'))) return;
  const shown = async (words: string[], columns = 80) => {
    const env = box.env as NodeJS.ProcessEnv;
    const terminal = openTerminal([process.execPath, cli, 'show', ...words], {
      cwd: project,
      env,
      size: [24, columns],
    });
    expect(await terminal.ended()).toBe(0);
    return Buffer.from(terminal.shown(), 'latin1').toString('utf8').replaceAll('\r\n', '\n');
  };
  const parts = (text: string) => stripVTControlCharacters(text).trimEnd().split('\n\n');

  it('each run has a bold heading with time, environment, project and outcome', async () => {
    const text = await shown([]);
    expect(text).toContain('\x1b[1m');
    expect(parts(text).map((part) => part.split('\n')[0])).toEqual([
      '2026-01-05 07:00:00  dev  project aaaaaaaa  given up (waited more than 7 days)',
      '2026-01-05 07:00:01  prod  my-lakehouse  delivered',
    ]);
    expect(text).not.toContain('secret_name');
  });
  it.each([
    [80, 'event'],
    [80, 'otlp'],
    [120, 'event'],
    [60, 'event'],
  ])(
    'in %i columns the %s is JSON of the same value, and every line fits',
    async (columns, format) => {
      const text = await shown(['--format', format], columns);
      const values = parts(text).map((part) => JSON.parse(part.split('\n').slice(1).join('\n')));
      const files = [`${START}.lost-expired.json`, `${START + 1_000}.sent.json`];
      expect(values).toEqual(
        format === 'event'
          ? runs.map(({ event }) => event)
          : files.map((name) => JSON.parse(readFileSync(join(box.historyDir, name), 'utf8'))),
      );
      const long = stripVTControlCharacters(text)
        .split('\n')
        .filter((line) => line.length > Math.max(columns, 80));
      expect(long).toEqual([]);
    },
  );
  it('a preview is indented', async () => {
    const text = await shown(['--preview', '--', 'lhp', 'generate', '--env', 'dev']);
    expect(JSON.parse(text)).toMatchObject({ event: 'lhp_generate', environment: 'dev' });
    expect(text.split('\n').length).toBeGreaterThan(15);
  });
});

it('prints one line per run in a pipe', () => {
  const lines = box.run(['show'], { cwd: project }).stdout.split('\n');
  expect(lines.map((line) => (line ? JSON.parse(line) : line))).toEqual([
    ...runs.map(({ event }) => event),
    '',
  ]);
  expect(lines[0]).toBe(JSON.stringify(EVENT));
});
