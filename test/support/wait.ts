// wait.ts: waits until the programs that this folder of tests needs are installed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Groups of programs in scripts/setup.mjs. */
    needs: string[];
  }
}

// Set by scripts/setup.mjs, which writes a file for each group that is there. A test file that is
// run alone takes what is there.
const ready = process.env.LHP_OTEL_SETUP;
for (const group of ready === undefined ? [] : inject('needs'))
  while (!existsSync(join(ready as string, group))) await sleep(200);
