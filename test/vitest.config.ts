import { dirname } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { InOrder } from './support/order.ts';
import { EXTENDED } from './support/tags.ts';

/** A folder of test/, and the programs that it waits for (the groups of scripts/setup.mjs). */
const folder = (name: string, ...needs: string[]): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, include: [`test/${name}/**/*.test.ts`], provide: { needs } },
});

/** The long rest of the tests with real servers asks other backends, too. */
const isRest = process.env.LHP_OTEL_TESTS === 'rest';
const more = isRest ? ['backends'] : [];

export default defineConfig({
  test: {
    root: dirname(import.meta.dirname),
    // Far above what any test takes, for a machine that has much else to do.
    testTimeout: isRest ? 900_000 : 180_000,
    hookTimeout: 180_000,
    // More than there are cores: many tests wait for processes and servers.
    maxWorkers: 3,
    // A worker runs one file after the other and loads the shared modules once: a test puts back
    // what it changes of its process.
    isolate: false,
    setupFiles: ['test/support/wait.ts', 'test/support/setup.ts'],
    sequence: { sequencer: InOrder },
    tags: [{ name: EXTENDED, description: 'takes long: only in `npm run test:all`' }],
    projects: [
      folder('node'),
      folder('browser', 'lhp'),
      folder('lhp', 'lhp'),
      folder('gateway', 'lhp', 'servers', ...more),
      folder('extended', 'lhp', 'servers', 'launchers', 'backends'),
    ],
  },
});
