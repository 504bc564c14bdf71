// local-page.ts: makes docs/images/view-*.png: the local page in Chromium, with an invented history
// that is the same every time.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { projectId } from '../../src/collect/identify.ts';
import { plausible, writeHistory } from '../harness/history.ts';
import { startView } from '../harness/view.ts';

const END = Date.UTC(2026, 10, 24);
const SHOTS = [
  { name: 'view-light', width: 1200, height: 1240, colorScheme: 'light' },
  { name: 'view-dark', width: 1200, height: 1240, colorScheme: 'dark' },
  { name: 'view-narrow', width: 390, height: 1240, colorScheme: 'light' },
] as const;

/** Takes the pictures into this folder. Resolves with their paths. */
export async function picturesOfLocalPage(browser: Browser, folder: string): Promise<string[]> {
  const home = mkdtempSync(join(tmpdir(), 'lhp-otel-screenshots-'));
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    TZ: 'UTC',
    LHP_OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.com:4318',
  };
  try {
    // The page is started in the folder of the larger one of the two projects.
    const project = join(home, 'lakehouse');
    mkdirSync(project);
    writeFileSync(join(project, 'lhp.yaml'), 'name: lakehouse\n');
    const runs = plausible(640, END).map(({ event, ...run }) => ({
      ...run,
      event: event.project_id.startsWith('5')
        ? { ...event, project_id: projectId('lakehouse') }
        : event,
    }));
    await writeHistory(join(home, '.local', 'state', 'lhp-otel'), runs);
    const view = await startView({ cwd: project, env });
    const written: string[] = [];
    for (const { name, width, height, colorScheme } of SHOTS) {
      const page = await browser.newPage({
        viewport: { width, height },
        colorScheme,
        timezoneId: 'UTC',
      });
      await page.goto(view.url);
      await page.locator('#version:not(:empty)').waitFor();
      const path = join(folder, `${name}.png`);
      await page.screenshot({ path });
      written.push(path);
      await page.close();
    }
    await view.stop();
    return written;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
