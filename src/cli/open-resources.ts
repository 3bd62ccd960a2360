import type { Kysely } from 'kysely';
import type { LoadedConfig } from '../config/load-config.ts';
import type { ConnectionSettings } from '../connection/settings.ts';
import type { Database } from '../database/tables.ts';
import type { Log } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import type { ProcessHost } from './process-host.ts';

/** The connection and the database handle of one command: made when first asked for, closed with the command. */
export interface CommandResources extends AsyncDisposable {
  connection(): Promise<ConnectionSettings>;
  openDatabase(): Promise<Kysely<Database>>;
}

export interface OpenResourcesOptions {
  host: ProcessHost;
  commandId: string;
  loaded: LoadedConfig;
  log: Log;
  secrets: SecretRegistry;
}

/** Connects to nothing yet. Sessions are named `tend <command> <host>:<pid>` in pg_stat_activity. */
export function openResources({
  host,
  commandId,
  loaded,
  log,
  secrets,
}: OpenResourcesOptions): CommandResources {
  let connection: Promise<ConnectionSettings> | undefined;
  let database: Promise<Kysely<Database>> | undefined;

  const resolve = async (): Promise<ConnectionSettings> => {
    const { resolveConnection } = await import('../connection/resolve-connection.ts');
    const { config, configPath, baseDirectory } = loaded;
    const { env, osUser, home } = host;
    return await resolveConnection({
      configured: config.database,
      configPath,
      baseDirectory,
      env,
      osUser,
      home,
      log,
      secrets,
    });
  };
  const open = async (): Promise<Kysely<Database>> => {
    connection ??= resolve();
    const [settings, { openDatabase }] = await Promise.all([
      connection,
      import('../database/open-database.ts'),
    ]);
    const applicationName = `tend ${commandId} ${host.hostname}:${host.pid}`;
    // No statement may keep the next heartbeat waiting for longer than half a lease.
    const statementTimeoutMs = Math.min(30_000, Math.max(5_000, loaded.config.tasks.lease / 2));
    return openDatabase({ connection: settings, applicationName, statementTimeoutMs });
  };

  return {
    connection() {
      connection ??= resolve();
      return connection;
    },
    openDatabase() {
      database ??= open();
      return database;
    },
    async [Symbol.asyncDispose]() {
      const opened = await database?.catch(() => undefined);
      await opened?.destroy();
    },
  };
}
