import { TendError, toError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CheckedFollowUp } from './check-follow-up.ts';
import type { RememberedFollowUp } from './collect-follow-ups.ts';
import type { AttemptEnding } from './finish-attempts.ts';
import type { KindPolicy, TaskResult } from './handlers/handler.ts';
import { retryDelayMs } from './retry-policy.ts';
import type { StopKind } from './stop-reason.ts';

export interface AttemptVerdictInput {
  /** What the handler returned, or what it threw. */
  ended: { result: TaskResult } | { thrown: unknown };
  stop: StopKind | undefined;
  attempt: number;
  maxAttempts: number;
  policy: Pick<KindPolicy, 'retryBaseMs' | 'retryCapMs'>;
  /** What happens to an attempt that stopped because the worker was told to: back into the queue, or cancelled. */
  onStop: 'release' | 'cancel';
  random: number;
  outputTail: string | null;
  /** What the attempt wants enqueued. */
  followUps: readonly RememberedFollowUp[];
  /** Removes secrets from what is stored. */
  redact(text: string): string;
}

const maxErrorLength = 4000;
/** A tick must not claim a postponed task again and again for as long as it lasts. */
const leastPostponeMs = 1000;

/**
 * Decides what an ended attempt means for its task. A finished handler counts as finished even when it was told to
 * stop meanwhile, except for a cancelled task; a handler that stopped because the worker is stopping goes back
 * without the attempt being counted. What could not be put back is held, whatever else happened: a person must look.
 */
export function judgeAttempt(input: AttemptVerdictInput): AttemptEnding {
  if ('result' in input.ended) return judgeResult(input, input.ended.result);
  const error = toError(input.ended.thrown);
  const message = input.redact(error.message).slice(0, maxErrorLength) || error.name;
  if (error instanceof TendError && error.exitCode === exitCodes.needsPerson.code) {
    const reason = `could not be put back: ${message}`;
    return ending(input, { outcome: 'failed', state: 'held', reason, error: message });
  }
  if (input.stop === 'cancel-requested') {
    return ending(input, { outcome: 'cancelled', state: 'cancelled', reason: 'cancel was requested' });
  }
  if (input.stop === 'worker-stopping') {
    if (input.onStop === 'cancel') {
      return ending(input, { outcome: 'cancelled', state: 'cancelled', reason: 'interrupted' });
    }
    const reason = 'given back: the worker was told to stop';
    return ending(input, { outcome: 'released', state: 'waiting', isCounted: false, reason });
  }
  return judgeFailure(input, error, message);
}

function judgeResult(input: AttemptVerdictInput, result: TaskResult): AttemptEnding {
  if (input.stop === 'cancel-requested' && result.outcome !== 'unknown') {
    const evidence = result.outcome === 'succeeded' ? (result.evidence ?? null) : null;
    return ending(input, {
      ...{ outcome: 'cancelled', state: 'cancelled', reason: 'cancel was requested', evidence },
    });
  }
  switch (result.outcome) {
    case 'succeeded':
      return ending(input, {
        outcome: 'succeeded',
        state: 'succeeded',
        evidence: result.evidence ?? null,
        exitCode: result.exitCode ?? null,
      });
    case 'postponed':
      return ending(input, {
        outcome: 'postponed',
        state: 'waiting',
        isCounted: false,
        isRecorded: result.isTried ?? true,
        // Where the kind is halted none is claimed again, so there is no need to wait.
        delayMs: result.halt === undefined ? Math.max(result.delayMs, leastPostponeMs) : result.delayMs,
        reason: input.redact(result.reason),
        halt: result.halt,
      });
    case 'unknown':
      return ending(input, {
        outcome: 'unknown',
        state: 'held',
        reason: `outcome unknown: ${input.redact(result.reason)}`,
        error: input.redact(result.reason),
        evidence: result.evidence ?? null,
      });
  }
}

function judgeFailure(input: AttemptVerdictInput, error: Error, message: string): AttemptEnding {
  const failed = { outcome: 'failed', error: message, exitCode: exitCodeOf(error) } as const;
  if (error instanceof TendError && error.isPermanent) {
    const reason = error.code === 'MAIL_EXPIRED' ? 'expired' : 'permanent error';
    return ending(input, { ...failed, state: 'failed', reason });
  }
  if (input.attempt >= input.maxAttempts) {
    return ending(input, { ...failed, state: 'failed', reason: 'no attempts left' });
  }
  const backoffMs = retryDelayMs({
    attempt: input.attempt,
    baseMs: input.policy.retryBaseMs,
    capMs: input.policy.retryCapMs,
    random: input.random,
  });
  const retryAfterMs = error instanceof TendError ? (error.retryAfterMs ?? 0) : 0;
  const delayMs = Math.max(backoffMs, retryAfterMs);
  return ending(input, { ...failed, state: 'waiting', delayMs, reason: 'to be retried' });
}

function ending(
  input: AttemptVerdictInput,
  given: Pick<AttemptEnding, 'outcome' | 'state'> & Partial<AttemptEnding>,
): AttemptEnding {
  return {
    delayMs: 0,
    isCounted: true,
    isRecorded: true,
    reason: null,
    error: null,
    exitCode: null,
    outputTail: input.outputTail === '' ? null : input.outputTail,
    evidence: null,
    followUps: followUpsOf(input, given.outcome),
    ...given,
  };
}

/** All of an attempt that succeeded; of one that counts otherwise, those that were meant for that. */
function followUpsOf(
  { followUps }: AttemptVerdictInput,
  outcome: AttemptEnding['outcome'],
): readonly CheckedFollowUp[] {
  const isFailure = outcome === 'failed' || outcome === 'unknown';
  return followUps
    .filter(({ evenIfFailed }) => outcome === 'succeeded' || (isFailure && evenIfFailed))
    .map(({ task }) => task);
}

function exitCodeOf(error: Error): number | null {
  return 'toolExitCode' in error && typeof error.toolExitCode === 'number' ? error.toolExitCode : null;
}
