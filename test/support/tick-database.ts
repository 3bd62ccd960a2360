import { CompiledQuery, type Kysely } from 'kysely';
import type { Database } from '../../src/database/tables.ts';
import type { TickDatabase } from '../../src/tasks/begin-tick.ts';

/** What a tick begins with, over the sessions of `db`. */
export function tickDatabase(db: Kysely<Database>): TickDatabase {
  return {
    sessions: {
      query: async <Row>(text: string, values: readonly unknown[]) => {
        const { rows } = await db.executeQuery(CompiledQuery.raw(text, [...values]));
        return rows as Row[]; // as the caller says, here as there
      },
    },
    openDatabase: async () => db,
  };
}
