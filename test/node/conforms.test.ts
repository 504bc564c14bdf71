// A file is checked against the contract before it is sent or shown. These tests change a recorded
// run at each place of its JSON: no change may pass, so no text from elsewhere can be sent.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOSS_REASONS, type LossReason } from '../../src/contract/contract.ts';
import { conforms } from '../../src/otlp/conforms.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { EVENT } from '../support/event.ts';

const AT = 1_790_000_000_123;
const LOST = new Map<LossReason, number>([
  ['expired', 2],
  ['rejected', 1],
]);
const recorded = async (event = EVENT, lost: ReadonlyMap<LossReason, number> = LOST) =>
  Buffer.from(await recordRun(event, { timestamp: AT, startedAt: AT - 2_340, lost, slot: '0f' }));
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

describe('what is recorded conforms', () => {
  it.each([
    ['a CI run that counts losses', EVENT, LOST],
    ['a local run', { ...EVENT, is_ci: false }, new Map()],
    [
      'a run that counts losses of each reason',
      EVENT,
      new Map(LOSS_REASONS.map((reason, at) => [reason, at + 1] as const)),
    ],
    [
      'a run with no counts and no versions',
      {
        ...EVENT,
        flowgroups_count: null,
        templates_count: null,
        flowgroups_using_templates: null,
        pipelines_count: null,
        files_generated: null,
        lhp_version: 'unknown',
        python_version: '',
        environment: 'Käse',
        project_id: '',
        generation_time_seconds: 0,
      },
      new Map(),
    ],
  ])('%s', async (_what, event, lost) =>
    expect(conforms(await recorded(event, lost), AT)).toBe(true),
  );

  it('any event', async () => {
    const count = fc.option(fc.integer({ min: 0, max: 2_000_000 }));
    const events = fc.record({
      is_ci: fc.boolean(),
      flowgroups_count: count,
      templates_count: count,
      files_generated: count,
      environment: fc.string(),
      lhp_version: fc.oneof(fc.string(), fc.constant('0.9.3.dev1')),
      python_version: fc.string(),
      generation_time_seconds: fc.double({ noNaN: false }),
    });
    await fc.assert(
      fc.asyncProperty(events, async (event) =>
        conforms(await recorded({ ...EVENT, ...event }), AT),
      ),
      { numRuns: 200 },
    );
  });
});

type Json = Record<string, unknown> | unknown[];

/** The path to each object and array of a JSON value. */
function* places(value: unknown, path: (string | number)[] = []): Generator<(string | number)[]> {
  if (typeof value !== 'object' || value === null) return;
  yield path;
  for (const key of Object.keys(value))
    yield* places((value as Record<string, unknown>)[key], [...path, key]);
}

/** A copy with a change of the object or array at `path`. */
function changed(value: unknown, path: (string | number)[], change: (at: Json) => void): unknown {
  const copy = structuredClone(value);
  let at = copy as Json;
  for (const key of path) at = (at as Record<string, unknown>)[key] as Json;
  change(at);
  return copy;
}

describe('anything else does not conform', async () => {
  const bytes = await recorded();
  const request = JSON.parse(bytes.toString());
  const all = [...places(request)];
  const passing = (change: (at: Json, path: (string | number)[]) => void) =>
    all
      .filter((path) => conforms(json(changed(request, path, (at) => change(at, path))), AT))
      .map(String);

  it('has many places to change', () => expect(all.length).toBeGreaterThan(100));

  it('an addition at any place', () => {
    const added = (at: Json) => {
      if (Array.isArray(at)) at.push(at[0] ?? 'acme');
      else at.acme_secret = 'acme';
    };
    expect(passing(added)).toEqual([]);
  });

  it('an omission at any place', () => {
    // Without a whole metric it is still a run, except without the metric that counts runs. Also
    // without one of several losses.
    const removed = (at: Json) => {
      if (Array.isArray(at)) at.length > 0 ? at.pop() : at.push(1);
      else delete at[Object.keys(at).at(-1) as string];
    };
    const metrics = ['resourceMetrics', 0, 'scopeMetrics', 0, 'metrics'];
    const lost = request.resourceMetrics[0].scopeMetrics[0].metrics.length - 1;
    expect(passing(removed)).toEqual([`${metrics}`, `${metrics},${lost},sum,dataPoints`]);
    const runs = changed(request, metrics, (at) => (at as Json[]).shift());
    expect(conforms(json(runs), AT)).toBe(false);
  });

  it.each([
    ['a text', 'acme secret project'],
    ['a text like a number', '1.5e3'],
    ['a broken number', 0.5],
    ['a negative number', -3],
    ['null', null],
    ['a list', ['acme']],
    ['an object', { toString: 'acme' }],
  ])('%s instead of any value', (_what, value) => {
    for (const path of all) {
      const of = path.reduce<unknown>(
        (at, key) => (at as Record<string, unknown>)[key],
        request,
      ) as Json;
      for (const [key, old] of Object.entries(of)) {
        if (typeof old === 'object' && !Array.isArray(value)) continue;
        // A duration can be any number of seconds.
        const seconds =
          typeof value === 'number' && value > 0 && key === 'sum' && String(old) === '2.34';
        if (value === -3 && (key === 'scale' || key === 'offset')) continue; // allowed
        const attacked = changed(request, path, (at) => {
          (at as Record<string, unknown>)[key] = value;
        });
        expect(conforms(json(attacked), AT), `${path}.${key}`).toBe(seconds);
      }
    }
  });

  it('points with another time than the file’s name', () =>
    expect(conforms(bytes, AT + 1)).toBe(false));

  it.each([
    ['a repeated key', bytes.toString().replace('"key":', '"key":"acme","key":')],
    ['white space', JSON.stringify(request, null, 1)],
    ['a byte that is not UTF-8', Buffer.concat([bytes, Buffer.from([0x80])])],
    ['an escaped letter', bytes.toString().replace('service.name', 'service\\u002ename')],
    [
      '__proto__',
      bytes.toString().replace('{"resourceMetrics"', '{"__proto__":{"a":1},"resourceMetrics"'),
    ],
  ])('%s', (_what, attacked) => expect(conforms(Buffer.from(attacked), AT)).toBe(false));
});
