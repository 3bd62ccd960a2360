import { describe, expect, it } from 'vitest';
import { TendError } from '../../../src/errors.ts';
import { OutcomeUnknown, PermanentError, Postpone } from '../../../src/index.ts';
import { endingOfThrown } from '../../../src/tasks/modules/ending-of-thrown.ts';

const named = (name: string, more: object = {}) => Object.assign(new Error('told'), { name, ...more });

const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const trap = Object.defineProperty(new Error('x'), 'message', {
  get() {
    throw new Error('gotcha');
  },
});

describe('what a module throws', () => {
  it.each<[string, unknown, object]>([
    ['an error', new Error('told'), { how: 'failed', message: 'told', isPermanent: false }],
    ['an error without a message', new RangeError(), { message: 'RangeError' }],
    ['an error whose message is no text', Object.assign(new Error('x'), { message: 7 }), { message: '7' }],
    ['a text', 'no disk', { message: expect.stringMatching(/thrown: no disk$/) }],
    ['null', null, { message: expect.stringMatching(/thrown: null$/) }],
    ['nothing', undefined, { message: expect.stringMatching(/thrown: undefined$/) }],
    ['a revoked proxy', revoked, { message: 'the module threw something that cannot be described' }],
    [
      'an error that cannot be read',
      trap,
      { message: 'the module threw something that cannot be described' },
    ],
    ['megabytes', new Error('x'.repeat(5_000_000)), { message: 'x'.repeat(16_384) }],
    ['PermanentError', new PermanentError('told'), { how: 'failed', message: 'told', isPermanent: true }],
    ['an error of that name', named('PermanentError'), { how: 'failed', message: 'told', isPermanent: true }],
    [
      'what enqueue threw',
      new TendError('PAYLOAD_INVALID', 'told', { isPermanent: true }),
      { isPermanent: true },
    ],
    [
      'Postpone',
      new Postpone({ delayMs: 5, reason: 'told' }),
      { how: 'postponed', delayMs: 5, reason: 'told' },
    ],
    [
      'an error of that name',
      named('Postpone', { delayMs: 5 }),
      { how: 'postponed', delayMs: 5, reason: 'told' },
    ],
    ['OutcomeUnknown', new OutcomeUnknown('told'), { how: 'unknown', reason: 'told' }],
    ['an error of that name', named('OutcomeUnknown'), { how: 'unknown', reason: 'told' }],
  ])('%s tells how its task ends', (_what, thrown, ending) => {
    expect(endingOfThrown(thrown)).toMatchObject(ending);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '1h', undefined, 1e15])(
    'is a failure for good when it postpones by %j',
    (delayMs) => {
      expect(endingOfThrown(named('Postpone', { delayMs }))).toMatchObject({
        ...{
          how: 'failed',
          isPermanent: true,
          message: expect.stringMatching(/^Postpone needs delayMs, a number/),
        },
      });
    },
  );
});
