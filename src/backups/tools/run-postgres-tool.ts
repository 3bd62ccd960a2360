import { TendError } from '../../errors.ts';
import { type RunToolOptions, runTool, type ToolResult } from '../../processes/run-tool.ts';
import { ToolError } from '../../processes/tool-error.ts';

/**
 * Runs `pg_dump` or `pg_restore`. When it fails, the error names what it complained of first: the last line it printed
 * is often the end of a long statement.
 */
export async function runPostgresTool(options: RunToolOptions): Promise<ToolResult> {
  try {
    return await runTool(options);
  } catch (error) {
    if (!(error instanceof ToolError) || error.code !== 'TOOL_FAILED') throw error;
    const said = /^(pg_dump|pg_dumpall|pg_restore): error: (.+)$/m.exec(error.outputTail);
    if (said === null) throw error;
    const [, program, reason] = said;
    throw new TendError('TOOL_FAILED', `"${program}" failed: ${reason}`, {
      cause: error,
      ...(error.details !== undefined && { details: error.details }),
    });
  }
}
