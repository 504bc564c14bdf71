// The contract: nothing but its fields gets into a request, each value is folded, and a request
// that was made from an event reads back as that event. The types hold that each field of the
// telemetry page is one row.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EVENT_KEYS,
  exampleEvent,
  type GenerateEvent,
  INSTRUMENTS,
  isValidEvent,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
  toRecording,
} from '../../src/contract/contract.ts';
import { FIELDS } from '../../src/contract/fields.ts';
import {
  foldCount,
  foldEnvironment,
  foldPythonVersion,
  foldSeconds,
  foldVersion,
  VALUE_TYPES,
} from '../../src/contract/values.ts';
import { eventOf } from '../../src/otlp/decode.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { EVENT } from '../support/event.ts';

describe('the table', () => {
  it('has the keys of the telemetry page in its order', () =>
    expect(EVENT_KEYS.join(' ')).toBe(
      'event project_id machine_id is_ci flowgroups_count templates_count ' +
        'flowgroups_using_templates pipelines_count files_generated environment dry_run ' +
        'bundle_enabled lhp_version python_version generation_time_seconds',
    ));
  it('names each attribute and each instrument once, at a position of its own', () => {
    const places = EVENT_KEYS.map((key) => {
      const { on, order } = FIELDS[key];
      return `${on === 'counter' ? 'histogram' : on} ${order}`;
    });
    const names = [...RESOURCE_ATTRIBUTES, ...POINT_ATTRIBUTES].map(({ key }) => key);
    for (const list of [places, [...names, ...INSTRUMENTS.map(({ name }) => name)]])
      expect(new Set(list).size).toBe(list.length);
  });
  it('has an example that passes every fold unchanged', () => {
    expect(isValidEvent(exampleEvent())).toBe(true);
    for (const key of EVENT_KEYS.filter((each) => each !== 'event'))
      expect(VALUE_TYPES[FIELDS[key].value].fold(FIELDS[key].example)).toBe(FIELDS[key].example);
  });
});

describe('folding', () => {
  it.each([
    ['0.9.3', '0.9.3'],
    ['1.0.0rc1', '1.0.0rc1'],
    ['0.10.0.post1', '0.10.0.post1'],
    ['0.9.3+secret', 'other'],
    ['0.9.3 /home/u', 'other'],
    ['0.9.3\n', 'other'],
    ['', 'other'],
    [undefined, 'other'],
  ])('version %j → %s', (text, folded) => expect(foldVersion(text)).toBe(folded));
  it.each([
    ['3.12', '3.12'],
    ['3.12.1', 'other'],
    ['pypy3.10', 'other'],
  ])('Python %j → %s', (text, folded) => expect(foldPythonVersion(text)).toBe(folded));
  it.each([
    ['dev', 'dev'],
    ['PROD', 'prod'],
    ['eu-west_1', 'eu-west_1'],
    ['-x', 'other'],
    ['a b', 'other'],
    ['customer@example.com', 'other'],
    ['x'.repeat(32), 'x'.repeat(32)],
    ['x'.repeat(33), 'other'],
    ['dév', 'other'],
    ['dev\n', 'other'],
  ])('environment %j → %s', (text, folded) => expect(foldEnvironment(text)).toBe(folded));
  it.each([
    [0, 0],
    [1_000_000, 1_000_000],
    [1_000_001, null],
    [-1, null],
    [1.5, null],
    [Number.NaN, null],
    ['7' as unknown as number, null],
    [null, null],
  ])('count %j → %j', (value, folded) => expect(foldCount(value)).toBe(folded));
  it.each([
    [2.5, 2.5],
    [-3, 0],
    [Number.NaN, 0],
    [1e9, 604_800],
  ])('seconds %j → %j', (value, folded) => expect(foldSeconds(value)).toBe(folded));
});

it('a property that is not in the table is not recorded', () => {
  const recording = toRecording({ ...EVENT, secret: 'x', hostname: 'h' } as GenerateEvent);
  expect(Object.keys(recording.resource)).toEqual(RESOURCE_ATTRIBUTES.map(({ key }) => key));
  expect(Object.keys(recording.attributes)).toEqual(POINT_ATTRIBUTES.map(({ key }) => key));
  expect(JSON.stringify(recording)).not.toMatch(/secret|hostname/);
});

const decoded = async (event: GenerateEvent, lost = new Map()) =>
  JSON.parse(
    new TextDecoder().decode(
      await recordRun(event, { timestamp: 1_790_000_000_123, startedAt: 1_790_000_000_000, lost }),
    ),
  );

describe('a request reads back as the event that it was made from', () => {
  it('the example of the tests', async () => expect(eventOf(await decoded(EVENT))).toEqual(EVENT));
  it('with its keys in the order of the telemetry page', async () =>
    expect(Object.keys(eventOf(await decoded(EVENT)))).toEqual([...EVENT_KEYS]));
  it('with unknown counts as null', async () => {
    const unknown = {
      ...EVENT,
      flowgroups_count: null,
      templates_count: null,
      files_generated: null,
    };
    expect(eventOf(await decoded(unknown))).toEqual(unknown);
  });
  it('whatever its numbers are', async () => {
    const count = fc.option(fc.nat({ max: 1_000_000 }));
    await fc.assert(
      fc.asyncProperty(
        count,
        count,
        fc.boolean(),
        fc.nat({ max: 60_480_000 }),
        async (flowgroups, files, dry, hundredths) => {
          const event = {
            ...EVENT,
            flowgroups_count: flowgroups,
            files_generated: files,
            dry_run: dry,
            generation_time_seconds: hundredths / 100,
          };
          expect(eventOf(await decoded(event))).toEqual(event);
        },
      ),
      { numRuns: 50 },
    );
  });
});

it('every point has the given times and delta temporality, and nothing else', async () => {
  const { resourceMetrics } = await decoded(EVENT, new Map([['expired', 2]]));
  const { scope, metrics } = resourceMetrics[0].scopeMetrics[0];
  expect(scope).toEqual({ name: 'lhp-otel', version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  expect(metrics.map(({ name }: { name: string }) => name)).toEqual([
    ...INSTRUMENTS.map(({ name }) => name),
    'lhp.telemetry.lost_runs',
  ]);
  for (const { sum, exponentialHistogram } of metrics) {
    const data = sum ?? exponentialHistogram;
    expect(data.aggregationTemporality).toBe(1);
    expect(data.dataPoints).toHaveLength(1);
    const [{ timeUnixNano, startTimeUnixNano, exemplars, min, max }] = data.dataPoints;
    expect([timeUnixNano, startTimeUnixNano]).toEqual([
      '1790000000123000000',
      '1790000000000000000',
    ]);
    expect([exemplars, min, max]).toEqual([undefined, undefined, undefined]);
  }
});
