import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { TaskKindConfig } from '../../config/schema.ts';
import { TendError } from '../../errors.ts';
import { idempotencyKey } from '../../http/idempotency-key.ts';
import { runTool, type ToolResult } from '../../processes/run-tool.ts';
import { ToolError } from '../../processes/tool-error.ts';
import { leaveInTime } from '../modules/leave-in-time.ts';
import type { ModuleEnding, ModuleRequest } from '../modules/module-report.ts';
import { type ReportReader, readReports } from '../modules/read-reports.ts';
import type { Evidence, RunningTask, TaskHandler, TaskResult } from './handler.ts';
import { kindEnvironment } from './kind-environment.ts';

/** A kind that has a module. */
type ModuleKind = TaskKindConfig & { module: string };
type Payload = Record<string, unknown>;

/** Beside the chunks of the build, or the source itself where the sources run. */
const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../modules/run-module.ts' : '../run-module.js', import.meta.url),
);

/** A project without a package.json may write ES modules all the same; Node would say so in every output tail. */
const nodeOptions = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'];

/**
 * A JavaScript module of the application's own, as `[tasks.kinds.NAME]` names it; its default export is made with
 * `defineTask` (see `src/index.ts`). Each attempt has a process of its own, so nothing the module does or leaves open
 * reaches the tick. How `run` ended is what that process reported, however it came to its own end.
 */
export function moduleHandler(config: ModuleKind): TaskHandler<Payload> {
  return {
    payloadSchema: v.record(v.string(), v.unknown()),
    run: (task) => runModule(config, task),
  };
}

async function runModule(config: ModuleKind, task: RunningTask<Payload>): Promise<TaskResult> {
  using leaving = leaveInTime();
  const reports = readReports({
    onEnqueue: ({ task: given, evenIfFailed }) =>
      // Another process wrote it: enqueue checks it again.
      task.enqueue(given, evenIfFailed ? { evenIfFailed } : {}),
    onEnding: leaving.start,
  });
  const request: ModuleRequest = {
    task: { id: task.id, kind: task.kind, attempt: task.attempt },
    payload: task.payload,
    idempotencyKey: await idempotencyKey({ db: task.context.db, taskId: task.id }),
  };
  const ended = await runProcess(config, task, {
    input: JSON.stringify(request),
    onReport: reports.write,
    signal: AbortSignal.any([task.signal, leaving.signal]),
  });
  const output = ended.outputTail.trimEnd();
  if (output !== '') task.log.debug(output);
  return conclude(config, task, ended, reports);
}

/** How the process ended; only what kept it from starting is thrown. */
async function runProcess(
  config: ModuleKind,
  task: RunningTask<Payload>,
  given: { input: string; onReport: ReportReader['write']; signal: AbortSignal },
): Promise<ToolResult | ToolError> {
  const { context } = task;
  try {
    return await runTool({
      file: process.execPath,
      args: [...nodeOptions, program, resolve(context.baseDirectory, config.module)],
      name: config.module,
      cwd: resolve(context.baseDirectory, config.directory ?? '.'),
      baseEnv: context.env,
      env: kindEnvironment(config, task),
      timeoutMs: config.timeout,
      ...(config.silence !== undefined && { silenceMs: config.silence }),
      graceMs: context.config.tasks.grace,
      secrets: context.secrets,
      ...given,
    });
  } catch (error) {
    if (error instanceof ToolError) return error;
    throw error;
  }
}

function conclude(
  config: ModuleKind,
  { context }: RunningTask<Payload>,
  ended: ToolResult | ToolError,
  reports: ReportReader,
): TaskResult {
  const ending = reports.ending();
  if (ending === undefined) throw ended instanceof ToolError ? ofProcess(ended) : endedEarly(config);
  const exitCode = ended instanceof ToolError ? ended.toolExitCode : ended.exitCode;
  switch (ending.how) {
    case 'returned':
      return {
        outcome: 'succeeded',
        ...(exitCode !== undefined && { exitCode }),
        ...(ending.evidence !== undefined && {
          evidence: withoutSecrets(ending.evidence, (text) => context.secrets.redact(text)),
        }),
      };
    case 'postponed':
      return { outcome: 'postponed', delayMs: ending.delayMs, reason: ending.reason };
    case 'unknown':
      return { outcome: 'unknown', reason: ending.reason };
    case 'failed':
      // What a module throws when it is stopped says less than why it was.
      if (ended instanceof ToolError && ended.code === 'TOOL_TIMED_OUT' && !ending.isPermanent) throw ended;
      throw new ModuleError(ending, exitCode);
  }
}

class ModuleError extends TendError {
  readonly toolExitCode: number | undefined;

  constructor(ending: ModuleEnding & { how: 'failed' }, exitCode: number | undefined) {
    super('TASK_FAILED', ending.message, { isPermanent: ending.isPermanent });
    this.toolExitCode = exitCode;
  }
}

function endedEarly({ module }: ModuleKind): TendError {
  return new TendError('TASK_FAILED', `"${module}" ended its process before run had returned.`);
}

/** A heap that is full ends with pages of native frames: the line that says so is worth more than the last. */
function ofProcess(error: ToolError): TendError {
  const fatal = /^FATAL ERROR: .*$/m.exec(error.outputTail)?.[0];
  if (fatal === undefined) return error;
  return new ToolError(error.code, `${error.message.replace(/: .*$/s, '')}: ${fatal}`, {
    exitCode: error.toolExitCode,
    signal: error.toolSignal,
    outputTail: error.outputTail,
  });
}

function withoutSecrets(evidence: Evidence, redact: (text: string) => string): Evidence {
  return JSON.parse(JSON.stringify(evidence), (_key, value: unknown) =>
    typeof value === 'string' ? redact(value) : value,
  );
}
