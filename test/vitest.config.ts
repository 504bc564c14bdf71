import { dirname } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: dirname(import.meta.dirname),
    include: ['test/**/*.test.ts'],
    // Nothing here takes as long, but on a machine with much else to do.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Real lhp, real servers and two cores: three files at once take a fifth less time, and now and
    // then a delivery times out.
    maxWorkers: 2,
    setupFiles: ['test/support/setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
  },
});
