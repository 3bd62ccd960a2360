import { type ErrorCode, TendError, toError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AppControls } from './app-controls.ts';

export interface SafeChangeOptions<T> extends AppControls {
  /** What is new, inside a sentence: `the new translations`, `the restored database "cms"`. */
  subject: string;
  /** Puts the new state in place. When it throws, `undo` is called without a restart. */
  apply: (signal: AbortSignal) => Promise<T>;
  /**
   * Puts the old state back. It looks at what is there: `apply` may have thrown half way, or have succeeded without
   * knowing (a connection lost at COMMIT). Doing it twice is harmless.
   */
  undo: () => Promise<void>;
  /** The exact command for a person, where even `undo` failed; looked for when that is so. */
  stuckHint?: string | (() => Promise<string>);
  /** Codes of the two bad ends; those of a change in general when left out. */
  rolledBackCode?: ErrorCode;
  stuckCode?: ErrorCode;
  log: Log;
  signal: AbortSignal;
}

/**
 * The one road by which something live is replaced: apply → restart → check, and on failure undo → restart → check.
 * Returns what `apply` returned, once the application is healthy with it.
 *
 * Undoing cannot be aborted: `signal` stops the way forward (a SIGTERM during the check leads to the way back), then
 * each step has only its own time limit.
 *
 * @throws TendError CHANGE_ROLLED_BACK (exit 1): everything is as before, and the application answers.
 * @throws TendError CHANGE_STUCK (exit 2): the old state, or the application on it, did not come back.
 * @throws TendError TOOL_NOT_FOUND when the program that restarts it is not there: nothing was changed.
 * @throws the error of `apply` when it failed and was undone: the application was not touched.
 */
export async function changeAppSafely<T>(options: SafeChangeOptions<T>): Promise<T> {
  const { apply, restart, check, log, signal } = options;
  signal.throwIfAborted();
  options.preflight?.();
  let result: T;
  try {
    result = await apply(signal);
  } catch (error) {
    log.debug(`Applying ${options.subject} failed: ${toError(error).message}`);
    await putBack(options, error, async () => await options.undo());
    throw error;
  }
  try {
    await restart?.(signal);
    await check?.(signal);
    return result;
  } catch (error) {
    log.warn(`Taking back ${options.subject}: ${toError(error).message}`);
    await putBack(options, error, async () => await undoAndRestart(options));
    throw rolledBack(options, error);
  }
}

async function undoAndRestart(options: SafeChangeOptions<unknown>): Promise<void> {
  const unstoppable = new AbortController().signal;
  await options.undo();
  await options.restart?.(unstoppable);
  await options.check?.(unstoppable);
}

async function putBack(
  options: SafeChangeOptions<unknown>,
  why: unknown,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { stuckHint } = options;
    const hint = typeof stuckHint === 'function' ? await stuckHint() : stuckHint;
    throw new TendError(
      options.stuckCode ?? 'CHANGE_STUCK',
      `Could not take back ${options.subject}: ${sentence(error)} It was to be taken back because: ${sentence(why)}`,
      {
        cause: error,
        isPermanent: true,
        ...(hint === undefined ? {} : { hint }),
      },
    );
  }
}

/** The message of PostgreSQL and of programs often ends without a full stop. */
function sentence(error: unknown): string {
  return toError(error).message.replace(/[^.!?]$/, '$&.');
}

function rolledBack(options: SafeChangeOptions<unknown>, why: unknown): TendError {
  const stopped = options.signal.aborted;
  const reason = stopped
    ? 'tend was asked to stop before the application was known to be healthy.'
    : toError(why).message;
  return new TendError(
    options.rolledBackCode ?? 'CHANGE_ROLLED_BACK',
    `Rolled back ${options.subject}, everything is as before: ${reason}`,
    { cause: why, isPermanent: !stopped },
  );
}
