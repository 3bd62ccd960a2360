import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

/** Two cores: half of the time of a file is waiting, for locks, leases, children and the disk. */
const maxWorkers = 4;

/**
 * Files that get a process of their own: those that start programs by the dozen, that measure memory, or that ask what
 * a process is. They come first, since the longest are among them.
 */
const ownProcess = [
  'test/{cli,e2e,http,leak,processes,tooling}/**/*.test.ts',
  'test/backups/remotes/read-remote-file.test.ts',
  'test/connection/landing.test.ts',
];

/** What each file is given; the server, the clean end and the summary are of the whole run. */
const everyFile = {
  setupFiles: ['test/support/worker-setup.ts'],
  pool: 'forks' as const,
  maxWorkers,
  // a hung test ends, and one on a machine that does a dozen other things does not
  testTimeout: 90_000,
  expect: { poll: { timeout: 30_000 } },
  hookTimeout: 60_000,
  teardownTimeout: 60_000,
  disableConsoleIntercept: true,
  // Node reads the sources itself, as it does in programs that tests start: nothing here needs Vite to change them
  experimental: { viteModuleRunner: false, nodeLoader: false },
};

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Run as `vitest run --config test/vitest.config.ts [FILE…]`: one private cluster for all. The other files share the
 * processes of their project, one file after the other: loading the sources anew for each was a sixth of all work. They
 * keep nothing in a module and change neither environment nor timers beyond their end.
 */
export default defineConfig({
  root,
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    maxWorkers,
    teardownTimeout: everyFile.teardownTimeout,
    projects: [
      { root, test: { ...everyFile, name: 'own process', include: ownProcess } },
      {
        root,
        test: {
          ...everyFile,
          name: 'shared process',
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...ownProcess],
        },
      },
    ],
  },
});
