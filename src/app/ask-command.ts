import { toError } from '../errors.ts';
import { runTool } from '../processes/run-tool.ts';
import type { SecretRegistry } from '../redact.ts';
import type { Answer } from './check-app.ts';

export interface AskCommandOptions {
  command: readonly string[];
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Asks once by running the check command: exit code 0 is a good answer, anything else is the reason. */
export async function askCommand(options: AskCommandOptions): Promise<Answer> {
  const { command, baseDirectory, env, secrets, timeoutMs, signal } = options;
  const [file = '', ...args] = command;
  try {
    await runTool({
      file,
      args,
      baseEnv: env,
      cwd: baseDirectory,
      secrets,
      signal,
      timeoutMs,
      graceMs: 2000,
    });
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    return withoutFullStop(toError(thrown).message);
  }
}

function withoutFullStop(message: string): string {
  return message.replace(/\.$/, '');
}
