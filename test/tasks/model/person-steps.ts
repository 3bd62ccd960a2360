import fc from 'fast-check';
import { expect } from 'vitest';
import { cancelTask, retryTask } from '../../../src/tasks/change-task.ts';
import { pauseTasks, resumeTasks } from '../../../src/tasks/pause-tasks.ts';
import { pruneTasks } from '../../../src/tasks/prune-tasks.ts';
import { resolveTask } from '../../../src/tasks/resolve-task.ts';
import { end } from './expected-endings.ts';
import { hasWaitingTwin, type ModelTask, type QueueModel } from './queue-model.ts';
import { anyTask, place, refusal, Step } from './step.ts';

export const cancel = place.map(
  (at) =>
    new Step(`cancel ${at}`, ['person'], async (model, { queue }) => {
      const task = anyTask(model, at, ['waiting', 'running', 'held']);
      const cancelling = cancelTask({ db: queue.db, id: task?.id ?? 4711 });
      if (task === undefined) expect(await refusal(cancelling)).toBe('TASK_NOT_FOUND');
      else expect(await cancelling).toBe(cancelInModel(task));
    }),
);

function cancelInModel(task: ModelTask): string {
  if (task.lease !== null) {
    task.lease.isCancelRequested = true;
    return 'requested';
  }
  if (task.state !== 'waiting' && task.state !== 'held') return 'unchanged';
  end(task, 'cancelled');
  return 'cancelled';
}

export const retry = place.map(
  (at) =>
    new Step(`retry ${at}`, ['person'], async (model, { queue }) => {
      const task = anyTask(model, at, ['failed', 'cancelled', 'missed']);
      const retrying = retryTask({ db: queue.db, id: task?.id ?? 4711 });
      if (task === undefined) expect(await refusal(retrying)).toBe('TASK_NOT_FOUND');
      else if (task.state === 'waiting' || task.state === 'running') expect(await retrying).toBe('unchanged');
      else if (task.state === 'held' || task.state === 'succeeded' || hasWaitingTwin(model, task)) {
        expect(await refusal(retrying)).toBe('TASK_STATE_CONFLICT');
      } else {
        expect(await retrying).toBe('waiting');
        waitAgain(model, task);
        task.maxAttempts = task.attempt + (model.kinds.get(task.kind)?.maxAttempts ?? task.maxAttempts);
      }
    }),
);

function waitAgain(model: QueueModel, task: ModelTask): void {
  task.state = 'waiting';
  task.runAt = model.clock;
}

/** Only a person ends a hold, and nothing else is resolved. */
export const resolve = fc.record({ at: place, decision: fc.constantFrom('done', 'retry', 'drop') }).map(
  ({ at, decision }) =>
    new Step(`resolve ${at} as ${decision}`, ['person'], async (model, { queue }) => {
      const task = anyTask(model, at, ['held']);
      const resolving = resolveTask({ db: queue.db, id: task?.id ?? 4711, decision, decidedBy: 'ann' });
      const isRefused = task?.state !== 'held' || (decision === 'retry' && hasWaitingTwin(model, task));
      if (task === undefined || isRefused) {
        expect(await refusal(resolving)).toBe(task === undefined ? 'TASK_NOT_FOUND' : 'TASK_STATE_CONFLICT');
        return;
      }
      expect(await resolving).toBe({ done: 'succeeded', retry: 'waiting', drop: 'cancelled' }[decision]);
      if (decision !== 'retry') return end(task, decision === 'done' ? 'succeeded' : 'cancelled');
      waitAgain(model, task);
      task.maxAttempts = Math.max(task.maxAttempts, task.attempt + 1);
    }),
);

export const pause = fc
  .record({
    paused: fc.constantFrom(
      { scope: 'kind', name: 'plain' } as const,
      { scope: 'queue', name: 'slow' } as const,
    ),
    isResumed: fc.boolean(),
  })
  .map(
    ({ paused, isResumed }) =>
      new Step(`${isResumed ? 'resume' : 'pause'} ${paused.name}`, [], async (model, { queue: { db } }) => {
        const key = `${paused.scope} ${paused.name}`;
        const isChanged = model.pauses.has(key) === isResumed;
        const changed = isResumed
          ? await resumeTasks({ db, paused: [paused] })
          : await pauseTasks({ db, paused: [paused], reason: undefined, by: 'ann' });
        expect(changed).toEqual(isChanged ? [paused] : []);
        if (isResumed) model.pauses.delete(key);
        else model.pauses.add(key);
      }),
  );

/** A tick deletes what is over, and old enough; nothing else ever goes. */
export const prune = fc.boolean().map(
  (isAll) =>
    new Step(isAll ? 'prune what is over' : 'prune what succeeded', [], async (model, { queue: { db } }) => {
      const over = isAll ? ['succeeded', 'failed', 'cancelled', 'missed'] : ['succeeded'];
      const gone = [...model.tasks.values()].filter(({ state }) => over.includes(state)).map(({ id }) => id);
      const keepEndedMs = isAll ? 0 : 3_600_000;
      const deleted = await pruneTasks({ db, keepSucceededMs: 0, keepEndedMs, mayContinue: () => true });
      expect(deleted).toBe(gone.length);
      for (const id of gone) model.tasks.delete(id);
      model.attempts = model.attempts.filter(({ task }) => !gone.includes(task));
    }),
);
