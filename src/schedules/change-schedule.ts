import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { scheduleNotFound } from './show-schedule.ts';

interface ChangeOptions {
  db: Kysely<Database>;
  name: string;
}

/**
 * Stops a schedule, wherever it was defined, until somebody enables it; what it has enqueued already stays.
 *
 * @returns false where it was disabled before; the first reason stays.
 * @throws TendError SCHEDULE_NOT_FOUND.
 */
export async function disableSchedule(options: ChangeOptions & { reason: string }): Promise<boolean> {
  const { db, name, reason } = options;
  const { numAffectedRows = 0n } = await sql`
    update tend.schedules set enabled = false, disabled_reason = ${reason}
     where name = ${name} and enabled`.execute(db);
  if (numAffectedRows === 0n) await requireSchedule(options);
  return numAffectedRows > 0n;
}

/**
 * Lets a schedule go on, with its next occurrence from now; those of the time in between never existed.
 *
 * @returns false where it was enabled.
 * @throws TendError SCHEDULE_NOT_FOUND.
 */
export async function enableSchedule(options: ChangeOptions): Promise<boolean> {
  const { db, name } = options;
  const { numAffectedRows = 0n } = await sql`
    update tend.schedules
       set enabled = true, disabled_reason = null, problem = null, next_slot = '-infinity', defined_at = now()
     where name = ${name} and not enabled`.execute(db);
  if (numAffectedRows === 0n) await requireSchedule(options);
  return numAffectedRows > 0n;
}

/** @throws TendError SCHEDULE_NOT_FOUND. */
export async function requireSchedule({ db, name }: ChangeOptions): Promise<void> {
  const rows = await db.selectFrom('tend.schedules').select('name').execute();
  const names = rows.map((row) => row.name);
  if (!names.includes(name)) throw scheduleNotFound(name, names);
}
