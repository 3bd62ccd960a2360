import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { testRun } from './test-run.ts';

export interface TemporaryDirectory extends AsyncDisposable {
  path: string;
}

/**
 * A directory of the test's own: `await using directory = await temporaryDirectory()`. It must be gone when the run
 * ends, so a test that keeps one fails the run.
 */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(testRun().temporaryDirectory, 't-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
