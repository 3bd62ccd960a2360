import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { propertyStatements, readDatabaseProperties } from './database-properties.ts';

/**
 * Gives the database `to` what belongs to the database `from` as such and follows its oid, not its name: settings
 * (for everybody and for single roles), privileges, connection limit and comment. The owner was given at creation.
 */
export async function copyDatabaseProperties(options: {
  maintenance: Kysely<Database>;
  from: string;
  to: string;
}): Promise<void> {
  const { maintenance, from, to } = options;
  const properties = await readDatabaseProperties(maintenance, from);
  if (properties === undefined) return;
  const { rows } = await sql<{ owner: string }>`
    select pg_catalog.pg_get_userbyid(datdba) as owner from pg_catalog.pg_database where datname = ${from}`.execute(
    maintenance,
  );
  const owner = rows[0]?.owner ?? '';
  for (const statement of propertyStatements({ to, owner, properties })) await statement.execute(maintenance);
  const { comment } = properties;
  await sql`comment on database ${sql.id(to)} is ${comment === null ? sql`null` : sql.lit(comment)}`.execute(
    maintenance,
  );
}
