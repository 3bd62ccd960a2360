import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { pruneAttachments } from './prune-attachments.ts';

export interface PruneOptions {
  db: Kysely<Database>;
  /** Age after which succeeded tasks go. */
  keepSucceededMs: number;
  /** Age after which failed, cancelled and missed tasks go. */
  keepEndedMs: number;
  /** Checked between batches. */
  mayContinue(): boolean;
}

const batch = 1000;

/**
 * Deletes finished tasks that are old enough, with their attempts, in batches of a thousand so that no statement
 * lasts; deliveries that no longer belong to a task; and expired attachments that no message needs. Waiting, running and held tasks are never touched, whatever their age. Returns how many tasks went.
 */
export async function pruneTasks(options: PruneOptions): Promise<number> {
  let deleted = 0;
  await pruneDetachedDeliveries(options.db, options.keepEndedMs);
  await pruneAttachments(options.db);
  for (;;) {
    const succeeded = await pruneBatch(options.db, sql`state = 'succeeded'`, options.keepSucceededMs);
    const ended = await pruneBatch(
      options.db,
      sql`state in ('failed', 'cancelled', 'missed')`,
      options.keepEndedMs,
    );
    deleted += succeeded + ended;
    if ((succeeded < batch && ended < batch) || !options.mayContinue()) return deleted;
  }
}

/** How many tasks `pruneTasks` would delete now. */
export async function countPrunable(options: Omit<PruneOptions, 'mayContinue'>): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from tend.tasks
     where (state = 'succeeded' and finished_at < now() - ${options.keepSucceededMs}::float8 * interval '1 ms')
        or (state in ('failed', 'cancelled', 'missed')
            and finished_at < now() - ${options.keepEndedMs}::float8 * interval '1 ms')`.execute(options.db);
  return rows[0]?.count ?? 0;
}

/** What was sent of payloads that were replaced: no task takes these along when it goes. */
async function pruneDetachedDeliveries(db: Kysely<Database>, keepMs: number): Promise<void> {
  await sql`
    delete from tend.deliveries where id in (
      select id from tend.deliveries
       where task_id is null and created_at < now() - ${keepMs}::float8 * interval '1 ms'
       limit ${batch} for update skip locked)`.execute(db);
}

/** SKIP LOCKED: two ticks that prune at once share the work instead of waiting for each other. */
async function pruneBatch(
  db: Kysely<Database>,
  states: ReturnType<typeof sql>,
  keepMs: number,
): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from tend.tasks where id in (
      select id from tend.tasks
       where ${states} and finished_at < now() - ${keepMs}::float8 * interval '1 ms'
       order by finished_at limit ${batch} for update skip locked)`.execute(db);
  return Number(numAffectedRows);
}
