import { type Kysely, sql } from 'kysely';
import { repeatOnConflict } from '../database/repeat-on-conflict.ts';
import type { Database } from '../database/tables.ts';
import { errorCodeOf } from '../database/translate-database-error.ts';
import { TendError } from '../errors.ts';
import { taskNotFound } from './show-task.ts';

interface ChangeOptions {
  db: Kysely<Database>;
  id: number;
}

/** `cancelled` at once, `requested` of its worker, or `unchanged` because the task had ended. */
export type CancelResult = 'cancelled' | 'requested' | 'unchanged';

/**
 * Cancels a waiting or held task, or asks the worker of a running one to stop it at its next heartbeat.
 *
 * @throws TendError TASK_NOT_FOUND.
 */
export async function cancelTask({ db, id }: ChangeOptions): Promise<CancelResult> {
  return await callTaskFunction<CancelResult>(id, async () => {
    const { rows } = await sql<{ result: CancelResult }>`select tend.cancel(${id}) as result`.execute(db);
    return rows[0]?.result ?? 'unchanged';
  });
}

/**
 * Lets a failed, cancelled or missed task run again, due now, with a fresh set of attempts; its history stays.
 *
 * @throws TendError TASK_NOT_FOUND; TASK_STATE_CONFLICT for a held or succeeded one, or a waiting twin.
 */
export async function retryTask({ db, id }: ChangeOptions): Promise<'waiting' | 'unchanged'> {
  return await callTaskFunction<'waiting' | 'unchanged'>(id, async () => {
    const { rows } = await sql<{
      result: 'waiting' | 'unchanged';
    }>`select tend.retry(${id}) as result`.execute(db);
    return rows[0]?.result ?? 'unchanged';
  });
}

async function callTaskFunction<T>(id: number, call: () => Promise<T>): Promise<T> {
  try {
    // A newer task with its unique key may come at this very moment; then it is seen.
    return await repeatOnConflict(call);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'P0002') throw taskNotFound(id);
    if (code !== '55000' || !(error instanceof Error)) throw error;
    const hint = 'hint' in error && typeof error.hint === 'string' ? { hint: error.hint } : {};
    const message = error.message.replace(/^tend\.\w+: task/, 'Task');
    throw new TendError('TASK_STATE_CONFLICT', `${message}.`, { cause: error, ...hint });
  }
}
