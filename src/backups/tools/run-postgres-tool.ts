import { TendError } from '../../errors.ts';
import { type RunToolOptions, runTool, type ToolResult } from '../../processes/run-tool.ts';
import { ToolError } from '../../processes/tool-error.ts';

/** What libpq and a server that goes away say; none of it is about the dump. */
const connectionLost =
  /server closed the connection unexpectedly|terminating connection (due to|because of)|the database system is (starting up|shutting down|in recovery)|no connection to the server|could not (send data to|receive data from) server|SSL connection has been closed|connection to server (at|on socket) .* failed:/;

/**
 * Runs `pg_dump`, `pg_restore` or `vacuumdb`. When it fails, the error names what it complained of first: the last line it printed
 * is often the end of a long statement.
 *
 * @throws TendError DATABASE_CONNECTION_LOST where it was the server that went away, TOOL_FAILED and others.
 */
export async function runPostgresTool(options: RunToolOptions): Promise<ToolResult> {
  try {
    return await runTool(options);
  } catch (error) {
    if (!(error instanceof ToolError) || error.code !== 'TOOL_FAILED') throw error;
    const said = /^(pg_dump|pg_dumpall|pg_restore|vacuumdb): error: (.+)$/m.exec(error.outputTail);
    if (said === null) throw error;
    const [, program, reason] = said;
    const code = connectionLost.test(error.outputTail) ? 'DATABASE_CONNECTION_LOST' : 'TOOL_FAILED';
    throw new TendError(code, `"${program}" failed: ${reason}`, {
      cause: error,
      ...(error.details !== undefined && { details: error.details }),
    });
  }
}
