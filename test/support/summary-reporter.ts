import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { countRunFailures } from './run-failures.ts';

/**
 * Ends the output with the line `N passed, N failed`, after everything else, for scripts that read the last line. Before
 * it stands what was skipped with a note, such as what to install: the other reporters keep that to themselves.
 */
export default class SummaryReporter implements Reporter {
  #passed = 0;
  /** A run that does not come to its end has failed. */
  #failed = 1;
  #skipped = 0;
  #notes = new Set<string>();

  onInit(): void {
    process.once('exit', () => {
      const failed = this.#failed + countRunFailures();
      const skipped = this.#skipped > 0 ? `, ${this.#skipped} skipped` : '';
      for (const note of this.#notes) writeSync(1, `skipped: ${note}\n`);
      writeSync(1, `${this.#passed} passed, ${failed} failed${skipped}\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    this.#passed = 0;
    this.#skipped = 0;
    this.#failed = unhandledErrors.length;
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') this.#passed += 1;
        else if (result.state === 'failed') failedHere += 1;
        else this.#skipped += 1;
        if (result.state === 'skipped' && result.note !== undefined) this.#notes.add(result.note);
      }
      // a file that does not load, or whose hooks fail, counts although no test of it did
      if (failedHere === 0 && !module.ok()) failedHere = 1;
      this.#failed += failedHere;
    }
  }
}
