import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Nothing here takes as long, but on a machine with much else to do.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // On two cores: one more than that, because many tests wait, for a back-off, a server or a reporter; still more only make each other slow.
    maxWorkers: 3,
    setupFiles: ['test/support/setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
  },
});
