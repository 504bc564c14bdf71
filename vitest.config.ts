import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Nothing here takes as long, but on a machine with much else to do.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Real lhp, real servers and two cores: more files at once only make each other slow.
    maxWorkers: 2,
    setupFiles: ['test/support/setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
  },
});
