// view.ts: npm run bench -- view. The local page in real Chromium with 10, 1,000 and 10,000 runs of
// the real recorder: until it can be used, what a click costs then, and what server and page hold.
// The page marks when its charts are drawn and when its list can be used; times count from the
// begin of the navigation. Each load is a browser context of its own.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { plausible, writeHistory } from '../harness/history.ts';
import { startBrowser, startView, type View } from '../harness/view.ts';
import { quantile, table } from './measure.ts';

const LOADS = Number(process.env.BENCH_LOADS ?? 7);
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

interface Load {
  charts: number;
  usable: number;
  filter: number;
  turn: number;
  heap: number;
  bytes: number;
}

export async function view(folder: string): Promise<void> {
  const browser = await startBrowser(CHROMIUM);
  const rows: string[][] = [];
  try {
    for (const count of [10, 1_000, 10_000]) {
      const home = join(folder, `view-${count}`);
      mkdirSync(home);
      await writeHistory(join(home, '.local', 'state', 'lhp-otel'), plausible(count, Date.now()));
      const env = { PATH: process.env.PATH, HOME: home };
      const started = performance.now();
      const its = await startView({ cwd: home, env });
      const start = performance.now() - started;
      const loads: Load[] = [];
      for (let turn = 0; turn < LOADS; turn += 1) loads.push(await load(browser, its));
      const median = (key: keyof Load) =>
        quantile(
          loads.map((one) => one[key]),
          0.5,
        );
      const first = loads[0] as Load;
      rows.push([
        count.toLocaleString('en-US'),
        start.toFixed(0),
        first.usable.toFixed(0),
        median('charts').toFixed(0),
        median('usable').toFixed(0),
        Math.max(...loads.map(({ usable }) => usable)).toFixed(0),
        median('filter').toFixed(0),
        median('turn').toFixed(1),
        median('heap').toFixed(1),
        memory(its).toFixed(0),
        median('bytes').toFixed(0),
      ]);
      await its.stop();
    }
  } finally {
    await browser.close();
  }
  table(
    `the local page, ${LOADS} loads each, ms, medians but for the first and the worst`,
    [
      'runs',
      'start',
      'first load',
      'charts',
      'usable',
      'worst',
      'filter',
      'turn',
      'heap MiB',
      'server MiB',
      'kB',
    ],
    rows,
  );
}

async function load(browser: Browser, { url }: View): Promise<Load> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => performance.getEntriesByName('usable').length > 0);
  const marks =
    "['charts drawn', 'usable'].map((name) => performance.getEntriesByName(name)[0].startTime)";
  const [charts = 0, usable = 0] = await page.evaluate<number[]>(marks);
  const bytes = await page.evaluate<number>(
    'performance.getEntries().reduce((sum, { encodedBodySize = 0 }) => sum + encodedBodySize, 0)',
  );
  // From the event to the end of the work that it causes, which is all in one go.
  const cost = (id: string, event: string, before = '') =>
    page.evaluate<number>(`(() => {
      const element = document.getElementById('${id}');
      const started = performance.now();
      ${before}
      element.dispatchEvent(new Event('${event}', { bubbles: true }));
      return performance.now() - started;
    })()`);
  const filter = await cost('environment', 'change', 'element.selectedIndex = 1;');
  await cost('show-all', 'click');
  const turn = await cost('run-on', 'click');
  const devtools = await context.newCDPSession(page);
  await devtools.send('HeapProfiler.collectGarbage');
  await devtools.send('Performance.enable');
  const { metrics } = await devtools.send('Performance.getMetrics');
  const heap = metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? Number.NaN;
  await context.close();
  return { charts, usable, filter, turn, heap: heap / 1024 ** 2, bytes: bytes / 1000 };
}

/** The server's resident memory after all loads. */
function memory({ child }: View): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}
