// screenshots.ts: `npm run screenshots` makes the pictures in docs/images: the local page and the
// dashboards, with invented runs that are the same every time. The pixels depend on the fonts and
// the Chromium of the machine, so no test checks that the pictures are up to date.
import { join } from 'node:path';
import { projectRoot } from './harness/sandbox.ts';
import { startBrowser } from './harness/view.ts';
import { picturesOfDashboards } from './pictures/dashboards.ts';
import { picturesOfLocalPage } from './pictures/local-page.ts';
import { parseOptions, USAGE } from './pictures/options.ts';

const images = join(projectRoot, 'docs', 'images');

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(USAGE);
  const { view, dashboards } = parseOptions(args);
  const browser = await startBrowser(process.env.CHROMIUM ?? '/usr/bin/chromium');
  try {
    const written = [
      ...(view ? await picturesOfLocalPage(browser, images) : []),
      ...(dashboards
        ? await picturesOfDashboards(browser, dashboards.out ?? images, dashboards)
        : []),
    ];
    for (const path of written) console.log(`written: ${path}`);
  } finally {
    await browser.close();
  }
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(`screenshots: ${error.message}`);
  process.exitCode = 1;
});
