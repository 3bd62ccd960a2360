import { type Kysely, sql } from 'kysely';
import { findRestores } from '../../backups/cut-over/find-restores.ts';
import { settleRestore } from '../../backups/cut-over/settle-restore.ts';
import type { SettledRestore, SettleRestoreOptions } from '../../backups/cut-over/settlement.ts';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import { settleKilledTasks } from '../settle-killed-tasks.ts';
import type { Evidence, RunningTask, TaskResult } from './handler.ts';

/**
 * Finishes or undoes a restore, and says so on the tasks that were killed over it: they are resolved as done, or as
 * dropped, with this one's evidence.
 */
export async function settleByTask(
  options: SettleRestoreOptions & { task: RunningTask<unknown> },
): Promise<{ settled: SettledRestore; result: TaskResult }> {
  const { task: _task, ...restore } = options;
  try {
    const settled = await settleRestore(restore);
    const { source: _source, taskIds, ...evidence } = settled;
    const resolvedTasks = await settleTasks(options, { ids: taskIds, evidence });
    return { settled, result: { outcome: 'succeeded', evidence: { ...evidence, resolvedTasks } } };
  } catch (error) {
    if (error instanceof TendError && error.code === 'RESTORE_ROLLED_BACK') await settleRolledBack(options);
    throw error;
  }
}

async function settleRolledBack(
  options: SettleRestoreOptions & { task: RunningTask<unknown> },
): Promise<void> {
  const { journalDirectory: directory, connection, way } = options;
  if (way === 'undo') return; // then everything is as the restore had left it
  const [newest] = await findRestores({ directory, database: connection.database });
  if (newest?.phase !== 'undone') return;
  const evidence = { action: 'undone', restoreId: newest.facts.id };
  await settleTasks(options, { ids: newest.taskIds, evidence });
}

/** What an earlier task was to do is done, or is not to be done any more: one that undoes wanted the opposite. */
async function settleTasks(
  { task, way }: SettleRestoreOptions & { task: RunningTask<unknown> },
  { ids, evidence }: { ids: readonly number[]; evidence: Evidence },
): Promise<number[]> {
  const others = ids.filter((id) => id !== task.id);
  if (task.id <= 0 || others.length === 0) return [];
  const { db } = task.context;
  const undos = await findUndoTasks(db, others);
  const isFinished = evidence['action'] === 'finished';
  const settle = async (settled: readonly number[], decision: 'done' | 'drop') =>
    await settleKilledTasks({
      ...{ db, ids: settled, decision },
      decidedBy: `tend restore --${way}, task ${task.id}`,
      evidence: { ...evidence, endedByTask: task.id },
    });
  return [
    ...(await settle(
      others.filter((id) => !undos.has(id)),
      isFinished ? 'done' : 'drop',
    )),
    ...(await settle([...undos], isFinished ? 'drop' : 'done')),
  ];
}

async function findUndoTasks(db: Kysely<Database>, ids: readonly number[]): Promise<Set<number>> {
  const { rows } = await sql<{ id: number }>`
    select id from tend.tasks where id = any(${ids}::int8[]) and payload ? 'undo'`.execute(db);
  return new Set(rows.map(({ id }) => id));
}
