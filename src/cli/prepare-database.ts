import type { Kysely } from 'kysely';
import type { Config } from '../config/schema.ts';
import { grantApplication } from '../database/grant-application.ts';
import { inTurn, migrateUp } from '../database/migrate.ts';
import type { Database } from '../database/tables.ts';
import { knownKinds } from '../tasks/handlers/registry.ts';
import { registerKinds } from '../tasks/register-kinds.ts';

export interface PrepareDatabaseOptions {
  db: Kysely<Database>;
  config: Config;
  /** Roles that get the SQL API. */
  grantTo: readonly string[];
}

/** What was done; names of migrations and roles. */
export interface PreparedDatabase {
  applied: readonly string[];
  grantedTo: readonly string[];
}

/** Migrates schema "tend", makes the site's kinds known, and grants the SQL API. Repeating it is harmless. */
export async function prepareDatabase(options: PrepareDatabaseOptions): Promise<PreparedDatabase> {
  const { db, config, grantTo } = options;
  const applied = await migrateUp({ db });
  const kinds = knownKinds(config);
  await inTurn(db, async (transaction) => await registerKinds({ db: transaction, kinds }));
  for (const role of grantTo) await grantApplication({ db, role });
  return { applied, grantedTo: grantTo };
}
