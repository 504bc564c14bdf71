// screenshots.ts: `npm run screenshots` makes docs/images/view-*.png: the local page in Chromium,
// with an invented history that is the same every time. The pixels depend on the fonts of the
// machine, so no test checks that the images are up to date.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectId } from '../src/collect/identify.ts';
import { plausible, writeHistory } from './harness/history.ts';
import { startBrowser, startView } from './harness/view.ts';

const END = Date.UTC(2026, 10, 24);
const SHOTS = [
  { name: 'view-light', width: 1200, height: 1240, colorScheme: 'light' },
  { name: 'view-dark', width: 1200, height: 1240, colorScheme: 'dark' },
  { name: 'view-narrow', width: 390, height: 1240, colorScheme: 'light' },
] as const;

const images = join(import.meta.dirname, '..', 'docs', 'images');
const home = mkdtempSync(join(tmpdir(), 'lhp-otel-screenshots-'));
const env = {
  PATH: process.env.PATH,
  HOME: home,
  TZ: 'UTC',
  LHP_OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.com:4318',
};
const browser = await startBrowser(process.env.CHROMIUM ?? '/usr/bin/chromium');
try {
  mkdirSync(images, { recursive: true });
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
  for (const { name, width, height, colorScheme } of SHOTS) {
    const page = await browser.newPage({
      viewport: { width, height },
      colorScheme,
      timezoneId: 'UTC',
    });
    await page.goto(view.url);
    await page.locator('#version:not(:empty)').waitFor();
    await page.screenshot({ path: join(images, `${name}.png`) });
    await page.close();
  }
  await view.stop();
} finally {
  await browser.close();
  rmSync(home, { recursive: true, force: true });
}
console.log(`written: ${SHOTS.map(({ name }) => `docs/images/${name}.png`).join(', ')}`);
