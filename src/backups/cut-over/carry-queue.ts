import { PassThrough } from 'node:stream';
import { type Kysely, sql } from 'kysely';
import type { ConnectionSettings } from '../../connection/settings.ts';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { SecretRegistry } from '../../redact.ts';
import { runTogether } from '../parts/run-together.ts';
import { databaseArgument } from '../restore/load-archive.ts';
import type { PostgresProgram } from '../tools/find-postgres-program.ts';
import { runPostgresTool } from '../tools/run-postgres-tool.ts';
import { toolEnvironment } from '../tools/tool-environment.ts';
import { adoptQueue, queueTables, queueVersion } from './queue-schema.ts';

export interface CarryQueueOptions {
  connection: ConnectionSettings;
  /** The live database, whose queue is carried over. */
  from: string;
  to: { name: string; db: Kysely<Database> };
  /** The name `to` is going to have, as the queue's own database; undefined leaves it the copy that it was. */
  finalName: string | undefined;
  pgDump: PostgresProgram;
  pgRestore: PostgresProgram;
  /** See `serverOptions`. */
  serverOptions: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  log: Log;
  signal: AbortSignal;
}

/**
 * Prepares the queue in the restored database for the live one's rows: a queue of an older version is brought to that
 * of the live one. Views of the application upon it stay. Done before anybody is locked out.
 *
 * @returns what must be carried: rows only, or the whole schema where the backup had none.
 * @throws TendError RESTORE_REFUSED where the backup's queue is newer than the live one.
 */
export async function prepareQueue(options: {
  live: Kysely<Database>;
  restored: Kysely<Database>;
}): Promise<'rows' | 'schema' | 'nothing'> {
  const { live, restored } = options;
  const [liveVersion, restoredVersion] = [await queueVersion(live), await queueVersion(restored)];
  if (liveVersion === undefined) return 'nothing';
  if (restoredVersion === undefined) return 'schema';
  if (restoredVersion < liveVersion) {
    const { migrateUp } = await import('../../database/migrate.ts');
    await migrateUp({ db: restored });
  }
  if ((await queueVersion(restored)) === liveVersion) return 'rows';
  throw new TendError(
    'RESTORE_REFUSED',
    `The queue in the backup (schema version ${restoredVersion}) cannot take the live one's rows (version ${liveVersion}).`,
    { isPermanent: true, hint: 'Bring the live one up to date first: tend migrations up' },
  );
}

/**
 * Replaces the queue in the restored database by the live one's, so that a restore does not rewind it: tasks done
 * since the backup are not done again, tasks enqueued since are not lost, and the running restore finds its own row.
 * The caller holds the live queue's tables locked against writes until nobody can reach them any more.
 */
export async function carryQueue(options: CarryQueueOptions & { what: 'rows' | 'schema' }): Promise<void> {
  const { to, finalName, what } = options;
  if (what === 'rows') {
    const tables = (await queueTables(to.db)).map((name) => sql.id('tend', name));
    if (tables.length > 0) await sql`truncate ${sql.join(tables)}`.execute(to.db);
  }
  await copyQueue(options);
  if (finalName !== undefined) await adoptQueue(to.db, finalName);
}

async function copyQueue(options: CarryQueueOptions & { what: 'rows' | 'schema' }): Promise<void> {
  const { connection, from, to, what, pgDump, pgRestore, serverOptions, env, secrets, log, signal } = options;
  const archive = new PassThrough();
  const only = what === 'rows' ? ['--data-only'] : [];
  const common = { baseEnv: env, secrets, log };
  await runTogether({
    signal,
    joints: [archive],
    members: [
      async (stop) =>
        await runPostgresTool({
          ...common,
          file: pgDump.path,
          args: ['--format=custom', '--compress=0', '--schema=tend', '--no-password', ...only],
          env: toolEnvironment({ connection, database: from, tool: 'pg_dump', serverOptions }),
          stdout: archive,
          signal: stop,
        }),
      async (stop) =>
        await runPostgresTool({
          ...common,
          file: pgRestore.path,
          args: ['--exit-on-error', '--no-password', ...only, databaseArgument(to.name)],
          env: toolEnvironment({ connection, database: to.name, tool: 'pg_restore', serverOptions }),
          input: archive,
          signal: stop,
        }),
    ],
  });
}
