/**
 * Failures of the run as a whole, found after the last test. The global setup and the reporter are loaded apart from
 * each other, so they meet on the global object.
 */
const key = Symbol.for('tend.test.run-failures');
// The symbol is used by this file alone, so what is found there is what was put there.
const shared = globalThis as { [key]?: number };

/** Makes the run fail and says why. */
export function reportRunFailure(title: string, lines: readonly string[]): void {
  process.exitCode = 1;
  shared[key] = countRunFailures() + lines.length;
  process.stderr.write(`\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`);
}

export function countRunFailures(): number {
  return shared[key] ?? 0;
}
