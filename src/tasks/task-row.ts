import type { Selectable } from 'kysely';
import type { AttemptOutcome, AttemptsTable, TasksTable } from '../database/tables.ts';
import type { TaskState } from './states.ts';
import { describeOwner } from './worker-identity.ts';

/** A task as `--json` shows it. Times are ISO 8601 in UTC when printed. */
export interface TaskSummary {
  id: number;
  kind: string;
  queue: string;
  state: TaskState;
  reason: string | null;
  priority: number;
  runAt: Date;
  attempt: number;
  maxAttempts: number;
  uniqueKey: string | null;
  mutex: string | null;
  host: string | null;
  /** `host:pid` of who runs it. */
  worker: string | null;
  leaseUntil: Date | null;
  isCancelRequested: boolean;
  lastError: string | null;
  createdAt: Date;
  createdBy: string;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** The schedule that it is an occurrence of, or that a person triggered. */
  schedule: string | null;
  /** Which occurrence. */
  slotAt: Date | null;
  /** Id of the first of the tasks that one call enqueued for every host. */
  fanOut: number | null;
  /** The task whose ending enqueued it. */
  enqueuedBy: number | null;
}

/** One try. A running one has no end and no outcome yet. */
export interface AttemptSummary {
  attempt: number;
  worker: string;
  startedAt: Date;
  finishedAt: Date | null;
  outcome: AttemptOutcome | 'running';
  exitCode: number | null;
  error: string | null;
  outputTail: string | null;
  evidence: Record<string, unknown> | null;
}

export const summaryColumns = [
  ...(['id', 'kind', 'queue', 'state', 'reason', 'priority', 'run_at', 'attempt', 'max_attempts'] as const),
  ...([
    'unique_key',
    'mutex',
    'host',
    'lease_owner',
    'lease_until',
    'cancel_requested_at',
    'last_error',
  ] as const),
  ...(['created_at', 'created_by', 'started_at', 'finished_at'] as const),
  ...(['schedule', 'slot_at', 'fan_out', 'enqueued_by'] as const),
] as const;

type SummaryRow = Pick<Selectable<TasksTable>, (typeof summaryColumns)[number]>;

export function toTaskSummary(row: SummaryRow): TaskSummary {
  return {
    id: row.id,
    kind: row.kind,
    queue: row.queue,
    state: row.state,
    reason: row.reason,
    priority: row.priority,
    runAt: row.run_at,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    uniqueKey: row.unique_key,
    mutex: row.mutex,
    host: row.host,
    worker: row.lease_owner === null ? null : describeOwner(row.lease_owner),
    leaseUntil: row.lease_until,
    isCancelRequested: row.cancel_requested_at !== null,
    lastError: row.last_error,
    createdAt: row.created_at,
    createdBy: row.created_by,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    schedule: row.schedule,
    slotAt: row.slot_at,
    fanOut: row.fan_out,
    enqueuedBy: row.enqueued_by,
  };
}

export function toAttemptSummary(row: Selectable<AttemptsTable>): AttemptSummary {
  return {
    attempt: row.attempt,
    worker: describeOwner(row.owner),
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    outcome: row.outcome,
    exitCode: row.exit_code,
    error: row.error,
    outputTail: row.output_tail,
    evidence: row.evidence,
  };
}
