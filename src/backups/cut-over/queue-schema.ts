import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { Manifest } from '../sets/manifest.ts';

/** The version of schema `tend` in the connected database; undefined where it is not there. */
export async function queueVersion(db: Kysely<Database>): Promise<number | undefined> {
  const { rows: found } = await sql<{ there: boolean }>`
    select pg_catalog.to_regclass('tend.meta') is not null as there`.execute(db);
  if (found[0]?.there !== true) return undefined;
  const { rows } = await sql<{ version: number }>`select schema_version as version from tend.meta`.execute(
    db,
  );
  return rows[0]?.version;
}

/** The tables of schema `tend`, whatever its version has. */
export async function queueTables(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_catalog.pg_class c
     where c.relnamespace = 'tend'::pg_catalog.regnamespace and c.relkind in ('r', 'p') order by 1`.execute(
    db,
  );
  return rows.map(({ name }) => name);
}

/**
 * Makes the queue in the connected database that of the database `name`. Elsewhere the identity no longer matches, so
 * that ticks refuse to run there; here it must.
 */
export async function adoptQueue(db: Kysely<Database>, name: string): Promise<void> {
  await sql`update tend.meta set database_name = ${name}, system_identifier = tend.system_identifier(),
      database_oid = (select oid from pg_catalog.pg_database where datname = current_database())`.execute(db);
}

/** Whether the connected database is a copy that nobody has adopted: its queue must not come to life by a restore. */
export async function isUnadoptedCopy(db: Kysely<Database>): Promise<boolean> {
  const { rows } = await sql<{ isCopy: boolean }>`select tend.copied_from() is not null as "isCopy"`.execute(
    db,
  );
  return rows[0]?.isCopy === true;
}

/**
 * Holds every unfinished task: in a restored copy these are tasks of another time or another place, and a person
 * decides about each. Returns how many. The task that took the backup is none of them: it has ended with the set.
 * Attempts that the backup was taken in the middle of are on record as of unknown outcome.
 *
 * Schedules begin anew, and make up for nothing: their last occurrence was another time's.
 */
export async function holdRestoredTasks(
  db: Kysely<Database>,
  { id: backupId, taskId }: Pick<Manifest, 'id' | 'taskId'>,
): Promise<number> {
  await recordCutOffAttempts(db, backupId);
  await sql`
    update tend.tasks
       set state = 'cancelled', reason = ${`it took backup ${backupId}`}, finished_at = now(), lease_owner = null,
           lease_token = null, lease_until = null
     where id = ${taskId} and kind = 'backup' and state = 'running'`.execute(db);
  const reason = `restored from backup ${backupId}`;
  const { numAffectedRows } = await sql`
    update tend.tasks
       set state = 'held', lease_owner = null, lease_token = null, lease_until = null,
           reason = case when state = 'running' then ${`${reason}, taken in the middle of an attempt`} else ${reason} end
     where state in ('waiting', 'running')`.execute(db);
  await resetSchedules(db);
  return Number(numAffectedRows ?? 0);
}

async function recordCutOffAttempts(db: Kysely<Database>, backupId: string): Promise<void> {
  await sql`
    insert into tend.attempts (task_id, token, attempt, owner, started_at, outcome, error)
    select id, lease_token, attempt, lease_owner, coalesce(started_at, now()), 'unknown',
           ${`backup ${backupId} was taken in the middle of it`}
      from tend.tasks where state = 'running'
        on conflict do nothing`.execute(db);
}

/** A backup of before there were schedules has neither these nor what check-app remembers; nor need it have alerts. */
async function resetSchedules(db: Kysely<Database>): Promise<void> {
  const tables = await queueTables(db);
  if (tables.includes('alerts')) await sql`delete from tend.alerts`.execute(db);
  if (!tables.includes('schedules')) return;
  await sql`update tend.schedules set next_slot = '-infinity', defined_at = now()`.execute(db);
  await sql`delete from tend.app_health`.execute(db);
}
