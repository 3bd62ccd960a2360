import { type Kysely, sql } from 'kysely';
import { toLibpqEnvironment } from '../../connection/libpq-environment.ts';
import type { ConnectionSettings } from '../../connection/settings.ts';
import type { Database } from '../../database/tables.ts';

export interface ToolEnvironmentOptions {
  connection: ConnectionSettings;
  /** The database the tool works on; that of the settings unless told. */
  database?: string;
  tool: 'pg_dump' | 'pg_dumpall' | 'pg_restore' | 'vacuumdb';
  /** As `serverOptions` found them. */
  serverOptions: string;
}

/** PG* variables for a PostgreSQL client program; it speaks English, since we read what it says. */
export function toolEnvironment(options: ToolEnvironmentOptions): Record<string, string> {
  const { connection, database, tool, serverOptions } = options;
  const variables = toLibpqEnvironment(connection, database === undefined ? {} : { database });
  const all = [variables['PGOPTIONS'], serverOptions].filter((part) => part !== undefined && part !== '');
  return {
    ...variables,
    ...(all.length > 0 && { PGOPTIONS: all.join(' ') }),
    LC_ALL: 'C',
    PGAPPNAME: `tend ${tool}`,
  };
}

/**
 * Options for the tools' own sessions, which let the server notice within two seconds that a tool was killed: one that
 * waits for a lock, or builds an index, would otherwise go on. Empty where the server cannot do it (before 14, not on
 * Linux), and where something is in between: a pgbouncer refuses options.
 */
export async function serverOptions(db: Kysely<Database>, connection: ConnectionSettings): Promise<string> {
  const { rows } = await sql<{ isAble: boolean }>`
    select current_setting('server_version_num')::int >= 140000 and version() like '%linux%' as "isAble"`.execute(
    db,
  );
  const isAble = rows[0]?.isAble === true && (await isDirect(db, connection));
  return isAble ? '-c client_connection_check_interval=2s' : '';
}

/** False where another port than the one we connected to answers: a pooler, or a forwarded port, is in between. */
export async function isDirect(db: Kysely<Database>, connection: ConnectionSettings): Promise<boolean> {
  const { rows } = await sql<{ port: number }>`select current_setting('port')::int as port`.execute(db);
  return connection.servers.some(({ port }) => port === rows[0]?.port);
}
