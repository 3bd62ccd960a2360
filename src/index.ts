/**
 * What a module of task kind `[tasks.kinds.NAME] module = "…"` is made with. This file imports nothing: the declarations
 * that a project gets are made from it alone.
 */

/** What proves that an attempt did its work, as an object of JSON. Kept with it, shown by `tend tasks show`. */
export type Evidence = object;

/** Another task to be enqueued; left out, a field is what `tend.enqueue` makes of it. */
export interface FollowUp {
  kind: string;
  /** An object of JSON; copied when it is given. */
  payload?: object;
  /** Due so long after the attempt has ended. */
  delayMs?: number;
  queue?: string;
  /** −32768 first … 32767 last. */
  priority?: number;
  /** Replaces the waiting task with this key. */
  uniqueKey?: string;
  /** At most one running task with this name. */
  mutex?: string;
  /** Only this host runs it; `*`: every host does, a task each. */
  host?: string;
  maxAttempts?: number;
}

export interface FollowUpOptions {
  /** Also where the attempt failed, tried again or not, or its outcome is unknown. */
  evenIfFailed?: true;
}

/** Lines of the attempt's output tail. */
export interface TaskLog {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

/** Named steps of something long, a line each in the output tail. */
export interface TaskProgress {
  /** Runs `work` as the step `title`; `report` says how far it is. Errors pass through. */
  step<T>(title: string, work: (report: (detail: string) => void) => Promise<T>): Promise<T>;
}

/** One attempt at one task, as its module sees it. */
export interface TaskAttempt<Payload> {
  payload: Payload;
  task: { id: number; kind: string; attempt: number };
  /** Aborts on cancel, time-out and shutdown: stop at once and throw. After `tasks.grace` the process is killed. */
  signal: AbortSignal;
  log: TaskLog;
  progress: TaskProgress;
  /**
   * Enqueues another task in the transaction that finishes this one: if this attempt succeeds, and only then. Throws at
   * once for what `tend.enqueue` would refuse.
   */
  enqueue(task: FollowUp, options?: FollowUpOptions): void;
  /** The same over all attempts of this task, and of no other: for services that take an Idempotency-Key. */
  idempotencyKey: string;
}

/** What valibot, zod, arktype and others make: https://standardschema.dev */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What one kind of task does. */
export interface TaskDefinition<Payload> {
  /**
   * Makes the typed payload of what was enqueued, or throws: the task then fails for good. A function, or a Standard
   * Schema. Left out, the payload is an object of anything.
   */
  payload?: StandardSchema<Payload> | ((input: Record<string, unknown>) => Payload | Promise<Payload>);
  /**
   * Does the work and may return evidence. Whatever it throws is a failure, tried again by the kind's policy, but for
   * `PermanentError`, `Postpone` and `OutcomeUnknown`. The process ends when it returns: open handles do not keep it.
   */
  run(attempt: TaskAttempt<Payload>): Promise<Evidence | void> | Evidence | void;
}

/** Gives a task's definition its types; an object of the same shape does as well. */
export function defineTask<Payload = Record<string, unknown>>(
  definition: TaskDefinition<Payload>,
): TaskDefinition<Payload> {
  return definition;
}

/** Thrown: the task has failed, and trying again would not help. Known by its name, so any error so named does. */
export class PermanentError extends Error {
  override readonly name: string = 'PermanentError';
}

/** Thrown: not now. The task runs again after `delayMs`, and the attempt is not counted. Known by its name. */
export class Postpone extends Error {
  override readonly name: string = 'Postpone';
  readonly delayMs: number;
  readonly reason: string;

  constructor({ delayMs, reason }: { delayMs: number; reason: string }) {
    super(reason);
    this.delayMs = delayMs;
    this.reason = reason;
  }
}

/** Thrown: nobody can know whether it happened. The task is held until a person decides. Known by its name. */
export class OutcomeUnknown extends Error {
  override readonly name: string = 'OutcomeUnknown';
}
