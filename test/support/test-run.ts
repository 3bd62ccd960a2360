import { inject } from 'vitest';

/** What the global setup tells every test file; it crosses a process border, so it is plain data. */
export interface TestRun {
  /** Marks every process and directory of this run; set as TEND_TEST_RUN. */
  id: string;
  /** TMPDIR of the test files: must be empty when the run ends. */
  temporaryDirectory: string;
  /** Where programs keep what they have compiled; it goes with the run. */
  cacheDirectory: string;
  binaries: string;
  socketDirectory: string;
  port: number;
  superuser: string;
  password: string;
  /** Database that is cloned for each test file: migrated, no sessions allowed. */
  template: string;
  /** Why the template could not be migrated; thrown when a test asks for a database, not before. */
  templateError: string | undefined;
}

declare module 'vitest' {
  interface ProvidedContext {
    testRun: TestRun;
  }
}

/** The run this test file belongs to. */
export function testRun(): TestRun {
  return inject('testRun');
}
