// told.ts: a user who has seen the notice of an endpoint: else nothing is delivered outside CI.
import { loadConfig } from '../../src/decide/config.ts';
import { pathsOf } from '../../src/system/paths.ts';
import { noteShown } from '../../src/wrap/notice.ts';

/** Notes that the notice of the endpoint in these variables, or in the files that they lead to, was shown. */
export function tellUser(env: Record<string, string | undefined>): void {
  const deps = { env, platform: process.platform, home: env.HOME, cwd: '/', systemConfigDir: '/etc/lhp-otel' };
  const { url } = loadConfig(deps);
  try {
    if (url !== undefined) noteShown(pathsOf(deps), url);
  } catch {
    // a test of a home in which nothing can be kept
  }
}
