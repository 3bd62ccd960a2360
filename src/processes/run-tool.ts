import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { redact, type SecretRegistry } from '../redact.ts';
import { childEnvironment } from './child-environment.ts';
import { collectOutput } from './collect-output.ts';
import { DirectFile } from './direct-file.ts';
import { DirectPipe } from './direct-pipe.ts';
import { feedInput } from './feed-input.ts';
import { findProgram } from './find-program.ts';
import { type SupervisedChild, spawnSupervised } from './spawn-supervised.ts';
import { judgeEnding, stoppedBeforeStart } from './tool-error.ts';
import { startToolLimits } from './tool-limits.ts';

export interface RunToolOptions {
  /** A name looked up on PATH, or a path. Never a shell line. */
  file: string;
  args: readonly string[];
  /** Our own environment, of which only an allow-list reaches the child. */
  baseEnv: NodeJS.ProcessEnv;
  /** Variables added for this child; the place for secrets (never `args`, which `ps` shows). */
  env?: Record<string, string>;
  cwd?: string;
  input?: string | Buffer | Readable | DirectPipe;
  /**
   * `tail` (default): kept only as part of the output tail. `capture`: also returned whole, up to
   * `captureLimitBytes` (16 MiB). A stream: everything goes there with back-pressure, and it is ended. A direct pipe:
   * another program gets it. A direct file: the program writes it itself.
   */
  stdout?: Writable | DirectPipe | DirectFile | 'tail' | 'capture';
  captureLimitBytes?: number;
  /**
   * Gives the program descriptor 4, apart from what it prints, and gets what it writes there. All of it has arrived when
   * `runTool` ends. Throwing stops the program.
   */
  onReport?: (chunk: Buffer) => void;
  /** How errors name the program; `file` unless told. */
  name?: string;
  signal: AbortSignal;
  /** Wall-clock limit. */
  timeoutMs?: number;
  /** Limit on time without a byte of output (reports included), and without one that is taken from a stream as input. */
  silenceMs?: number;
  /** Between SIGTERM and SIGKILL of the whole process group; 10 s unless told. */
  graceMs?: number;
  /** Gets every line of stderr as a debug line. */
  log?: Log;
  /** Lines that are no part of what an error should show; they are left out of the tail. */
  chatter?: RegExp;
  secrets?: SecretRegistry;
  okExitCodes?: readonly number[];
}

export interface ToolResult {
  exitCode: number;
  durationMs: number;
  /** Only with `stdout: 'capture'`. */
  stdout: string;
  /** Last 64 KiB of stderr and (unless streamed away) stdout, in order of arrival, redacted. */
  outputTail: string;
}

/** How long what a program wrote last may take to arrive after it exited, while a daemon it left holds the pipes. */
const pipeDrainMs = 500;
/** The same for reports, which no daemon should hold and which must not be missed on a busy machine. */
const reportDrainMs = 10_000;

/**
 * Runs one program to its end: the only place of `tend` that starts a process.
 *
 * The child gets its own process group, an allow-listed environment and no shell. When `signal` aborts, a limit
 * passes, or `input`, `stdout` or `onReport` fails, the whole group gets SIGTERM and, after `graceMs`, SIGKILL (at once when the
 * abort's reason is urgent). Should `tend` itself be killed with -9, the group dies too (see `spawnSupervised`). What a
 * program leaves running in the background after a normal end, such as a restarted daemon, is left alone.
 *
 * @throws TendError TOOL_NOT_FOUND; ToolError TOOL_FAILED (exit status, a stream that failed), TOOL_TIMED_OUT,
 *   TOOL_STOPPED (aborted).
 */
export async function runTool(options: RunToolOptions): Promise<ToolResult> {
  const { input, stdout, signal } = options;
  try {
    return await runProgram(options);
  } catch (error) {
    if (stdout instanceof DirectPipe && !signal.aborted) await stdout.afterReader();
    if (stdout instanceof DirectFile) stdout.noteFailure(error);
    throw error;
  } finally {
    if (input instanceof DirectPipe) input.noteReaderEnded();
  }
}

async function runProgram(options: RunToolOptions): Promise<ToolResult> {
  const { input, stdout } = options;
  const env = childEnvironment(options.baseEnv, options.env);
  const cwd = options.cwd ?? process.cwd();
  const program = findProgram({ file: options.file, searchPath: env['PATH'] ?? '', cwd });
  const name = options.name ?? options.file;
  if (options.signal.aborted) throw stoppedBeforeStart(name);

  using limits = startToolLimits(options);
  const noteProgress = () => {
    limits.noteProgress();
    if (input instanceof DirectPipe) input.noteProgress();
  };
  const started = performance.now();
  const child = await spawnSupervised({
    program,
    args: options.args,
    env,
    cwd,
    hasReports: options.onReport !== undefined,
    output: await outputOf(stdout, noteProgress),
    signal: limits.signal,
    graceMs: options.graceMs ?? 10_000,
  });
  using _urgency = killAtOnceWhenUrgent(child, options.signal);
  const output = collectOutput({ child, options, onOutput: noteProgress, onFailure: limits.stop });
  feedInput(child, input, limits);
  // A program that could not be started has an `error` instead of an `exit`; its ending tells.
  await Promise.race([once(child.nodeChildProcess, 'exit').catch(() => child.ending), child.ending]);
  const stoppedAtMs = limits.stoppedAtMs();
  if (stoppedAtMs !== undefined) await familyEnds(child, stoppedAtMs + (options.graceMs ?? 10_000));
  await (output.isStreamed
    ? output.ended
    : Promise.race([output.ended, delay(pipeDrainMs, undefined, { ref: false })]));
  await Promise.race([output.reported, delay(reportDrainMs, undefined, { ref: false })]);
  child.dismissWatchdog();
  output.close();
  const ended = await child.ending;
  if (limits.signal.aborted) child.killGroup();

  const said = withoutLines(output.tail.text(), options.chatter);
  const outputTail = options.secrets?.redact(said) ?? redact(said);
  const failure = judgeEnding({
    name,
    ended,
    outputTail,
    okExitCodes: options.okExitCodes ?? [0],
    stopReason: limits.reason(),
    isOutputCut: output.isCut(),
  });
  if (failure !== undefined) throw failure;
  return {
    exitCode: ended.exitCode ?? 0,
    durationMs: Math.round(performance.now() - started),
    stdout: output.captured(),
    outputTail,
  };
}

/** Where a program's output goes without passing by here. */
async function outputOf(stdout: RunToolOptions['stdout'], noteProgress: () => void) {
  if (stdout instanceof DirectFile) return stdout.createWriteStream();
  return stdout instanceof DirectPipe ? await stdout.attachWriter(noteProgress) : undefined;
}

function withoutLines(text: string, chatter: RegExp | undefined): string {
  if (chatter === undefined) return text;
  const lines = text.split('\n');
  return lines.filter((line) => !chatter.test(line)).join('\n');
}

/**
 * After SIGTERM the leader may be gone while the program it wrapped still cleans up: the grace period is for them all.
 *
 * @param untilMs on the clock of `performance.now()`.
 */
async function familyEnds(child: SupervisedChild, untilMs: number): Promise<void> {
  child.dismissWatchdog();
  while (child.isGroupAlive() && performance.now() < untilMs) await delay(20);
  child.killGroup();
}

/** An abort whose reason says `isUrgent` (a lost lease: somebody else may start the same work) knows no grace. */
function killAtOnceWhenUrgent(child: SupervisedChild, signal: AbortSignal): Disposable {
  const onAbort = () => {
    const reason: unknown = signal.reason;
    if (reason instanceof Error && 'isUrgent' in reason && reason.isUrgent === true) child.killGroup();
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', onAbort) };
}
