// Any event, also with values of wrong types and with other members, is recorded with values of the
// contract only.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AttributeSpec,
  CI_SLOT_ATTRIBUTE,
  type GenerateEvent,
  INSTRUMENTS,
  OTHER,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
  SCOPE_NAME,
} from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { version } from '../../src/system/version.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}
interface Point {
  startTimeUnixNano: string;
  timeUnixNano: string;
  sum?: number;
  asInt?: number;
  attributes: Attribute[];
}
interface Metric {
  name: string;
  unit: string;
  description: string;
  sum?: { dataPoints: Point[] };
  exponentialHistogram?: { dataPoints: Point[] };
}

describe('any event', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'dev',
      'DEV',
      'prod-1',
      'a'.repeat(33),
      '-x',
      '__proto__',
      'toString',
      'dev\n',
      '\u212Aprod',
      'dev prod',
    ),
    fc.constantFrom(
      '0.9.3',
      '1.2.3.dev4',
      '1.2',
      '3.12',
      '3.12.1',
      '99999.1',
      '0.9.3+local.secret',
      '0.9.3\n',
      '٣.١٢',
    ),
    fc.constantFrom(sha256('x'), sha256('x').toUpperCase(), `${sha256('x')}0`, 'other', 'cpython'),
  );
  const number = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.constantFrom(null, -1, -0, 0.5, 1_000_000, 1_000_001, 604_801, Number.MAX_SAFE_INTEGER),
  );
  /** A host in plain JavaScript can pass values of other types. */
  const wrong = fc.oneof(text, number, fc.boolean(), fc.constant(undefined));
  const field = <T>(right: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: wrong });
  const event = fc.record({
    event: field(text),
    ...{ project_id: field(text), machine_id: field(text), environment: field(text) },
    ...{ lhp_version: field(text), python_version: field(text) },
    ...{
      is_ci: field(fc.boolean()),
      dry_run: field(fc.boolean()),
      bundle_enabled: field(fc.boolean()),
    },
    ...{
      flowgroups_count: field(number),
      templates_count: field(number),
      files_generated: field(number),
    },
    ...{ flowgroups_using_templates: field(number), pipelines_count: field(number) },
    generation_time_seconds: field(number),
    // Not in the contract, so they must not be recorded.
    ...{ user: text, path: text },
  });
  const time = fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.double());

  it('is recorded with values of the contract only', async () => {
    await fc.assert(
      fc.asyncProperty(event, time, async (given, startedAt) => {
        const timestamp = 1_795_000_000_000;
        const bytes = await recordRun(given as unknown as GenerateEvent, { timestamp, startedAt });
        const document = JSON.parse(new TextDecoder().decode(bytes)) as OtlpDocument;
        expectConformity(document, timestamp);
      }),
      { numRuns: 1000 },
    );
  });
});

interface OtlpDocument {
  resourceMetrics: [
    {
      resource: { attributes: Attribute[] };
      scopeMetrics: [{ scope: unknown; metrics: Metric[] }];
    },
  ];
}

function expectConformity(
  { resourceMetrics: [all, ...more] }: OtlpDocument,
  timestamp: number,
): void {
  const [scoped, ...others] = all.scopeMetrics;
  expect([more, others]).toEqual([[], []]);
  expectAttributes(RESOURCE_ATTRIBUTES, all.resource.attributes);
  expect(scoped.scope).toEqual({ name: SCOPE_NAME, version });
  for (const metric of scoped.metrics) {
    const spec = INSTRUMENTS.find(({ name }) => name === metric.name);
    expect(metric).toMatchObject({ description: spec?.description, unit: spec?.unit });
    const [point, ...points] =
      metric.exponentialHistogram?.dataPoints ?? metric.sum?.dataPoints ?? [];
    if (!spec || !point) throw new Error(`${metric.name} has no place in the contract`);
    expect(points).toEqual([]);
    const isCi = all.resource.attributes.some(
      ({ key, value }) => key === 'lhp.ci' && value.boolValue === true,
    );
    expectAttributes(
      isCi ? [...POINT_ATTRIBUTES, CI_SLOT_ATTRIBUTE] : POINT_ATTRIBUTES,
      point.attributes,
    );
    const value = point.asInt ?? point.sum;
    expect(value).toBeTypeOf('number');
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(spec.max);
    if (spec.unit !== 's') expect(Number.isInteger(value)).toBe(true);
    expect(point.timeUnixNano).toBe(`${timestamp}000000`);
    // A fixed64: the collector refuses a request with a negative or longer number.
    expect(point.startTimeUnixNano).toMatch(/^\d{1,19}$/);
    expect(Number(point.startTimeUnixNano)).toBeLessThanOrEqual(timestamp * 1e6);
  }
  expect(scoped.metrics.map(({ name }) => name)).toContain('lhp.generate.runs');
}

function expectAttributes(specs: readonly AttributeSpec[], attributes: Attribute[]): void {
  expect(attributes.map(({ key }) => key).sort()).toEqual(specs.map(({ key }) => key).sort());
  for (const { key, value } of attributes) {
    const spec = specs.find((each) => each.key === key);
    if (spec?.type === 'boolean') expect(value).toEqual({ boolValue: expect.any(Boolean) });
    else {
      expect(value).toEqual({ stringValue: expect.any(String) });
      const said = String(value.stringValue);
      expect(said === OTHER || spec?.pattern?.test(said), `${key}: ${said}`).toBe(true);
    }
  }
}
