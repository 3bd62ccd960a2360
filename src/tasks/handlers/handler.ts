import type { Kysely } from 'kysely';
import type { GenericSchema } from 'valibot';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config/schema.ts';
import type { ConnectionSettings } from '../../connection/settings.ts';
import type { Database } from '../../database/tables.ts';
import type { FollowUp, FollowUpOptions } from '../../index.ts';
import type { Log, Progress } from '../../log.ts';
import type { SecretRegistry } from '../../redact.ts';

/** How tasks of one kind are treated, unless the row says otherwise. Durations in milliseconds. */
export interface KindPolicy {
  maxAttempts: number;
  /** Wall-clock limit of one attempt. */
  timeoutMs: number;
  /** After the worker died mid-attempt: run again, or wait for a person. */
  onLost: 'retry' | 'hold';
  /** At most one running task per mutex name, over all kinds and hosts. */
  mutex: string | null;
  /** How many may run at once over all hosts; null: as many as there are workers. */
  maxRunning: number | null;
  retryBaseMs: number;
  retryCapMs: number;
  /** How many one worker runs at once, beside the `tasks.concurrency` others; unset: they are among these. */
  width?: number;
  /**
   * What a handler is given to stop before it is abandoned; `tasks.grace` unless the kind needs longer, as one that
   * has to put everything back first does.
   */
  graceMs?: number;
}

/** What a handler may use. The database session is opened at the first query and closed again while idle. */
export interface HandlerContext {
  config: Config;
  /** Directory that relative paths of the configuration are relative to. */
  baseDirectory: string;
  connection: ConnectionSettings;
  db: Kysely<Database>;
  clock: Clock;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
}

/** One attempt at one task, as its handler sees it. */
export interface RunningTask<Payload> {
  id: number;
  kind: string;
  attempt: number;
  payload: Payload;
  /** A person waits for this one attempt: what is known to fail is tried all the same. */
  isByHand?: boolean;
  context: HandlerContext;
  /** Aborts on cancel, time-out, SIGTERM past its grace, or a lost lease: stop at once and throw. */
  signal: AbortSignal;
  /** Lines end in the attempt's output tail (64 KiB, redacted). */
  log: Log;
  /** Steps of something long: live on a terminal when a person runs it, lines of the output tail in a tick. */
  progress: Progress;
  /**
   * Enqueues another task in the statement that finishes this one, and not before: after an attempt that succeeded,
   * with `evenIfFailed` after every one that counts. A lost lease enqueues nothing.
   *
   * @throws TendError PAYLOAD_INVALID for what `tend.enqueue` would refuse.
   */
  enqueue(task: FollowUp, options?: FollowUpOptions): void;
}

/** JSON that proves what an attempt did: backup id and hash, message id, exit code. Kept with the attempt. */
export type Evidence = Record<string, unknown>;

export type TaskResult =
  | { outcome: 'succeeded'; evidence?: Evidence; exitCode?: number }
  /**
   * Not now, without blame: runs again after `delayMs`, the attempt is not counted; nor recorded where nothing was tried.
   * With `halt` the other tasks of the kind wait, too.
   */
  | { outcome: 'postponed'; delayMs: number; reason: string; isTried?: boolean; halt?: Halt }
  /** Nobody can know whether it happened (a mail whose reply never came): held for a person. */
  | { outcome: 'unknown'; reason: string; evidence?: Evidence };

/** Why a worker claims no more tasks of a kind: what they need is not there. They stay due. */
export interface Halt {
  reason: string;
  /** What the tick exits with; undefined where waiting is the plan (a rate). */
  exitCode: number | undefined;
  /** Whether a person should be told, or has been told before. */
  isNews: boolean;
}

/**
 * What one kind does. A failure is a thrown error: a `TendError` with `isPermanent` is not retried, everything else
 * is, by the kind's policy. A handler never decides about leases, attempts or states.
 */
export interface TaskHandler<Payload = unknown> {
  /** Checked before `run`; an issue fails this task alone, permanently, with the path of the bad field. */
  payloadSchema: GenericSchema<unknown, Payload>;
  run(task: RunningTask<Payload>): Promise<TaskResult>;
  /** Ends what the handler keeps between the tasks of a worker. Called once, after the last of them. */
  close?(): Promise<void>;
}

/** A kind as the registry knows it: light; the handler behind it is loaded when a task of it runs. */
export interface TaskKind {
  kind: string;
  summary: string;
  policy: KindPolicy;
  load(): Promise<TaskHandler>;
}
