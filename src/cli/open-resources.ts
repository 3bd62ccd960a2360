import type { Kysely } from 'kysely';
import type { LoadedConfig } from '../config/load-config.ts';
import type { ConnectionSettings } from '../connection/settings.ts';
import type { SessionPool } from '../database/session-pool.ts';
import type { Database } from '../database/tables.ts';
import type { Log } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import type { ProcessHost } from './process-host.ts';

/** The connection, the sessions and the database handle over them: made when first asked for, closed with the command. */
export interface CommandResources extends AsyncDisposable {
  connection(): Promise<ConnectionSettings>;
  openSessions(): Promise<SessionPool>;
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
  let sessions: Promise<SessionPool> | undefined;
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
  const connect = async (): Promise<SessionPool> => {
    connection ??= resolve();
    const [settings, { SessionPool: Pool }] = await Promise.all([
      connection,
      import('../database/session-pool.ts'),
    ]);
    const applicationName = `tend ${commandId} ${host.hostname}:${host.pid}`;
    // No statement may keep the next heartbeat waiting for longer than half a lease.
    const statementTimeoutMs = Math.min(30_000, Math.max(5_000, loaded.config.tasks.lease / 2));
    return new Pool({ connection: settings, applicationName, statementTimeoutMs });
  };
  const open = async (): Promise<Kysely<Database>> => {
    sessions ??= connect();
    const [pool, { databaseOver }] = await Promise.all([sessions, import('../database/open-database.ts')]);
    return databaseOver(pool);
  };

  return {
    connection() {
      connection ??= resolve();
      return connection;
    },
    openSessions() {
      sessions ??= connect();
      return sessions;
    },
    openDatabase() {
      database ??= open();
      return database;
    },
    async [Symbol.asyncDispose]() {
      const opened = await sessions?.catch(() => undefined);
      await opened?.end();
    },
  };
}
