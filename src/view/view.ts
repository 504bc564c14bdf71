// view.ts: `lhp-otel view`: starts the local page's server, prints its address, opens it, and ends
// with Ctrl-C. A user may look at what was recorded earlier also when telemetry is off. Nothing is
// left behind.
import { join } from 'node:path';
import type { Host } from '../system/host.ts';
import { say } from '../system/log.ts';
import type { Print } from '../system/print.ts';
import { canOpenBrowser, openBrowser } from './open.ts';
import { type Redirect, writeRedirect } from './redirect.ts';
import { startServer } from './server.ts';

// The page is built, also for the sources.
const PAGE = join(
  import.meta.dirname,
  import.meta.filename.endsWith('.ts') ? '../../dist/view' : 'view',
);

export async function view(
  host: Host,
  options: { port: number; open: boolean },
  print: Print,
): Promise<void> {
  const server = await startServer(host, options.port, PAGE);
  const stopped = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  print(
    server.url,
    'Your recorded runs, on this machine only. Keep the address to yourself; Ctrl-C ends it.',
  );
  const redirect =
    options.open && canOpenBrowser(host) ? writeRedirect(server.urlOnce, host) : undefined;
  if (redirect) {
    openBrowser(redirect.url, host);
    server.used.then((used) => afterwards(redirect, used));
  }
  await stopped;
  redirect?.remove();
  server.close();
}

function afterwards(redirect: Redirect, used: boolean): void {
  redirect.remove();
  if (!used) say('no browser has come for the page: open the address above in one');
}
