import { stat, statfs } from 'node:fs/promises';
import { type Kysely, sql } from 'kysely';
import type { ConnectionSettings } from '../../connection/settings.ts';
import type { Database } from '../../database/tables.ts';

/** Where a server on this machine keeps its databases, and what is free there. */
export interface ServerSpace {
  directory: string;
  freeBytes: number;
}

const here = new Set(['localhost', '127.0.0.1', '::1']);

/**
 * The free space of a server's data directory; undefined where the server runs elsewhere, or does not tell us the place
 * (`pg_read_all_settings`). Tablespaces are not looked at.
 */
export async function findServerSpace(
  maintenance: Kysely<Database>,
  connection: ConnectionSettings,
): Promise<ServerSpace | undefined> {
  if (!connection.servers.every(({ host }) => host.startsWith('/') || here.has(host))) return undefined;
  const { rows } = await sql<{ directory: string }>`
    select setting as directory from pg_catalog.pg_settings where name = 'data_directory'`.execute(
    maintenance,
  );
  const directory = rows[0]?.directory;
  if (directory === undefined) return undefined;
  try {
    const { bavail, bsize } = await statfs(directory);
    return { directory, freeBytes: bavail * bsize };
  } catch {
    return undefined;
  }
}

/** Whether two places share their free space; assumed where one cannot be looked at. */
export async function isSameDevice(one: string, other: string): Promise<boolean> {
  try {
    return (await stat(one)).dev === (await stat(other)).dev;
  } catch {
    return true;
  }
}
