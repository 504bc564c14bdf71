// Tests of what `npm run screenshots` computes: its command line, the invented runs and metrics,
// and what the page asks Prometheus. Grafana's components and Chromium are not needed for that.
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { DASHBOARDS, parseOptions } from '../../scripts/pictures/options.ts';
import { gauges } from '../../scripts/pictures/otlp.ts';
import { ownMetrics } from '../../scripts/pictures/own-metrics.ts';
import type { DashboardJson } from '../../scripts/pictures/page/json.ts';
import {
  aligned,
  beginnings,
  interpolate,
  stepOf,
  tableColumns,
  timeVariables,
} from '../../scripts/pictures/page/queries.ts';
import { servePage } from '../../scripts/pictures/page-server.ts';
import { pictureRuns, RELEASES } from '../../scripts/pictures/runs.ts';
import { checkNames, resolve } from '../../scripts/pictures/variables.ts';

const NOW = Date.UTC(2026, 10, 24, 16);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const dashboard = (name: string): DashboardJson =>
  JSON.parse(
    readFileSync(join(projectRoot, 'deploy', 'grafana', 'dashboards', `${name}.json`), 'utf8'),
  );

describe('the command line', () => {
  it('without arguments makes all pictures of docs/images', () => {
    const { view, dashboards } = parseOptions([]);
    expect(view).toBe(true);
    expect(dashboards).toMatchObject({
      dashboards: DASHBOARDS,
      situation: 'month',
      themes: ['dark', 'light'],
      out: undefined,
    });
  });

  it('reads a situation, a time range and variables', () => {
    const args =
      'dashboards usage --data year --from now-400d --theme dark --out x --width 1200 ' +
      '--var version=0.9.2 --var version=0.9.3 --var project=b9597fe4';
    expect(parseOptions(args.split(' ')).dashboards).toEqual({
      dashboards: ['usage'],
      situation: 'year',
      themes: ['dark'],
      from: 'now-400d',
      to: undefined,
      variables: new Map([
        ['version', ['0.9.2', '0.9.3']],
        ['project', ['b9597fe4']],
      ]),
      width: 1_200,
      out: 'x',
      summary: false,
    });
  });

  it.each([
    ['pages', /no part pages; the parts are view and dashboards/],
    ['view --out x', /view takes no options/],
    ['dashboards costs --out x', /dashboard is costs; it must be one of usage, performance/],
    [
      'dashboards --data week --out x',
      /--data is week; it must be one of month, year, empty, down/,
    ],
    ['dashboards --theme grey --out x', /--theme is grey; it must be one of dark, light/],
    ['dashboards --from yesterday --out x', /--from is yesterday; it must be now, or now-6h/],
    ['dashboards --width 40 --out x', /--width is 40; it must be a whole number from 400 to 4000/],
    ['dashboards --var version --out x', /--var is version; it must be NAME=VALUE/],
    ['dashboards --data empty', /--data needs --out/],
    ['dashboards --summary', /--summary needs --out/],
  ])('%s: says what is legal', (line, error) =>
    expect(() => parseOptions(line.split(' '))).toThrow(error),
  );
});

describe('the invented runs', () => {
  const month = { end: NOW, days: 30, count: 400, releases: RELEASES };
  const runs = pictureRuns(month);

  it('are the same every time, in order, and within the period', () => {
    expect(pictureRuns(month)).toEqual(runs);
    expect(runs.length).toBe(400);
    for (const [i, { at }] of runs.entries()) {
      expect(at).toBeGreaterThanOrEqual(runs[i - 1]?.at ?? NOW - 30 * DAY_MS - 1_000);
      expect(at).toBeLessThanOrEqual(NOW);
    }
    const keys = runs.map(({ at, event }) => `${event.machine_id} ${at}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('use a version only after its release, and one version if there is only one', () => {
    for (const { at, event } of runs) {
      const day = 30 - (NOW - at) / DAY_MS;
      const { day: released } = RELEASES.find(
        ({ version }) => version === event.lhp_version,
      ) as (typeof RELEASES)[number];
      expect(day).toBeGreaterThan(released);
    }
    const one = pictureRuns({ ...month, days: 400, releases: RELEASES.slice(-1) });
    expect(new Set(one.map(({ event }) => event.lhp_version))).toEqual(new Set(['0.9.3']));
  });

  it('are of people during working hours, and have a slot only in CI', () => {
    const people = runs.filter(({ event }) => !event.is_ci);
    const daily = people.filter(({ at }) => new Date(at).getUTCHours() > 6);
    expect(daily.length / people.length).toBeGreaterThan(0.95);
    for (const { event, slot } of runs) expect(slot !== undefined).toBe(event.is_ci);
  });
});

describe('the invented metrics of gateway and backend', () => {
  const runs = pictureRuns({ end: NOW, days: 3, count: 200, releases: RELEASES });
  const options = { runs: runs.map(({ at }) => at), end: NOW, hours: 2 };
  const named = (given: Partial<Parameters<typeof ownMetrics>[0]>) =>
    [...ownMetrics({ ...options, ...given })].map(([at, samples]) => ({
      at,
      of: (name: string, filter?: string) =>
        samples.find((one) => one.name === name && (!filter || one.labels.filter === filter))
          ?.value,
      names: samples.map(({ name }) => name),
      alerts: samples.flatMap(({ name, labels }) => (name === 'ALERTS' ? labels.alertname : [])),
    }));

  it('contain each metric that the dashboard about telemetry health asks for', () => {
    const asked = dashboard('health').panels.flatMap((one) =>
      [one, ...(one.panels ?? [])].flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    );
    const names = asked
      .join('\n')
      .match(/\b(up|ALERTS|ALERTS_FOR_STATE|otelcol_\w+|prometheus_\w+)(?=\{)/g);
    const lost = named({ lost: NOW - DAY_MS });
    const made = new Set(lost.flatMap((one) => one.names));
    expect(names?.length).toBeGreaterThan(5);
    expect([...new Set(names)].filter((name) => !made.has(name))).toEqual([]);
  });

  it('count each run once: each is accepted, and each of its points is sent', () => {
    const scrapes = named({ hours: 72 });
    const [first, last] = [scrapes[0], scrapes.at(-1)];
    expect(scrapes.length).toBe(72 * 240 + 1);
    const sent = last?.of('otelcol_exporter_sent_metric_points') ?? 0;
    const dropped = ['filter/metric', 'filter/time'].map(
      (filter) => last?.of('otelcol_processor_filter_datapoints_filtered', filter) ?? 0,
    );
    expect(last?.of('otelcol_receiver_accepted_metric_points')).toBe(
      dropped.reduce((sum, points) => sum + points, sent),
    );
    expect(first?.of('otelcol_exporter_sent_metric_points')).toBe(0);
    expect(sent % 7).toBe(0);
    expect(sent / 7).toBeGreaterThan(150);
    expect(sent / 7).toBeLessThanOrEqual(runs.length);
  });

  it('are missing while the gateway is down, and the alert fires after five minutes', () => {
    const stopped = NOW - 40 * 60_000;
    for (const scrape of named({ stopped })) {
      expect(scrape.of('up')).toBe(scrape.at < stopped ? 1 : 0);
      expect(scrape.names.includes('otelcol_process_memory_rss')).toBe(scrape.at < stopped);
      expect(scrape.alerts.includes('LhpOtelGatewayDown')).toBe(scrape.at >= stopped + 5 * 60_000);
    }
  });

  it('become one gauge for each name, with a point for each series and time', () => {
    const of = (at: number) => [
      { name: 'up', labels: { job: 'a' }, value: at },
      { name: 'up', labels: { job: 'b' }, value: 0 },
    ];
    const { resourceMetrics } = JSON.parse(
      gauges([
        [1, of(1)],
        [2, of(2)],
      ]),
    );
    const [{ name, gauge }, ...others] = resourceMetrics[0].scopeMetrics[0].metrics;
    expect([name, others, gauge.dataPoints.length]).toEqual(['up', [], 4]);
    expect(gauge.dataPoints[2]).toEqual({
      timeUnixNano: '2000000',
      asDouble: 2,
      attributes: [{ key: 'job', value: { stringValue: 'a' } }],
    });
  });
});

describe('what the page asks', () => {
  const span = { from: NOW - 30 * DAY_MS, to: NOW };

  it('replaces variables, and leaves unknown names', () =>
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variables
    expect(interpolate('$a ${a} ${a:regex} [[a]] $ab $unknown {{a}}', { a: '1', ab: '2' })).toBe(
      '1 1 1 1 2 $unknown {{a}}',
    ));

  it('has the step of the panel, or the larger one of a query, or the least one possible', () => {
    const hour = { seconds: 3_600, text: '1h' };
    const day = { seconds: 86_400, text: '1d' };
    expect(stepOf(hour, undefined, span)).toEqual(hour);
    expect(stepOf(hour, day, span)).toEqual(day);
    expect(stepOf(day, hour, span)).toEqual(day);
    expect(stepOf({ seconds: 15, text: '15s' }, undefined, span).seconds).toBe(236);
  });

  it('has the values of Grafana for step and range', () => {
    const { __interval, __range, __rate_interval } = timeVariables(
      { seconds: 15, text: '15s' },
      span,
    );
    expect([__interval, __range, __rate_interval]).toEqual(['15s', '2592000s', '60s']);
    expect(timeVariables({ seconds: 300, text: '5m' }, span).__rate_interval).toBe('315s');
  });

  it('begins and ends at multiples of the step', () =>
    expect(aligned({ from: 90_061_000, to: 180_000_000 }, 86_400)).toEqual({
      start: 86_400,
      end: 172_800,
    }));

  it('makes a table of time, labels and value', () => {
    const series = [
      { metric: { b: 'x' }, value: [60, '1.5'] as [number, string] },
      { metric: { a: 'y', b: 'z' }, value: [60, 'NaN'] as [number, string] },
    ];
    const target = { refId: 'B', expr: '' };
    expect(tableColumns(series, target, true)).toEqual([
      { name: 'Time', kind: 'time', values: [60_000, 60_000] },
      { name: 'a', kind: 'text', values: ['', 'y'] },
      { name: 'b', kind: 'text', values: ['x', 'z'] },
      { name: 'Value #B', kind: 'number', values: [1.5, Number.NaN] },
    ]);
    expect(tableColumns(series, target, false).at(-1)?.name).toBe('Value');
  });

  it('marks only the beginnings of an annotation', () =>
    expect(
      beginnings(
        [
          [60, '0'],
          [120, '1'],
          [180, '1'],
          [360, '1'],
        ],
        60,
      ),
    ).toEqual([120_000, 360_000]));
});

describe('variables', () => {
  const [ID, OTHER] = ['a'.repeat(64), 'b'.repeat(64)];
  const usage: DashboardJson = {
    title: 'lhp: usage',
    panels: [],
    templating: {
      list: [
        { name: 'datasource', type: 'datasource' },
        {
          name: 'version',
          type: 'query',
          query: 'label_values(runs{a="b"}, service_version)',
          allValue: '.+',
        },
        {
          name: 'project',
          type: 'query',
          query: { query: 'label_values(runs, lhp_project_id)' },
          regex: '/(?<value>(?<text>[0-9a-f]{8})[0-9a-f]{56})/',
        },
        { name: 'ci', type: 'custom', options: [{ text: 'only CI', value: 'true' }] },
      ],
    },
  };
  const range = { start: 0, end: 1 };
  const labels = async (selector: string, label: string) =>
    label === 'lhp_project_id' ? [ID, OTHER] : selector === 'runs{a="b"}' ? ['0.9.2', '0.9.3'] : [];
  const resolved = (asked: Record<string, string[]>) =>
    resolve(usage, new Map(Object.entries(asked)), range, labels);

  it('are "All" unless they are chosen', async () =>
    expect(await resolved({})).toEqual({
      datasource: { text: 'Prometheus', value: 'prometheus' },
      version: { text: 'All', value: '.+' },
      project: { text: 'All', value: '.*' },
      ci: { text: 'All', value: '.*' },
    }));

  it('are chosen by their text, and become a regular expression', async () =>
    expect(
      await resolved({ version: ['0.9.2', '0.9.3'], project: ['bbbbbbbb'], ci: ['only CI'] }),
    ).toMatchObject({
      version: { text: '0.9.2 + 0.9.3', value: '(0\\\\.9\\\\.2|0\\\\.9\\\\.3)' },
      project: { text: 'bbbbbbbb', value: OTHER },
      ci: { text: 'only CI', value: 'true' },
    }));

  it('with a wrong value or name say what is legal', async () => {
    await expect(resolved({ version: ['0.9'] })).rejects.toThrow(
      '--var version is 0.9; it must be one of 0.9.2, 0.9.3',
    );
    expect(() => checkNames([usage], new Map([['team', ['a']]]))).toThrow(
      '--var: there is no variable team; the variables are version, project, ci',
    );
  });
});

describe('the server of the page', () => {
  it('gives the page its data, icons and fonts, and passes queries to Prometheus', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-pictures-'));
    const asked: string[] = [];
    const prometheus = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      asked.push(`${request.method} ${request.url} ${Buffer.concat(chunks)}`);
      response.writeHead(422).end('{"status":"error"}');
    }).listen(0, '127.0.0.1');
    await once(prometheus, 'listening');
    for (const [path, text] of [
      ['packages/node_modules/@grafana/ui/dist/public/img/icons/unicons/info.svg', '<svg/>'],
      ['packages/node_modules/@fontsource/inter/files/inter-latin-400-normal.woff2', 'font'],
      ['page/main.js', 'script'],
    ] as const) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const server = await servePage({
      packages: join(folder, 'packages'),
      page: join(folder, 'page'),
      prometheus: `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}`,
    });
    const get = async (path: string, init?: RequestInit) => {
      const response = await fetch(server.url + path, init);
      return [response.status, response.headers.get('content-type'), await response.text()];
    };
    try {
      const data = { dashboard: { title: 'a', panels: [] }, from: 'now-1d', to: 'now' };
      server.show({ ...data, theme: 'dark', variables: {} });
      expect(await get('data')).toEqual([
        200,
        'application/json',
        JSON.stringify({ ...data, theme: 'dark', variables: {} }),
      ]);
      expect(await get('public/img/icons/unicons/info.svg')).toEqual([
        200,
        'image/svg+xml',
        '<svg/>',
      ]);
      expect(await get('public/fonts/inter/Inter-Regular.woff2')).toEqual([
        200,
        'font/woff2',
        'font',
      ]);
      expect(await get('main.js')).toEqual([200, 'text/javascript', 'script']);
      expect((await get('../packages/secret'))[0]).toBe(404);
      const body = new URLSearchParams({ query: 'up' });
      expect((await get('prometheus/api/v1/query', { method: 'POST', body }))[0]).toBe(422);
      expect(asked).toEqual(['POST /api/v1/query query=up']);
    } finally {
      await server.stop();
      prometheus.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
