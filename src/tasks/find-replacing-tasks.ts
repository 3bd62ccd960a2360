import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import type { TaskState } from './states.ts';

/** A task that would replace the live database if it ran again. */
export interface ReplacingTask {
  id: number;
  /** The arguments of `tend restore` that it stands for: `latest`, `20261122T023000Z-7f3a --in-place`, `--undo`. */
  restore: string;
}

/**
 * Those of the given tasks that would replace the live database if they ran again: restores in its place, resumed and undone
 * ones among them. A restore into a new database is none.
 */
export async function findReplacingTasks(options: {
  db: Kysely<Database>;
  ids: readonly number[];
  /** The states that they are let out of; one in another state will not run again. */
  states: readonly TaskState[];
}): Promise<ReplacingTask[]> {
  const { db, ids, states } = options;
  if (ids.length === 0) return [];
  const { rows } = await sql<ReplacingTask>`
    select id, coalesce(payload ->> 'source', '') || case when payload ? 'inPlace' then ' --in-place' else '' end
               || case when payload ? 'undo' then '--undo' when payload ? 'resume' then '--resume' else '' end as restore
      from tend.tasks
     where id = any(${ids}::int8[]) and kind = 'restore' and not payload ? 'into'
       and state = any(${states}::text[])
     order by id`.execute(db);
  return rows;
}
