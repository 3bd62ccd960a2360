import type { Readable } from 'node:stream';
import type { Log } from '../../log.ts';
import { runTool } from '../../processes/run-tool.ts';
import { toNowhere } from '../parts/to-nowhere.ts';
import type { PostgresProgram } from '../tools/find-postgres-program.ts';

export interface ReadWithPgRestoreOptions {
  pgRestore: PostgresProgram;
  /** A path, or the bytes of an archive of the custom format. */
  input: string | Readable;
  /** How long nothing may come; two minutes unless told. */
  silenceMs?: number;
  env: NodeJS.ProcessEnv;
  log: Log;
  signal: AbortSignal;
}

const patienceMs = 2 * 60_000;

/**
 * Has `pg_restore` read every block of an archive, and throws away what it makes of it. (`pg_restore --list` reads only
 * the beginning, and passes an archive that was cut off.) What it writes says that it gets on: on a tar archive that was
 * cut off it never ends (15.18).
 *
 * @throws ToolError TOOL_FAILED, TOOL_TIMED_OUT.
 */
export async function readWithPgRestore(options: ReadWithPgRestoreOptions): Promise<void> {
  const { pgRestore, input, silenceMs = patienceMs, env, log, signal } = options;
  await runTool({
    file: pgRestore.path,
    args: ['--file=-', ...(typeof input === 'string' ? [input] : [])],
    baseEnv: env,
    ...(typeof input !== 'string' && { input }),
    stdout: toNowhere(),
    silenceMs,
    log,
    signal,
  });
}
