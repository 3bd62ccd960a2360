import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** A task that was to undo a restore, and waits for a person because what it began could not be put back. */
export interface HeldUndo {
  id: number;
  /** The restore that was named; null where it was the newest. */
  restoreId: string | null;
}

/** The newest one. */
export async function findHeldUndo(db: Kysely<Database>): Promise<HeldUndo | undefined> {
  const { rows } = await sql<HeldUndo>`
    select id, case jsonb_typeof(payload -> 'undo') when 'string' then payload ->> 'undo' end as "restoreId"
      from tend.tasks
     where state = 'held' and kind = 'restore' and payload ? 'undo' and reason like 'could not be put back%'
     order by id desc limit 1`.execute(db);
  return rows[0];
}
