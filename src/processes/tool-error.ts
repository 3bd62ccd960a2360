import { formatDuration } from '../duration.ts';
import { type ErrorCode, TendError, type TendErrorOptions } from '../errors.ts';
import type { ChildEnding } from './spawn-supervised.ts';
import type { StopReason } from './tool-limits.ts';

/** A program that ran and did not end well; keeps how it ended and what it said last. */
export class ToolError extends TendError {
  readonly toolExitCode: number | undefined;
  readonly toolSignal: string | undefined;
  readonly outputTail: string;

  constructor(
    code: ErrorCode,
    message: string,
    ended: ChildEnding & { outputTail: string },
    options: TendErrorOptions = {},
  ) {
    super(code, message, { details: lastLines(ended.outputTail, 20), ...options });
    this.name = 'ToolError';
    this.toolExitCode = ended.exitCode;
    this.toolSignal = ended.signal;
    this.outputTail = ended.outputTail;
  }
}

export function stoppedBeforeStart(name: string): ToolError {
  return new ToolError('TOOL_STOPPED', `"${name}" was not started: tend was asked to stop.`, {
    outputTail: '',
  });
}

/** The error a program's ending amounts to, or undefined when it ended well. */
export function judgeEnding(options: {
  /** How the message calls the program. */
  name: string;
  ended: ChildEnding;
  outputTail: string;
  okExitCodes: readonly number[];
  stopReason: StopReason | undefined;
  /** The reader of stdout closed it before its end. */
  isOutputCut: boolean;
}): ToolError | undefined {
  const { name, stopReason, isOutputCut, outputTail } = options;
  const ended = { ...options.ended, outputTail };
  const isFine = ended.exitCode !== undefined && options.okExitCodes.includes(ended.exitCode);
  // Asked to stop, a program may still have finished its work: its exit status says so.
  if (stopReason?.kind === 'aborted' && isFine && !isOutputCut) return undefined;
  const { startError } = ended;
  if (startError !== undefined) {
    const message = `"${name}" could not be started: ${startError.message}`;
    return new ToolError('TOOL_FAILED', message, ended, { cause: startError });
  }
  if (stopReason !== undefined) return stoppedError(name, stopReason, ended);
  if (isOutputCut && !isFine) {
    return new ToolError('TOOL_FAILED', `The output of "${name}" was not read to its end.`, ended);
  }
  if (isFine) return undefined;
  const how =
    ended.exitCode === undefined
      ? `was killed by ${ended.signal ?? 'an unknown signal'}`
      : `failed with exit code ${ended.exitCode}`;
  const said = lastLines(outputTail, 1);
  return new ToolError('TOOL_FAILED', `"${name}" ${how}${said === '' ? '.' : `: ${said}`}`, ended);
}

function stoppedError(
  name: string,
  reason: StopReason,
  ended: ChildEnding & { outputTail: string },
): ToolError {
  switch (reason.kind) {
    case 'aborted':
      return new ToolError('TOOL_STOPPED', `"${name}" was stopped.`, ended);
    case 'timeout':
      return timedOut(`ran longer than ${formatDuration(reason.limitMs)}`);
    case 'silence':
      return timedOut(`was silent for ${formatDuration(reason.limitMs)}`);
    case 'output-failed':
      return streamFailed(`The output of "${name}" could not be written`, reason.error);
    case 'input-failed':
      return streamFailed(`The input of "${name}" could not be read`, reason.error);
    case 'report-refused':
      return streamFailed(`What "${name}" reported could not be used`, reason.error);
  }
  function timedOut(what: string): ToolError {
    return new ToolError('TOOL_TIMED_OUT', `"${name}" ${what} and was stopped.`, ended);
  }
  function streamFailed(what: string, cause: Error): ToolError {
    return new ToolError('TOOL_FAILED', `${what}: ${cause.message}`, ended, { cause });
  }
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n').trim();
}
