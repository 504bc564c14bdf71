// Tests how `npm run bench -- fleet` reads dashboards and its options: it must ask what Grafana
// would ask, at the same steps, and refuse what it does not know. A file of earlier measurements
// gives them back as they were.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DIALECTS } from '../../deploy/generate/dashboards/dialects.ts';
import { agreement } from '../../scripts/fleet/agreement.ts';
import { Kept } from '../../scripts/fleet/kept.ts';
import type { Stored } from '../../scripts/fleet/measured.ts';
import { fleetOptions } from '../../scripts/fleet/options.ts';
import { panelsIn, panelsOf } from '../../scripts/fleet/panels.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { temporary } from '../../scripts/harness/server.ts';

const DAY = 86_400;
const END = 1_700_000_123;
const view = (days: number) => ({ start: END - days * DAY, end: END });
const target = { expr: 'sum(x{v=~"$v"}[$__range])', instant: true };
const dashboard = (more: object) => ({
  title: 'a dashboard',
  panels: [{ title: 'a panel', type: 'stat', targets: [target], ...more }],
  templating: { list: [{ name: 'v', type: 'query', query: 'label_values(x, v)' }] },
});
const asked = (more: object, days = 30) => panelsOf(dashboard(more))[1]?.requests(view(days)) ?? [];
const stepOf = (more: object, days: number) =>
  Number(asked({ targets: [{ expr: 'x' }], ...more }, days)[0]?.body.step);

describe('a panel', () => {
  it('asks at the end of the range, with all values of its variables', () => {
    expect(asked({})).toEqual([
      { path: '/api/v1/query', body: { query: 'sum(x{v=~".*"}[2592000s])', time: String(END) } },
    ]);
  });

  it.each([
    ['a minute, of three hours', {}, 1 / 8, 60],
    ['an hour, of 30 days', {}, 30, 3_600],
    ['half a day, of 400 days', {}, 400, 43_200],
    ['its own interval, if that is longer', { interval: '1d' }, 30, DAY],
    ['a day, if it has 30 points', { maxDataPoints: 30 }, 30, DAY],
  ])('asks over time in steps of %s', (_, more, days, step) => {
    expect(stepOf(more, days)).toBe(step);
  });

  it('begins and ends over time at whole steps', () => {
    const [request] = asked({ interval: '1d', targets: [{ expr: 'x[$__interval]' }] });
    const end = Math.floor(END / DAY) * DAY;
    expect(request?.body).toEqual({
      query: 'x[86400s]',
      start: String(end - 30 * DAY),
      end: String(end),
      step: String(DAY),
    });
  });

  it('does not ask what is hidden, or what another panel has asked', () => {
    const more = { targets: [target, { ...target, hide: true }, { panelId: 3 }] };
    expect(asked(more)).toHaveLength(1);
    expect(panelsOf(dashboard({ targets: [{ panelId: 3 }] }))).toHaveLength(1);
  });

  it('keeps the groups of a regular expression', () => {
    const expr = 'label_replace(x, "a", "$1", "b", "(.*)")';
    expect(asked({ targets: [{ expr, instant: true }] })[0]?.body.query).toBe(expr);
  });

  it('is refused if it has a variable that nobody knows', () => {
    expect(() => asked({ targets: [{ expr: 'x[$range]' }] })).toThrow('$range');
  });
});

it('variables and annotations of a dashboard are asked, too', () => {
  const annotations = { list: [{ name: 'a', enable: true, expr: 'y', step: '6h' }] };
  const [around] = panelsOf({ ...dashboard({}), annotations });
  expect(around?.requests(view(30)).map(({ path }) => path)).toEqual([
    '/api/v1/label/v/values',
    '/api/v1/query_range',
  ]);
});

it('an annotation has no more points than a backend answers', () => {
  const annotations = { list: [{ name: 'a', expr: 'y', step: '60s' }] };
  const [around] = panelsOf({ ...dashboard({}), annotations });
  expect(around?.requests(view(30)).at(-1)?.body.step).toBe('236');
});

it.each(DIALECTS)('every panel of the dashboards for $name can be asked', ({ folder }) => {
  const panels = panelsIn(`${projectRoot}/${folder}`);
  expect(panels.length).toBeGreaterThan(30);
  for (const { requests } of panels)
    for (const { body } of requests(view(30))) expect(body.query ?? '').not.toMatch(/\$\{?[a-z_]/i);
});

describe('the answers of two backends', () => {
  const answer = (...values: string[]) => [new Map([['{}', values]])];
  /** Two series in one answer, not in the order of their labels. */
  const quantiles = (p50: string, p95: string) => [
    new Map([
      ['{quantile="p95"}', [p95]],
      ['{quantile="p50"}', [p50]],
    ]),
  ];

  it.each([
    ['same', answer('1', 'NaN'), answer('1', 'NaN')],
    ['same', answer('0.1'), answer('0.10000000000000001')],
    ['within a bucket', answer('100'), answer('104')],
    ['different', answer('100'), answer('106')],
    ['different', answer('1'), answer('1', '1')],
    ['different', answer('1'), answer('NaN')],
    ['different', answer('1'), [new Map()]],
    ['same', [...answer('1'), ...answer('2')], quantiles('1', '2')],
    ['different', [...answer('1'), ...answer('2')], quantiles('2', '1')],
    ['different', [...answer('1'), ...answer('2')], answer('1')],
  ] as const)('are %s', (expected, a, b) => {
    expect(agreement(a, b)).toBe(expected);
  });
});

describe('the options', () => {
  it('are sizes, days, backends and cores', () => {
    expect(
      fleetOptions('--machines 10,20 --days 30 --backend victoriametrics --panels'.split(' ')),
    ).toMatchObject({
      ...{ machines: [10, 20], days: [30], backends: ['victoriametrics'], panels: true },
    });
  });

  it.each([
    ['--machine 10', 'unknown option --machine'],
    ['--machines ten', 'not "ten"'],
    ['--days 0', 'not "0"'],
    ['--backend cortex', 'not "cortex"'],
    ['--cores 4096', 'this machine has'],
    ['--dashboards /nowhere', '/nowhere has no deploy/grafana/dashboards'],
    ['--write --panels', 'cannot be used with --panels'],
    ['--slots 256', 'is for --panels'],
    ['--backend prometheus', 'both backends'],
    ['--days 400', 'both backends and --days 30'],
  ])('%s is refused', (given, message) => {
    expect(() => fleetOptions(given.split(' '))).toThrow(message);
  });
});

it('a file of earlier measurements: each fleet is measured once, answers stay', async () => {
  const file = join(temporary(), 'kept.jsonl');
  const answers = [new Map([['{"lhp_ci":"true"}', ['1', 'NaN']]])];
  const panels = [{ dashboard: 'd', title: 't', ms: 1, cpuMs: 1, answers }];
  const fleet = { backend: 'prometheus', machines: 10, days: 30, end: 1_795_000_000 } as const;
  const askings = [{ version: 'now', cores: 1, panels, dashboards: [] }];
  const asked: string[] = [];
  const measure = (kept: Kept, name: string, slots?: number) =>
    kept.of({ ...fleet, slots }, async () => {
      asked.push(name);
      return { ...fleet, askings } as unknown as Stored;
    });
  await measure(new Kept(file, '--first'), 'first');
  const again = new Kept(file, '--second');
  expect((await measure(again, 'again')).askings[0]?.panels).toEqual(panels);
  await measure(again, 'other slots', 256);
  expect(asked).toEqual(['first', 'other slots']);
  // A backend that is measured later gets the runs of the same days.
  const other = { machines: 10, days: 30, slots: undefined };
  expect(again.endOf(other)).toBe(1_795_000_000);
  expect(again.endOf({ ...other, days: 400 })).toBeUndefined();
  expect(again.origin).toMatch(
    /^`npm run bench -- fleet` with `--first`, `--second`, \d{4}-\d\d-\d\d$/,
  );
});
