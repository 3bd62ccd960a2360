import { PassThrough } from 'node:stream';
import type { ConnectionSettings } from '../connection/settings.ts';
import type { Log } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import type { BackupSet } from './backup-directory.ts';
import type { PostgresProgram } from './find-postgres-program.ts';
import { databasePart } from './manifest.ts';
import { readPart } from './read-part.ts';
import { runPostgresTool } from './run-postgres-tool.ts';
import { runTogether } from './run-together.ts';
import { toolEnvironment } from './tool-environment.ts';
import { withoutChatter } from './tool-log.ts';

export interface LoadArchiveOptions {
  set: BackupSet;
  connection: ConnectionSettings;
  /** The empty database it goes into. */
  database: string;
  pgRestore: PostgresProgram;
  serverOptions: string;
  /** How long pg_restore may neither read nor write, as while it builds an index. */
  silenceMs?: number | undefined;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  log: Log;
  signal: AbortSignal;
}

/**
 * Loads the dump of a set into an empty database with `pg_restore`, which ends at the first error: the database is
 * thrown away then. Never by way of psql, whose meta-commands a dump could contain (CVE-2025-8714).
 * Subscriptions are left out: a restored copy must not begin to receive what the original receives.
 */
export async function loadArchive(options: LoadArchiveOptions): Promise<void> {
  const { set, connection, database, pgRestore, serverOptions, env, secrets, log, signal } = options;
  const part = databasePart(set.manifest);
  const archive = new PassThrough();
  await runTogether({
    signal,
    joints: [archive],
    members: [
      async (stop) => await readPart({ set, part, target: archive, env, log, signal: stop }),
      async (stop) =>
        await runPostgresTool({
          file: pgRestore.path,
          args: [
            '--exit-on-error',
            '--no-subscriptions',
            '--no-password',
            '--verbose',
            databaseArgument(database),
          ],
          baseEnv: env,
          env: toolEnvironment({ connection, database, tool: 'pg_restore', serverOptions }),
          input: archive,
          ...(options.silenceMs !== undefined && { silenceMs: options.silenceMs }),
          secrets,
          log: withoutChatter(log),
          signal: stop,
        }),
    ],
  });
}

/** As a connection string, since a plain name that looks like one would be taken for one. */
export function databaseArgument(database: string): string {
  return `--dbname=dbname='${database.replace(/[\\']/g, '\\$&')}'`;
}
