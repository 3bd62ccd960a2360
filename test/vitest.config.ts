import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Run as `vitest run --config test/vitest.config.ts [FILE…]`: one private cluster, one process per test file. */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/worker-setup.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    pool: 'forks',
    // two cores: a third of the time of a file is waiting, for locks, leases and children
    maxWorkers: 3,
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 60_000,
    teardownTimeout: 60_000,
    disableConsoleIntercept: true,
  },
});
