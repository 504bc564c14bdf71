// @module-tag extended
// Tests that the dashboards show the right numbers of 400 days, which is as long as Prometheus
// keeps them: with steps of two weeks, with one version, and in the last month only. The runs go to
// Prometheus without a gateway, which drops what is older than eight days.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RELEASES, runDashboards } from '../../deploy/generate/dashboards/dashboards.ts';
import { DIALECTS, type Dialect } from '../../deploy/generate/dashboards/dialects.ts';
import { prometheus } from '../../scripts/harness/needs.ts';
import { DAY, post } from '../../scripts/harness/runs.ts';
import { type Prometheus, prometheusServer } from '../../scripts/harness/stack.ts';
import { exampleEvent } from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { marks } from '../support/asks.ts';
import { differences, titled } from '../support/differences.ts';
import { knownRuns, type Situation, stored } from '../support/known-runs.ts';
import { lacking } from '../support/lacking.ts';
import { askedOf, BUCKET, marked } from '../support/truth.ts';

const NOW = Date.now();
const DAYS = 400;
/**
 * A machine that runs one version, after a quarter again, and changes it right before it stops: in
 * a step of two weeks both are its newest.
 */
const LEAVER = [
  ...[250, 249, 170, 75].map((days) => [days, '0.8.1'] as const),
  [75 - 1 / 24, '0.8.7'] as const,
].map(([days, lhp_version]) => ({
  at: Math.round(NOW - days * DAY),
  event: { ...exampleEvent(), lhp_version },
}));
const RUNS = [...knownRuns(NOW, DAYS), ...LEAVER].sort((a, b) => a.at - b.at);
const ALL = { from: NOW - DAYS * DAY, to: NOW, step: 14 * DAY, chosen: {} };
const SITUATIONS: Situation[] = [
  { ...ALL, name: 'three versions' },
  { ...ALL, name: 'one version was chosen', chosen: { version: ['0.9.2'] } },
  { ...ALL, name: 'the first 100 days, with one version', to: NOW - 300 * DAY, step: 7 * DAY },
  { ...ALL, name: 'the last 30 days', from: NOW - 30 * DAY, step: DAY },
];

describe('the dashboards, asked for parts of 400 days', () => {
  if (lacking(prometheus())) return;
  const [{ name }] = DIALECTS as [Dialect];
  let backend: Prometheus;

  beforeAll(async () => {
    backend = await prometheusServer(prometheus().path, { past: true });
    await backend.start();
    for (const { at, event } of RUNS) {
      // As the gateway would store them.
      const [project_id, machine_id] = [stored(event.project_id), stored(event.machine_id)];
      const body = await recordRun(
        { ...event, project_id, machine_id },
        { timestamp: at, startedAt: at - 1_000, slot: '07' },
      );
      expect(await post(`${backend.url}/api/v1/otlp`, body)).toBe('200');
    }
  });
  afterAll(() => backend?.stop());

  it('marks a version again after a quarter', async () => {
    const known = marked(RUNS);
    const again = Object.keys(known).filter((name) => name.startsWith('0.8.1 '));
    expect(again).toHaveLength(2);
    expect(await marks(backend, RELEASES, ALL)).toEqual(known);
  });

  describe.each(SITUATIONS)('$name', (situation) => {
    it.each(titled(runDashboards(DIALECTS[0] as Dialect)))('%s', async (_, asking) => {
      const of = askedOf(RUNS, situation, { dialect: name, bucket: BUCKET });
      expect(await differences(backend, asking, of)).toEqual([]);
    });
  });
});
