import fc from 'fast-check';
import { expect } from 'vitest';
import { hosts, type ModelTask, newTask, type QueueModel, tasksIn } from './queue-model.ts';
import { Step } from './step.ts';

interface Given {
  kind: string;
  queue: string;
  priority: number;
  uniqueKey: string | null;
  mutex: string | null;
  host: string | null;
  maxAttempts: number | null;
  isDue: boolean;
}

const longAgo = '2026-01-01T00:00:00Z';

const given = fc.record<Given>({
  kind: fc.constantFrom('plain', 'plain', 'careful', 'locked', 'limited', 'limited', 'stranger'),
  queue: fc.constantFrom('default', 'default', 'slow'),
  priority: fc.constantFrom(0, 0, -1, 1),
  uniqueKey: fc.constantFrom(null, 'a', 'b', 'a@web1'),
  mutex: fc.constantFrom(null, null, null, 'm', 'n'),
  host: fc.constantFrom(null, null, null, 'web1', 'web2', '*'),
  maxAttempts: fc.constantFrom(null, null, 1, 3),
  isDue: fc.constantFrom(true, true, true, false),
});

/** The application enqueues: for any host, one host or every host; a waiting task with its unique key is replaced. */
export const enqueue = fc.array(given, { minLength: 1, maxLength: 3 }).map(
  (tasks) =>
    new Step(`enqueue ${JSON.stringify(tasks)}`, [], async (model, { queue }) => {
      for (const task of tasks) {
        const { kind, uniqueKey, maxAttempts, isDue, ...args } = task;
        const id = await queue.enqueue(kind, {
          ...{ ...args, unique_key: uniqueKey, max_attempts: maxAttempts },
          run_at: isDue ? longAgo : new Date(Date.now() + 3_600_000),
        });
        expect(id).toBe(task.host === '*' ? putOnEveryHost(model, task) : put(model, task).id);
      }
    }),
);

function putOnEveryHost(model: QueueModel, task: Given): number | undefined {
  const { uniqueKey } = task;
  const each = hosts.map((host) =>
    put(model, { ...task, host, uniqueKey: uniqueKey === null ? null : `${uniqueKey}@${host}` }),
  );
  for (const one of each) one.fanOut = each[0]?.id ?? null;
  return each[0]?.id;
}

function put(model: QueueModel, task: Given): ModelTask {
  const { isDue, ...columns } = task;
  const kind = model.kinds.get(task.kind);
  const newId = model.nextId++;
  const replaced = tasksIn(model, 'waiting').find(
    ({ uniqueKey }) => uniqueKey !== null && uniqueKey === task.uniqueKey,
  );
  const made = newTask({
    ...columns,
    ...{ id: replaced?.id ?? newId, runAt: isDue ? 0 : Number.POSITIVE_INFINITY },
    ...{ maxAttempts: task.maxAttempts ?? kind?.maxAttempts ?? 5, onLost: kind?.onLost ?? 'retry' },
    mutex: task.mutex ?? kind?.mutex ?? null,
  });
  model.tasks.set(made.id, made);
  return made;
}

/** A schedule leaves out an occurrence: the row says so from its birth. */
export const miss = fc.constant(
  new Step('miss an occurrence', ['scheduler'], async (model, { session }) => {
    await session.query(
      `insert into tend.tasks (kind, state, reason, finished_at) values ('plain', 'missed', 'missed', now())`,
    );
    const id = model.nextId++;
    model.tasks.set(id, newTask({ id, kind: 'plain', state: 'missed' }));
  }),
);

/** Time goes by: what was to wait is due. */
export const timePasses = fc.constant(
  new Step('time passes', [], async (model, { session }) => {
    await session.query(`update tend.tasks set run_at = $1 where run_at > now()`, [longAgo]);
    for (const task of model.tasks.values())
      task.runAt = task.runAt === Number.POSITIVE_INFINITY ? 0 : task.runAt;
  }),
);

/** The host's tend.toml gets another limit. */
export const limit = fc
  .record({ kind: fc.constantFrom('limited', 'plain'), maxRunning: fc.constantFrom(null, 1, 2, 3) })
  .map(
    ({ kind, maxRunning }) =>
      new Step(`limit ${kind} to ${maxRunning}`, [], async (model, { session }) => {
        await session.query('update tend.kinds set max_running = $2 where kind = $1', [kind, maxRunning]);
        const known = model.kinds.get(kind);
        if (known !== undefined) known.maxRunning = maxRunning;
      }),
  );
