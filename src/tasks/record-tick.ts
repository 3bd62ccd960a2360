import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** Notes how a tick that had something to do ended; an idle one was noted by its first statement already. */
export async function recordBusyTick(options: {
  db: Kysely<Database>;
  host: string;
  outcome: string;
}): Promise<void> {
  await sql`
    update tend.hosts set last_busy_at = now(), last_outcome = ${options.outcome} where host = ${options.host}`.execute(
    options.db,
  );
}
