// compiled-folder.ts: a home in which a reporter has run before. Only there does a shell wait for
// the reporter's job while a generate runs (src/wrap/waiting-reporter.ts).
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Makes the folder of compiled code, as a first reporter does. */
export function makeCompiledFolder(home: string): void {
  mkdirSync(join(home, '.cache', 'lhp-otel', 'compiled'), { recursive: true, mode: 0o700 });
}
