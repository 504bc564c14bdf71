// npm.ts: npm of a user who has never used it and reaches no registry, so that what a test installs
// has to come with the package itself.
import { join } from 'node:path';
import type { Env, Sandbox } from '../../scripts/harness/sandbox.ts';

/** The folder in which this user's global packages are. Its name needs quotes in a shell. */
export const npmPrefix = (box: Sandbox): string => join(box.dir, 'npm prefix');

/**
 * npm's settings. With a prefix of its own, npm does not read the machine's configuration, in which
 * the registry or its certificate may be; without `offline` it would repeat each request for
 * minutes.
 */
export const npmSettings = (box: Sandbox): Env => ({
  npm_config_prefix: npmPrefix(box),
  npm_config_cache: join(box.dir, 'npm-cache'),
  npm_config_offline: 'true',
});
