// view.ts: `lhp-otel view`: starts the server of the local page, prints its address, opens the
// browser, and ends with Ctrl-C. It also works if telemetry is off: runs that were recorded earlier
// are shown. It leaves no file behind.
import { join } from 'node:path';
import type { Host } from '../system/host.ts';
import { say } from '../system/log.ts';
import type { Print } from '../system/print.ts';
import { canOpenBrowser, openBrowser } from './open.ts';
import { writeRedirect } from './redirect.ts';
import { startServer } from './server.ts';

// The built page; tests that run the sources use it, too.
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
  print(server.url, 'Served on this machine only; do not share the address. Ctrl-C ends it.');
  const redirect =
    options.open && canOpenBrowser(host) ? writeRedirect(server.urlOnce, host) : undefined;
  if (redirect) {
    openBrowser(redirect.url, host);
    server.used.then((used) => {
      redirect.remove();
      if (!used) say('no browser has opened the page: open the address above in one');
    });
  }
  await stopped;
  redirect?.remove();
  server.close();
}
