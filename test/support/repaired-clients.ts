import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestDatabase } from './database.ts';

/**
 * Programs that say they are clients of the server's major without a known hole, for `[backup] tools_directory`: what is
 * installed where the tests run may have some.
 */
export async function placeRepairedClients(database: TestDatabase, directory: string): Promise<void> {
  const [row] = await database.query<{ major: number }>(
    `select current_setting('server_version_num')::int / 10000 as major`,
  );
  for (const name of ['pg_dump', 'pg_restore', 'psql']) {
    const path = join(directory, name);
    await writeFile(path, `#!/bin/sh\necho "${name} (PostgreSQL) ${row?.major}.99"\n`);
    await chmod(path, 0o755);
  }
}
