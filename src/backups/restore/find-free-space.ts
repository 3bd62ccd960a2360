import { statfs } from 'node:fs/promises';
import type { Kysely } from 'kysely';
import type { ConnectionSettings } from '../../connection/settings.ts';
import type { Database } from '../../database/tables.ts';
import { findServerSpace } from './server-space.ts';

/** A directory that must not fill up. */
export interface FreeSpace {
  directory: string;
  holds: 'backups' | 'database';
  freeBytes: number;
  totalBytes: number;
}

/** The space of the backup directory, where there is one, and of the server's data directory, where that is on this host. */
export async function findFreeSpace(options: {
  db: Kysely<Database>;
  connection: ConnectionSettings;
  /** Absolute; undefined where no backups are taken. */
  backupDirectory: string | undefined;
}): Promise<FreeSpace[]> {
  const { db, connection, backupDirectory } = options;
  const server = await findServerSpace(db, connection);
  const places = [
    ...(backupDirectory === undefined ? [] : [{ directory: backupDirectory, holds: 'backups' as const }]),
    ...(server === undefined ? [] : [{ directory: server.directory, holds: 'database' as const }]),
  ];
  const found: FreeSpace[] = [];
  for (const place of places) {
    const space = await statfs(place.directory).catch(() => undefined); // a directory not made yet fills no disk
    if (space === undefined) continue;
    const { bavail, blocks, bsize } = space;
    found.push({ ...place, freeBytes: bavail * bsize, totalBytes: blocks * bsize });
  }
  return found;
}
