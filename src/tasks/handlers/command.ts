import { resolve } from 'node:path';
import * as v from 'valibot';
import type { TaskKindConfig } from '../../config/schema.ts';
import { TendError } from '../../errors.ts';
import { runTool } from '../../processes/run-tool.ts';
import { ToolError } from '../../processes/tool-error.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';
import { kindEnvironment } from './kind-environment.ts';

/** sysexits(3) that say "the same input will fail again": no retry. */
const permanentExitCodes = new Set([64, 65, 77, 78]);

/** A kind that has a command. */
type CommandKind = TaskKindConfig & { command: string[] };

/**
 * A command of the application's own, as `[tasks.kinds.NAME]` describes it. The payload goes to its standard input
 * as one line of JSON; what it prints is the attempt's output tail. Exit 0 is success; 64, 65, 77 and 78 of
 * sysexits(3) are permanent failures; everything else is retried.
 */
export function commandHandler(config: CommandKind): TaskHandler<Record<string, unknown>> {
  return {
    payloadSchema: v.record(v.string(), v.unknown()),
    run: (task) => runCommand(config, task),
  };
}

async function runCommand(
  config: CommandKind,
  task: RunningTask<Record<string, unknown>>,
): Promise<TaskResult> {
  const { context } = task;
  const [file = '', ...args] = config.command;
  try {
    const result = await runTool({
      file,
      args,
      cwd: resolve(context.baseDirectory, config.directory ?? '.'),
      baseEnv: context.env,
      env: kindEnvironment(config, task),
      input: `${JSON.stringify(task.payload)}\n`,
      signal: task.signal,
      timeoutMs: config.timeout,
      ...(config.silence !== undefined && { silenceMs: config.silence }),
      graceMs: context.config.tasks.grace,
      secrets: context.secrets,
    });
    writeOutput(task, result.outputTail);
    return { outcome: 'succeeded', exitCode: 0, evidence: { exitCode: 0, durationMs: result.durationMs } };
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    writeOutput(task, error.outputTail);
    if (error.toolExitCode !== undefined && permanentExitCodes.has(error.toolExitCode)) {
      throw new PermanentToolError(error);
    }
    throw error;
  }
}

class PermanentToolError extends TendError {
  readonly toolExitCode: number | undefined;

  constructor(cause: ToolError) {
    super(cause.code, cause.message, { cause, isPermanent: true });
    this.toolExitCode = cause.toolExitCode;
  }
}

function writeOutput(task: RunningTask<unknown>, output: string): void {
  const text = output.trimEnd();
  if (text !== '') task.log.debug(text);
}
