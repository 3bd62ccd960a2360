import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TendError } from '../../src/errors.ts';
import { type AttemptVerdictInput, judgeAttempt } from '../../src/tasks/judge-attempt.ts';
import { transitions } from '../../src/tasks/states.ts';

const policy = { retryBaseMs: 1000, retryCapMs: 60_000 };

function judge(given: Partial<AttemptVerdictInput>) {
  return judgeAttempt({
    ended: { result: { outcome: 'succeeded' } },
    stop: undefined,
    attempt: 1,
    maxAttempts: 3,
    policy,
    onStop: 'release',
    random: 0.5,
    outputTail: null,
    followUps: [],
    redact: (text) => text,
    ...given,
  });
}

const followUps = [
  { task: { kind: 'next', payload: {} }, evenIfFailed: false },
  { task: { kind: 'tell', payload: {} }, evenIfFailed: true },
];

const failure = { thrown: new Error('no luck') };
const permanent = { thrown: new TendError('INPUT_INVALID', 'never', { isPermanent: true }) };
const postponed = { result: { outcome: 'postponed', delayMs: 5000, reason: 'not yet' } } as const;
const unknown = { result: { outcome: 'unknown', reason: 'no reply' } } as const;
const succeeded = { result: { outcome: 'succeeded', evidence: { rows: 7 }, exitCode: 0 } } as const;

describe('a finished handler', () => {
  it('has succeeded, with its evidence', () => {
    expect(judge({ ended: succeeded })).toMatchObject({
      ...{ outcome: 'succeeded', state: 'succeeded', isCounted: true, evidence: { rows: 7 }, exitCode: 0 },
    });
  });

  it.each(['worker-stopping', 'timed-out', 'lease-lost'] as const)(
    'has succeeded also when it was told to stop meanwhile: %s',
    (stop) => {
      expect(judge({ ended: succeeded, stop })).toMatchObject({ outcome: 'succeeded', state: 'succeeded' });
    },
  );

  it('is cancelled where that was asked for, and its evidence is kept', () => {
    expect(judge({ ended: succeeded, stop: 'cancel-requested' })).toMatchObject({
      ...{ outcome: 'cancelled', state: 'cancelled', evidence: { rows: 7 } },
    });
  });

  it('that cannot know whether it happened is held, also when cancelled', () => {
    for (const stop of [undefined, 'cancel-requested'] as const) {
      expect(judge({ ended: unknown, stop })).toMatchObject({
        ...{ outcome: 'unknown', state: 'held', reason: 'outcome unknown: no reply' },
      });
    }
  });

  it('that postpones waits for as long, and no attempt is counted', () => {
    expect(judge({ ended: postponed, attempt: 3 })).toMatchObject({
      ...{ outcome: 'postponed', state: 'waiting', isCounted: false, delayMs: 5000, reason: 'not yet' },
    });
  });

  it.each([0, -5, 10])('that postpones by %d ms waits a second all the same', (delayMs) => {
    expect(judge({ ended: { result: { ...postponed.result, delayMs } } }).delayMs).toBe(1000);
  });
});

describe('a handler that failed', () => {
  it('is tried again while attempts are left', () => {
    expect(judge({ ended: failure, attempt: 2 })).toMatchObject({
      ...{ outcome: 'failed', state: 'waiting', delayMs: 2000, error: 'no luck', reason: 'to be retried' },
    });
  });

  it('has failed after its last attempt', () => {
    expect(judge({ ended: failure, attempt: 3 })).toMatchObject({
      state: 'failed',
      reason: 'no attempts left',
    });
  });

  it('has failed at once with a permanent error', () => {
    expect(judge({ ended: permanent })).toMatchObject({ state: 'failed', reason: 'permanent error' });
  });

  it('has failed with "expired" where it came too late', () => {
    const thrown = new TendError('MAIL_EXPIRED', 'too late', { isPermanent: true });
    expect(judge({ ended: { thrown } })).toMatchObject({ state: 'failed', reason: 'expired' });
  });

  it('is held when what it changed could not be put back, whatever else happened', () => {
    const thrown = new TendError('RESTORE_STUCK', 'two databases are there');
    for (const stop of [undefined, 'worker-stopping', 'cancel-requested', 'timed-out'] as const) {
      expect(judge({ ended: { thrown }, stop })).toMatchObject({
        ...{ outcome: 'failed', state: 'held', reason: 'could not be put back: two databases are there' },
      });
    }
  });

  it('waits at least as long as the other side asked for, and not less than it would have', () => {
    const busy = (retryAfterMs: number) => ({
      thrown: new TendError('HTTP_STATUS_TEMPORARY', 'busy', { retryAfterMs }),
    });
    expect(judge({ ended: busy(90_000) })).toMatchObject({
      state: 'waiting',
      isCounted: true,
      delayMs: 90_000,
    });
    expect(judge({ ended: busy(10) })).toMatchObject({ state: 'waiting', isCounted: true, delayMs: 1000 });
    expect(judge({ ended: busy(90_000), attempt: 3 })).toMatchObject({ state: 'failed', delayMs: 0 });
  });

  it('keeps the exit code of the program that failed', () => {
    const thrown = Object.assign(new Error('exit 3'), { toolExitCode: 3 });
    expect(judge({ ended: { thrown } })).toMatchObject({ exitCode: 3 });
  });

  it('goes back uncounted when it was the worker that stopped it', () => {
    for (const ended of [failure, permanent]) {
      expect(judge({ ended, stop: 'worker-stopping', attempt: 3 })).toMatchObject({
        ...{ outcome: 'released', state: 'waiting', isCounted: false, delayMs: 0, error: null },
      });
    }
  });

  it('is cancelled when a person interrupted the command that ran it', () => {
    expect(judge({ ended: failure, stop: 'worker-stopping', onStop: 'cancel' })).toMatchObject({
      ...{ outcome: 'cancelled', state: 'cancelled', reason: 'interrupted' },
    });
  });

  it('is cancelled where that was asked for', () => {
    expect(judge({ ended: failure, stop: 'cancel-requested' })).toMatchObject({ state: 'cancelled' });
  });
});

describe('whatever is thrown', () => {
  it.each([
    ['a string', 'no disk', 'no disk'],
    ['an empty string', '', '(an empty string)'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', 42, '42'],
    ['a symbol', Symbol('odd'), 'Symbol(odd)'],
    ['an object', { code: 7 }, '{"code":7}'],
    ['a circle', Object.assign([], { 0: null }), '[null]'],
    ['an error without a message', new TypeError(), 'TypeError'],
    ['a frozen error', Object.freeze(new Error('frozen')), 'frozen'],
    ['a DOMException', new DOMException('too late', 'TimeoutError'), 'too late'],
  ])('leaves a message: %s', (_name, thrown, message) => {
    expect(judge({ ended: { thrown } }).error).toContain(message);
  });

  it('leaves a message of at most 4000 characters, redacted before it is cut', () => {
    const thrown = new Error(`${'x'.repeat(3990)}my-secret-value`);
    const { error } = judge({
      ended: { thrown },
      redact: (text) => text.replaceAll('my-secret-value', '***'),
    });
    expect(error).toBe(`${'x'.repeat(3990)}***`);
    expect(judge({ ended: { thrown: new Error('y'.repeat(9000)) } }).error).toHaveLength(4000);
  });
});

const anyEnding = fc.oneof(
  fc.constant(succeeded),
  fc.constant(unknown),
  fc.integer({ min: -1000, max: 10_000_000 }).map((delayMs) => ({
    result: { outcome: 'postponed' as const, delayMs, reason: 'not yet' },
  })),
  fc.constant(permanent),
  fc.constant({ thrown: new TendError('CHANGE_STUCK', 'half-way') }),
  fc.anything().map((thrown) => ({ thrown })),
);

const anyInput = fc.record({
  ended: anyEnding,
  stop: fc.constantFrom(undefined, 'worker-stopping', 'cancel-requested', 'timed-out', 'lease-lost'),
  attempt: fc.integer({ min: 1, max: 200 }),
  maxAttempts: fc.integer({ min: 1, max: 100 }),
  onStop: fc.constantFrom('release', 'cancel'),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  outputTail: fc.option(fc.string()),
});

describe('every verdict', () => {
  it('is a transition that the state machine allows a worker', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { state } = judge(input);
        const allowed = transitions.filter(({ from, by }) => from === 'running' && by === 'worker');
        expect(allowed.map(({ to }) => to)).toContain(state);
      }),
    );
  });

  it('counts the attempt unless it was released or postponed, and those always wait again', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { outcome, isCounted, state } = judge(input);
        const isFree = outcome === 'released' || outcome === 'postponed';
        expect(isCounted).toBe(!isFree);
        if (isFree) expect(state).toBe('waiting');
      }),
    );
  });

  it('never lets a task wait after its last counted attempt', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { state, isCounted } = judge(input);
        if (state === 'waiting' && isCounted) expect(input.attempt).toBeLessThan(input.maxAttempts);
      }),
    );
  });

  it('has a delay only where the task waits, and a reason wherever it does not simply succeed', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { state, delayMs, reason } = judge(input);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        if (state !== 'waiting') expect(delayMs).toBe(0);
        if (state !== 'succeeded') expect(reason).not.toBeNull();
      }),
    );
  });
});

describe('the follow-up tasks of an attempt', () => {
  it.each<[string, Partial<AttemptVerdictInput>, string[]]>([
    ['that succeeded are all enqueued', {}, ['next', 'tell']],
    ['that will be tried again: only those for a failure', { ended: failure }, ['tell']],
    ['that failed for good: only those for a failure', { ended: permanent }, ['tell']],
    ['that used up the last attempt: only those for a failure', { ended: failure, attempt: 3 }, ['tell']],
    ['that timed out: only those for a failure', { ended: failure, stop: 'timed-out' }, ['tell']],
    ['whose outcome is unknown: only those for a failure', { ended: unknown }, ['tell']],
    ['that was postponed are dropped', { ended: postponed }, []],
    ['that was given back are dropped', { ended: failure, stop: 'worker-stopping' }, []],
    [
      'that was interrupted by a person are dropped',
      { ended: failure, stop: 'worker-stopping', onStop: 'cancel' },
      [],
    ],
    ['that was cancelled are dropped', { ended: failure, stop: 'cancel-requested' }, []],
    ['that succeeded after it was cancelled are dropped', { ended: succeeded, stop: 'cancel-requested' }, []],
  ])('%s', (_title, given, kinds) => {
    expect(judge({ followUps, ...given }).followUps.map(({ kind }) => kind)).toEqual(kinds);
  });
});
