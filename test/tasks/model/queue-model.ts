import type { ClaimedTask } from '../../../src/tasks/claim-due-tasks.ts';
import type { TaskState } from '../../../src/tasks/states.ts';
import { type WorkerIdentity, workerIdentity } from '../../../src/tasks/worker-identity.ts';

/** What the queue should hold, kept by the rules of docs/state-machine.md and none of the SQL. */
export interface QueueModel {
  tasks: Map<number, ModelTask>;
  attempts: ModelAttempt[];
  kinds: Map<string, ModelKind>;
  /** `kind noop`, `queue slow`. */
  pauses: Set<string>;
  workers: WorkerIdentity[];
  /** Every claim there was; its lease may be lost long since. */
  claims: ClaimedTask[];
  /** Orders what happens at the database's `now()`. */
  clock: number;
  /** The database takes an id for every row it tries to make, also for one that then replaces another. */
  nextId: number;
}

export interface ModelKind {
  maxAttempts: number;
  onLost: 'retry' | 'hold';
  mutex: string | null;
  maxRunning: number | null;
}

export interface ModelTask {
  id: number;
  kind: string;
  queue: string;
  priority: number;
  /** Ticks of the model's clock; 0 long ago, Infinity in the future. */
  runAt: number;
  state: TaskState;
  attempt: number;
  maxAttempts: number;
  onLost: 'retry' | 'hold';
  uniqueKey: string | null;
  mutex: string | null;
  host: string | null;
  fanOut: number | null;
  /** Set while it runs. */
  lease: ModelLease | null;
}

export interface ModelLease {
  owner: string;
  token: string;
  isExpired: boolean;
  /** Orders the ends of leases. */
  until: number;
  isCancelRequested: boolean;
  /** Whether it takes a place of its kind, and of its host. */
  places: { ofKind: boolean; ofHost: boolean };
}

export interface ModelAttempt {
  task: number;
  token: string;
  outcome: string;
}

/** Nothing expires by itself in a walk. */
export const leaseMs = 3_600_000;

export const hosts = ['web1', 'web2'] as const;

/** The kinds of the model as every host registers them. */
export function newModel(): QueueModel {
  const kind = (given: Partial<ModelKind> = {}): ModelKind => ({
    ...{ maxAttempts: 2, onLost: 'retry', mutex: null, maxRunning: null },
    ...given,
  });
  const kinds = {
    plain: kind(),
    careful: kind({ onLost: 'hold' }),
    locked: kind({ mutex: 'm' }),
    limited: kind({ maxRunning: 2 }),
  };
  return {
    ...{
      tasks: new Map(),
      attempts: [],
      kinds: new Map(Object.entries(kinds)),
      pauses: new Set(),
      claims: [],
      clock: 1,
      nextId: 1,
    },
    workers: [workerIdentity('web1'), workerIdentity('web1'), workerIdentity('web2')],
  };
}

export function newTask(given: Pick<ModelTask, 'id' | 'kind'> & Partial<ModelTask>): ModelTask {
  return {
    ...{
      queue: 'default',
      priority: 0,
      runAt: 0,
      state: 'waiting',
      attempt: 0,
      maxAttempts: 5,
      onLost: 'retry',
    },
    ...{ uniqueKey: null, mutex: null, host: null, fanOut: null, lease: null },
    ...given,
  };
}

export function tasksIn(model: QueueModel, state: TaskState): ModelTask[] {
  return [...model.tasks.values()].filter((task) => task.state === state);
}

export type Held = ModelTask & { lease: ModelLease };

/** A running task and its lease; undefined for a token that holds nothing. */
export function heldBy(model: QueueModel, token: string): Held | undefined {
  return running(model).find(({ lease }) => lease.token === token);
}

export function running(model: QueueModel): Held[] {
  return [...model.tasks.values()].filter((task): task is Held => task.lease !== null);
}

export function hasWaitingTwin(model: QueueModel, { uniqueKey }: ModelTask): boolean {
  return uniqueKey !== null && tasksIn(model, 'waiting').some((task) => task.uniqueKey === uniqueKey);
}

export function isPaused(model: QueueModel, { kind, queue }: ModelTask): boolean {
  return model.pauses.has(`kind ${kind}`) || model.pauses.has(`queue ${queue}`);
}

export function workerOf(model: QueueModel, at: number): WorkerIdentity {
  const worker = model.workers[at];
  if (worker === undefined) throw new Error(`there is no worker ${at}`);
  return worker;
}
