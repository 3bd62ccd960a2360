import * as v from 'valibot';
import { formatDuration } from '../duration.ts';
import { TendError } from '../errors.ts';
import { type Log, type Progress, progressToLog } from '../log.ts';
import { OutputTail } from '../processes/output-tail.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import { collectFollowUps, type FollowUps } from './collect-follow-ups.ts';
import { fetchPayload } from './fetch-payload.ts';
import type { AttemptEnding } from './finish-attempts.ts';
import type { HandlerContext, TaskKind, TaskResult } from './handlers/handler.ts';
import { type AttemptVerdictInput, judgeAttempt } from './judge-attempt.ts';
import { AttemptStopped, stopKindOf } from './stop-reason.ts';

export interface RunAttemptOptions {
  task: ClaimedTask;
  kind: TaskKind;
  context: HandlerContext;
  /** Aborted by the lease keeper or the worker; the attempt adds its own time-out. */
  controller: AbortController;
  /** What a handler that does not react to its signal is given before it is abandoned. */
  graceMs: number;
  onStop: 'release' | 'cancel';
  /** Where a person watches: gets every line besides the attempt's output tail. */
  live?: { log: Log; progress: Progress } | undefined;
}

export interface RanAttempt {
  ending: AttemptEnding;
  /** What the handler threw, for a caller that shows it. */
  thrown?: unknown;
}

/** What setTimeout can hold; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Runs the handler of one claimed task to its end, whatever it does, and judges it. Never throws. */
export async function runAttempt(options: RunAttemptOptions): Promise<RanAttempt> {
  const { kind, controller } = options;
  const tail = new OutputTail();
  const followUps = collectFollowUps();
  const { timeoutMs } = kind.policy;
  const timer = setTimeout(
    () => {
      const message = `it ran longer than ${formatDuration(timeoutMs)}`;
      controller.abort(new AttemptStopped('timed-out', message));
    },
    Math.min(timeoutMs, longestTimerMs),
  );
  const ended = await handlerOrAbandoned(options, tailLog(tail, options.live?.log), followUps);
  clearTimeout(timer);
  const stop = stopKindOf(controller.signal);
  // What a handler throws when it is stopped says less than why it was.
  const named = stop === 'lease-lost' && 'thrown' in ended ? { thrown: controller.signal.reason } : ended;
  const isTimedOut = stop === 'timed-out' && 'thrown' in ended;
  const judged = isTimedOut ? { thrown: timeoutError(kind.kind, timeoutMs) } : named;
  noteHint(judged, tail);
  const ending = judge(options, judged, { tail, followUps });
  return 'thrown' in judged ? { ending, thrown: asSeen(judged.thrown, controller.signal) } : { ending };
}

/** What to do about an error is read where its attempt is: nobody was there to see it. */
function noteHint(ended: AttemptVerdictInput['ended'], tail: OutputTail): void {
  // Looked at with care: anything can be thrown, also what cannot be looked at.
  const { thrown } = { thrown: undefined, ...ended };
  if (isTendError(thrown) && thrown.hint !== undefined) tail.write(`hint: ${thrown.hint}\n`);
}

function isTendError(thrown: unknown): thrown is TendError {
  try {
    return thrown instanceof TendError;
  } catch {
    return false;
  }
}

/** A handler that was stopped may throw an AbortError, which says nothing: why it was stopped does. */
function asSeen(thrown: unknown, signal: AbortSignal): unknown {
  const stop = stopKindOf(signal);
  if (stop === undefined || stop === 'worker-stopping' || thrown instanceof TendError) return thrown;
  return signal.reason;
}

function judge(
  options: RunAttemptOptions,
  ended: AttemptVerdictInput['ended'],
  left: { tail: OutputTail; followUps: FollowUps },
): AttemptEnding {
  const { task, kind, context, controller, onStop } = options;
  const redact = (text: string) => context.secrets.redact(text);
  const input = {
    stop: stopKindOf(controller.signal),
    attempt: task.attempt,
    maxAttempts: task.maxAttempts,
    policy: kind.policy,
    onStop,
    random: Math.random(),
    outputTail: redact(left.tail.text()),
    followUps: left.followUps.close(),
    redact,
  };
  try {
    return judgeAttempt({ ...input, ended });
  } catch (error) {
    // Anything can be thrown, also what cannot be looked at: a revoked proxy, a getter that throws.
    const thrown = new Error('the handler threw something that cannot be described', { cause: error });
    return judgeAttempt({ ...input, ended: { thrown } });
  }
}

async function runHandler(options: RunAttemptOptions, log: Log, { enqueue }: FollowUps): Promise<TaskResult> {
  const { task, kind, context, controller } = options;
  const handler = await kind.load();
  const payload = task.payload ?? (await fetchPayload({ db: context.db, id: task.id }));
  const checked = v.safeParse(handler.payloadSchema, payload);
  if (!checked.success) {
    const issues = checked.issues.map((issue) => `${v.getDotPath(issue) ?? '(payload)'}: ${issue.message}`);
    throw new TendError(
      'PAYLOAD_INVALID',
      `The payload does not fit kind "${kind.kind}": ${issues.join('; ')}`,
      {
        isPermanent: true,
      },
    );
  }
  controller.signal.throwIfAborted();
  const result = await handler.run({
    id: task.id,
    kind: task.kind,
    attempt: task.attempt,
    payload: checked.output,
    isByHand: options.onStop === 'cancel',
    context,
    signal: controller.signal,
    log,
    progress: options.live?.progress ?? progressToLog(log),
    enqueue,
  });
  if (isResult(result)) return result;
  throw new TendError('TASK_FAILED', `The handler of kind "${kind.kind}" ended without saying how.`, {
    isPermanent: true,
  });
}

/** The type promises it; a handler in JavaScript may not keep it. */
function isResult(result: Partial<TaskResult> | undefined | null): boolean {
  const outcome = result?.outcome;
  return outcome === 'succeeded' || outcome === 'postponed' || outcome === 'unknown';
}

/**
 * How the handler ended; or, when it was told to stop and has not within the grace period, that it was left: it cannot
 * be killed. One promise and no race, since hundreds of trivial tasks run in the time of a statement.
 */
function handlerOrAbandoned(
  options: RunAttemptOptions,
  log: Log,
  followUps: FollowUps,
): Promise<AttemptVerdictInput['ended']> {
  const { signal } = options.controller;
  const graceMs = Math.max(options.graceMs, options.kind.policy.graceMs ?? 0);
  const { promise, resolve } = Promise.withResolvers<AttemptVerdictInput['ended']>();
  const abandon = () => {
    const thrown = new Error(`the handler did not stop within ${formatDuration(graceMs)} of being told to`);
    setTimeout(() => resolve({ thrown }), graceMs + 2000).unref();
  };
  if (signal.aborted) abandon();
  else signal.addEventListener('abort', abandon, { once: true });
  runHandler(options, log, followUps).then(
    (result) => resolve({ result }),
    (thrown: unknown) => resolve({ thrown }),
  );
  return promise;
}

function timeoutError(kind: string, timeoutMs: number): TendError {
  return new TendError(
    'TOOL_TIMED_OUT',
    `The attempt ran longer than the ${formatDuration(timeoutMs)} of kind "${kind}".`,
  );
}

function tailLog(tail: OutputTail, live: Log | undefined): Log {
  const line = (prefix: string, message: string) => tail.write(`${prefix}${message}\n`);
  return {
    debug(message) {
      line('', message);
      live?.debug(message);
    },
    info(message) {
      line('', message);
      live?.info(message);
    },
    warn(message) {
      line('warning: ', message);
      live?.warn(message);
    },
  };
}
