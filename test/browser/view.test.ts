// The local page in a real browser, with runs of the real lhp and many from the recorder. What it
// shows equals what this test counts in the files of the history. It contacts no other host, can be
// used with the keyboard, on narrow windows and in dark mode, and shows untrusted text as text.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plausible, runAt, writeHistory } from '../../scripts/harness/history.ts';
import { chromium, lhp } from '../../scripts/harness/needs.ts';
import { type Sandbox, sandbox, until } from '../../scripts/harness/sandbox.ts';
import { startBrowser, startView, type View } from '../../scripts/harness/view.ts';
import { eventOf } from '../../src/otlp/decode.ts';
import { type Data, pack, unpack } from '../../src/view/api.ts';
import { lacking } from '../support/lacking.ts';
import { ended } from '../support/oracle.ts';
import { sampled } from '../support/tags.ts';
import { type Disc, type Drawn, expectLinear, recordDrawing } from './drawn.ts';
import {
  DAY_MS,
  days,
  hundredths,
  inSeconds,
  parseCsv,
  quantile,
  type Truth,
  truth,
  ZONE,
} from './truth.ts';

const needs = [lhp('0.9.3'), chromium()];

describe('the local page', () => {
  if (lacking(...needs)) return;
  let browser: Browser;
  let box: Sandbox;
  let view: View;
  /** Errors and requests of all pages. */
  const errors: string[] = [];
  const requests: string[] = [];
  const boxes: Sandbox[] = [];
  const views: View[] = [];

  const started = async (place: { cwd: string; env: Sandbox['env'] }) => {
    const its = await startView(place);
    views.push(its);
    return its;
  };

  beforeAll(async () => {
    const path = dirname(lhp('0.9.3').path);
    box = sandbox({ path: [path] });
    boxes.push(box);
    const project = join(box.dir, 'my-lakehouse');
    mkdirSync(project);
    const launched = startBrowser(chromium().path);
    expect(
      await ended(
        box.start(['run', '--', 'lhp', 'init', 'demo', '--sample', '--no-git'], { cwd: project }),
      ),
    ).toMatchObject({
      status: 0,
    });
    for (const _ of [1, 2]) {
      const generate = [
        'run',
        '--',
        'lhp',
        'generate',
        '--env',
        'dev',
        '-pc',
        'config/pipeline_config.yaml',
      ];
      expect(await ended(box.start(generate, { cwd: project }))).toMatchObject({ status: 0 });
    }
    await box.recorded(2);
    await writeHistory(box.stateDir, plausible(500, Date.now() - DAY_MS, 75));
    view = await started({ cwd: project, env: box.env });
    browser = await launched;
  });
  afterAll(async () => {
    await browser?.close();
    for (const its of views) expect(await its.stop()).toBe(0);
    for (const each of boxes) each.dispose();
  });

  interface Look {
    width?: number;
    dark?: boolean;
    its?: View;
    path?: string;
    /** Called before the page is loaded. */
    before?: (page: Page) => Promise<void>;
  }

  /** One for all pages: each new one starts processes of the browser. */
  let context: BrowserContext | undefined;
  async function newContext(): Promise<BrowserContext> {
    const its = await browser.newContext({ timezoneId: ZONE, reducedMotion: 'reduce' });
    await its.addInitScript(recordDrawing);
    its.on('request', (request) => requests.push(request.url()));
    return its;
  }

  async function open({
    width = 1280,
    dark = false,
    its = view,
    before,
  }: Look = {}): Promise<Page> {
    context ??= await newContext();
    const page = await context.newPage();
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
    });
    await before?.(page);
    await page.goto(its.url);
    await page.locator('#version:not(:empty)').waitFor();
    return page;
  }

  const shown = (value: number | null) =>
    value === null ? '–' : String(Math.round(value * 10) / 10);
  const rowsOf = (page: Page, figure: string) =>
    page
      .locator(`#${figure} .numbers tbody tr`)
      .evaluateAll((rows) =>
        rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')),
      );

  async function expectCharts(page: Page, runs: Truth[]): Promise<void> {
    // A new chart fails here until its numbers are checked below.
    expect(
      await page.locator('#charts figure').evaluateAll((figures) => figures.map(({ id }) => id)),
    ).toEqual(['duration', 'runs-over-time', 'sizes']);
    const expected = days(runs);
    const seconds = (value: number | null) => (value === null ? '–' : inSeconds(value));
    expect(await rowsOf(page, 'runs-over-time')).toEqual(
      expected.map(({ label, runs: count }) => [label, String(count)]),
    );
    expect(await rowsOf(page, 'duration')).toEqual(
      expected.map(({ label, p50, p95 }) => [label, seconds(p50), seconds(p95)]),
    );
    expect(await rowsOf(page, 'sizes')).toEqual(
      expected.map(({ label, files, flowgroups, pipelines, templates }) => [
        label,
        ...[files, flowgroups, pipelines, templates].map(shown),
      ]),
    );
    const all = runs.map(hundredths);
    await expect
      .poll(() => page.locator('#duration figcaption').textContent())
      .toContain(
        `Median ${inSeconds(quantile(all, 0.5))}, 95th percentile ` +
          `${inSeconds(quantile(all, 0.95))}, over ${runs.length} run`,
      );
  }

  /** One page for the tests that change nothing, with all runs selected. */
  let common: Page | undefined;
  async function look(): Promise<Page> {
    common ??= await open();
    await common.keyboard.press('Escape');
    await common.getByRole('button', { name: 'Show all' }).click();
    return common;
  }

  it('selects the project in whose folder it was started, with its real runs', async () => {
    const page = await open();
    const name =
      /^name:\s*(\S+)/m.exec(
        readFileSync(join(box.dir, 'my-lakehouse', 'lhp.yaml'), 'utf8'),
      )?.[1] ?? '';
    const digest = createHash('sha256').update(name.replaceAll(/['"]/g, '')).digest('hex');
    expect(await page.locator('#project').inputValue()).toBe(digest);
    // Everywhere by the name of its folder.
    expect(await page.locator('#project option:checked').textContent()).toBe(
      'my-lakehouse (this project) · 2',
    );
    expect(await page.locator('#by-project_id tbody th').allTextContents()).toEqual([
      'my-lakehouse',
    ]);
    expect(await page.locator('#run-rows td:nth-child(2)').allTextContents()).toEqual([
      'my-lakehouse',
      'my-lakehouse',
    ]);
    const real = truth(box).filter((run) => run.words['lhp.project.id'] === digest);
    expect(
      real.map(({ numbers }) => [numbers['lhp.project.flowgroups'], numbers['lhp.generate.files']]),
    ).toEqual([
      [8, 8],
      [8, 8],
    ]);
    await expectCharts(page, real);
    expect(await page.locator('#run-place').textContent()).toBe('1 to 2 of 2 runs');
    expect(await page.content()).not.toContain(name.replaceAll(/['"]/g, ''));
    await page.close();
  });

  it('opens from the file that the browser is started with', async () => {
    const opened = join(box.dir, 'opened');
    const bin = join(box.dir, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'xdg-open'),
      `#!/bin/sh\necho "$1" >'${opened}.part'; mv '${opened}.part' '${opened}'\n`,
    );
    chmodSync(join(bin, 'xdg-open'), 0o755);
    const env = { ...box.env, DISPLAY: ':0', PATH: `${bin}:${box.env.PATH}` };
    const its = await startView({ cwd: box.dir, env }, []);
    views.push(its);
    await until(() => existsSync(opened), 'the browser to be opened');
    const page = await browser.newPage();
    await page.goto(readFileSync(opened, 'utf8').trim());
    await page.waitForURL(its.url);
    await page.locator('#version:not(:empty)').waitFor();
    await page.close();
  });

  it('every chart, table and tile shows the numbers of the history, with any filter', async () => {
    const page = await look();
    const all = truth(box);
    expect(all.length).toBeGreaterThan(490);
    await expectCharts(page, all);
    await expectBreakdown(page, all);
    const tiles = await page.locator('#tiles .big').allTextContents();
    expect(tiles).toEqual([
      'On',
      'Nobody',
      String(all.length),
      inSeconds(quantile(all.map(hundredths), 0.5)),
    ]);

    const project = String(all[0]?.words['lhp.project.id']);
    await page.locator('#project').selectOption(project);
    await page.locator('#environment').selectOption('prod');
    const prod = all.filter(
      ({ words }) =>
        words['lhp.project.id'] === project && words['deployment.environment.name'] === 'prod',
    );
    expect(prod.length).toBeGreaterThan(10);
    await expectCharts(page, prod);
    await expectBreakdown(page, prod);
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.locator('#range').selectOption('30');
    await expectCharts(
      page,
      all.filter(({ time }) => time >= Date.now() - 30 * DAY_MS),
    );
    await page.locator('#environment').selectOption('test');
    await page.locator('#project').selectOption(String(all.at(-1)?.words['lhp.project.id']));
    expect(await page.locator('#nothing').isVisible()).toBe(true);
    expect(await page.locator('#something').isVisible()).toBe(false);
  });

  async function expectBreakdown(page: Page, runs: Truth[]): Promise<void> {
    const ours = truth(box).at(-1)?.words['lhp.project.id'];
    const by: [string, string, (value: unknown) => string][] = [
      ['environment', 'deployment.environment.name', String],
      ['lhp_version', 'service.version', String],
      ['python_version', 'process.runtime.version', String],
      ['is_ci', 'lhp.ci', (value) => (value ? 'in CI' : 'not in CI')],
      ['dry_run', 'lhp.dry_run', (value) => (value ? 'dry run' : 'real run')],
      [
        'project_id',
        'lhp.project.id',
        (value) => (value === ours ? 'my-lakehouse' : `${String(value).slice(0, 8)}…`),
      ],
    ];
    for (const [id, key, label] of by) {
      const values = [...new Set(runs.map(({ words }) => words[key]))];
      const expected = values.map((value) => {
        const members = runs.filter(({ words }) => words[key] === value).map(hundredths);
        return [
          label(value),
          String(members.length),
          inSeconds(quantile(members, 0.5)),
          inSeconds(quantile(members, 0.95)),
        ];
      });
      const rows = await page
        .locator(`#by-${id} tbody tr`)
        .evaluateAll((found) =>
          found.map((row) => [...row.children].map((cell) => cell.textContent ?? '')),
        );
      expect(rows.toSorted()).toEqual(expected.toSorted());
    }
  }

  it('draws the values at the right places', async () => {
    const page = await look();
    const expected = days(truth(box));
    const drawn = await page.evaluate(() => (window as unknown as { drawn: Drawn[] }).drawn);
    // The legend shows each line as it is drawn.
    for (const figure of ['duration', 'sizes']) {
      const keys = await page.locator(`#${figure} .key line`).evaluateAll((lines) =>
        lines.map((line) => ({
          width: Number(line.getAttribute('stroke-width')),
          dash: (line.getAttribute('stroke-dasharray') ?? '')
            .split(' ')
            .filter(Boolean)
            .map(Number),
        })),
      );
      const lines = drawn.filter(
        (one) => one.figure === figure && one.kind === 'stroke' && one.points.length > 20,
      );
      const last = lines.slice(-keys.length).map(({ width, dash }) => ({ width, dash }));
      expect(last).toEqual(keys);
      expect(new Set(keys.map(({ dash }) => dash.join())).size).toBe(keys.length);
      // A line below an equal one stays visible on both sides.
      for (const [at, { width }] of keys.entries())
        expect(width).toBeGreaterThan((keys[at + 1]?.width ?? 0) + 1);
    }
    /** The last line or bars with this many points that the chart has drawn. */
    const path = (figure: string, color: string, kind: Drawn['kind'], points: number) => {
      const found = drawn.filter(
        (one) => one.figure === figure && one.kind === kind && one.points.length === points,
      );
      const style = found.findLast((one) => one.color === color);
      const all = drawn.map((one) => `${one.figure} ${one.kind} ${one.color} ${one.points.length}`);
      const missing = `${figure} ${color} with ${points} points; there are ${all}`;
      expect(style, missing).toBeDefined();
      return style?.points ?? [];
    };
    const colors = await page.evaluate(() =>
      ['--series-1', '--series-2', '--series-3', '--series-4'].map((name) => {
        const probe = document.body.appendChild(document.createElement('i'));
        probe.style.color = `var(${name})`;
        const { color } = getComputedStyle(probe);
        probe.remove();
        const [r = 0, g = 0, b = 0] = color.match(/\d+/g)?.map(Number) ?? [];
        return `#${[r, g, b].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
      }),
    );
    const lines = [
      ['duration', 0, expected.map(({ p50 }) => p50)],
      ['duration', 1, expected.map(({ p95 }) => p95)],
      ['sizes', 0, expected.map(({ files }) => files)],
      ['sizes', 1, expected.map(({ flowgroups }) => flowgroups)],
      ['sizes', 2, expected.map(({ pipelines }) => pipelines)],
      ['sizes', 3, expected.map(({ templates }) => templates)],
    ] as const;
    for (const [figure, color, values] of lines) {
      const known = values.flatMap((value, index) =>
        value === null ? [] : [[index, value] as const],
      );
      const points = path(figure, colors[color] ?? '', 'stroke', known.length);
      expectLinear(
        known.map(([index]) => index),
        points.map(([x]) => x),
        1,
      );
      expectLinear(
        known.map(([, value]) => value),
        points.map(([, y]) => y),
        -1,
      );
    }
    const busy = expected.flatMap(({ runs }, index) => (runs > 0 ? [[index, runs] as const] : []));
    const bars = drawn.findLast(
      ({ figure, kind }) => figure === 'runs-over-time' && kind === 'fill',
    );
    const tall = (bars?.points ?? []).filter(([, , , height = 0]) => height > 0);
    expectLinear(
      busy.map(([index]) => index),
      tall.map(([x]) => x),
      1,
    );
    expectLinear(
      busy.map(([, runs]) => runs),
      tall.map(([, , , height = 0]) => height),
      1,
    );
  });

  sampled(it, 4).each([1280, 360])('the numbers of marks do not overlap (%d px)', async (width) => {
    const page = await open({ width });
    await page.getByRole('button', { name: 'Show all' }).click();
    const marks = await page.locator('.changes > li').count();
    expect(marks).toBeGreaterThan(4);
    const discs = (await page.evaluate(() => (window as unknown as { discs: Disc[] }).discs)).slice(
      -marks,
    );
    for (const [at, { x, y, radius }] of discs.entries())
      for (const other of discs.slice(at + 1))
        expect(Math.hypot(x - other.x, y - other.y)).toBeGreaterThan(2 * radius);
    await page.close();
  });

  it('marks where the project grew and where the version changed, with the verdict', async () => {
    const page = await look();
    const marks = await page.locator('.changes > li').allTextContents();
    expect(
      marks.filter((text) => /flowgroups 2\d → 4\d.*slower.*dev of project.*slower/.test(text)),
    ).toHaveLength(1);
    expect(
      marks.filter((text) => /lhp 0\.9\.2 → 0\.9\.3.*faster/.test(text)).length,
    ).toBeGreaterThan(0);
  });

  it('a run: its event in a sentence, its fields explained, the bytes of its request', async () => {
    const page = await look();
    await page.locator('#run-rows button').first().click();
    const newest = truth(box).at(-1);
    const file = readFileSync(join(box.historyDir, `${newest?.time}.local.json`), 'utf8');
    await page.locator('#run-form').selectOption('exact');
    expect(await page.locator('#run-request').textContent()).toBe(file);
    await page.locator('#run-form').selectOption('indented');
    expect(JSON.parse((await page.locator('#run-request').textContent()) ?? '')).toEqual(
      JSON.parse(file),
    );
    const event = box.events().at(-1) ?? {};
    const fields = await page
      .locator('.field')
      .evaluateAll((all) =>
        all.map((field) => [
          field.querySelector('h4 code')?.textContent,
          field.querySelector('.value')?.textContent,
          field.querySelectorAll('dd').length,
        ]),
      );
    expect(fields).toEqual(
      Object.entries(event).map(([key, value]) => [
        key,
        key === 'generation_time_seconds' ? inSeconds(Number(value)) : String(value),
        4,
      ]),
    );
    expect(await page.locator('#run-words').textContent()).toContain(
      '8 files written of 8 flowgroups in 4 pipelines for environment dev',
    );
    const saved = page.waitForEvent('download');
    await page.locator('#run-save').click();
    expect(readFileSync(await (await saved).path(), 'utf8')).toBe(file);
  });

  it('shows every run once on its pages, in the selected order', async () => {
    const page = await look();
    const all = truth(box);
    const seen: string[] = [];
    for (;;) {
      seen.push(
        ...(await page
          .locator('#run-rows tr')
          .evaluateAll((rows) => rows.map((row) => row.children[4]?.textContent ?? ''))),
      );
      if ((await page.locator('#run-on').getAttribute('aria-disabled')) === 'true') break;
      await page.locator('#run-on').click();
    }
    expect(seen).toEqual(all.toReversed().map((run) => inSeconds(hundredths(run))));
    await page.locator('#run-order').selectOption('slowest');
    const slowest = Math.max(...all.map(hundredths));
    expect(await page.locator('#run-rows .number').first().textContent()).toBe(inSeconds(slowest));
    expect(await page.locator('#run-place').textContent()).toBe(`1 to 25 of ${all.length} runs`);
  });

  it('exports the shown runs, or all, as JSON and CSV with the values of the history', async () => {
    const page = await look();
    const save = async (button: string) => {
      const saved = page.waitForEvent('download');
      await page.locator(button).click();
      const download = await saved;
      return [download.suggestedFilename(), readFileSync(await download.path(), 'utf8')] as const;
    };
    const all = truth(box);
    const events = box.events();
    const rows = all.map(({ time, outcome }, index) => ({
      timestamp: new Date(time).toISOString(),
      outcome,
      reason: outcome === 'lost' ? 'expired' : null,
      ...events[index],
    }));
    await page.locator('#export-which').selectOption('all');
    const [name, json] = await save('#export-json');
    expect(name).toBe('lhp-otel-runs.json');
    expect(JSON.parse(json)).toEqual(rows);
    const [, csv] = await save('#export-csv');
    const [head = [], ...lines] = parseCsv(csv);
    expect(head).toEqual(Object.keys(rows[0] ?? {}));
    expect(lines).toEqual(
      rows.map((row) => Object.values(row).map((value) => String(value ?? ''))),
    );
    await page.locator('#export-which').selectOption('shown');
    await page.locator('#environment').selectOption('prod');
    const prod = all.filter(({ words }) => words['deployment.environment.name'] === 'prod');
    expect(parseCsv((await save('#export-csv'))[1])).toHaveLength(1 + prod.length);
  });

  sampled(it, 6).each([
    { width: 1280, dark: false },
    { width: 1280, dark: true },
    { width: 360, dark: false },
    { width: 360, dark: true },
  ])(
    'axe reports nothing, and nothing is wider than the window ($width px, dark: $dark)',
    async (how) => {
      const page = await open(how);
      await page.getByRole('button', { name: 'Show all' }).click();
      await page.locator('#range').selectOption('30');
      // Opened, so that axe checks the content; one table of numbers stands for all.
      await page.locator('.changes details, #sizes details').evaluateAll((all) => {
        for (const one of all) one.setAttribute('open', '');
      });
      await expectAccessible(page);
      await page.locator('#run-rows button').first().click();
      await page.locator('#run[open]').waitFor(); // it is when the request is there
      await expectAccessible(page, '#run');
      await page.keyboard.press('Escape');
      await page.locator('#purge-ask').click();
      await page.locator('#purge[open]').waitFor();
      await expectAccessible(page, '#purge');
      await page.close();
    },
  );

  async function expectNoWider(page: Page): Promise<void> {
    const wide = await page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll('.card')]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
        .map(({ tagName, id, textContent }) => `${tagName} ${id} ${textContent?.slice(0, 40)}`),
    );
    expect(wide).toEqual([]);
  }

  async function expectAccessible(page: Page, part = 'html'): Promise<void> {
    if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
    const found = await page.evaluate(async (inside) => {
      const { axe: checker } = window as unknown as { axe: typeof axe };
      const { violations } = await checker.run(inside, {
        runOnly: checker.getRules().map(({ ruleId }) => ruleId),
        resultTypes: ['violations'],
      });
      return violations.map(
        ({ id, nodes }) =>
          `${id}, ${nodes.length} times: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`,
      );
    }, part);
    expect(found).toEqual([]);
    await expectNoWider(page);
  }

  it('the theme can be chosen, also for the charts', async () => {
    const page = await open();
    const background = () =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const line = () =>
      page.evaluate(
        () =>
          (window as unknown as { drawn: Drawn[] }).drawn.findLast(
            ({ figure }) => figure === 'duration',
          )?.color,
      );
    const [light, lightLine] = [await background(), await line()];
    await page.getByLabel('Dark').check();
    expect(await background()).not.toBe(light);
    await expect.poll(line).not.toBe(lightLine);
    await page.getByLabel('Light').check();
    expect(await background()).toBe(light);
    await page.close();
  });

  it('can be used with the keyboard alone', async () => {
    const page = await open();
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const focused = () =>
      page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent);
    const tabTo = async (wanted: string) => {
      for (let count = 0; count < 80 && (await focused()) !== wanted; count += 1)
        await press('Tab');
      expect(await focused()).toBe(wanted);
      expect(
        await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle),
      ).not.toBe('none');
    };
    await press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await press('Enter', 'Tab');
    expect(await focused()).toBe('project');
    await press('Home', 'Tab', 'Tab', 'Tab');
    expect(await focused()).toBe('show-all');
    await press('Enter');
    expect(await page.locator('#selection').textContent()).toContain(`${truth(box).length} runs`);
    await tabTo('All numbers of this chart');
    await press('Enter');
    expect(await page.locator('#duration .numbers').isVisible()).toBe(true);
    await tabTo('run-order');
    await press('Tab');
    const first = await focused();
    await press('Enter');
    await page.locator('#run[open]').waitFor();
    await tabTo('run-close');
    await press('Escape');
    expect(await page.locator('#run').isVisible()).toBe(false);
    expect(await focused()).toBe(first);
    await tabTo('run-on');
    await press('Enter');
    expect(await page.locator('#run-place').textContent()).toMatch(/^26 to 50 /);
    expect(await focused()).toBe('run-on');
    await tabTo('purge-ask');
    await press('Enter');
    expect(await focused()).toBe('purge-typed');
    await page.keyboard.type('no');
    await press('Enter');
    expect(await page.locator('#purge').isVisible()).toBe(true);
    await press('Escape');
    expect(await focused()).toBe('purge-ask');
    expect(readdirSync(box.historyDir).length).toBeGreaterThan(400);
    await page.close();
  });

  it('runs no foreign script, and may send no request to another origin', async () => {
    const page = await open();
    const refused = await page.evaluate(async (other) => {
      const violated = new Set<string>();
      const all = new Promise<void>((resolve) => {
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
          if (violated.add(effectiveDirective).size === 3) resolve();
        });
      });
      const failed = async (what: () => unknown) => {
        try {
          await what();
          return false;
        } catch {
          return true;
        }
      };
      const image = document.createElement('img');
      const loaded = new Promise((resolve) => {
        image.onload = () => resolve(true);
        image.onerror = () => resolve(false);
      });
      image.src = `${other}/x.png`;
      const script = document.createElement('script');
      const refusals = {
        fetch: await failed(() => fetch(other)),
        image: await loaded,
        html: await failed(() => {
          document.body.innerHTML = '<p>x</p>';
        }),
        script: await failed(() => {
          script.textContent = 'window.foreign = true';
          document.body.append(script);
        }),
      };
      await all;
      return { ...refusals, violated: [...violated].sort() };
    }, 'http://127.0.0.1:9');
    expect(refused).toEqual({
      fetch: true,
      image: false,
      html: true,
      script: true,
      violated: ['connect-src', 'img-src', 'require-trusted-types-for'],
    });
    expect(await page.evaluate(() => 'foreign' in window)).toBe(false);
    await page.close();
    // These errors were expected.
    expect(errors.splice(0).length).toBeGreaterThan(0);
  });

  it('draws one day of history as a line, and shows outcomes on a phone', async () => {
    const short = sandbox({ env: { TZ: ZONE } });
    boxes.push(short);
    const outcomes = ['sent', 'local', 'lost', 'waiting'] as const;
    const now = Date.now();
    const runs = Array.from({ length: 12 }, (_, index) => ({
      ...runAt(now - (12 - index) * 2_700_000, { generation_time_seconds: 2 + index / 10 }),
      outcome: outcomes[index % 4] ?? 'local',
      reason: 'expired' as const,
    }));
    await writeHistory(short.stateDir, runs);
    const page = await open({ its: await started({ cwd: short.dir, env: short.env }), width: 390 });
    await expectCharts(page, truth(short));
    const drawn = await page.evaluate(() => (window as unknown as { drawn: Drawn[] }).drawn);
    const lines = drawn.filter(
      ({ figure, kind, dash }) => figure === 'duration' && kind === 'stroke' && dash.length > 0,
    );
    expect(lines.at(-1)?.points.length).toBeGreaterThan(6);
    const words = await page.locator('#run-rows .outcome:visible').allTextContents();
    expect(words).toEqual(
      Array(3).fill(['waiting', 'given up', 'kept on this machine', 'delivered']).flat(),
    );
    for (const figure of ['duration', 'sizes', 'runs-over-time'])
      expect(await page.locator(`#${figure} .uplot`).boundingBox()).toMatchObject({ height: 210 });
    await expectAccessible(page);
    await page.close();
  });

  it('an empty history says what to do, and what switched telemetry off', async () => {
    const empty = sandbox({ env: { DO_NOT_TRACK: '1' } });
    boxes.push(empty);
    const page = await open({ its: await started({ cwd: empty.dir, env: empty.env }), width: 360 });
    expect(await page.locator('#empty').textContent()).toContain(
      'lhp-otel run -- lhp generate --env dev',
    );
    expect(await page.locator('#empty-off').textContent()).toContain(
      'Recording is off, because of DO_NOT_TRACK',
    );
    expect(await page.locator('.layers .decided th').textContent()).toBe('DO_NOT_TRACKsays off');
    expect(await page.locator('#consent-words').textContent()).not.toContain('recorded earlier');
    expect(await page.locator('#history').isVisible()).toBe(false);
    await expectAccessible(page);
    await page.close();
  });

  describe('untrusted text in the history', () => {
    const LONG = '<b>'.padEnd(10_000, 'W');
    const HOSTILE = {
      'lhp.project.id': '"><img src=x onerror="window.hacked=1">',
      'lhp.machine.id': '<script>window.hacked=1</script>',
      'service.version': '\u202egnp.exe\u202c\u0000\u001b[31m',
      'process.runtime.version': LONG,
      'deployment.environment.name': '=cmd|"/c calc"!A1',
    };
    let foreign: Sandbox;
    let its: View;
    const plantedAt = Date.now();
    let planted = '';

    /** The server skips such a file. This gives it to the page as if it did not. */
    async function plant(page: Page): Promise<void> {
      await page.route('**/data', async (route) => {
        const response = await route.fetch();
        const data = (await response.json()) as Data;
        const runs = unpack(data.runs);
        const event = eventOf(JSON.parse(planted));
        const all = [...runs, { timestamp: plantedAt, outcome: 'local' as const, event }];
        await route.fulfill({ response, json: { ...data, runs: pack(all) } });
      });
      await page.route(`**/otlp/${plantedAt}`, (route) =>
        route.fulfill({ contentType: 'application/json', body: planted }),
      );
    }

    beforeAll(async () => {
      foreign = sandbox();
      boxes.push(foreign);
      await writeHistory(foreign.stateDir, plausible(40, Date.now() - DAY_MS, 20));
      const [name = ''] = readdirSync(foreign.historyDir);
      const request = JSON.parse(readFileSync(join(foreign.historyDir, name), 'utf8'));
      const replace = ({ attributes }: { attributes: { key: string; value: object }[] }) => {
        for (const attribute of attributes) {
          const text = HOSTILE[attribute.key as keyof typeof HOSTILE];
          if (text !== undefined) attribute.value = { stringValue: text };
        }
      };
      replace(request.resourceMetrics[0].resource);
      for (const metric of request.resourceMetrics[0].scopeMetrics[0].metrics)
        for (const point of (metric.sum ?? metric.exponentialHistogram).dataPoints) replace(point);
      planted = JSON.stringify(request);
      writeFileSync(join(foreign.historyDir, `${plantedAt}.local.json`), planted);
      writeFileSync(join(foreign.historyDir, `${plantedAt + 1}.local.json`), 'no run');
      const problem = 'the collector did not answer <b>in time</b>';
      const state = {
        failures: 4,
        problem,
        lastFailure: '2026-03-04T05:06:07Z',
        lastSuccess: 'no time',
        rejectedPoints: 2,
      };
      writeFileSync(join(foreign.stateDir, 'delivery.json'), JSON.stringify(state));
      const env = {
        ...foreign.env,
        LHP_OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.com:4318',
      };
      its = await started({ cwd: foreign.dir, env });
    });

    sampled(it, 4).each([1280, 360])('is shown as text (%d px)', async (width) => {
      const page = await open({ its, width, before: plant });
      await page.locator('#run-rows button').first().click();
      await page.locator('#run-form').selectOption('exact');
      const values = await page.locator('.field .value').allTextContents();
      expect(values).toContain(HOSTILE['lhp.machine.id']);
      expect(values).toContain(LONG);
      await page.keyboard.press('Escape');
      expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
      expect(
        await page.locator('main img, dialog img, main b, main script, dialog script').count(),
      ).toBe(0);
      // Outside the dialog of the run it is cut, and has no invisible characters.
      const text = await page.locator('main').evaluate((main) => main.textContent ?? '');
      expect(text).not.toMatch(/\p{Cf}|W{60}/u);
      await page.locator('#project').selectOption(HOSTILE['lhp.project.id']);
      expect(await page.locator('#run-place').textContent()).toBe('1 to 1 of 1 run');
      expect(await page.locator('#delivery').textContent()).toContain(
        '2 files that are not recorded runs',
      );
      await expectNoWider(page);
      await page.close();
    });

    it('is skipped by the server', async () => {
      const page = await open({ its });
      expect(await page.locator('#run-place').textContent()).toBe('1 to 25 of 40 runs');
      await page.close();
    });

    it('the state of delivery is shown in words', async () => {
      const page = await open({ its });
      const facts = await page
        .locator('#delivery')
        .evaluate((list) =>
          [...list.children].map(
            (one) => `${one.tagName === 'DT' ? '\n' : ' | '}${one.textContent}`,
          ),
        );
      const count = (outcome: string) =>
        readdirSync(foreign.historyDir).filter((name) => name.includes(outcome)).length;
      const [oldest = ''] = readdirSync(foreign.spoolDir).sort();
      const at = (time: number) =>
        new Intl.DateTimeFormat('en-GB', {
          dateStyle: 'medium',
          timeStyle: 'medium',
          timeZone: ZONE,
        }).format(time);
      expect(facts.join('').trim().split('\n')).toEqual([
        'Endpoint | https://collector.example.com:4318/v1/metrics | from the environment',
        'Headers | none',
        'Request | OTLP over HTTP, JSON, compression none, timeout 10\u00a0s',
        `Waiting | ${readdirSync(foreign.spoolDir).length} runs, the oldest since ` +
          `${at(Number.parseInt(oldest, 10))}`,
        `Delivered | ${count('sent')} runs`,
        'Kept on this machine | 0 runs',
        count('lost') === 1
          ? 'Given up | 1 run | 1: waited more than 7 days'
          : `Given up | ${count('lost')} runs`,
        'Not shown | 2 files that are not recorded runs',
        'Last delivery | at an unknown time',
        'Last problem | the collector did not answer <b>in time</b> | ' +
          `${at(Date.UTC(2026, 2, 4, 5, 6, 7))}`,
        'Rejected | 2 data points of accepted requests',
      ]);
      await page.close();
    });

    it('is exported as text, not as a formula', async () => {
      const page = await open({ its, before: plant });
      const saved = page.waitForEvent('download');
      await page.locator('#export-csv').click();
      const rows = parseCsv(readFileSync(await (await saved).path(), 'utf8'));
      expect(rows.flat().filter((cell) => /^\s*[=+\-@]/.test(cell))).toEqual([]);
      expect(rows.at(-1)).toContain(`'${HOSTILE['deployment.environment.name']}`);
      expect(rows.at(-1)).toContain(LONG);
      await page.close();
    });

    it('is deleted by a purge, which must be confirmed by typing a word', async () => {
      const page = await open({ its });
      await page.locator('#purge-ask').click();
      expect(await page.locator('#purge-words').textContent()).toContain(
        'This deletes 40 recorded runs',
      );
      await page.locator('#purge-typed').fill('purg');
      expect(await page.locator('#purge-confirm').isDisabled()).toBe(true);
      await page.locator('#purge-cancel').click();
      expect(readdirSync(foreign.historyDir)).toHaveLength(40);
      await page.locator('#purge-ask').click();
      await page.locator('#purge-typed').fill('purge');
      await page.locator('#purge-confirm').click();
      await expect
        .poll(() => page.locator('#purge-result').textContent())
        .toBe('42 recorded runs deleted.');
      expect(
        [foreign.spoolDir, foreign.historyDir].flatMap((folder) => readdirSync(folder)),
      ).toEqual([]);
      await page.locator('#empty').waitFor();
      await its.stop();
      await page.locator('#purge-ask').click();
      await page.locator('#purge-typed').fill('purge');
      await page.locator('#purge-confirm').click();
      await expect
        .poll(() => page.locator('#failure').textContent())
        .toContain('start lhp-otel view again');
      await page.close();
      // These errors were expected: the server has ended.
      expect(errors.splice(0).filter((text) => !text.includes('ERR_CONNECTION_REFUSED'))).toEqual(
        [],
      );
    });
  });

  it('the browser contacted only the server of the page, without an error', () => {
    const origins = new Set(views.map(({ origin }) => origin));
    const foreign = requests.filter(
      (url) =>
        !origins.has(new URL(url).origin) &&
        url !== 'http://127.0.0.1:9/' &&
        url !== 'http://127.0.0.1:9/x.png',
    );
    expect(foreign.filter((url) => !url.startsWith('blob:'))).toEqual([]);
    expect(requests.length).toBeGreaterThan(60);
    expect(errors).toEqual([]);
  });
});
