import type { AttemptOutcome } from '../database/tables.ts';
import type { WrittenEnding } from './finish-writer.ts';
import type { Halt } from './handlers/handler.ts';
import type { TaskState } from './states.ts';

export interface WorkedTask {
  id: number;
  kind: string;
  attempt: number;
  outcome: AttemptOutcome;
  /** Null: the lease was lost, another worker decides. Undefined: the database could not be told. */
  state: TaskState | null | undefined;
  error: string | null;
  durationMs: number;
}

/** What one worker did. Single tasks are listed up to a bound; the counts are of all. */
export interface WorkReport {
  succeeded: number;
  failed: number;
  held: number;
  retried: number;
  cancelled: number;
  /** Given back because the worker was told to stop, or claimed and not started. */
  released: number;
  /** Ended after their lease was lost: another worker decides about them. */
  lost: number;
  /** Ended, but the database could not be told: the lease will expire and the attempt be found lost. */
  unwritten: number;
  tasks: WorkedTask[];
  /** By kind: why no more of its tasks were claimed, though more may be due. */
  halted: Map<string, Halt>;
}

const listed = 200;

const counters = [
  ...(['succeeded', 'failed', 'held', 'retried', 'cancelled', 'released', 'lost', 'unwritten'] as const),
] as const;

export function emptyReport(): WorkReport {
  return {
    ...{ succeeded: 0, failed: 0, held: 0, retried: 0, cancelled: 0, released: 0, lost: 0, unwritten: 0 },
    tasks: [],
    halted: new Map(),
  };
}

/** Adds what another worker of the same tick did. */
export function addReport(report: WorkReport, other: WorkReport): void {
  for (const counter of counters) report[counter] += other[counter];
  report.tasks.push(...other.tasks);
  for (const [kind, halt] of other.halted) report.halted.set(kind, halt);
}

/** Adds one written ending. Tasks that did not simply succeed are always worth a line, so they are listed first. */
export function addToReport(report: WorkReport, written: WrittenEnding, durationMs: number): void {
  const { task, ending, state } = written;
  report[counterOf(written)] += 1;
  if (!ending.isRecorded) return;
  if (report.tasks.length >= listed && ending.outcome === 'succeeded') return;
  const { id, kind, attempt } = task;
  report.tasks.push({ id, kind, attempt, outcome: ending.outcome, state, error: ending.error, durationMs });
}

function counterOf({ ending, state }: WrittenEnding): Exclude<keyof WorkReport, 'tasks' | 'halted'> {
  if (state === undefined) return 'unwritten';
  // Of what was never started nothing is on record that a repeated statement could find, and nothing is lost by it.
  if (state === null) return ending.isRecorded ? 'lost' : 'released';
  if (state === 'succeeded' || state === 'failed' || state === 'held' || state === 'cancelled') return state;
  return ending.outcome === 'released' || !ending.isRecorded ? 'released' : 'retried';
}
