import { TendError, toError } from '../errors.ts';
import type { Log } from '../log.ts';
import { runTool } from '../processes/run-tool.ts';
import type { SecretRegistry } from '../redact.ts';

export interface RestartAppOptions {
  /** `[app] restart`: program and arguments, no shell. */
  restart: readonly string[];
  timeoutMs: number;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  log: Log;
  signal: AbortSignal;
}

/**
 * Runs the command that restarts the application. A server that the command leaves in the background goes on: it is
 * the application, not a child of ours (it must not keep writing to the output of the command, which is closed when
 * the command ends; service managers never do). Whether it came up is not known afterwards: `checkApp` says that.
 *
 * @throws TendError APP_RESTART_FAILED with the command's last output in `details`.
 */
export async function restartApp(options: RestartAppOptions): Promise<{ tookMs: number }> {
  const { restart, timeoutMs, baseDirectory, env, secrets, log, signal } = options;
  const [file = '', ...args] = restart;
  try {
    const { durationMs } = await runTool({
      file,
      args,
      baseEnv: env,
      cwd: baseDirectory,
      secrets,
      log,
      signal,
      timeoutMs,
    });
    return { tookMs: durationMs };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toError(thrown);
    const details = error instanceof TendError ? error.details : undefined;
    throw new TendError('APP_RESTART_FAILED', `The application could not be restarted: ${error.message}`, {
      hint: `Run it by hand: ${restart.join(' ')}`,
      cause: error,
      ...(details === undefined ? {} : { details }),
    });
  }
}
