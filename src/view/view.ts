// view.ts: `lhp-otel view`: starts the local page's server, prints its address, opens it, and ends with Ctrl-C. A user may look
// at what was recorded earlier also when telemetry is off. Nothing is written, and nothing is left behind.
import { join } from 'node:path';
import type { Deps } from '../system/deps.ts';
import { openBrowser } from './open.ts';
import { startServer } from './server.ts';

// The page is built, also for the sources.
const PAGE = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../../dist/view' : 'view');

export async function view(
  deps: Deps,
  options: { port: number; open: boolean },
  print: (text: string) => void,
): Promise<void> {
  const server = await startServer(deps, options.port, PAGE);
  const stopped = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  print(`${server.url}\nYour recorded runs, on this machine only. Keep the address to yourself; Ctrl-C ends it.`);
  if (options.open) openBrowser(server.urlOnce, deps);
  await stopped;
  server.close();
}
