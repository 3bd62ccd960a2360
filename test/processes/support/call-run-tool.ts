// A process that calls runTool, for tests that kill it: node call-run-tool.ts SCRIPT [ARGUMENT…]
import { runTool } from '../../../src/processes/run-tool.ts';

const [script = '', ...args] = process.argv.slice(2);
await runTool({
  file: '/bin/sh',
  args: ['-c', script, 'script', ...args],
  // oxlint-disable-next-line node/no-process-env -- the environment the test gave
  baseEnv: process.env,
  // oxlint-disable-next-line node/no-process-env -- see above
  env: { MARK: process.env['MARK'] ?? '' },
  signal: new AbortController().signal,
  graceMs: 600_000,
});
