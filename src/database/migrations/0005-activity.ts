import { type QueryExecutorProvider, sql } from 'kysely';

/**
 * What the ticks remember of the server's sessions: a row a minute, whoever ticks. A leak of connections is a line that
 * rises over hours, which no look at the present shows.
 *
 * The minute is the key, so that two hosts that tick at once write one row between them.
 */
export async function up(db: QueryExecutorProvider): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table tend.connection_samples (
     sampled_at timestamptz primary key,
     total integer not null,
     active integer not null,
     idle integer not null,
     idle_in_transaction integer not null,
     by_application jsonb not null default '{}' check (jsonb_typeof(by_application) = 'object'),
     max_connections integer not null
   )`,

  `update tend.meta set schema_version = 5`,
];
