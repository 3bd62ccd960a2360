import { type QueryExecutorProvider, sql } from 'kysely';

/**
 * What is broken, so that a person is told once and not with every failure: a row for each kind of task, schedule and host
 * it is pinned to (empty texts for none) whose last task failed or is held.
 *
 * Why it is shaped so:
 * - `due_at` is when a tick must look at the row next: to tell of it, to remind, or to forget it. One comparison within a
 *   tick's first statement finds whether there is anything to say.
 * - A row outlives the recovery by a day (`over`), to know a relapse: what breaks again and again is told as one story.
 * - A row for every key and none for every failure: however much fails, the table stays as small as the list of kinds.
 */
export async function up(db: QueryExecutorProvider): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table tend.alerts (
     kind text not null,
     schedule text not null default '',
     host text not null default '',
     phase text not null default 'broken' check (phase in ('broken', 'recovered', 'over')),
     broken_since timestamptz not null default now(),
     last_failed_at timestamptz not null default now(),
     failures integer not null default 1 check (failures > 0),
     last_task_id bigint not null,
     recovered_at timestamptz,
     is_relapse boolean not null default false,
     due_at timestamptz not null default now(),
     last_mailed_at timestamptz,
     mail_task_id bigint,
     primary key (kind, schedule, host),
     check ((phase = 'broken') = (recovered_at is null))
   ) with (fillfactor = 50)`,

  `update tend.meta set schema_version = 6`,
];
