import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import { syncSchedules } from '../schedules/sync-schedules.ts';
import type { CommandContext } from './command-context.ts';
import { hostName } from './handler-context.ts';

/**
 * The database, for a change to the schedule `name`: one that stands in tend.toml and that no tick has read yet is
 * brought there first, as the next tick would.
 */
export async function openSchedule(context: CommandContext, name: string): Promise<Kysely<Database>> {
  const db = await context.openDatabase();
  const { schedules } = context.config;
  if (!Object.hasOwn(schedules, name)) return db;
  const found = await db
    .selectFrom('tend.schedules')
    .select('name')
    .where('name', '=', name)
    .executeTakeFirst();
  if (found === undefined) await syncSchedules({ db, schedules, host: hostName(context) });
  return db;
}
