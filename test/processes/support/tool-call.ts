import { randomBytes } from 'node:crypto';
import { type RunToolOptions, runTool, type ToolResult } from '../../../src/processes/run-tool.ts';

/** The environment of tend itself in these tests: only what a child may see. */
// oxlint-disable-next-line node/no-process-env -- TMPDIR marks what the run starts
export const baseEnv = { PATH: '/usr/local/bin:/usr/bin:/bin', TMPDIR: process.env['TMPDIR'] ?? '/tmp' };

/** A value that no other process has: see `markedProcesses`. */
export function newMark(): string {
  return `mark-${randomBytes(8).toString('hex')}`;
}

/** Runs a shell script as the program, under runTool. */
export async function runScript(
  script: string,
  options: Partial<RunToolOptions> & { args?: readonly string[] } = {},
): Promise<ToolResult> {
  const { args = [], ...rest } = options;
  const signal = new AbortController().signal;
  return await runTool({
    file: '/bin/sh',
    baseEnv,
    signal,
    ...rest,
    args: ['-c', script, 'script', ...args],
  });
}

/** What `running` rejects with; fails the test when it does not. */
export async function failureOf(running: Promise<unknown>): Promise<unknown> {
  return await running.then(
    (value) => {
      throw new Error(`It was expected to fail and returned ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}
