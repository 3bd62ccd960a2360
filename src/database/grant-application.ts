import { type Kysely, sql } from 'kysely';
import { inTurn } from './migrate.ts';
import type { Database } from './tables.ts';

/**
 * Lets an application's role use the SQL API and nothing else: EXECUTE on the functions, SELECT on the three views,
 * no right on any table. Repeating it is harmless, and so are several at once: one waits for the other, as migrations do.
 */
export async function grantApplication(options: { db: Kysely<Database>; role: string }): Promise<void> {
  const role = sql.id(options.role);
  await inTurn(options.db, async (trx) => {
    await sql`grant usage on schema tend to ${role}`.execute(trx);
    await sql`grant execute on function
      tend.enqueue(text, jsonb, timestamptz, text, integer, text, text, text, integer),
      tend.cancel(bigint), tend.retry(bigint), tend.task(bigint),
      tend.schedule(text, text, text, jsonb, text, text, interval, text, text, integer, text),
      tend.unschedule(text), tend.suppress(text, text, text), tend.unsuppress(text),
      tend.attach(bytea, text, text) to ${role}`.execute(trx);
    await sql`grant select on tend.task_overview, tend.schedule_overview, tend.health to ${role}`.execute(
      trx,
    );
  });
}
