import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TendError } from '../../src/errors.ts';
import type { ClaimedTask } from '../../src/tasks/claim-due-tasks.ts';
import type { TaskResult } from '../../src/tasks/handlers/handler.ts';
import { runAttempt } from '../../src/tasks/run-attempt.ts';
import { AttemptStopped } from '../../src/tasks/stop-reason.ts';
import { createQueue, type FakeKind, fakeKinds, type Handler, type Queue } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

const task: ClaimedTask = {
  ...{ id: 1, kind: 'noop', attempt: 1, maxAttempts: 5, payload: {}, owner: 'testhost:1:::a' },
  ...{ token: 'a0000000-0000-4000-8000-000000000000', startedAt: new Date(), isKeyed: false },
};

async function attempt(
  handler: Handler | FakeKind,
  given: { task?: Partial<ClaimedTask>; controller?: AbortController; secret?: string } = {},
) {
  const kind = fakeKinds({ noop: handler }).get('noop');
  if (kind === undefined) throw new Error('no kind');
  const context = queue.context();
  context.secrets.add(given.secret);
  const { controller = new AbortController() } = given;
  return await runAttempt({
    task: { ...task, ...given.task },
    kind,
    context,
    controller,
    graceMs: -1900, // 100 ms after the two seconds that an abandoned handler gets in any case
    onStop: 'release',
  });
}

const throwing = (thrown: unknown) => async () => await attempt(() => Promise.reject(thrown));

describe('a handler', () => {
  it('that throws an error with a hint leaves it at the end of its output, redacted', async () => {
    const run: Handler = async ({ log }) => {
      log.info('a step');
      throw new TendError('TASK_FAILED', 'No luck.', { hint: 'Try again with secret-1.' });
    };
    const { ending } = await attempt(run, { secret: 'secret-1' });
    expect(ending.outputTail).toBe('a step\nhint: Try again with ***.\n');
  });

  it('gets its task, checked, and what it logs is the output tail', async () => {
    const { ending } = await attempt(
      async ({ id, kind, payload, log, progress }) => {
        log.info(`${kind} ${id} ${JSON.stringify(payload)}`);
        log.warn('careful');
        return await progress.step('a step', async (report) => {
          report('half');
          return { outcome: 'succeeded' };
        });
      },
      { task: { payload: { a: 1 } } },
    );
    expect(ending).toMatchObject({
      ...{ outcome: 'succeeded', outputTail: 'noop 1 {"a":1}\nwarning: careful\na step\na step: half\n' },
    });
  });

  it('gets a large payload fetched', async () => {
    const id = await queue.enqueue('noop', { payload: { large: true } });
    const seen: unknown[] = [];
    await attempt(
      async ({ payload }) => {
        seen.push(payload);
        return { outcome: 'succeeded' };
      },
      { task: { id, payload: null } },
    );
    expect(seen).toEqual([{ large: true }]);
  });

  it('whose payload does not fit fails for good, with the path of the bad field, and is not run', async () => {
    const schema = v.object({ to: v.object({ address: v.string() }) });
    const run = () => Promise.reject(new Error('was run'));
    const { ending } = await attempt(
      // A schema of another output than the fakes have: the handler is never reached.
      { run, payloadSchema: schema as unknown as NonNullable<FakeKind['payloadSchema']> },
      { task: { payload: { to: { address: 7 } } } },
    );
    expect(ending).toMatchObject({ state: 'failed', reason: 'permanent error' });
    expect(ending.error).toMatch(/^The payload does not fit kind "noop": to\.address: .*string/);
  });

  it('whose module cannot be loaded fails, and can be tried again', async () => {
    const kind = fakeKinds({ noop: async () => ({ outcome: 'succeeded' }) }).get('noop');
    if (kind === undefined) throw new Error('no kind');
    const { ending } = await runAttempt({
      ...{ task, context: queue.context(), controller: new AbortController(), graceMs: 0, onStop: 'release' },
      kind: { ...kind, load: () => Promise.reject(new Error('Cannot find module')) },
    });
    expect(ending).toMatchObject({ state: 'waiting', error: 'Cannot find module' });
  });
});

function overflow(depth: number): number {
  return overflow(depth + 1) + 1;
}

const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();

const odd: [string, () => Promise<{ ending: { error: string | null } }>, RegExp][] = [
  ['a string', throwing('no disk'), /thrown: no disk$/],
  ['nothing', throwing(undefined), /thrown: undefined$/],
  ['null', throwing(null), /thrown: null$/],
  ['a symbol', throwing(Symbol('odd')), /Symbol\(odd\)$/],
  ['an object', throwing({ code: 7 }), /\{"code":7\}$/],
  ['an object without a prototype', throwing(Object.create(null)), /thrown: \{\}$/],
  ['a DOMException, as fetch throws', throwing(new DOMException('aborted', 'AbortError')), /^aborted$/],
  ['a frozen error', throwing(Object.freeze(new Error('frozen'))), /^frozen$/],
  ['an error without a message', throwing(new RangeError()), /^RangeError$/],
  [
    'an error whose message is no text',
    throwing(Object.assign(new Error('x'), { message: 7 })),
    /cannot be described/,
  ],
  [
    'an error whose message throws',
    throwing(
      Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('gotcha');
        },
      }),
    ),
    /cannot be described/,
  ],
  ['a revoked proxy', throwing(revoked), /cannot be described/],
  ['an error with causes in a circle', throwing(circular()), /^around$/],
  [
    'a stack overflow',
    async () => await attempt(async () => ({ outcome: 'succeeded', exitCode: overflow(0) })),
    /call stack/,
  ],
  [
    'synchronously',
    async () =>
      await attempt(() => {
        throw new Error('at once');
      }),
    /^at once$/,
  ],
];

function circular(): Error {
  const error = new Error('around');
  error.cause = error;
  return error;
}

describe('a handler that throws', () => {
  it.each(odd)('%s is recorded as failed, with a message', async (_name, run, message) => {
    const { ending } = await run();
    expect(ending).toMatchObject({ outcome: 'failed', state: 'waiting' });
    expect(ending.error).toMatch(message);
  });

  it('a secret leaves it neither in the error nor in the output, and what was thrown is not touched', async () => {
    const secret = 'correct-horse-battery';
    const thrown = new Error(`login with ${secret} failed`);
    const ran = await attempt(
      async ({ log }) => {
        log.info(`trying ${secret}`);
        throw thrown;
      },
      { secret },
    );
    expect(ran.ending).toMatchObject({ error: 'login with *** failed', outputTail: 'trying ***\n' });
    expect(ran.thrown).toBe(thrown);
    expect(thrown.message).toContain(secret);
  });
});

describe('a handler that returns', () => {
  it.each([undefined, null, 'done', 42, {}, { outcome: 'great' }])(
    '%j has failed for good',
    async (result) => {
      // What a handler in JavaScript may return, against its type.
      const { ending } = await attempt(async () => result as TaskResult);
      expect(ending).toMatchObject({
        ...{ state: 'failed', error: 'The handler of kind "noop" ended without saying how.' },
      });
    },
  );
});

describe('a handler that is told to stop', () => {
  const untilAborted: Handler = async ({ signal }) => {
    await delay(60_000, undefined, { signal });
    return { outcome: 'succeeded' };
  };

  it('because its time is over has failed, and is tried again', async () => {
    const { ending } = await attempt({ run: untilAborted, timeoutMs: 20 });
    expect(ending).toMatchObject({
      ...{
        outcome: 'failed',
        state: 'waiting',
        error: 'The attempt ran longer than the 20 ms of kind "noop".',
      },
    });
  });

  it('because its time is over, and finishes all the same, has succeeded', async () => {
    const { ending } = await attempt({
      timeoutMs: 20,
      async run({ signal }) {
        await delay(60_000, undefined, { signal }).catch(() => {});
        return { outcome: 'succeeded' };
      },
    });
    expect(ending).toMatchObject({ state: 'succeeded' });
  });

  it.each([
    ['worker-stopping', { outcome: 'released', state: 'waiting', isCounted: false }],
    ['cancel-requested', { outcome: 'cancelled', state: 'cancelled' }],
    ['lease-lost', { outcome: 'failed', error: 'told to stop' }],
  ] as const)('because of %s ends accordingly', async (kind, expected) => {
    const controller = new AbortController();
    const running = attempt(untilAborted, { controller });
    setImmediate(() => controller.abort(new AttemptStopped(kind, 'told to stop')));
    expect((await running).ending).toMatchObject(expected);
  });

  it('before it began is not run', async () => {
    const controller = new AbortController();
    controller.abort(new AttemptStopped('worker-stopping', 'told to stop'));
    const { ending } = await attempt(() => Promise.reject(new Error('was run')), { controller });
    expect(ending).toMatchObject({ outcome: 'released', error: null });
  });

  it('and does not is left behind after its grace: the attempt ends all the same', async () => {
    const controller = new AbortController();
    const stuck = Promise.withResolvers<TaskResult>();
    const running = attempt(() => stuck.promise, { controller });
    controller.abort(new AttemptStopped('cancel-requested', 'told to stop'));
    expect((await running).ending).toMatchObject({ outcome: 'cancelled', state: 'cancelled' });
    stuck.resolve({ outcome: 'succeeded' });
  });
});
