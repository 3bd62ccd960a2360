import fc from 'fast-check';
import type pg from 'pg';
import { TendError } from '../../../src/errors.ts';
import type { ClaimedTask } from '../../../src/tasks/claim-due-tasks.ts';
import type { TaskState, Transition } from '../../../src/tasks/states.ts';
import type { Queue } from '../support/queue.ts';
import { compare } from './compare.ts';
import { heldBy, type ModelTask, type QueueModel } from './queue-model.ts';

/** The queue under test, and a session to look at it. */
export interface Real {
  queue: Queue;
  session: pg.Client;
}

type Act = (model: QueueModel, real: Real) => Promise<void>;

/**
 * One step: what somebody does to the queue, and to the model, with the answer that the model expects. Then both are
 * compared, and every move of a task must be one that `by` may make.
 */
export class Step implements fc.AsyncCommand<QueueModel, Real> {
  readonly #name: string;
  readonly #by: readonly Transition['by'][];
  readonly #act: Act;

  constructor(name: string, by: readonly Transition['by'][], act: Act) {
    this.#name = name;
    this.#by = by;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(model: QueueModel, real: Real): Promise<void> {
    model.clock += 1;
    await this.#act(model, real);
    await compare(model, real.session, this.#by);
  }

  toString(): string {
    return this.#name;
  }
}

/** Which of those that there are when the step is taken. */
export const place = fc.nat(99);

function pick<T>(list: readonly T[], at: number): T | undefined {
  return list[at % list.length];
}

/** Of four times, three one in a state that matters, where there is one, and once any. */
export function anyTask(model: QueueModel, at: number, states: readonly TaskState[]): ModelTask | undefined {
  const all = [...model.tasks.values()];
  const meant = at % 4 > 0 ? all.filter(({ state }) => states.includes(state)) : [];
  return pick(meant, at) ?? pick(all, at);
}

/** Of four times, three one that still holds its lease; else one that has lost it, best to somebody who runs the task. */
export function anyClaim(model: QueueModel, at: number): ClaimedTask | undefined {
  const live = model.claims.filter(({ token }) => heldBy(model, token) !== undefined);
  if (at % 4 > 0) return pick(live, at) ?? pick(model.claims, at);
  const stale = model.claims.filter((claim) => !live.includes(claim));
  return (
    pick(
      stale.filter(({ id }) => model.tasks.get(id)?.lease),
      at,
    ) ?? pick(model.claims, at)
  );
}

/** The code an action is refused with; undefined when it is not. */
export async function refusal(action: Promise<unknown>): Promise<string | undefined> {
  try {
    await action;
    return undefined;
  } catch (error) {
    if (error instanceof TendError) return error.code;
    throw error;
  }
}
