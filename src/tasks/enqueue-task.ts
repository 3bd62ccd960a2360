import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { errorCodeOf } from '../database/translate-database-error.ts';
import { TendError } from '../errors.ts';

export interface EnqueueOptions {
  db: Kysely<Database>;
  kind: string;
  payload: Record<string, unknown>;
  /** Due after this time, by the database's clock; now unless told. */
  delayMs?: number | undefined;
  queue?: string | undefined;
  /** Lower is sooner. */
  priority?: number | undefined;
  uniqueKey?: string | undefined;
  mutex?: string | undefined;
  host?: string | undefined;
  maxAttempts?: number | undefined;
}

/**
 * Enqueues through `tend.enqueue`, the same function every application calls. A waiting task with the same unique key
 * is replaced, and its id returned.
 *
 * @throws TendError PAYLOAD_INVALID with the server's message when an argument is refused.
 */
export async function enqueueTask(options: EnqueueOptions): Promise<number> {
  const { db, kind, payload, delayMs = 0, queue = 'default', priority = 0 } = options;
  const { uniqueKey = null, mutex = null, host = null, maxAttempts = null } = options;
  try {
    const { rows } = await sql<{ id: number }>`
      select tend.enqueue(${kind}, ${JSON.stringify(payload)}::jsonb, run_at => now() + ${delayMs}::float8 * interval '1 ms',
        queue => ${queue}, priority => ${priority}::integer, unique_key => ${uniqueKey}, mutex => ${mutex},
        host => ${host}, max_attempts => ${maxAttempts}::integer) as id`.execute(db);
    return rows[0]?.id ?? 0;
  } catch (error) {
    const code = errorCodeOf(error);
    if (code !== '22023' && code !== '55000' && code !== '22P05') throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new TendError('PAYLOAD_INVALID', message.replace(/^tend\.enqueue: /, 'Not enqueued: '), {
      cause: error,
      ...(error instanceof Error && 'hint' in error && typeof error.hint === 'string'
        ? { hint: error.hint }
        : {}),
    });
  }
}
