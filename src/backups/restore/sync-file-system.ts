import type { Log } from '../../log.ts';
import { runTool } from '../../processes/run-tool.ts';
import { ToolError } from '../../processes/tool-error.ts';

/**
 * Waits until everything that was written below `path` is on disk. One call for the whole file system, where asking
 * for a million files one by one would take longer than unpacking them.
 */
export async function syncFileSystem(options: {
  path: string;
  env: NodeJS.ProcessEnv;
  log: Log;
  signal: AbortSignal;
}): Promise<void> {
  const { path, env, log, signal } = options;
  const common = { file: 'sync', baseEnv: env, log, signal };
  try {
    await runTool({ ...common, args: ['-f', path] });
  } catch (error) {
    if (!(error instanceof ToolError) || error.code !== 'TOOL_FAILED') throw error;
    await runTool({ ...common, args: [] }); // not every sync knows the option: all file systems, then
  }
}
