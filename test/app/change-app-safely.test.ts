import { expect, test } from 'vitest';
import { changeAppSafely } from '../../src/app/change-app-safely.ts';
import { TendError } from '../../src/errors.ts';
import { silentLog } from '../../src/log.ts';

const unhealthy = new TendError('APP_UNHEALTHY', 'The application is not healthy: it answered 500.');

/** Runs a change whose steps are recorded; a step named in `failing` fails at the given call of it. */
async function change(failing: Partial<Record<'apply' | 'undo' | 'restart' | 'check', number[]>> = {}) {
  const steps: string[] = [];
  const controller = new AbortController();
  const step = (name: 'apply' | 'undo' | 'restart' | 'check') => async () => {
    steps.push(name);
    const call = steps.filter((other) => other === name).length;
    if (failing[name]?.includes(call) === true)
      throw name === 'check' ? unhealthy : new Error(`${name} broke.`);
    return name;
  };
  const error = await changeAppSafely({
    subject: 'the new pages',
    apply: step('apply'),
    undo: async () => void (await step('undo')()),
    restart: async () => {
      await step('restart')();
      return { tookMs: 0 };
    },
    check: async () => {
      await step('check')();
      return { tries: 1, tookMs: 0 };
    },
    stuckHint: 'mv pages.before pages',
    log: silentLog,
    signal: controller.signal,
  }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { steps, error };
}

test('a change the application is healthy with stays', async () => {
  const { steps, error } = await change();
  expect(error).toBeUndefined();
  expect(steps).toEqual(['apply', 'restart', 'check']);
});

test.each([
  {
    title: 'a failing check: undone, restarted and checked again, exit 1',
    failing: { check: [1] },
    steps: ['apply', 'restart', 'check', 'undo', 'restart', 'check'],
    expected: { code: 'CHANGE_ROLLED_BACK', exitCode: 1, cause: unhealthy },
  },
  {
    title: 'a failing restart: undone, restarted and checked, exit 1',
    failing: { restart: [1] },
    steps: ['apply', 'restart', 'undo', 'restart', 'check'],
    expected: { code: 'CHANGE_ROLLED_BACK', exitCode: 1 },
  },
  {
    title: 'an application that stays unhealthy after the undo: exit 2 with the next command',
    failing: { check: [1, 2] },
    steps: ['apply', 'restart', 'check', 'undo', 'restart', 'check'],
    expected: { code: 'CHANGE_STUCK', exitCode: 2, hint: 'mv pages.before pages' },
  },
  {
    title: 'an undo that fails: exit 2, and the application is not restarted on something unknown',
    failing: { check: [1], undo: [1] },
    steps: ['apply', 'restart', 'check', 'undo'],
    expected: { code: 'CHANGE_STUCK', exitCode: 2 },
  },
  {
    title: 'an apply that fails: undone, its own error, the application untouched',
    failing: { apply: [1] },
    steps: ['apply', 'undo'],
    expected: { message: 'apply broke.' },
  },
  {
    title: 'an apply that fails half way and cannot be undone: exit 2',
    failing: { apply: [1], undo: [1] },
    steps: ['apply', 'undo'],
    expected: { code: 'CHANGE_STUCK', exitCode: 2 },
  },
])('$title', async ({ failing, steps: expectedSteps, expected }) => {
  const { steps, error } = await change(failing);
  expect(steps).toEqual(expectedSteps);
  expect(error).toMatchObject(expected);
});

test('a signal during the check leads to the way back, which it does not stop', async () => {
  const controller = new AbortController();
  const steps: string[] = [];
  const running = changeAppSafely({
    subject: 'the new pages',
    apply: async () => void steps.push('apply'),
    undo: async () => void steps.push('undo'),
    check: async (signal) => {
      steps.push(`check, aborted: ${signal.aborted}`);
      if (steps.length === 2) controller.abort();
      signal.throwIfAborted();
      return { tries: 1, tookMs: 0 };
    },
    log: silentLog,
    signal: controller.signal,
  });
  await expect(running).rejects.toMatchObject({ code: 'CHANGE_ROLLED_BACK', isPermanent: false });
  expect(steps).toEqual(['apply', 'check, aborted: false', 'undo', 'check, aborted: false']);
});
