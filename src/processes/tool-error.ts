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

export function stoppedBeforeStart(file: string): ToolError {
  return new ToolError('TOOL_STOPPED', `"${file}" was not started: tend was asked to stop.`, {
    outputTail: '',
  });
}

/** The error a program's ending amounts to, or undefined when it ended well. */
export function judgeEnding(options: {
  file: string;
  ended: ChildEnding;
  outputTail: string;
  okExitCodes: readonly number[];
  stopReason: StopReason | undefined;
  streamError: Error | undefined;
}): ToolError | undefined {
  const { file, stopReason, streamError, outputTail } = options;
  const ended = { ...options.ended, outputTail };
  const isFine = ended.exitCode !== undefined && options.okExitCodes.includes(ended.exitCode);
  // Asked to stop, a program may still have finished its work: its exit status says so.
  if (stopReason?.kind === 'aborted' && isFine && streamError === undefined) return undefined;
  if (stopReason?.kind === 'aborted') return new ToolError('TOOL_STOPPED', `"${file}" was stopped.`, ended);
  if (stopReason !== undefined) {
    const limit = formatDuration(stopReason.limitMs);
    const what = stopReason.kind === 'timeout' ? `ran longer than ${limit}` : `was silent for ${limit}`;
    return new ToolError('TOOL_TIMED_OUT', `"${file}" ${what} and was stopped.`, ended);
  }
  // A consumer that failed explains the program's broken pipe, so it is named first.
  if (streamError !== undefined && !(isFine && isPrematureClose(streamError))) {
    return new ToolError(
      'TOOL_FAILED',
      `The output of "${file}" could not be written: ${streamError.message}`,
      ended,
      {
        cause: streamError,
      },
    );
  }
  if (isFine) return undefined;
  const how =
    ended.exitCode === undefined
      ? `was killed by ${ended.signal ?? 'an unknown signal'}`
      : `failed with exit code ${ended.exitCode}`;
  const said = lastLines(outputTail, 1);
  return new ToolError('TOOL_FAILED', `"${file}" ${how}${said === '' ? '.' : `: ${said}`}`, ended);
}

function isPrematureClose(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n').trim();
}
