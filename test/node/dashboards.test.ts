// The dashboards' JSON, as far as it can be checked without a backend: the grid, what each panel
// says about itself, colors, links and variables. test/gateway/dashboards.test.ts asks every query.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/harness/sandbox.ts';

interface Step {
  color: string;
  value: number | null;
}
interface Properties {
  unit?: string;
  decimals?: number;
  min?: number;
  noValue?: string;
  thresholds?: { steps: Step[] };
}
interface Link {
  url: string;
}
interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  collapsed?: boolean;
  panels?: Panel[];
  datasource?: { uid: string };
  targets?: {
    expr?: string;
    legendFormat?: string;
    instant?: boolean;
    range?: boolean;
    panelId?: number;
    withTransforms?: boolean;
  }[];
  transformations?: { id: string; options: { renameByName?: Record<string, string> } }[];
  options?: {
    colorMode?: string;
    legend?: { showLegend: boolean };
    tooltip?: { mode: string };
    reduceOptions?: { fields: string };
    content?: string;
  };
  fieldConfig?: {
    defaults: Properties & {
      custom?: { drawStyle?: string; spanNulls?: boolean | number; stacking?: { mode: string } };
    };
    overrides: {
      matcher: { options: string };
      properties: { id: string; value: unknown }[];
    }[];
  };
}
interface Dashboard {
  uid: string;
  tags: string[];
  graphTooltip: number;
  panels: Panel[];
  links: { type: string; url?: string; tags: string[]; includeVars: boolean; keepTime: boolean }[];
  annotations: { list: { name: string; expr?: string }[] };
  templating: {
    list: { name: string; label?: string; type: string; query: unknown; regex?: string }[];
  };
}

const NAMES = ['usage', 'performance', 'projects', 'health'];
const read = (folder: string, name: string): Dashboard =>
  JSON.parse(readFileSync(join(projectRoot, 'deploy', 'grafana', folder, `${name}.json`), 'utf8'));
const FILES = ['dashboards', 'victoriametrics'].flatMap((folder) =>
  NAMES.map((name) => [`${folder}/${name}`, read(folder, name)] as const),
);

const everything = ({ panels }: Dashboard) =>
  panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
/** Those that show numbers. */
const answering = (dashboard: Dashboard) =>
  everything(dashboard).filter(({ type }) => type !== 'row' && type !== 'text');
const defaults = ({ fieldConfig }: Panel): Properties => fieldConfig?.defaults ?? {};
const override = ({ fieldConfig }: Panel, name: string): Record<string, unknown> =>
  Object.fromEntries(
    fieldConfig?.overrides
      .filter(({ matcher }) => matcher.options === name)
      .flatMap(({ properties }) => properties.map(({ id, value }) => [id, value])) ?? [],
  );
/** Column as Grafana calls it → title. */
const columns = ({ transformations = [] }: Panel): Record<string, string> =>
  transformations.find(({ id }) => id === 'organize')?.options.renameByName ?? {};
const values = (panel: Panel) =>
  Object.entries(columns(panel)).flatMap(([name, title]) =>
    name.startsWith('Value') ? [title] : [],
  );
const linksOf = ({ fieldConfig }: Panel) =>
  (fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
    properties.flatMap(({ id, value }) => (id === 'links' ? (value as Link[]) : [])),
  );

/** Numbers that can be good or bad, and from where on. All others have no color. */
const LIMITS: Record<string, (number | null)[]> = {
  'Slowest lhp version': [null, 1.1, 1.25],
  'Gateways up': [null, 1],
  'Alerts firing': [null, 1],
  'Lost, 9 days': [null, 1],
  Dropped: [null, 1],
  'Not stored': [null, 1],
  Queue: [null, 0.5, 0.8],
  'Queue in use': [null, 80],
  Memory: [null, 400e6],
};

describe.each(FILES)('%s', (_, dashboard) => {
  it('fills the grid: 24 columns, no overlap, one height a line', () => {
    const lines = Map.groupBy(dashboard.panels, ({ gridPos }) => gridPos.y);
    let below = 0;
    for (const [y, panels] of [...lines].sort(([a], [b]) => a - b)) {
      expect([y, panels.map(({ title }) => title)]).toEqual([below, expect.anything()]);
      let x = 0;
      for (const { gridPos } of panels) {
        expect(gridPos.x).toBe(x);
        x += gridPos.w;
      }
      expect(x).toBe(24);
      expect(new Set(panels.map(({ gridPos }) => gridPos.h)).size).toBe(1);
      below += panels[0]?.gridPos.h ?? 0;
    }
  });

  it('has rows that ask, unique titles and unique ids', () => {
    const all = everything(dashboard);
    const rows = all.filter(({ type }) => type === 'row');
    expect(rows.length).toBeGreaterThan(1);
    for (const { title } of rows) expect(title).toMatch(/\?$/);
    expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('says of each panel which question it answers, and what it computes', () => {
    for (const { title, description = '' } of answering(dashboard)) {
      const [question = '', blank, what = ''] = description.split('\n');
      expect([title, question]).toEqual([title, expect.stringMatching(/^\*[^*]+\?[^*]*\*$/)]);
      expect(blank).toBe('');
      expect([title, what.length > 20, what.endsWith('.')]).toEqual([title, true, true]);
    }
  });

  it('has a unit, decimals, a scale from zero and words for no data', () => {
    for (const panel of answering(dashboard)) {
      const { unit, decimals, min, noValue } = defaults(panel);
      expect([panel.title, unit, noValue]).toEqual([
        panel.title,
        expect.any(String),
        expect.stringMatching(/./),
      ]);
      const shares = panel.fieldConfig?.defaults.custom?.stacking?.mode === 'percent';
      if (!shares) expect([panel.title, decimals]).toEqual([panel.title, expect.any(Number)]);
      if (panel.type === 'timeseries') expect([panel.title, min]).toEqual([panel.title, 0]);
      for (const column of values(panel)) {
        const own = override(panel, column);
        expect([column, own]).toEqual([
          column,
          expect.objectContaining({
            unit: expect.any(String),
            decimals: expect.any(Number),
            noValue: expect.stringMatching(/./),
          }),
        ]);
        const { type } = (own['custom.cellOptions'] ?? {}) as { type?: string };
        if (type === 'gauge') expect(own).toMatchObject({ min: 0, fieldMinMax: true });
      }
    }
  });

  it('names each series of a graph', () => {
    for (const { title, type, options, targets = [] } of answering(dashboard)) {
      if (type !== 'timeseries') continue;
      expect([title, options?.legend?.showLegend, options?.tooltip?.mode]).toEqual([
        title,
        true,
        'multi',
      ]);
      for (const { legendFormat } of targets) expect(legendFormat).toMatch(/./);
    }
    expect(dashboard.graphTooltip).toBe(1);
  });

  it('has colors only where a number can be good or bad', () => {
    for (const panel of answering(dashboard)) {
      const steps = defaults(panel).thresholds?.steps;
      expect([panel.title, steps?.map(({ value }) => value)]).toEqual([
        panel.title,
        LIMITS[panel.title] ?? [null],
      ]);
      if (panel.type === 'stat')
        expect([panel.title, panel.options?.colorMode]).toEqual([
          panel.title,
          panel.title in LIMITS ? 'value' : 'none',
        ]);
    }
  });

  it('colors a table by limits of its own, and bars in one color', () => {
    for (const panel of answering(dashboard))
      for (const column of values(panel)) {
        const own = override(panel, column);
        const { type = 'auto' } = (own['custom.cellOptions'] ?? {}) as { type?: string };
        const { steps } = (own.thresholds ?? {}) as { steps?: Step[] };
        if (type === 'color-background')
          expect(steps?.map(({ value }) => value)).toEqual([null, 1.1, 1.25]);
        else expect([column, steps]).toEqual([column, undefined]);
        if (type === 'gauge') expect(own.color).toEqual({ mode: 'fixed', fixedColor: 'blue' });
      }
  });

  it('leaves a gap where a gateway was down, and joins the days beside a weekend', () => {
    for (const { title, type, fieldConfig } of answering(dashboard)) {
      const { drawStyle, spanNulls } = fieldConfig?.defaults.custom ?? {};
      if (type !== 'timeseries' || drawStyle !== 'line') continue;
      const joined =
        dashboard.uid === 'lhp-health' || title === 'Active over time' ? false : 345.6e6;
      expect([title, spanNulls]).toEqual([title, joined]);
    }
  });

  it('draws what is rare as columns, so that its zeros do not hide other lines', () => {
    const panel = answering(dashboard).find(({ title }) => title === 'Points a minute');
    for (const name of panel ? ['dropped', 'refused'] : [])
      expect(override(panel as Panel, name)).toMatchObject({
        'custom.drawStyle': 'bars',
        'custom.lineWidth': 0,
        decimals: 2,
      });
  });

  it('shows no digest: of projects the first eight digits, of machines nothing', () => {
    for (const panel of answering(dashboard)) {
      for (const { legendFormat = '' } of panel.targets ?? [])
        expect(legendFormat).not.toMatch(/_id\b/);
      for (const [name, title] of Object.entries(columns(panel))) {
        expect([title, name]).not.toEqual([title, expect.stringMatching(/_id$/)]);
        if (name !== 'project') continue;
        expect(override(panel, 'lhp_project_id')).toMatchObject({ 'custom.hidden': true });
        for (const { expr } of panel.targets ?? [])
          expect(expr).toContain('"project", "$1", "lhp_project_id", "(.{8}).*"');
      }
    }
  });

  it('uses only variables that it has, and all that it has', () => {
    const has = dashboard.templating.list.map(({ name }) => name);
    const used = new Set(
      [
        ...answering(dashboard).flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
        ...answering(dashboard)
          .flatMap(linksOf)
          .map(({ url }) => url),
        ...answering(dashboard).map(({ datasource }) => datasource?.uid),
      ]
        .flatMap((text) => [...(text ?? '').matchAll(/\$\{?([a-z_]\w*)/g)])
        .flatMap(([, name = '']) => (name.startsWith('__') ? [] : [name])),
    );
    expect([...used].sort()).toEqual([...has].sort());
    for (const { label } of dashboard.templating.list) expect(label).toMatch(/^[A-Za-z]/);
  });

  it('has links that keep time and variables, to dashboards and columns that exist', () => {
    const folder = NAMES.map((name) => read('dashboards', name));
    const [others, page] = dashboard.links;
    expect(others).toMatchObject({ type: 'dashboards', includeVars: true, keepTime: true });
    for (const { tags } of folder) expect(tags).toEqual(expect.arrayContaining(others?.tags ?? []));
    expect(page?.url).toMatch(/^https:.*\/docs\/metrics\.md$/);
    for (const panel of answering(dashboard))
      for (const { url } of linksOf(panel).filter((one) => one.url.startsWith('/'))) {
        const [, uid, query = ''] = /^\/d\/([\w-]+)\?(.*)$/.exec(url) ?? [];
        const to = folder.find((one) => one.uid === uid);
        const names = to?.templating.list.map(({ name }) => name) ?? [];
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable
        expect(query.split('&')).toContain('${__url_time_range}');
        const set = [...query.matchAll(/var-(\w+)=|\$\{(\w+):queryparam\}/g)];
        expect(set.map(([, own, kept]) => own ?? kept).sort()).toEqual([...names].sort());
        for (const [, field] of query.matchAll(/__data\.fields\.(\w+)/g)) {
          expect(override(panel, field as string)).toMatchObject({ 'custom.hidden': true });
          for (const { expr } of panel.targets ?? []) expect(expr).toMatch(`by (${field}`);
        }
      }
  });

  it('takes shared numbers from a column or a series that is there', () => {
    for (const { title, targets = [], options, datasource } of answering(dashboard))
      for (const { panelId, withTransforms } of targets) {
        if (panelId === undefined) continue;
        expect([title, datasource?.uid, withTransforms]).toEqual([title, '-- Dashboard --', true]);
        const source = everything(dashboard).find(({ id }) => id === panelId) as Panel;
        const field = /^\/\^(.*)\$\/$/.exec(options?.reduceOptions?.fields ?? '')?.[1];
        expect(Object.values(columns(source))).toContain(field);
        expect(source.targets?.every(({ expr }) => expr !== undefined)).toBe(true);
      }
  });

  it('asks nothing twice, and every step only where time is shown', () => {
    const asked = answering(dashboard).flatMap(({ type, targets = [] }) =>
      targets.flatMap(({ expr, range = false }) => (expr ? [{ type, expr, range }] : [])),
    );
    expect(new Set(asked.map(({ expr }) => expr)).size).toBe(asked.length);
    for (const { type, expr, range } of asked) {
      expect([expr, range]).toEqual([expr, type === 'timeseries']);
      // Once for all steps, if only the newest one is shown.
      if (!range && !expr.includes('[$__range:$__interval]'))
        expect(expr).not.toMatch(/\$__interval\] offset/);
    }
  });

  it('marks what happened: releases, or alerts', () => {
    const [mark] = dashboard.annotations.list;
    expect(mark?.expr).toMatch(
      dashboard.uid === 'lhp-health'
        ? /^ALERTS\{.*alertname=~"Lhp\.\*"/
        : /service_version.*\[90d:1d\]/,
    );
  });
});

it('selects a project by all digits and shows eight of them', () => {
  const digest = '0123456789abcdef'.repeat(4);
  for (const [, { uid, templating }] of FILES) {
    if (uid === 'lhp-health') continue;
    const { regex = '' } = templating.list.find(({ name }) => name === 'project') ?? {};
    const { groups } = new RegExp(regex.slice(1, -1)).exec(digest) ?? {};
    expect({ ...groups }).toEqual({ text: '01234567', value: digest });
  }
});

it.each(NAMES)('%s: the same panels for both backends, each with its own functions', (name) => {
  const [prometheus, victoria] = [read('dashboards', name), read('victoriametrics', name)];
  const titles = (one: Dashboard) =>
    everything(one)
      .map(({ title }) => title)
      .filter((title) => !/^Samples that/.test(title));
  expect(titles(victoria)).toEqual(titles(prometheus));
  const text = (one: Dashboard) => JSON.stringify(everything(one));
  expect(text(prometheus)).not.toMatch(/vmrange|tlast_over_time|vm_rows|vminsert/);
  expect(text(victoria)).not.toMatch(/histogram_(avg|sum|count)|prometheus_|cortex_/);
});

it('has a text for a dashboard without runs, closed while there are some', () => {
  for (const [, dashboard] of FILES.filter(([, { uid }]) => uid !== 'lhp-health')) {
    const row = dashboard.panels.at(-1);
    expect(row).toMatchObject({ type: 'row', collapsed: true });
    expect(row?.panels?.[0]?.options?.content).toMatch(/lhp-otel doctor/);
  }
});
