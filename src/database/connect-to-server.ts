import type pg from 'pg';
import { toClientConfigs } from '../connection/client-configs.ts';
import { type ConnectionSettings, describeConnection } from '../connection/settings.ts';
import { TendError, toError } from '../errors.ts';
import { translateConnectError } from './translate-database-error.ts';

export interface SessionOptions {
  connection: ConnectionSettings;
  applicationName: string;
  /** Server-side limit of one statement; 0 is none. */
  statementTimeoutMs: number;
}

/**
 * Opens a session to the first server of the settings that answers and fits `targetSessionAttrs`.
 *
 * Time-outs go along as start-up parameters. pgbouncer refuses those it cannot track; then the session is opened
 * without them, and the client's own limit on each query (which also notices a half-open TCP connection) stands alone.
 *
 * @throws TendError DATABASE_UNREACHABLE, DATABASE_PERMISSION, DATABASE_BUSY.
 */
export async function connectToServer(options: SessionOptions): Promise<pg.Client> {
  let firstError: Error | undefined;
  for (const config of toClientConfigs(options.connection)) {
    try {
      return await openClient(config, options);
    } catch (thrown) {
      const error = toError(thrown);
      firstError ??= error;
      // libpq does not go on to other hosts after a wrong password, and neither do we.
      if (isAuthenticationFailure(error)) break;
    }
  }
  throw translateConnectError(firstError ?? new Error('no server is configured'), options.connection);
}

async function openClient(config: pg.ClientConfig, options: SessionOptions): Promise<pg.Client> {
  const limits = {
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 60_000,
  };
  const common: pg.ClientConfig = {
    ...config,
    application_name: options.applicationName.slice(0, 63),
    connectionTimeoutMillis: options.connection.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: await typeParsers(),
    ...(options.statementTimeoutMs > 0 && { query_timeout: options.statementTimeoutMs + 5000 }),
  };
  try {
    return await startClient({ ...common, ...limits }, options);
  } catch (error) {
    if (!isUnsupportedStartupParameter(error)) throw error;
    return await startClient(common, options);
  }
}

async function startClient(config: pg.ClientConfig, options: SessionOptions): Promise<pg.Client> {
  const { default: postgres } = await import('pg');
  const client = new postgres.Client(config);
  // Without a listener, a connection that breaks between two queries would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await checkSessionAttributes(client, options.connection);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

async function checkSessionAttributes(client: pg.Client, connection: ConnectionSettings): Promise<void> {
  const wanted = connection.targetSessionAttrs;
  if (wanted === 'any') return;
  const { rows } = await client.query<{ standby: boolean; readonly: boolean }>(
    `select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as readonly`,
  );
  const { standby = false, readonly = false } = rows[0] ?? {};
  const fits = {
    'read-write': !readonly,
    'read-only': readonly,
    primary: !standby,
    standby,
    'prefer-standby': true,
  }[wanted];
  if (!fits) {
    throw new TendError(
      'DATABASE_UNREACHABLE',
      `The server ${describeConnection(connection)} is not "${wanted}".`,
    );
  }
}

/** `bigint` (task ids, counts) as a JavaScript number: ids stay far below 2^53. */
async function typeParsers(): Promise<pg.CustomTypesConfig> {
  const { default: postgres } = await import('pg');
  return {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === 20 && format !== 'binary' ? Number : postgres.types.getTypeParser(oid, format),
  } as pg.CustomTypesConfig; // the library types this as one overload per format
}

function isAuthenticationFailure(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && error.code.startsWith('28');
}

function isUnsupportedStartupParameter(error: unknown): boolean {
  return error instanceof Error && /unsupported startup parameter/i.test(error.message);
}
