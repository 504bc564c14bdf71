// told.ts: notes that a user has seen the notice of an endpoint. Without it, nothing is delivered
// outside CI.
import { loadConfig } from '../../src/config/config.ts';
import { noteShown } from '../../src/consent/notice.ts';
import { resolvePaths } from '../../src/system/paths.ts';

/**
 * Notes that the notice of the endpoint in these variables, or in the files that they lead to, was
 * shown.
 */
export function tellUser(env: Record<string, string | undefined>): void {
  const host = {
    env,
    platform: process.platform,
    home: env.HOME,
    cwd: '/',
    systemConfigDir: '/etc/lhp-otel',
    now: Date.now,
  };
  const { url } = loadConfig(host);
  try {
    if (url !== undefined) noteShown(resolvePaths(host), url);
  } catch {
    // a test of a home in which nothing can be kept
  }
}
