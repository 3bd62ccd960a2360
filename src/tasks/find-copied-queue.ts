import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** Unfinished tasks of one kind in one state. */
export interface UnfinishedTasks {
  kind: string;
  state: 'waiting' | 'running' | 'held';
  /** True for those that a restore or an adoption has held; the others of state `held` wait for a person anyway. */
  isHeldByRestore: boolean;
  count: number;
}

/** What a clone or a restored database brought along from the database that it is a copy of. */
export interface CopiedQueue {
  database: string;
  /** The database it is a copy of, with what differs; null where it is its own. */
  copiedFrom: string | null;
  unfinished: UnfinishedTasks[];
  /** Enabled schedules that were made by SQL: no tend.toml declares them, so they would fire here as well. */
  schedules: { name: string; kind: string }[];
}

/** Reads only. */
export async function findCopiedQueue(db: Kysely<Database>): Promise<CopiedQueue> {
  const { rows } = await sql<Pick<CopiedQueue, 'database' | 'copiedFrom'>>`
    select current_database() as database, tend.copied_from() as "copiedFrom"`.execute(db);
  const { rows: unfinished } = await sql<UnfinishedTasks>`
    select kind, state, state = 'held' and starts_with(reason, 'restored') as "isHeldByRestore", count(*) as count
      from tend.tasks where state in ('waiting', 'running', 'held')
     group by 1, 2, 3 order by 1, 2, 3`.execute(db);
  const { rows: schedules } = await sql<{ name: string; kind: string }>`
    select name, kind from tend.schedules where source = 'sql' and enabled order by name`.execute(db);
  return {
    database: rows[0]?.database ?? '',
    copiedFrom: rows[0]?.copiedFrom ?? null,
    unfinished,
    schedules,
  };
}
