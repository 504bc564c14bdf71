// dashboards.ts: makes docs/images/dashboard-*.png: the dashboards of deploy/grafana, drawn in
// Chromium by Grafana's own components (@grafana/ui) without a Grafana server, from a real
// Prometheus that the recorder has filled (backend.ts).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { projectRoot } from '../harness/sandbox.ts';
import { ensureGrafanaComponents, ensurePrometheus } from '../setup/install.mjs';
import { filledPrometheus, NOW } from './backend.ts';
import { bundledPage } from './bundle.ts';
import type { DashboardName, DashboardOptions, Theme } from './options.ts';
import type { DashboardJson, PageData, PanelSummary } from './page/json.ts';
import { type PageServer, servePage } from './page-server.ts';
import { checkNames, type Labels, labelsOf, resolve } from './variables.ts';

/** Until all panels have asked their queries and are drawn. */
const TIMEOUT_MS = 120_000;
/** A chart has its final size some frames after its panel is complete. */
const FRAMES = 10;

const read = (name: DashboardName): DashboardJson =>
  JSON.parse(
    readFileSync(join(projectRoot, 'deploy', 'grafana', 'dashboards', `${name}.json`), 'utf8'),
  );

/**
 * Takes the pictures. Resolves with the paths of the files.
 *
 * @throws Error when a panel has an error, after all pictures were taken.
 */
export async function picturesOfDashboards(
  browser: Browser,
  folder: string,
  options: DashboardOptions,
): Promise<string[]> {
  const dashboards = options.dashboards.map((name) => ({ name, json: read(name) }));
  checkNames(
    dashboards.map(({ json }) => json),
    options.variables,
  );
  await ensurePrometheus();
  const packages = await ensureGrafanaComponents();
  const encode = encoder(packages);
  const page = await bundledPage(packages);
  const backend = await filledPrometheus(options.situation);
  const server = await servePage({ packages, page, prometheus: backend.url });
  const written: string[] = [];
  const problems: string[] = [];
  try {
    mkdirSync(folder, { recursive: true });
    for (const { name, json } of dashboards)
      for (const theme of options.themes) {
        const data = await pageData(json, theme, options, labelsOf(backend.url));
        const path = join(folder, `dashboard-${name}-${theme}.png`);
        const summaries = await picture(browser, server, data, options.width, path, encode);
        written.push(path);
        if (options.summary) {
          written.push(path.replace('.png', '.json'));
          writeFileSync(path.replace('.png', '.json'), `${JSON.stringify(summaries, null, 2)}\n`);
        }
        for (const { title, error } of summaries)
          if (error !== undefined) problems.push(`${name}, ${title}: ${error}`);
      }
  } finally {
    await server.stop();
    await backend.stop();
  }
  if (problems.length > 0) throw new Error(`panels with errors:\n${problems.join('\n')}`);
  return written;
}

type Encode = (png: Buffer) => Buffer;

interface Upng {
  decode(png: Buffer): { width: number; height: number };
  toRGBA8(image: object): ArrayBuffer[];
  encode(frames: ArrayBuffer[], width: number, height: number, colors: number): ArrayBuffer;
}

/** Makes a picture of 256 colors, which has less than half the size and looks the same. */
function encoder(packages: string): Encode {
  const upng = createRequire(join(packages, 'package.json'))('upng-js') as Upng;
  return (png) => {
    const image = upng.decode(png);
    return Buffer.from(upng.encode(upng.toRGBA8(image), image.width, image.height, 256));
  };
}

async function pageData(
  dashboard: DashboardJson,
  theme: Theme,
  { from, to, variables }: DashboardOptions,
  labels: Labels,
): Promise<PageData> {
  // Legal values are those of the whole database, not only those of the time range.
  const range = { start: 0, end: NOW / 1_000 };
  return {
    dashboard,
    theme,
    from: from ?? dashboard.time?.from ?? 'now-30d',
    to: to ?? dashboard.time?.to ?? 'now',
    variables: await resolve(dashboard, variables, range, labels),
  };
}

async function picture(
  browser: Browser,
  server: PageServer,
  data: PageData,
  width: number,
  path: string,
  encode: Encode,
): Promise<PanelSummary[]> {
  const page = await browser.newPage({ viewport: { width, height: 1_000 }, timezoneId: 'UTC' });
  try {
    const failures: string[] = [];
    page.on('pageerror', (error) => failures.push(error.stack ?? error.message));
    await page.clock.setFixedTime(NOW);
    server.show(data);
    await page.goto(server.url);
    const ready = 'window.summaries || window.failure';
    await page.waitForFunction(ready, null, { timeout: TIMEOUT_MS, polling: 100 });
    const failure = await page.evaluate<string | undefined>('window.failure');
    if (failure !== undefined) throw new Error(failure);
    const height = await page.evaluate<number>('document.body.scrollHeight');
    await page.setViewportSize({ width, height });
    await page.evaluate(
      `new Promise((done) => {
        const wait = (left) => (left ? requestAnimationFrame(() => wait(left - 1)) : done());
        wait(${FRAMES});
      })`,
    );
    writeFileSync(path, encode(await page.screenshot()));
    if (failures.length > 0) throw new Error(failures.join('\n'));
    return await page.evaluate<PanelSummary[]>('window.summaries');
  } finally {
    await page.close();
  }
}
