import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';

/** The payload of a task whose claim left it out because it is large; an empty object when the row is gone. */
export async function fetchPayload(options: {
  db: Kysely<Database>;
  id: number;
}): Promise<Record<string, unknown>> {
  const row = await options.db
    .selectFrom('tend.tasks')
    .select('payload')
    .where('id', '=', options.id)
    .executeTakeFirst();
  return row?.payload ?? {};
}
